//! Every small history of authority, in every order of delivery.
//!
//! A history is a set of acts by four authors: Ana, who founded the room, and three others, all of whose grants are of both rights.
//! Histories are made by adding acts one by one on top of any acts that are there, by an author who stands on at most one grant, which
//! takes part in all that can happen between grants. Of histories that differ only in the order in which they were made one is looked
//! at: acts are added by height, and at one height in the order of what they say; and of those that differ only in the names of the three
//! others the one in which these occur in the order of their names.

use std::collections::BTreeSet;

use super::{ALL, ANA, Definition, World, founded_by_ana, grant, header, reinstate, renounce, revoke, signed};
use crate::id::OpId;
use crate::op::Op;

/// What an act says, by the numbers of other acts: what sorts acts of one height.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spec {
    height: usize,
    parents: Vec<usize>,
    author: usize,
    stands: Option<usize>,
    doing: Doing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    Grant(usize),
    Revoke(usize),
    Renounce(usize),
    Reinstate(usize),
}

#[derive(Default)]
struct Found {
    histories: u64,
    orders: u64,
    verdicts: u64,
    void: u64,
}

struct Search {
    most: usize,
    specs: Vec<Spec>,
    /// Which acts are below each.
    pasts: Vec<BTreeSet<usize>>,
    ops: Vec<Op>,
    found: Found,
}

const AUTHORS: usize = 4;

impl Search {
    /// Adds every act that may come next, looks at the history, and goes on from there.
    fn extend(&mut self, world: &World) {
        if self.specs.len() == self.most {
            return;
        }
        for parents in self.antichains() {
            let past: BTreeSet<usize> =
                parents.iter().flat_map(|parent| self.pasts[*parent].iter().copied().chain([*parent])).collect();
            let height = parents.iter().map(|parent| self.specs[*parent].height + 1).max().unwrap_or(0);
            for (author, stands, doing) in self.doings(&past) {
                let spec = Spec { height, parents: parents.clone(), author, stands, doing };
                if self.specs.last().is_some_and(|last| spec <= *last) {
                    continue;
                }
                let op = self.op(&spec);
                let mut next = World {
                    authority: world.authority.clone(),
                    kept: world.kept.clone(),
                    places: world.places.clone(),
                };
                if next.take(&op).is_err() {
                    continue;
                }
                self.specs.push(spec);
                self.pasts.push(past.clone());
                self.ops.push(op);
                self.look(&next);
                self.extend(&next);
                self.specs.pop();
                self.pasts.pop();
                self.ops.pop();
            }
        }
    }

    /// Sets of acts none of which is below another.
    fn antichains(&self) -> Vec<Vec<usize>> {
        let all = 0..1_usize << self.specs.len();
        let sets = all.map(|bits| (0..self.specs.len()).filter(|act| bits >> act & 1 == 1).collect::<Vec<_>>());
        let apart = |set: &Vec<usize>| set.iter().all(|act| set.iter().all(|other| !self.pasts[*other].contains(act)));
        sets.filter(apart).collect()
    }

    /// Who could do what on top of a past: whether they may is for the judge.
    fn doings(&self, past: &BTreeSet<usize>) -> Vec<(usize, Option<usize>, Doing)> {
        let met = self.specs.iter().flat_map(|spec| match spec.doing {
            Doing::Grant(to) => vec![spec.author, to],
            _ => vec![spec.author],
        });
        let met = met.max().unwrap_or(0);
        let mut doings = Vec::new();
        for author in 0..AUTHORS {
            let own = |act: &&usize| self.specs[**act].doing == Doing::Grant(author);
            let mut stands: Vec<Option<usize>> = past.iter().filter(own).map(|act| Some(*act)).collect();
            stands.extend((author == ANA).then_some(None));
            for stand in stands {
                // To whom: anybody whom the history knows, or the next one by name.
                let grants = (1..AUTHORS).filter(|to| *to <= met + 1).map(Doing::Grant);
                let on = past.iter().flat_map(|act| match self.specs[*act].doing {
                    Doing::Grant(_) if stand == Some(*act) => Some(Doing::Renounce(*act)),
                    Doing::Grant(_) => Some(Doing::Revoke(*act)),
                    Doing::Revoke(_) => Some(Doing::Reinstate(*act)),
                    Doing::Renounce(_) | Doing::Reinstate(_) => None,
                });
                doings.extend(grants.chain(on).map(|doing| (author, stand, doing)));
            }
        }
        doings
    }

