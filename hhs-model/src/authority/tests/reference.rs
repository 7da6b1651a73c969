//! Standing by its definition (`docs/format.md`, section 6), from scratch for every question: no numbers, no chains, no
//! order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Rank;
use super::{Definition, Refusal};
use crate::id::{IdentityId, OpId};
use crate::op::{Act, Capability, Header, Op, Roles};

pub(super) struct Reference<'a> {
    pub(super) roles: Roles,
    pub(super) ops: BTreeMap<OpId, &'a Op>,
    pub(super) definition: Definition<'a>,
}

impl<'a> Reference<'a> {
    pub(super) fn new(roles: Roles, ops: &'a [Op]) -> Self {
        Self { roles, ops: ops.iter().map(|op| (op.id(), op)).collect(), definition: Definition::new(ops) }
    }

    /// All ops below an op with these parents: the parents, and all ops below each of them.
    pub(super) fn past(&self, parents: &[OpId]) -> BTreeSet<OpId> {
        let mut past = BTreeSet::new();
        let mut left = parents.to_vec();
        while let Some(op) = left.pop() {
            if past.insert(op) {
                left.extend(&self.ops[&op].header().parents);
            }
        }
        past
    }

    /// The acts in the past of an op with these parents that no other act of that past has in its own past.
    pub(super) fn seen(&self, parents: &[OpId]) -> BTreeSet<OpId> {
        let acts: BTreeSet<OpId> =
            self.past(parents).into_iter().filter(|op| self.ops[op].header().act.is_some()).collect();
        let covered = |act: &OpId| acts.iter().any(|other| self.past(&self.ops[other].header().parents).contains(act));
        acts.iter().filter(|act| !covered(act)).copied().collect()
    }

    /// - Every op in `grants` has to be in the op's past, to carry a grant, and to grant to its author;
    /// - a renunciation stands on what it gives back and on nothing else, and has no payload; any other op
    /// - has to be by somebody who holds `write`, and for an act `grant` too; for a grant all that is granted, for a
    ///   revocation all that is revoked;
    /// - what an act is on has to be in its past, and of the right kind;
    /// - a revocation stands on less than what it revokes; a reinstatement on no more than what it undoes; an extension on no more than a
    ///   revocation, on less than a renunciation.
    ///
    /// One holds a capability if the genesis says so, or a grant in `grants` gives it.
    pub(super) fn verdict(&self, header: &Header) -> Result<(), Refusal> {
        let past = self.past(&header.parents);
        for grant in &header.grants {
            match self.grant(grant).filter(|_| past.contains(grant)) {
                None => return Err(Refusal::NoSuchGrant(*grant)),
                Some((to, _)) if to != header.author => return Err(Refusal::ForeignGrant(*grant)),
                Some(_) => {}
            }
        }
        if let Some(Act::Renounce { grant, .. }) = &header.act {
            let right = header.grants == [*grant] && header.payload.is_none();
            return if right { Ok(()) } else { Err(Refusal::Renunciation(*grant)) };
        }
        self.need(header, &Capability::write())?;
        if header.act.is_some() {
            self.need(header, &Capability::grant())?;
        }
        let stands = self.stands(header);
        let senior = |is: bool, target: &OpId| if is { Ok(()) } else { Err(Refusal::NotSenior(*target)) };
        match &header.act {
            None | Some(Act::Renounce { .. }) => Ok(()),
            Some(Act::Grant { can, .. }) => can.iter().try_for_each(|capability| self.need(header, capability)),
            Some(Act::Revoke { grants, .. }) => grants.iter().try_for_each(|id| {
                let (_, can) = self.grant(id).filter(|_| past.contains(id)).ok_or(Refusal::NoSuchTarget(*id))?;
                senior(stands < self.definition.rank(id), id)?;
                can.iter().try_for_each(|capability| self.need(header, capability))
            }),
            Some(Act::Reinstate { of }) => of.iter().try_for_each(|id| {
                let target = self.act(id).filter(|_| past.contains(id));
                match target {
                    Some((target, Act::Revoke { .. })) => senior(stands <= self.stands(target), id),
                    _ => Err(Refusal::NoSuchTarget(*id)),
                }
            }),
            Some(Act::Extend { of, .. }) => match self.act(of).filter(|_| past.contains(of)) {
                Some((target, Act::Revoke { .. })) => senior(stands <= self.stands(target), of),
                Some((target, Act::Renounce { .. })) => senior(stands < self.stands(target), of),
                _ => Err(Refusal::NoSuchTarget(*of)),
            },
        }
    }

    fn need(&self, header: &Header, capability: &Capability) -> Result<(), Refusal> {
        let granted = header.grants.iter().any(|grant| self.gives(grant, capability));
        if self.by_genesis(&header.author, capability) || granted {
            return Ok(());
        }
        Err(Refusal::Standing { author: header.author, capability: capability.to_string() })
    }

    pub(super) fn stands(&self, header: &Header) -> Option<Rank> {
        header.grants.iter().map(|grant| self.definition.rank(grant)).max().flatten()
    }

    pub(super) fn by_genesis(&self, identity: &IdentityId, capability: &Capability) -> bool {
        self.roles.iter().any(|(name, holders)| name == capability && holders.contains(identity))
    }

    pub(super) fn gives(&self, grant: &OpId, capability: &Capability) -> bool {
        self.grant(grant).is_some_and(|(_, can)| can.contains(capability))
    }

    fn act(&self, op: &OpId) -> Option<(&Header, &Act)> {
        let header = self.ops.get(op)?.header();
        Some((header, header.act.as_ref()?))
    }

    pub(super) fn grant(&self, op: &OpId) -> Option<(IdentityId, &BTreeSet<Capability>)> {
        match self.act(op)? {
            (_, Act::Grant { to, can }) => Some((*to, can)),
            _ => None,
        }
    }

    /// Whether an op that is written on top of `parents` may stand on a grant, in a history where nothing else is.
    pub(super) fn is_live(&self, past: &Definition<'_>, below: &BTreeSet<OpId>, grant: &OpId) -> bool {
        let withdraws = |op: &&OpId| match self.act(op) {
            Some((_, Act::Revoke { grants, .. })) => grants.contains(grant),
            Some((_, Act::Renounce { grant: renounced, .. })) => renounced == grant,
            _ => false,
        };
        let counts = |op: &OpId| past.verdict(op).is_none();
        below.contains(grant) && counts(grant) && !below.iter().filter(withdraws).any(counts)
    }
}
