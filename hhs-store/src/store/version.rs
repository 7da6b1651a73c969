//! What reading a replica at a version rests on.

use hhs_model::authority::Seen;
use hhs_model::{Frontier, OpId, ReplicaId};

use super::checkpoints::Head;
use super::listeners::Applies;
use super::{Store, StoreError};

/// A version of a replica, as its store knows it.
pub(crate) struct Version {
    /// Positions, ascending.
    pub(crate) heads: Vec<u64>,
    /// What an op on top of it has seen.
    pub(crate) seen: Seen,
}

/// A checkpoint that was found.
pub(crate) struct Saved {
    position: u64,
    head: Head,
}

impl Store {
    /// Finds a version of a replica.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] if one of its ops is not here.
    pub(crate) async fn seen_version(&self, replica: ReplicaId, version: &Frontier) -> Result<Version, StoreError> {
        let ids: Vec<OpId> = version.heads.iter().copied().collect();
        let mut writer = self.writer().await?;
        let state = self.take_state(&mut writer, replica).await?;
        let found = self.links(&state, ids.clone()).await.map(|links| {
            let missing = ids.iter().find(|id| !links.contains_key(*id));
            let mut heads: Vec<u64> = links.values().map(|link| link.position).collect();
            heads.sort_unstable();
            let seen = state.authority.join(links.values().map(|link| &link.seen));
            match missing {
                Some(missing) => Err(StoreError::NoOp(*missing)),
                None => Ok(Version { heads, seen }),
            }
        });
        self.put_state(&mut writer, replica, state);
        found?
    }

    /// The checkpoints of a live replica's kind with at most the ops before `end`, the newest first.
    pub(crate) async fn saved_before(
        &self,
        id: ReplicaId,
        live: &dyn Applies,
        end: u64,
    ) -> Result<Vec<Saved>, StoreError> {
        let all = self.checkpoints_like(self.replica_number(id).await?, live).await?;
        let before = all.into_iter().rev().filter(|(position, _)| *position <= end);
        Ok(before.map(|(position, head)| Saved { position, head }).collect())
    }

    /// What a checkpoint holds, if it can still be read.
    pub(crate) async fn saved_bytes(&self, id: ReplicaId, saved: &Saved) -> Result<Option<Vec<u8>>, StoreError> {
        self.checkpoint_bytes(self.replica_number(id).await?, id, saved.position, &saved.head).await
    }
}
