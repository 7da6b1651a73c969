//! Opening a replica: the newest checkpoint that holds, and the ops after it.

use std::sync::{Arc, Mutex};

use hhs_model::ReplicaId;
use hhs_model::class::Replica;

use super::state::State;
use super::{Live, Shared};
use crate::store::{Applies, Store, StoreError};

impl Store {
    /// Opens a replica as one of class `R`: reads its newest checkpoint and the history after it, all of it if there is
    /// none, and keeps up with it from then on.
    ///
    /// # Errors
    /// If the replica is not here, is of another class, or the backend cannot read.
    pub async fn open_replica<R: Replica>(&self, id: ReplicaId) -> Result<Live<R>, StoreError> {
        let founding = self.founding(id).await?;
        if founding.class() != R::CLASS {
            return Err(StoreError::Class { id, found: founding.class().to_owned(), expected: R::CLASS });
        }
        let authority = self.with_authority(id, Clone::clone).await?;
        let shared = Arc::new(Shared { state: Mutex::new(State::<R>::new(&authority)) });
        let applies: Arc<dyn Applies> = shared.clone();
        self.bring_up(id, &applies).await?;
        let live = Live { shared, store: self.clone(), id };
        // What it had to apply is not to be applied again the next time. Without that it is open all the same.
        self.checkpoint_if_due(id).await;
        Ok(live)
    }
}
