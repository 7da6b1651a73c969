//! Needs: which replicas have to be shared for the sake of others. A replica needs those that give it authority and the one
//! that it is a part of, and what these need: nobody can judge its ops without them.
//!
//! What it needs stands in its genesis, and ids are hashes, so that there are no circles.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hhs_model::ReplicaId;
use hhs_model::bounds::{MAX_ALL_SOURCES, MAX_CHILD_LEVELS};

/// More than this is needed by no replica that a store takes.
const MOST: usize = MAX_ALL_SOURCES * MAX_CHILD_LEVELS;

/// Which replicas are shared, and which of them for the sake of which.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Those that the app shares.
    named: BTreeSet<ReplicaId>,
    known: BTreeMap<ReplicaId, Known>,
    /// Which replicas need one by their own geneses.
    needed_by: BTreeMap<ReplicaId, BTreeSet<ReplicaId>>,
    /// Those that wait for what they need; until when, if that is here and only being fetched.
    waiting: BTreeMap<ReplicaId, Option<Duration>>,
    /// Of these something has changed that others may have waited for.
    stirred: BTreeSet<ReplicaId>,
}

/// What a replica needs by its own genesis.
#[derive(Debug)]
struct Known {
    needs: Vec<ReplicaId>,
    stage: Stage,
}

/// How much is known of what a replica needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing.
    Unknown,
    /// What is missing above it: its genesis was not taken in for the lack of that.
    Above,
    /// All.
    Whole,
    /// It makes some replica need more than any may: it is not fetched.
    TooMuch,
}

impl Needs {
    /// Notes that the app shares a replica.
    pub(super) fn name(&mut self, replica: ReplicaId) {
        self.named.insert(replica);
    }

    /// Notes that the app no longer shares a replica.
    pub(super) fn unname(&mut self, replica: ReplicaId) {
        self.named.remove(&replica);
    }

    /// Whether the app shares a replica.
    pub(super) fn is_named(&self, replica: ReplicaId) -> bool {
        self.named.contains(&replica)
    }

    /// Whether a replica has to be shared.
    pub(super) fn is_wanted(&self, replica: ReplicaId) -> bool {
        self.is_named(replica) || self.needed_by.contains_key(&replica)
    }

    /// Notes what a replica needs by its own genesis, and how much of that these are. Returns what it needed before.
    pub(super) fn learn(&mut self, replica: ReplicaId, needs: Vec<ReplicaId>, stage: Stage) -> Vec<ReplicaId> {
        let before = self.remove(replica);
        for need in &needs {
            self.needed_by.entry(*need).or_default().insert(replica);
        }
        let is_alone = needs.is_empty();
        self.known.insert(replica, Known { needs, stage });
        let too_much = |one: &ReplicaId| self.all(*one).len() > MOST;
        if !is_alone && (too_much(&replica) || self.dependents(replica).iter().any(too_much)) {
            tracing::warn!(%replica, "it makes replicas need more than they may");
            self.remove(replica);
            self.known.insert(replica, Known { needs: Vec::new(), stage: Stage::TooMuch });
        }
        before
    }

    /// Forgets a replica that is no longer shared; returns what it needed.
    pub(super) fn forget(&mut self, replica: ReplicaId) -> Vec<ReplicaId> {
        self.waiting.remove(&replica);
        self.remove(replica)
    }

    fn remove(&mut self, replica: ReplicaId) -> Vec<ReplicaId> {
        let needs = self.known.remove(&replica).map(|known| known.needs).unwrap_or_default();
        for need in &needs {
            if let Some(by) = self.needed_by.get_mut(need) {
                by.remove(&replica);
            }
            if self.needed_by.get(need).is_some_and(BTreeSet::is_empty) {
                self.needed_by.remove(need);
            }
        }
        needs
    }

    /// How much is known of what a replica needs by its own genesis.
    pub(super) fn stage(&self, replica: ReplicaId) -> Stage {
        self.known.get(&replica).map_or(Stage::Unknown, |known| known.stage)
    }

    /// All that a replica needs, as far as that is known; no more than one too many.
    pub(super) fn all(&self, replica: ReplicaId) -> Vec<ReplicaId> {
        let needs = |one: ReplicaId| self.known.get(&one).map_or(&[][..], |known| &known.needs);
        reach(replica, |one| needs(one).iter().copied(), MOST + 1)
    }

    /// All that need a replica.
    pub(super) fn dependents(&self, replica: ReplicaId) -> Vec<ReplicaId> {
        reach(replica, |one| self.needed_by.get(&one).into_iter().flatten().copied(), usize::MAX)
    }

    /// Notes that a replica waits for what it needs; until when, if that is only being fetched and it does not wait
    /// for that already.
    pub(super) fn wait(&mut self, replica: ReplicaId, until: Option<Duration>) {
        let waiting = self.waiting.entry(replica).or_default();
        *waiting = waiting.or(until);
    }

    /// Until when a replica waits for what is being fetched.
    pub(super) fn waits_until(&self, replica: ReplicaId) -> Option<Duration> {
        self.waiting.get(&replica).copied().flatten()
    }

    /// Notes that a replica has waited long enough for what was being fetched, if it has.
    pub(super) fn time_is_up(&mut self, replica: ReplicaId, now: Duration) {
        if let Some(until) = self.waiting.get_mut(&replica) {
            until.take_if(|until| *until <= now);
        }
    }

    /// Notes that a replica waits no more.
    pub(super) fn go_on(&mut self, replica: ReplicaId) {
        self.waiting.remove(&replica);
    }

    /// Notes that something of a replica has changed: it has more ops, or nothing is being fetched of it any more.
    pub(super) fn stir(&mut self, replica: ReplicaId) {
        if !self.waiting.is_empty() {
            self.stirred.insert(replica);
        }
    }

    /// Those that wait and may go on, and whether something of what they need has changed.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(ReplicaId, bool)> {
        let stirred = std::mem::take(&mut self.stirred);
        let has_changed = |replica: ReplicaId| {
            let is_stirred = |one: &ReplicaId| stirred.contains(one);
            !stirred.is_empty() && (is_stirred(&replica) || self.all(replica).iter().any(is_stirred))
        };
        let waiting = self.waiting.iter().map(|(replica, until)| (*replica, has_changed(*replica), *until));
        let due = waiting.filter(|(_, changed, until)| *changed || until.is_some_and(|until| until <= now));
        due.map(|(replica, changed, _)| (replica, changed)).collect()
    }

    /// When somebody has waited long enough.
    pub(super) fn next_wake(&self) -> Option<Duration> {
        self.waiting.values().flatten().min().copied()
    }
}

/// What can be reached from a replica, itself not among it, at most so many.
fn reach<I: Iterator<Item = ReplicaId>>(from: ReplicaId, next: impl Fn(ReplicaId) -> I, most: usize) -> Vec<ReplicaId> {
    let (mut found, mut order, mut at) = (BTreeSet::new(), Vec::new(), 0);
    let mut one = from;
    loop {
        for reached in next(one) {
            if order.len() < most && found.insert(reached) {
                order.push(reached);
            }
        }
        let Some(following) = order.get(at) else { return order };
        (one, at) = (*following, at + 1);
    }
}
