//! What to stand on: the grants to name in an op that is going to be written.

use super::judge::Held;
use super::{Authority, Seen};
use crate::id::{IdentityId, OpId};
use crate::op::{Act, Capability, Rule};

impl Authority {
    /// What the author of an op has to be allowed besides standing on the right grants, if it carries this act.
    pub fn needs<'a>(&'a self, act: Option<&'a Act>) -> Vec<&'a str> {
        let mut needs = vec![Capability::WRITE];
        match act {
            None => {}
            Some(Act::Renounce { .. }) => needs.clear(),
            Some(Act::Grant { can, .. }) => {
                needs.push(Capability::GRANT);
                needs.extend(can.iter().map(Capability::as_str));
            }
            Some(Act::Revoke { grants, .. }) => {
                needs.push(Capability::GRANT);
                let grants = grants.iter().filter_map(|id| self.known(self.act(id)?).grant());
                needs.extend(grants.flat_map(|grant| grant.can.iter().map(Capability::as_str)));
            }
            Some(Act::Reinstate { .. } | Act::Extend { .. }) => needs.push(Capability::GRANT),
        }
        needs
    }

    /// The grants to stand on for an op that carries this act, by somebody who has seen `seen`; `None` if they may not. Where
    /// the author has to be senior to somebody, [`judge`](Self::judge) says whether they are.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn standing_for(&self, author: &IdentityId, act: Option<&Act>, seen: &Seen) -> Option<Vec<OpId>> {
        match act {
            Some(Act::Renounce { grant, .. }) => Some(vec![*grant]),
            _ => self.standing(author, &self.needs(act), seen),
        }
    }

    /// The grants to stand on for who has seen `seen` and wants to use `capabilities`: the most senior ones that do, and of those few; none if the
    /// genesis is enough; `None` if they may not. Grants are left out that are void or withdrawn as judged from `seen`.
    ///
    /// Costs time in the grants to `author`, those only that stand if `seen` is all there is.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn standing(&self, author: &IdentityId, capabilities: &[&str], seen: &Seen) -> Option<Vec<OpId>> {
        let mut held = Held { authority: self, author: *author, grants: Vec::new() };
        let enough = |held: &Held<'_>| capabilities.iter().all(|capability| held.enough(capability));
        let atoms = self.atoms(capabilities);
        let worth = |grant: u32| atoms.iter().filter(|(home, name)| self.gives(grant, *home, name)).count();
        let mut candidates = None;
        while !enough(&held) {
            // Looked for only by who needs any.
            let grant = candidates.get_or_insert_with(|| self.candidates(author, seen)).next()?;
            let given = |(home, name): &&([Option<u32>; 2], &str)| {
                self.gives(grant, *home, name) && !held.grants.iter().any(|held| self.gives(*held, *home, name))
            };
            if atoms.iter().any(|atom| given(&atom)) {
                held.grants.push(grant);
            }
        }
        // The most senior ones are enough; of these, those may go that the others make up for, the least useful first.
        let mut spare = held.grants.clone();
        spare.sort_by_key(|grant| {
            (worth(*grant), std::cmp::Reverse(self.known(*grant).grant().map(|grant| grant.rank)))
        });
        for grant in spare {
            let at = held.grants.iter().position(|held| *held == grant)?;
            held.grants.remove(at);
            if !enough(&held) {
                held.grants.push(grant);
            }
        }
        let mut grants: Vec<OpId> = held.grants.iter().map(|grant| self.known(*grant).id).collect();
        grants.sort_unstable();
        (grants.len() <= crate::bounds::MAX_GRANTS).then_some(grants)
    }

    /// What grants can be asked for, by the rules of these capabilities: a capability, in one replica or its root.
    fn atoms<'a>(&'a self, capabilities: &[&'a str]) -> Vec<([Option<u32>; 2], &'a str)> {
        let mut atoms = Vec::new();
        for capability in capabilities {
            match self.founding().rule(capability) {
                None => atoms.push((self.home(0), *capability)),
                Some(rule) => rule.visit(1, &mut |rule, _| match rule {
                    Rule::Can(capability) => atoms.push((self.home(0), capability.as_str())),
                    Rule::CanIn(capability, replica) => {
                        let replica = self.replica(replica);
                        atoms.extend(replica.map(|replica| (self.home(replica), capability.as_str())));
                    }
                    Rule::Any(_) | Rule::All(_) | Rule::Is(_) => {}
                }),
            }
        }
        atoms
    }

    /// The grants to somebody that stand as judged from `seen`, the most senior first.
    fn candidates<'a>(&'a self, to: &IdentityId, seen: &Seen) -> Box<dyn Iterator<Item = u32> + 'a> {
        let heads = self.acts_of(seen);
        if self.is_all(&heads) {
            return Box::new(self.live.get(to).into_iter().flat_map(|grants| grants.values().copied()));
        }
        let grants = self.granted.get(to).into_iter().flat_map(|grants| grants.values().copied());
        let mut past = super::past::Past::new(self, heads.clone());
        let withdrawals = heads.iter().any(|act| self.known(*act).withdrawals_below);
        Box::new(
            grants.filter(move |grant| {
                self.ancestry.any_covers(&heads, *grant) && (!withdrawals || past.is_live(*grant))
            }),
        )
    }
}
