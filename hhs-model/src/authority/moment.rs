//! What those ask who keep a state up with verdicts: which have changed since a moment, and what held in a past.

use std::collections::{BTreeMap, BTreeSet};

use super::past::Past;
use super::{Affected, Authority, Holders, Seen};
use crate::id::OpId;

/// A moment of what is known of authority. While it lasts no verdict changes, and nobody holds more or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    edition: u64,
    acts: usize,
    epoch: u64,
}

impl Moment {
    /// Whether one can tell what was [affected](Authority::affected_since) between the two.
    pub(crate) fn is_comparable(self, other: Self) -> bool {
        self.edition == other.edition
    }
}

/// The last epoch in which each grant or act was affected.
#[derive(Debug, Clone, Default)]
pub(super) struct Changed {
    latest: BTreeMap<OpId, u64>,
    order: BTreeSet<(u64, OpId)>,
}

impl Changed {
    pub(super) fn record(&mut self, epoch: u64, affected: &Affected) {
        for id in affected.grants.union(&affected.acts) {
            if let Some(before) = self.latest.insert(*id, epoch) {
                self.order.remove(&(before, *id));
            }
            self.order.insert((epoch, *id));
        }
    }
}

impl Authority {
    /// The present moment.
    pub fn moment(&self) -> Moment {
        Moment { edition: self.edition, acts: self.acts.len(), epoch: self.epoch }
    }

    /// What was [affected](Affected) since a moment, grants and acts: only ops that stand on these, and these themselves, can be
    /// judged otherwise now.
    pub fn affected_since(&self, moment: Moment) -> impl Iterator<Item = &OpId> {
        self.changed.order.range((moment.epoch + 1, OpId(crate::Hash([0; 32])))..).map(|(_, id)| id)
    }

    /// Whether all these grants stand now: no op can be void that stands on them, but for an act that is undone.
    pub fn all_stand(&self, grants: &[OpId]) -> bool {
        let stands = |id: &OpId| self.act(id).and_then(|act| self.known(act).grant()).is_some_and(|grant| grant.live);
        grants.iter().all(stands)
    }

    /// Who holds what as judged from the acts in `seen` alone.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn holders_for(&self, seen: &Seen) -> Holders {
        let heads = self.acts_of(seen);
        if self.is_all(&heads) {
            return self.holders.clone();
        }
        let (mut holders, home) = (Holders::from_roles(self.founding().roles()), self.home(0));
        let mut past = Past::new(self, heads);
        for (number, known) in (0..).zip(&self.acts) {
            let Some(grant) = known.grant().filter(|_| home.contains(&Some(known.replica))) else { continue };
            if past.is_live(number) {
                grant.can.iter().for_each(|capability| _ = holders.insert(capability.clone(), grant.to));
            }
        }
        holders
    }
}
