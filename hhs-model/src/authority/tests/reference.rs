//! Authority by its definition (`docs/format.md`, section 6), from scratch for every question: no numbers, no bits, no
//! order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::Refusal;
use crate::id::{IdentityId, OpId};
use crate::op::{Act, Capability, Header, Op, Roles};

pub(super) struct Reference {
    pub(super) roles: Roles,
    pub(super) ops: BTreeMap<OpId, Op>,
}

impl Reference {
    pub(super) fn new(roles: Roles, ops: &[Op]) -> Self {
        Self { roles, ops: ops.iter().map(|op| (op.id(), op.clone())).collect() }
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
    /// - the author has to hold `write`, and for an act that grants, `grant` and all that is granted.
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
        let mut needed = vec![Capability::write()];
        if let Some(Act::Grant { can, .. }) = &header.act {
            needed.push(Capability::grant());
            needed.extend(can.clone());
        }
        for capability in needed {
            let granted = header.grants.iter().any(|grant| self.gives(grant, &capability));
            if !self.by_genesis(&header.author, &capability) && !granted {
                let capability = capability.to_string();
                return Err(Refusal::Standing { author: header.author, capability });
            }
        }
        Ok(())
    }

    /// Whether somebody who has these parents can do all this by the genesis and any grants at all.
    pub(super) fn can(&self, author: &IdentityId, capabilities: &[&str], parents: &[OpId]) -> bool {
        let past = self.past(parents);
        capabilities.iter().all(|capability| {
            let capability = capability.parse().unwrap();
            let to_author = |grant: &&OpId| self.grant(grant).is_some_and(|(to, _)| to == *author);
            self.by_genesis(author, &capability)
                || past.iter().filter(to_author).any(|grant| self.gives(grant, &capability))
        })
    }

    fn by_genesis(&self, identity: &IdentityId, capability: &Capability) -> bool {
        self.roles.iter().any(|(name, holders)| name == capability && holders.contains(identity))
    }

    fn gives(&self, grant: &OpId, capability: &Capability) -> bool {
        self.grant(grant).is_some_and(|(_, can)| can.contains(capability))
    }

    pub(super) fn grant(&self, op: &OpId) -> Option<(IdentityId, &BTreeSet<Capability>)> {
        let Act::Grant { to, can } = self.ops.get(op)?.header().act.as_ref()?;
        Some((*to, can))
    }
}
