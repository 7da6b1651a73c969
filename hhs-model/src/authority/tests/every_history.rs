//! Every small history of authority, in every order of delivery.
//!
//! A history is a set of acts by four authors: Ana, who founded the room, and three others, all of whose grants are of both rights.
//! An act stands on any antichain of acts as parents and on at most one grant, which takes part in all that can happen between grants.
//!
//! Histories and the orders in which they are delivered are looked at in one walk: from what was delivered so far, it goes on to every act
//! that may come next. So each node of the walk is a history together with one order of delivery, no two nodes are the same, and none
//! is left out. Nothing is merged: what a peer has kept is carried from a node to those below it and judged at each, so that orders that
//! begin alike share what they begin with, and the cost of an order is that of its last act.
//!
//! What is left out:
//!
//! - Other names for the same. Of orders that differ only in the names of the three others, the one in which grants first name them in
//!   the order of their names. Nobody grants the founder anything: who stands on it is judged as another who does.
//! - Ids that rank grants alike. Ids are given here and not hashed; a grant comes with each id that places it differently among those of
//!   its chain and height.
//! - In the largest size, names but one for each grant. Verdicts ask for grants and not for who holds them; names decide only who is kept
//!   out and who is said to hold what, and all of them are looked at in the sizes below.
//!
//! At every node the verdicts, their reasons, who holds what, whom the last act was said to affect, what its author saw, and who was
//! refused are held to [`verdicts`], which is the definition on sets that fit into a byte; and that to the
//! [`Definition`] in at least one order of each history, up to a size.
//!
//! `cargo test` goes to 5 acts, `cargo xtask ci` to 6 (step `authority`).

mod history;
mod verdicts;

use std::sync::atomic::{AtomicUsize, Ordering};

use self::history::{AUTHORS, Acts, Deed, Doing, History, IDENTITIES, MOST, Names, all, members};
use self::verdicts::{is_live, verdicts};
use super::{ANA, Authority, Definition, Seen, Standing, founded_by_ana};
use crate::authority::{Affected, Reason, Vantage};
use crate::history::Positions;
use crate::op::Op;

/// How far to go.
#[derive(Clone, Copy)]
struct Limits {
    acts: usize,
    names: Names,
    /// Up to so many acts the quick definition is held to the one that is read, and views from one past after the other to it.
    defined: usize,
}

#[derive(Debug, Clone, Default)]
struct Found {
    orders: u64,
    refused: u64,
    verdicts: u64,
    void: u64,
    defined: u64,
}

/// One node, and what was found at it and below.
#[derive(Clone)]
struct Walk {
    limits: Limits,
    history: History,
    ops: Vec<Op>,
    /// What each act has seen, and what ops on top of it have.
    seen: Vec<Seen>,
    above: Vec<Seen>,
    reasons: [Option<Reason>; MOST],
    found: Found,
}

impl Walk {
    fn new(limits: Limits) -> Self {
        let (history, ops, seen, above, found) = Default::default();
        Self { limits, history, ops, seen, above, reasons: [None; MOST], found }
    }

    /// Looks at every act that may come next, and goes on from there.
    fn go(&mut self, authority: &Authority, visit: &mut impl FnMut(&Self, &Authority) -> bool) {
        for parents in self.history.antichains() {
            let seen = authority.join(members(parents).map(|act| &self.above[act]));
            for deed in self.history.deeds(parents, self.limits.names) {
                let op = self.history.op(&deed);
                let kept = authority.judge(op.header(), &seen).is_ok();
                assert_eq!(kept, self.history.allows(&deed), "{deed:?} on {:#?}", self.history);
                if kept {
                    self.step(authority, deed, op, &seen, visit);
                } else {
                    self.found.refused += 1;
                }
            }
        }
    }

    fn step(
        &mut self,
        authority: &Authority,
        deed: Deed,
        op: Op,
        seen: &Seen,
        visit: &mut impl FnMut(&Self, &Authority) -> bool,
    ) {
        let (mut next, position) = (authority.clone(), self.ops.len());
        let unseen = || members(all(position) & !deed.past).map(|act| act as u64).collect::<Positions>();
        let added = next.add(&op, position as u64, deed.height(), seen.clone(), unseen);
        self.history.0.push(deed);
        self.ops.push(op);
        self.seen.push(seen.clone());
        self.above.push(added.seen);
        let before = self.reasons;
        self.reasons = verdicts(&self.history, all(position + 1));
        self.look(&next, &before, &added.affected);
        if self.ops.len() < self.limits.acts && visit(self, &next) {
            self.go(&next, visit);
        }
        self.reasons = before;
        self.history.0.pop();
        self.ops.pop();
        self.seen.pop();
        self.above.pop();
    }

    /// Holds all that is said of a history to the definition.
    fn look(&mut self, authority: &Authority, before: &[Option<Reason>], affected: &Affected) {
        let (count, last) = (self.ops.len(), self.ops.len() - 1);
        let mut counts = 0;
        for (act, before) in before.iter().enumerate().take(count) {
            let (id, reason) = (self.history.id(act), self.reasons[act]);
            assert_eq!(authority.verdict(self.standing(act)), reason.into(), "of {act} in {:#?}", self.history);
            counts |= Acts::from(reason.is_none()) << act;
            let told = act == last || affected.acts.contains(&id);
            assert!(told || reason == *before, "{act} turned and nobody was told: {:#?}", self.history);
        }
        self.holders_are_right(authority, counts);
        self.its_author_saw_what_is_defined(authority);
        self.nobody_junior_made_void();
        if count <= self.limits.defined && self.history.is_by_height() {
            let definition = Definition::new(&self.ops);
            for act in 0..count {
                assert_eq!(definition.verdict(&self.history.id(act)), self.reasons[act], "{:#?}", self.history);
            }
            self.found.defined += 1;
        }
        self.found.orders += 1;
        self.found.verdicts += count as u64;
        self.found.void += count as u64 - u64::from(counts.count_ones());
    }

