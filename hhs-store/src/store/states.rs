//! The replicas that were written to lately, as the writer sees them: bounded, those used longest ago go first.

use std::collections::BTreeMap;

use hhs_model::ReplicaId;

use super::replica::ReplicaState;

/// States of replicas, with all that is staged.
#[derive(Default)]
pub(super) struct States {
    states: BTreeMap<ReplicaId, (u64, ReplicaState)>,
    /// By when they were used.
    used: BTreeMap<u64, ReplicaId>,
    clock: u64,
}

impl States {
    /// Takes a state out.
    pub(super) fn take(&mut self, replica: ReplicaId) -> Option<ReplicaState> {
        let (used, state) = self.states.remove(&replica)?;
        self.used.remove(&used);
        Some(state)
    }

    /// Looks at a state.
    pub(super) fn get(&self, replica: ReplicaId) -> Option<&ReplicaState> {
        self.states.get(&replica).map(|(_, state)| state)
    }

    /// Takes out all that are not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(&ReplicaState) -> bool) {
        self.states.retain(|_, (_, state)| keep(state));
        self.used.retain(|_, replica| self.states.contains_key(replica));
    }

    /// Puts a state in, the one used last. One too many goes, unless `keep` says that it has to stay.
    pub(super) fn put(&mut self, replica: ReplicaId, state: ReplicaState, keep: impl Fn(ReplicaId) -> bool) {
        self.take(replica);
        self.clock += 1;
        self.states.insert(replica, (self.clock, state));
        self.used.insert(self.clock, replica);
        if self.states.len() > MAX_STATES {
            // Few have to stay: those with ops on their way to the disk.
            let oldest = self.used.values().copied().find(|replica| !keep(*replica));
            oldest.map(|replica| self.take(replica));
        }
    }
}

/// States that are remembered, some kilobytes each. Too low: a host of many replicas reads their heads and grants again for
/// every bundle.
const MAX_STATES: usize = 2048;
