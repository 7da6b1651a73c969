//! Which act has which in its past, without a bit for every pair.
//!
//! Acts are put on *chains*: each act of a chain has the one before it in its past. What else an act has in its past is,
//! for each other chain, how far up it reaches; along a chain that only grows. So a chain keeps the *steps*: at which of its
//! acts how much more of another chain came in. A chain that forks off another begins with what the act has in its past where it
//! forks off, its *base*, and keeps what is more than that (chain decomposition: Jagadish, "A compression technique to materialize transitive
//! closure", 1990).
//!
//! Costs: a history in which everybody mostly sees everything takes a few steps for each act; a question looks up one step
//! for each base down to the one that answers it. Where many wide histories are merged over and over, which only those can bring about who may
//! act, steps would grow with the square: beyond a budget merges are kept as they are, and questions search.

use std::collections::{BTreeMap, BTreeSet};

mod placing;

/// The past of acts, which are numbered as they are added.
#[derive(Debug, Clone, Default)]
pub(super) struct Ancestry {
    places: Vec<Place>,
    /// The acts directly below each.
    below: Vec<Box<[u32]>>,
    chains: Vec<Chain>,
    /// Acts that have none above them.
    heads: BTreeSet<u32>,
    /// How many steps there are.
    steps: usize,
    trade: Trade,
}

/// How time is traded for memory. Answers do not depend on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trade {
    /// Acts that are compared each with each: 8. Too high: merges of wide histories get slow; too low: usual ones do.
    pub(super) some: usize,
    /// Acts that are looked at one by one before chains are: 64. Too high: merges of long branches get slow; too low: usual ones do.
    pub(super) little: usize,
    /// Bases under each other before a chain begins with all it has in its past: 64. Too high: questions get slow; too low: forks
    /// take memory.
    pub(super) deep: u32,
    /// Steps that may be there in any case, 8 bytes each: 2^18. Too high: hostile histories take memory; too low: questions about wide
    /// ones search.
    pub(super) steps: usize,
    /// Steps that may be there for each act besides: 16.
    pub(super) steps_of_act: usize,
}

impl Default for Trade {
    fn default() -> Self {
        Self { some: 8, little: 64, deep: 64, steps: 1 << 18, steps_of_act: 16 }
    }
}

#[derive(Debug, Clone, Copy)]
struct Place {
    chain: u32,
    index: u32,
}

#[derive(Debug, Clone, Default)]
struct Chain {
    acts: Vec<u32>,
    /// What the first act stands on, as far as steps do not say it: one act, or several if they are too wide to be joined.
    bases: Vec<u32>,
    /// How many bases there are one under the other.
    depth: u32,
    /// For other chains, by the index here: how far they are in the past. Both ascend.
    steps: BTreeMap<u32, Vec<(u32, u32)>>,
}

impl Chain {
    /// How far up another chain is in the past of the act at an index, if steps say it.
    fn reaches(&self, index: u32, other: u32) -> Option<u32> {
        reached(self.steps.get(&other)?, index)
    }
}

fn reached(steps: &[(u32, u32)], index: u32) -> Option<u32> {
    let at = steps.partition_point(|(from, _)| *from <= index);
    at.checked_sub(1).map(|at| steps[at].1)
}

/// How far up each chain something reaches.
type Reach = BTreeMap<u32, u32>;

fn raise(reach: &mut Reach, chain: u32, index: u32) {
    let to = reach.entry(chain).or_insert(index);
    *to = index.max(*to);
}

impl Ancestry {
    /// The acts that have none above them, ascending.
    pub(super) fn heads(&self) -> &BTreeSet<u32> {
        &self.heads
    }

    /// The acts directly below one, ascending.
    pub(super) fn below(&self, act: u32) -> &[u32] {
        &self.below[act as usize]
    }

    #[cfg(test)]
    pub(super) fn trading(trade: Trade) -> Self {
        Self { trade, ..Self::default() }
    }

    /// How many steps are kept.
    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Adds an act on top of others, none of which is below another, and returns its number.
    pub(super) fn add(&mut self, below: &[u32]) -> u32 {
        let act = u32::try_from(self.places.len()).expect("no memory holds 2^32 acts");
        let place = self.place_for(act, below);
        self.places.push(place);
        for head in below {
            self.heads.remove(head);
        }
        self.heads.insert(act);
        self.below.push(below.into());
        act
    }

    /// Whether `act` is `above` or in its past.
    pub(super) fn covers(&self, above: u32, act: u32) -> bool {
        let target = self.places[act as usize];
        let mut at = above;
        loop {
            if at < act {
                return false;
            }
            let place = self.places[at as usize];
            if place.chain == target.chain {
                return place.index >= target.index;
            }
            let chain = &self.chains[place.chain as usize];
            if let Some(index) = chain.reaches(place.index, target.chain) {
                return index >= target.index;
            }
            match chain.bases[..] {
                [] => return false,
                [base] => at = base,
                _ => return self.search(&chain.bases, act),
            }
        }
    }

    /// Whether `act` is one of `heads` or in the past of one.
    pub(super) fn any_covers(&self, heads: &[u32], act: u32) -> bool {
        heads.binary_search(&act).is_ok() || heads.iter().any(|head| self.covers(*head, act))
    }

    /// Those of some acts, ascending, that none of the others has in its past.
    pub(super) fn maximal(&self, acts: &[u32]) -> Vec<u32> {
        if acts.len() <= self.trade.some {
            let covered = |act: &&u32| acts.iter().any(|other| other > *act && self.covers(*other, **act));
            return acts.iter().filter(|act| !covered(act)).copied().collect();
        }
        let below = self.reach(acts.iter().flat_map(|act| self.below(*act)).copied().collect(), None);
        let covered = |act: &&u32| {
            let place = self.places[**act as usize];
            below.get(&place.chain).is_some_and(|index| *index >= place.index)
        };
        acts.iter().filter(|act| !covered(act)).copied().collect()
    }

    /// As [`covers`](Self::covers), from several acts on, each chain looked at no more often than it has to be.
    fn search(&self, from: &[u32], act: u32) -> bool {
        if from.binary_search(&act).is_ok() {
            return true;
        }
        let target = self.places[act as usize];
        let mut looked_at = Reach::new();
        let mut left = from.to_vec();
        while let Some(at) = left.pop() {
            let place = self.places[at as usize];
            if at < act || looked_at.get(&place.chain).is_some_and(|index| *index >= place.index) {
                continue;
            }
            raise(&mut looked_at, place.chain, place.index);
            if place.chain == target.chain {
                match place.index >= target.index {
                    true => return true,
                    false => continue,
                }
            }
            let chain = &self.chains[place.chain as usize];
            match chain.reaches(place.index, target.chain) {
                Some(index) if index >= target.index => return true,
                Some(_) => {}
                None => left.extend(&chain.bases),
            }
        }
        false
    }
}
