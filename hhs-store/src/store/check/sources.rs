//! What the replicas that give authority to one say, as its ops are judged by it.

use hhs_model::authority::Authority;
use hhs_model::op::{Founding, Genesis};
use hhs_model::{ReplicaId, object};

use super::super::foreign::seen_from;
use super::super::record::Place;
use super::super::sources::Walk;
use super::super::{StoreError, acts, keys};
use super::Check;
use crate::backend::BackendError;

impl Check<'_> {
    /// The authority that a replica begins with, with the acts of its sources as they are listed; none if one of those is of no
    /// use, which is told where its own turn is.
    pub(super) async fn authority(&self, founding: Founding) -> Result<Option<Authority>, StoreError> {
        let mut walk = Walk::new(&founding);
        while let Some(source) = walk.wants() {
            let here = self.source(source).await?;
            if walk.supply(here).is_err() {
                return Ok(None);
            }
        }
        let sources = walk.finish();
        let foundings = sources.here().map(|(_, founding)| founding.clone());
        let mut authority = Authority::with_sources(founding, foundings);
        for (number, founding) in sources.here() {
            let listed = match acts::listed(self.backend, number).await {
                Err(StoreError::Backend(BackendError::Corrupted { .. })) => return Ok(None),
                listed => listed?,
            };
            for act in listed {
                if !authority.knows(&seen_from(founding.id(), &act.seen)) {
                    return Ok(None);
                }
                // What is refused does not depend on what was unseen.
                authority.add_source(founding.id(), &act.op, act.position, act.height, &act.seen, Default::default);
            }
        }
        Ok(Some(authority))
    }

    async fn source(&self, id: ReplicaId) -> Result<Option<(u32, Founding)>, StoreError> {
        let place = self.backend.get(&keys::place(id)).await?;
        let Some(Ok(Place::Genesis { replica, object })) = place.map(|place| Place::from_bytes(&place)) else {
            return Ok(None);
        };
        let bytes = self.backend.get(&keys::object(object)).await?;
        let Some(genesis) = bytes.and_then(|bytes| object::from_bytes::<Genesis>(&bytes).ok()) else { return Ok(None) };
        Ok(self.founding(id, genesis).await?.map(|founding| (replica, founding)))
    }
}
