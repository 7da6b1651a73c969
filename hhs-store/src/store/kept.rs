//! Ops without effect that others have to have all the same: a cut in a replica that gives authority names them, so that what is
//! below them stays. Who lacks them would judge that differently.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::{OpId, ReplicaId};

use super::replica::Staged;
use super::{Store, StoreError, keys};

impl Store {
    /// The heads of what cuts keep of a replica and its [frontier](Self::frontier) leaves out. Peers are told of both. Cuts of acts
    /// that are themselves left out, where they stand, do not count: not everybody has those.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here, or if the backend cannot read.
    pub async fn kept_heads(&self, replica: ReplicaId) -> Result<Vec<OpId>, StoreError> {
        let number = self.replica_number(replica).await?;
        if self.backend().get(&keys::tips(number)).await?.is_none() {
            // All heads count.
            return Ok(Vec::new());
        }
        let mut heads = Vec::new();
        for position in self.kept_and_withheld(replica).await? {
            // What is staged is told of once it is durable.
            heads.extend(self.op_ids(replica, position..position + 1).await?);
        }
        Ok(heads)
    }

    async fn kept_and_withheld(&self, replica: ReplicaId) -> Result<Vec<u64>, StoreError> {
        let mut writer = self.writer().await?;
        let mut state = self.take_state(&mut writer, replica).await?;
        let mut elsewhere: BTreeMap<ReplicaId, BTreeSet<u64>> = BTreeMap::new();
        for source in state.foreign.sources.clone() {
            let there = self.take_state(&mut writer, source).await?;
            elsewhere.insert(source, there.withheld().collect());
            self.put_state(&mut writer, source, there);
        }
        let counts = |replica, position| !elsewhere.get(&replica).is_some_and(|withheld| withheld.contains(&position));
        let kept: Vec<u64> = state.withheld().filter(|position| state.authority.is_kept(*position, counts)).collect();
        let mut heads = Vec::new();
        if !kept.is_empty() {
            state.read_graph(self, &Staged::default()).await?;
            heads = state.graph.as_ref().map(|graph| graph.heads_of(&kept)).unwrap_or_default();
        }
        self.put_state(&mut writer, replica, state);
        Ok(heads)
    }
}
