//! What is known of an act: where it stands, what it stands on, and what acts on it.

use std::collections::{BTreeMap, BTreeSet};

use super::Reason;
use crate::history::{Positions, SharedPositions};
use crate::id::{IdentityId, OpId};
use crate::op::Capability;

/// How senior a grant is, the least first: by the length of its chain from the genesis, then by its height, then by its id.
/// What the genesis gives is senior to every grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// One more than the greatest of the grants that it stands on; 1 if it stands on roles of a genesis alone.
    pub chain: u32,
    /// Its height in its replica.
    pub height: u64,
    /// Its op.
    pub id: OpId,
}

/// Where verdicts come one after the other: every verdict rests on such with lesser keys only.
///
/// The first part is the highest rank among the grants that an op names, none for the authority of the genesis. An op's
/// verdict asks about
///
/// - the grants that it names: what those name is lower;
/// - revocations of those: they stand on less than what they revoke;
/// - renunciations of those: they stand on what they renounce, which is at most as high, and come first at the same height, where
///   they do not ask about each other;
/// - what extends those: it stands on no more than the revocation, on less than the renunciation;
/// - for a revocation, its reinstatements: they stand on no more, and come before it at the same height.
pub(super) type Key = (Option<Rank>, Turn, u32);

/// Acts that are to be judged, the least key first.
///
/// What an act's verdict decides has greater keys, so that nothing comes twice. For an act that ought to have been refused, as a
/// damaged store can hold one, that need not be so: what is not above the last one is passed over, and nothing goes round for ever.
#[derive(Debug, Default)]
pub(super) struct Due {
    keys: BTreeSet<Key>,
    last: Option<Key>,
}

impl Due {
    /// The next act.
    pub(super) fn pop(&mut self) -> Option<u32> {
        loop {
            let key = self.keys.pop_first()?;
            if self.last.is_none_or(|last| key > last) {
                self.last = Some(key);
                return Some(key.2);
            }
        }
    }
}

impl Extend<Key> for Due {
    fn extend<T: IntoIterator<Item = Key>>(&mut self, keys: T) {
        self.keys.extend(keys);
    }
}

/// Which acts come first among those that stand equally high.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    Renunciation,
    ReinstatementOrExtension,
    Revocation,
    Rest,
}

/// An op that acts on authority. Acts are named by their numbers in the order in which they came to be known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: OpId,
    pub(super) author: IdentityId,
    /// The replica where it stands.
    pub(super) replica: u32,
    /// Its number among the acts of that replica.
    pub(super) number: u32,
    pub(super) position: u64,
    /// The grants that it stands on, ascending by id.
    pub(super) grants: Vec<u32>,
    pub(super) key: Key,
    pub(super) act: KnownAct,
    /// Whether it or an act in its past withdraws anything.
    pub(super) withdrawals_below: bool,
    /// Whether it counts now; false until it has had its first verdict.
    pub(super) counts: bool,
    /// Why it does not.
    pub(super) reason: Option<Reason>,
}

#[derive(Debug, Clone)]
pub(super) enum KnownAct {
    Grant(Grant),
    Withdrawal(Withdrawal),
    /// Of these revocations.
    Reinstatement(Vec<u32>),
    /// Of this withdrawal.
    Extension(u32, Kept),
}

#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) rank: Rank,
    pub(super) to: IdentityId,
    pub(super) can: BTreeSet<Capability>,
    /// The acts that stand on it, by replica and position, but for those that give it back.
    pub(super) stands: BTreeMap<(u32, u64), u32>,
    /// The acts that give it back. They do not hit each other, and must not be asked about each other: anybody may give back what they
    /// hold as often as they like.
    pub(super) given_back: BTreeMap<(u32, u64), u32>,
    /// Everything that withdraws it.
    pub(super) withdrawals: BTreeMap<OpId, u32>,
    /// Those of them that count.
    pub(super) in_force: BTreeMap<OpId, u32>,
    /// Whether an op that is written now may stand on it: it counts, and nothing in force withdraws it.
    pub(super) live: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Withdrawal {
    pub(super) grants: Vec<u32>,
    pub(super) renounces: bool,
    /// The positions before its own that are not in its past.
    pub(super) unseen: SharedPositions,
    /// What it keeps of other replicas.
    pub(super) kept: Kept,
    pub(super) extensions: Vec<u32>,
    pub(super) reinstatements: BTreeMap<OpId, u32>,
}

/// The positions of other replicas that are at or below the heads of a cut, as far as they are here.
pub(super) type Kept = BTreeMap<u32, Positions>;

impl Grant {
    /// The acts that stand on it, those that give it back too.
    pub(super) fn on_it(&self) -> impl Iterator<Item = u32> {
        self.stands.values().chain(self.given_back.values()).copied()
    }
}

impl Known {
    pub(super) fn grant(&self) -> Option<&Grant> {
        match &self.act {
            KnownAct::Grant(grant) => Some(grant),
            _ => None,
        }
    }

    pub(super) fn grant_mut(&mut self) -> Option<&mut Grant> {
        match &mut self.act {
            KnownAct::Grant(grant) => Some(grant),
            _ => None,
        }
    }

    pub(super) fn withdrawal(&self) -> Option<&Withdrawal> {
        match &self.act {
            KnownAct::Withdrawal(withdrawal) => Some(withdrawal),
            _ => None,
        }
    }

    pub(super) fn withdrawal_mut(&mut self) -> Option<&mut Withdrawal> {
        match &mut self.act {
            KnownAct::Withdrawal(withdrawal) => Some(withdrawal),
            _ => None,
        }
    }

    pub(super) fn renounces(&self) -> bool {
        self.withdrawal().is_some_and(|withdrawal| withdrawal.renounces)
    }

    /// The grants that it withdraws.
    pub(super) fn withdraws(&self) -> &[u32] {
        self.withdrawal().map_or(&[], |withdrawal| &withdrawal.grants)
    }

    pub(super) fn kept(&self) -> Option<&Kept> {
        match &self.act {
            KnownAct::Withdrawal(withdrawal) => Some(&withdrawal.kept),
            KnownAct::Extension(_, kept) => Some(kept),
            KnownAct::Grant(_) | KnownAct::Reinstatement(_) => None,
        }
    }

    pub(super) fn kept_mut(&mut self) -> Option<&mut Kept> {
        match &mut self.act {
            KnownAct::Withdrawal(withdrawal) => Some(&mut withdrawal.kept),
            KnownAct::Extension(_, kept) => Some(kept),
            KnownAct::Grant(_) | KnownAct::Reinstatement(_) => None,
        }
    }
}
