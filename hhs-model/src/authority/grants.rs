//! What was granted to whom, what has become of it, and what withdraws it.

use std::collections::{BTreeMap, BTreeSet};

use super::acts::{Known, Rank};
use super::{Authority, Reason};
use crate::bounds::MAX_ACT_TARGETS;
use crate::id::{IdentityId, OpId, ReplicaId};
use crate::op::{Act, Capability, Cut};

/// A grant, and what has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantState<'a> {
    /// The op.
    pub id: OpId,
    /// The replica where it stands.
    pub replica: ReplicaId,
    /// Who granted.
    pub by: IdentityId,
    /// To whom.
    pub to: IdentityId,
    /// What.
    pub can: &'a BTreeSet<Capability>,
    /// How senior it is.
    pub rank: Rank,
    /// Why it does not count, if it is void.
    pub void: Option<Reason>,
    /// What withdraws it, of all that counts the one with the least id.
    pub withdrawn: Option<OpId>,
}

impl Authority {
    /// All grants, in the order in which they came to be known.
    pub fn grants(&self) -> impl Iterator<Item = GrantState<'_>> {
        self.acts.iter().filter_map(|known| self.grant_state(known))
    }

    /// The grants to somebody, the most senior first.
    pub fn grants_to(&self, identity: &IdentityId) -> impl Iterator<Item = GrantState<'_>> {
        let grants = self.granted.get(identity).into_iter().flat_map(BTreeMap::values);
        grants.filter_map(|act| self.grant_state(self.known(*act)))
    }

    /// The act that withdraws what was granted to somebody here and counts, or as much of it as one act can, the most senior grants
    /// first; none if there is nothing.
    pub fn revoking(&self, from: &IdentityId) -> Option<Act> {
        let grants: BTreeSet<OpId> = self.counting(from).take(MAX_ACT_TARGETS).collect();
        (!grants.is_empty()).then(|| Act::Revoke { grants, cut: Cut::new() })
    }

    /// The act that gives back the most junior grant to somebody here that counts; none if there is nothing.
    pub fn renouncing(&self, by: &IdentityId) -> Option<Act> {
        let grant = self.counting(by).last();
        grant.map(|grant| Act::Renounce { grant, cut: Cut::new() })
    }

    /// The grants of this replica to somebody that count, the most senior first.
    fn counting(&self, to: &IdentityId) -> impl Iterator<Item = OpId> {
        let replica = self.founding().id();
        let grants = self.grants_to(to).filter(move |grant| grant.replica == replica);
        grants.filter(|grant| grant.void.is_none() && grant.withdrawn.is_none()).map(|grant| grant.id)
    }

    fn grant_state<'a>(&'a self, known: &'a Known) -> Option<GrantState<'a>> {
        let grant = known.grant()?;
        Some(GrantState {
            id: known.id,
            replica: self.replicas[known.replica as usize].founding.id(),
            by: known.author,
            to: grant.to,
            can: &grant.can,
            rank: grant.rank,
            void: known.reason,
            withdrawn: grant.in_force.first_key_value().map(|(id, _)| *id),
        })
    }
}
