//! Where a new act goes: on a chain below it, or on one of its own.

use std::collections::BTreeSet;

use super::{Ancestry, Chain, Place, Reach, raise, reached};

impl Ancestry {
    /// How far up each chain the acts `left` and their pasts reach; without what is in the past of `known`.
    pub(super) fn reach(&self, mut left: Vec<u32>, known: Option<u32>) -> Reach {
        let mut reach = Reach::new();
        let mut looked_at = Reach::new();
        while let Some(at) = left.pop() {
            let place = self.places[at as usize];
            if looked_at.get(&place.chain).is_some_and(|index| *index >= place.index)
                || known.is_some_and(|known| self.covers(known, at))
            {
                continue;
            }
            raise(&mut looked_at, place.chain, place.index);
            raise(&mut reach, place.chain, place.index);
            let chain = &self.chains[place.chain as usize];
            for (other, steps) in &chain.steps {
                if let Some(index) = reached(steps, place.index) {
                    raise(&mut reach, *other, index);
                }
            }
            left.extend(&chain.bases);
        }
        if let Some(known) = known {
            reach.retain(|chain, index| !self.covers(known, self.chains[*chain as usize].acts[*index as usize]));
        }
        reach
    }

    /// What `heads` reach that `known` does not: act by act as long as that is little, otherwise chain by chain.
    fn beyond(&self, known: u32, heads: &[u32]) -> Reach {
        let (mut reach, mut left, mut seen) = (Reach::new(), heads.to_vec(), BTreeSet::new());
        while let Some(act) = left.pop() {
            if !seen.insert(act) || self.covers(known, act) {
                continue;
            }
            if seen.len() > self.trade.little {
                return self.reach(heads.to_vec(), Some(known));
            }
            let place = self.places[act as usize];
            raise(&mut reach, place.chain, place.index);
            left.extend(self.below(act));
        }
        reach
    }

    /// Puts a new act on a chain: that of an act below it that is the last of its chain, if there is one.
    pub(super) fn place_for(&mut self, act: u32, below: &[u32]) -> Place {
        let chain_of = |head: &u32| &self.chains[self.places[*head as usize].chain as usize];
        let is_last = |head: &&u32| chain_of(head).acts.last() == Some(*head);
        // The chain with the fewest bases, so that they do not pile up.
        let last = below.iter().filter(is_last).min_by_key(|head| chain_of(head).depth).copied();
        let Some(first) = last.or(below.iter().min_by_key(|head| chain_of(head).depth).copied()) else {
            return self.open(act, Chain::default());
        };
        // Each of the others is on a chain of its own: there are as many steps at least.
        let steps = self.trade.steps + self.trade.steps_of_act * self.places.len();
        let room = steps.saturating_sub(self.steps).max(self.trade.little);
        let mut reach = if below.len() > room { Reach::new() } else { self.beyond(first, below) };
        if below.len() > room || reach.len() > room {
            let depth = below.iter().map(|head| chain_of(head).depth + 1).max().unwrap_or(0);
            return self.open(act, Chain { bases: below.to_vec(), depth, ..Chain::default() });
        }
        if last.is_some() {
            let chain = self.places[first as usize].chain;
            let index = self.length(chain);
            self.chains[chain as usize].acts.push(act);
            self.record(chain, index, reach);
            return Place { chain, index };
        }
        let (mut bases, mut depth) = (vec![first], chain_of(&first).depth + 1);
        if depth > self.trade.deep {
            let all = self.reach(vec![first], None);
            if all.len() <= room {
                all.into_iter().for_each(|(chain, index)| raise(&mut reach, chain, index));
                (bases, depth) = (Vec::new(), 0);
            }
        }
        let place = self.open(act, Chain { bases, depth, ..Chain::default() });
        self.record(place.chain, 0, reach);
        place
    }

    fn open(&mut self, act: u32, chain: Chain) -> Place {
        let number = u32::try_from(self.chains.len()).expect("there are no more chains than acts");
        self.chains.push(Chain { acts: vec![act], ..chain });
        Place { chain: number, index: 0 }
    }

    fn length(&self, chain: u32) -> u32 {
        u32::try_from(self.chains[chain as usize].acts.len()).expect("there are fewer than 2^32 acts")
    }

    fn record(&mut self, chain: u32, index: u32, reach: Reach) {
        self.steps += reach.len();
        for (other, to) in reach {
            self.chains[chain as usize].steps.entry(other).or_default().push((index, to));
        }
    }
}