    fn op(&self, spec: &Spec) -> Op {
        let id = |act: &usize| self.ops[*act].id();
        let act = match spec.doing {
            Doing::Grant(to) => grant(to, &ALL),
            Doing::Revoke(act) => revoke(&[id(&act)]),
            Doing::Renounce(act) => renounce(id(&act)),
            Doing::Reinstate(act) => reinstate(id(&act)),
        };
        let parents: Vec<OpId> = spec.parents.iter().map(id).collect();
        let stands: Vec<OpId> = spec.stands.iter().map(id).collect();
        signed(header(spec.author, 0, &parents, &stands, act))
    }

    /// Holds the verdicts on a history to the definition, in every order in which it can be delivered.
    fn look(&mut self, world: &World) {
        self.found.histories += 1;
        let definition = Definition::new(&self.ops);
        for (number, op) in self.ops.iter().enumerate() {
            self.found.verdicts += 1;
            let reason = definition.verdict(&op.id());
            self.found.void += u64::from(reason.is_some());
            self.nobody_junior_made_void(number, &definition);
        }
        let mut orders = 0;
        self.deliver(&World::new(founded_by_ana()), 0, &definition, &mut orders);
        self.found.orders += orders;
        self.is_right(world, &definition);
    }

    fn deliver(&self, world: &World, there: u32, definition: &Definition<'_>, orders: &mut u64) {
        if world.kept.len() == self.ops.len() {
            *orders += 1;
            return self.is_right(world, definition);
        }
        for (number, op) in self.ops.iter().enumerate() {
            let ready = self.specs[number].parents.iter().all(|parent| there >> parent & 1 == 1);
            if there >> number & 1 == 0 && ready {
                let mut next = World {
                    authority: world.authority.clone(),
                    kept: world.kept.clone(),
                    places: world.places.clone(),
                };
                next.take(op).expect("what one peer keeps every peer keeps");
                self.deliver(&next, there | 1 << number, definition, orders);
            }
        }
    }

    fn is_right(&self, world: &World, definition: &Definition<'_>) {
        for op in &self.ops {
            assert_eq!(world.verdict(op.id()), definition.verdict(&op.id()).into(), "{:#?}", self.specs);
        }
    }

    /// An act is void by somebody who stands on less than what they withdrew, by their own renunciation, or for what was void
    /// before: never by somebody to whom its author is senior.
    fn nobody_junior_made_void(&self, number: usize, definition: &Definition<'_>) {
        use super::Reason;
        let stands = |act: usize| self.specs[act].stands.and_then(|grant| definition.rank(&self.ops[grant].id()));
        let number_of = |id: OpId| self.ops.iter().position(|op| op.id() == id).unwrap();
        match definition.verdict(&self.ops[number].id()) {
            Some(Reason::Withdrawn { by, .. }) => {
                let by = number_of(by);
                match self.specs[by].doing {
                    Doing::Renounce(_) => assert_eq!(self.specs[by].author, self.specs[number].author),
                    _ => assert!(stands(by) < stands(number), "{:#?}", self.specs),
                }
            }
            Some(Reason::Reinstated { by }) => assert!(stands(number_of(by)) <= stands(number), "{:#?}", self.specs),
            Some(Reason::Grant(_)) | None => {}
        }
    }
}

/// All of them, up to a size that takes some seconds. `HHS_MODEL_CHECK=6 cargo test --release -p hhs-model every_history -- --nocapture`
/// looks at more.
#[test]
fn every_history() {
    let most = std::env::var("HHS_MODEL_CHECK").ok().and_then(|most| most.parse().ok()).unwrap_or(5);
    let mut search = Search { most, specs: Vec::new(), pasts: Vec::new(), ops: Vec::new(), found: Found::default() };
    search.extend(&World::new(founded_by_ana()));
    let Found { histories, orders, verdicts, void } = search.found;
    println!(
        "{histories} histories of up to {most} acts, {orders} orders of delivery, {verdicts} verdicts, {void} of them void"
    );
    assert!(histories > 1000 && void > 100, "there is something to look at");
}
