//! What writers knew of a ledger when they wrote: cuts through its history, and who has vouched for which.
//!
//! A *cut* is a set of ops with entries that holds everything below what it holds. What an op knows is a cut. A cut K is *clean*
//! in another one if everything of the latter that is not in K is above all of K. Whoever knows a cut when they write vouches for
//! all that are clean in it. Those are its ancestors in a tree: above what ends in one op stands what this op knew; above what
//! ends in several stands the last one that is above each of them. So vouching is a walk up this tree.

use std::collections::BTreeMap;

use hhs_model::IdentityId;
use hhs_model::history::Graph;

use super::number;

/// The cut that holds nothing.
pub(super) const EMPTY: u32 = 0;

#[derive(Debug, Clone)]
pub(super) struct Cuts {
    pub(super) cuts: Vec<Cut>,
    /// By their ends, ascending.
    by_ends: BTreeMap<Vec<u32>, u32>,
    /// What ops know: from each position on up to the next.
    pub(super) known: BTreeMap<u64, u32>,
    /// The first op that has not been looked at.
    pub(super) next: u64,
    pub(super) authors: BTreeMap<IdentityId, u32>,
    /// The numbers of those who may write; none if one of them has never written.
    writers: Option<Bits>,
}

#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// Its ops that no other of them is above, ascending.
    pub(super) ends: Vec<u32>,
    /// How many ops are in it.
    pub(super) size: u32,
    /// The last other one that is clean in it.
    pub(super) above: u32,
    depth: u32,
    /// An ancestor further up, so that far ones are found in few steps (Myers: "An applicative random-access stack", 1983).
    jump: u32,
    pub(super) vouched: Bits,
}

/// A set of small numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits(pub(super) Vec<u64>);

impl Bits {
    fn insert(&mut self, number: u32) -> bool {
        let word = number as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let before = self.0[word];
        self.0[word] |= 1 << (number % 64);
        self.0[word] != before
    }

    fn holds(&self, other: &Self) -> bool {
        let here = self.0.iter().copied().chain(std::iter::repeat(0));
        other.0.iter().zip(here).all(|(other, here)| other & !here == 0)
    }
}

impl Default for Cuts {
    fn default() -> Self {
        let empty = Cut { ends: Vec::new(), size: 0, above: EMPTY, depth: 0, jump: EMPTY, vouched: Bits::default() };
        Self {
            cuts: vec![empty],
            by_ends: [(Vec::new(), EMPTY)].into(),
            known: BTreeMap::new(),
            next: 0,
            authors: BTreeMap::new(),
            writers: None,
        }
    }
}

impl Cuts {
    pub(super) fn get(&self, cut: u32) -> &Cut {
        &self.cuts[cut as usize]
    }

    /// What an op knows that was looked at.
    pub(super) fn known(&self, position: u64) -> u32 {
        self.known.range(..=position).next_back().map_or(EMPTY, |(_, cut)| *cut)
    }

    /// Looks at the ops up to one, without it: also void ones, by way of which others know what is below them. `entries` are
    /// the positions of the ops with entries.
    pub(super) fn look(&mut self, graph: &Graph, end: u64, entries: &[u64]) {
        if entries.is_empty() {
            self.next = self.next.max(end);
        }
        while self.next < end {
            let cut = self.below(graph, self.next, entries);
            self.set_known(cut);
        }
    }

    /// The next op knows this.
    pub(super) fn set_known(&mut self, cut: u32) {
        if self.known(self.next) != cut {
            self.known.insert(self.next, cut);
        }
        self.next += 1;
    }

    /// What the parents of an op know.
    pub(super) fn below(&mut self, graph: &Graph, position: u64, entries: &[u64]) -> u32 {
        let parents = graph.parents(position);
        let mut cuts: Vec<(u32, u64)> = parents
            .as_slice()
            .iter()
            .map(|parent| (self.known(*parent), *parent))
            .filter(|(cut, _)| *cut != EMPTY)
            .collect();
        // Those with few ends first, so that large ones are gone through once.
        cuts.sort_by_key(|(cut, _)| (self.get(*cut).ends.len(), *cut));
        cuts.dedup_by_key(|(cut, _)| *cut);
        let mut cuts = cuts.into_iter();
        let Some((first, parent)) = cuts.next() else { return EMPTY };
        let (mut ends, mut version) = (self.get(first).ends.clone(), vec![parent]);
        let mut joined = false;
        for (cut, parent) in cuts {
            ends = join(graph, (&ends, &version), (&self.get(cut).ends, parent), entries);
            version.push(parent);
            joined = true;
        }
        if joined { self.joined(ends, graph, position, entries) } else { first }
    }

