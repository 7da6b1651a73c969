//! Live replicas: the state of a replica in memory, kept up with its ops, read and written through its class.

mod applies;
mod authority;
mod changes;
mod foreign;
mod open;
mod opening;
mod reason;
mod state;
mod typing;
mod undo;
mod versions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hhs_model::authority::Authority;
use hhs_model::class::{Draft, EditError, Replica};
use hhs_model::{Author, OpId, ReplicaId};

use crate::store::{AppendError, Applied, Applies, Store, StoreError};

pub use changes::{ChangeStream, Lagged};
pub use reason::VoidReason;

use state::State;

/// A replica of a class that is known here. Cloning gives another handle to the same state.
///
/// What later ops make void, or effective again, is taken out of the state, or comes back into it, with the commit of the op
/// that did it.
pub struct Live<R: Replica> {
    shared: Arc<Shared<R>>,
    store: Store,
    id: ReplicaId,
}

struct Shared<R: Replica> {
    state: Mutex<State<R>>,
}

impl<R: Replica> Live<R> {
    /// The replica's id.
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The store that it lives in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads the state. While `read` runs nothing is applied, so it should be short.
    ///
    /// The state has what is being [typed](Self::type_in), and what is being written already, a moment before it is durable: the next
    /// write builds on it. If it then cannot be made durable, the state goes back to what is; its [changes](Self::changes) are told only once they are, but those of
    /// what is typed.
    pub fn read<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        read(self.shared.lock().replica())
    }

    /// Writes one op with all that `edit` records, and returns its id once it is durable and applied; `None` if nothing was
    /// recorded. `time` is what the op claims: milliseconds since 1970. While `edit` runs the state is locked: it reads from
    /// what it is given, not from this handle. What is being [typed](Self::type_in) on the replica becomes an op before it.
    ///
    /// Writes that run at the same time share a durable commit; each sees those before it, durable or not. If the store
    /// cannot make one durable, those on top of it fail as well, and the state shows none of them when they return.
    ///
    /// # Errors
    /// If the author may not, a value cannot be saved, or the store fails. Then nothing was written. Who drops the future
    /// before it ends does not know: the op is there or not, whole, and is decided with the next write at the latest.
    pub async fn update<F>(&self, author: &Author, time: u64, edit: F) -> Result<Option<OpId>, AppendError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        self.append(author, time, |_| {
            let draft = self.shared.lock().draft(author, time, edit)?;
            Ok((!draft.is_empty()).then_some(draft))
        })
        .await
    }

    /// Writes one op of what `draft` makes of what is shown, when nothing else can come in between.
    async fn append(
        &self,
        author: &Author,
        time: u64,
        draft: impl FnOnce(&Authority) -> Result<Option<Draft>, EditError>,
    ) -> Result<Option<OpId>, AppendError> {
        self.check_here()?;
        self.store.append_on(self.id, author, time, Some(&*self.shared), draft).await
    }

    /// What changes from now on, op by op, each told once it is durable, and what is typed edit by edit, at once; ends when the last handle is dropped, or the
    /// replica deleted. What an op changes by making others void, or effective again, is told under that op. Who does not
    /// read gets [`Lagged`] in place of what was too much to keep.
    pub fn changes(&self) -> ChangeStream {
        self.shared.lock().feed.watch()
    }

    /// What the replica holds now, and what changes from then on: nothing is missed in between and nothing told twice.
    pub fn read_and_watch<T>(&self, read: impl FnOnce(&R) -> T) -> (T, ChangeStream) {
        let mut state = self.shared.lock();
        let changes = state.feed.watch();
        (read(state.replica()), changes)
    }

    /// How many ops have been applied, void ones included.
    pub fn applied(&self) -> u64 {
        let Applied { durable, staged, .. } = Applies::applied(&*self.shared);
        durable + staged
    }

    /// Writes a checkpoint, so that opening the replica costs what its state costs and not what its history costs. That
    /// happens by itself after so much history, and with [`Store::flush`]. It does nothing where there is one already. Nothing of
    /// what is being typed is in it.
    ///
    /// # Errors
    /// If the backend cannot write.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        self.store.write_checkpoint(self.id, &*self.shared).await
    }
}

impl<R: Replica> Clone for Live<R> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), store: self.store.clone(), id: self.id }
    }
}

impl<R: Replica> std::fmt::Debug for Live<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("class", &R::CLASS).field("id", &self.id).finish_non_exhaustive()
    }
}

impl<R: Replica> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // A reader that panicked has changed nothing; an edit that panicked was not written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