    fn standing(&self, act: usize) -> Standing<'_> {
        let grants = &self.ops[act].header().grants;
        Standing { grants, position: act as u64, act: Some(self.history.id(act)) }
    }

    fn holders_are_right(&self, authority: &Authority, counts: Acts) {
        let live = |act: &usize| is_live(&self.history, *act, counts);
        for author in 0..AUTHORS {
            let granted = members(counts).filter(live).any(|act| self.history.0[act].doing == Doing::Grant(author));
            let holds = authority.holders().holds(&IDENTITIES[author], "grant");
            assert_eq!(holds, author == ANA || granted, "{author} in {:#?}", self.history);
        }
    }

    /// What the author of the last act saw is judged by its past alone; also by who has looked from the past of the act before.
    fn its_author_saw_what_is_defined(&self, authority: &Authority) {
        let last = self.ops.len() - 1;
        let reasons = verdicts(&self.history, self.history.0[last].past);
        for act in members(self.history.0[last].past) {
            let void = authority.is_void_for(self.standing(act), &self.seen[last]);
            assert_eq!(void, reasons[act].is_some(), "{act} as seen by the last of {:#?}", self.history);
        }
        if self.ops.len() > self.limits.defined || last == 0 {
            return;
        }
        let before = verdicts(&self.history, self.history.0[last - 1].past);
        let mut vantage = Vantage::new(authority, &self.seen[last - 1]);
        let turned = vantage.look_from(authority, &self.seen[last]);
        for act in members(self.history.0[last].past) {
            assert_eq!(vantage.is_void(authority, self.standing(act)), reasons[act].is_some(), "{:#?}", self.history);
            let told = turned.acts.contains(&self.history.id(act));
            assert!(told || before[act].is_some() == reasons[act].is_some(), "{act} in {:#?}", self.history);
        }
    }

    /// An act is void by somebody who stands on less than what they withdrew, by their own renunciation, or for what was void
    /// before: never by somebody to whom its author is senior.
    fn nobody_junior_made_void(&self) {
        let number = |id| (0..self.ops.len()).find(|act| self.history.id(*act) == id).unwrap();
        let stands = |act: usize| self.history.standing(&self.history.0[act]);
        for act in 0..self.ops.len() {
            match self.reasons[act] {
                Some(Reason::Withdrawn { grant, by }) => {
                    let by = number(by);
                    let renounced = self.history.0[by].doing == Doing::Renounce(number(grant));
                    assert!(renounced || stands(by) < stands(act), "{:#?}", self.history);
                }
                Some(Reason::Reinstated { by }) => assert!(stands(number(by)) <= stands(act), "{:#?}", self.history),
                Some(Reason::Grant(_)) | None => {}
            }
        }
    }
}

impl Found {
    fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.refused += other.refused;
        self.verdicts += other.verdicts;
        self.void += other.void;
        self.defined += other.defined;
    }
}

/// Walks as far as `limits` say, on all processors: what lies below each history of two acts is a piece of work.
fn walk(limits: Limits) -> Found {
    let mut pieces = Vec::new();
    let mut trunk = Walk::new(limits);
    trunk.go(&Authority::new(founded_by_ana()), &mut |walk, authority| {
        let leaf = walk.ops.len() == 2;
        if leaf {
            pieces.push((Walk { found: Found::default(), ..walk.clone() }, authority.clone()));
        }
        !leaf
    });
    let mut found = trunk.found;
    let (next, threads) = (AtomicUsize::new(0), std::thread::available_parallelism().map_or(1, usize::from));
    let work = || {
        let mut found = Found::default();
        while let Some((piece, authority)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut walk = piece.clone();
            walk.go(authority, &mut |_, _| true);
            found.add(&walk.found);
        }
        found
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| found.add(&worker.join().unwrap()));
    });
    found
}

/// All of them, up to a size that takes some seconds, or `HHS_MODEL_CHECK` acts; with all names up to one act less, or
/// `HHS_MODEL_CHECK_NAMES`.
#[test]
fn every_history() {
    let limit = |name, otherwise| std::env::var(name).map_or(otherwise, |most| most.parse().expect("a number of acts"));
    let acts = limit("HHS_MODEL_CHECK", 5);
    let named = limit("HHS_MODEL_CHECK_NAMES", acts - 1);
    for (acts, names) in [(named, Names::All), (acts, Names::InTurn)] {
        let Found { orders, refused, verdicts, void, defined } = walk(Limits { acts, names, defined: 4 });
        println!(
            "up to {acts} acts, names: {names:?}: {orders} histories with an order of delivery, {refused} acts refused,"
        );
        println!("{verdicts} verdicts, {void} of them void; {defined} held to the definition that is read");
        assert!(orders > 100 && void > 10 && refused > 10 && defined > 100, "there is something to look at");
    }
}