    /// The cut with these ends, which the op at a position has in its past.
    fn joined(&mut self, ends: Vec<u32>, graph: &Graph, position: u64, entries: &[u64]) -> u32 {
        if let Some(cut) = self.by_ends.get(&ends) {
            return *cut;
        }
        let unseen = graph.unseen(position);
        let unseen = unseen.ranges().iter().map(|range| {
            let first = entries.partition_point(|entry| *entry < range.start);
            entries.partition_point(|entry| *entry < range.end.min(position)).saturating_sub(first)
        });
        let size = entries.partition_point(|entry| *entry < position) - unseen.sum::<usize>();
        let mut above: Option<u32> = None;
        for end in &ends {
            let single = self.by_ends.get([*end].as_slice()).copied().unwrap_or(EMPTY);
            above = Some(above.map_or(single, |above| self.common(above, single)));
        }
        self.add(ends, number(size), above.unwrap_or(EMPTY))
    }

    /// The cut that ends in one op, which knew another.
    pub(super) fn with(&mut self, below: u32, op: u32) -> u32 {
        self.add(vec![op], self.get(below).size + 1, below)
    }

    pub(super) fn add(&mut self, ends: Vec<u32>, size: u32, above: u32) -> u32 {
        let new = number(self.cuts.len());
        let parent = self.get(above);
        let (depth, far) = (parent.depth + 1, self.get(parent.jump));
        let jump = if parent.depth - far.depth == far.depth - self.get(far.jump).depth { far.jump } else { above };
        self.by_ends.insert(ends.clone(), new);
        self.cuts.push(Cut { ends, size, above, depth, jump, vouched: Bits::default() });
        new
    }

    /// The last cut that is an ancestor of two, or one of them.
    fn common(&self, mut a: u32, mut b: u32) -> u32 {
        if self.get(a).depth < self.get(b).depth {
            std::mem::swap(&mut a, &mut b);
        }
        let depth = self.get(b).depth;
        while self.get(a).depth > depth {
            let cut = self.get(a);
            a = if self.get(cut.jump).depth >= depth { cut.jump } else { cut.above };
        }
        while a != b {
            let (one, other) = (self.get(a), self.get(b));
            (a, b) = if one.jump == other.jump { (one.above, other.above) } else { (one.jump, other.jump) };
        }
        a
    }

    /// Somebody vouches for a cut, and for those above it. Returns those for which now everybody has who may write.
    pub(super) fn vouch(&mut self, author: IdentityId, mut cut: u32) -> Vec<u32> {
        let count = number(self.authors.len());
        let author = *self.authors.entry(author).or_insert(count);
        let mut firm = Vec::new();
        while cut != EMPTY && self.cuts[cut as usize].vouched.insert(author) {
            if self.is_firm(cut) {
                firm.push(cut);
            }
            cut = self.get(cut).above;
        }
        firm
    }

    /// Takes note of who may write; returns all cuts for which everybody of them has vouched.
    pub(super) fn set_writers<'a>(&mut self, writers: impl Iterator<Item = &'a IdentityId>) -> Vec<u32> {
        let mut bits = Bits::default();
        let mut known = writers.map(|writer| self.authors.get(writer).map(|number| bits.insert(*number)));
        let all = known.all(|known| known.is_some());
        self.writers = Some(bits).filter(|bits| all && !bits.0.is_empty());
        (1..number(self.cuts.len())).filter(|cut| self.is_firm(*cut)).collect()
    }

    fn is_firm(&self, cut: u32) -> bool {
        self.writers.as_ref().is_some_and(|writers| self.get(cut).vouched.holds(writers))
    }
}

/// The ends of two cuts together: what an op knows that stands on `version` and on `parent`.
fn join(graph: &Graph, (a, version): (&[u32], &[u64]), (b, parent): (&[u32], u64), entries: &[u64]) -> Vec<u32> {
    let (only_a, only_b) = graph.difference(version, &[parent]);
    let at = |end: &u32| entries[*end as usize];
    let of_a = a.iter().filter(|end| only_a.contains(at(end)) || b.binary_search(end).is_ok());
    let of_b = b.iter().filter(|end| only_b.contains(at(end)) || a.binary_search(end).is_ok());
    let mut ends: Vec<u32> = of_a.chain(of_b).copied().collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}
