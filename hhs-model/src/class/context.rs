//! The op that is being applied, and where it stands.

use std::cell::OnceCell;

use crate::history::{Graph, Positions, SharedPositions};
use crate::id::{IdentityId, OpId};
use crate::op::Act;

/// The op that is being applied.
#[derive(Clone)]
pub struct OpContext<'a> {
    /// Its id.
    pub id: OpId,
    /// Where it stands in the order in which ops came to be here, which differs from peer to peer: nothing that is shown may
    /// depend on it but by way of [`graph`](Self::graph).
    pub position: u64,
    /// One more than the greatest height of its parents; 0 for an op without parents.
    pub height: u64,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970.
    pub time: u64,
    /// What it does to authority.
    pub act: Option<&'a Act>,
    /// The history so far, this op the last in it.
    pub graph: &'a Graph,
    /// Ops of its past that had no effect in what its author saw: void as judged from its own past. What was applied before and is not
    /// in its past may be among them; the op itself, which may be void by its own past too, never is.
    pub hidden: &'a SharedPositions,
    /// What its author may do, by roles and by the grants that it names.
    pub rights: &'a dyn Rights,
    /// What it has not seen, once somebody has asked.
    pub unseen: Unseen,
}

impl<'a> OpContext<'a> {
    /// Whether an op that was applied before is in this one's past.
    pub fn has_seen(&self, position: u64) -> bool {
        if self.graph.has_seen_all(self.position) {
            return true;
        }
        // Who is asked about an op of late need not know all that is beside this one.
        let soon = match self.unseen.0.get() {
            None => self.graph.contains_within(&[self.position], position, FEW_RUNS),
            Some(_) => None,
        };
        soon.unwrap_or_else(|| !self.unseen().contains(position))
    }

    /// The ops that were applied before and are not in this one's past.
    pub fn unseen(&self) -> &Positions {
        self.unseen.0.get_or_init(|| self.graph.unseen(self.position))
    }
}

impl std::fmt::Debug for OpContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpContext").field("id", &self.id).field("position", &self.position).finish_non_exhaustive()
    }
}

/// What an op has not seen, computed when first asked for.
#[derive(Debug, Clone, Default)]
pub struct Unseen(OnceCell<Positions>);

/// What the author of an op may do.
pub trait Rights {
    /// Whether the author holds a capability, by roles or by the grants that the op names.
    fn holds(&self, capability: &str) -> bool;
}

/// Nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRights;

impl Rights for NoRights {
    fn holds(&self, _capability: &str) -> bool {
        false
    }
}

/// Everything: for questions that leave authority aside.
#[derive(Debug, Clone, Copy, Default)]
pub struct AllRights;

impl Rights for AllRights {
    fn holds(&self, _capability: &str) -> bool {
        true
    }
}

/// Runs that are looked at for one op alone. Too high: to ask about many takes long; too low: all that an op has not seen is looked for
/// where a few steps tell.
const FEW_RUNS: usize = 8;
