//! Algorithms on the history of a replica: a DAG of ops, each at a *position* above those of its parents.
//!
//! Positions are local: the order in which a store came to keep the ops. The algorithms do no I/O; they say which position
//! they want to see next and are told its parents.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::id::OpId;

mod graph;
mod saved;
mod shared;

pub use graph::{Graph, Parents};
pub use shared::SharedPositions;

#[cfg(test)]
mod tests;

/// A set of positions, as ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// Ascending, disjoint, none empty, none touching the next.
    ranges: Vec<Range<u64>>,
}

impl Positions {
    /// The positions of a range.
    pub fn from_range(range: Range<u64>) -> Self {
        Self { ranges: if range.is_empty() { Vec::new() } else { vec![range] } }
    }

    /// The positions of ascending, disjoint ranges.
    pub fn from_ranges(ranges: Vec<Range<u64>>) -> Self {
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => joined.push(range),
            }
        }
        Self { ranges: joined }
    }

    /// Whether a position is one of them.
    pub fn contains(&self, position: u64) -> bool {
        let at = self.ranges.partition_point(|range| range.end <= position);
        self.ranges.get(at).is_some_and(|range| range.start <= position)
    }

    /// The positions, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.ranges.iter().flat_map(Clone::clone)
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The part of the set from `start` on whose first range is cut to begin there, as one range: what to read next.
    pub fn next_range(&self, start: u64) -> Option<Range<u64>> {
        let at = self.ranges.partition_point(|range| range.end <= start);
        self.ranges.get(at).map(|range| range.start.max(start)..range.end)
    }
}

/// Of positions in any order.
impl FromIterator<u64> for Positions {
    fn from_iter<T: IntoIterator<Item = u64>>(positions: T) -> Self {
        let positions: BTreeSet<u64> = positions.into_iter().collect();
        Self::from_ranges(positions.into_iter().map(|position| position..position + 1).collect())
    }
}

/// Finds which ops lie at or below some heads but not at or below others, walking down from the top.
///
/// Costs time in the ops above the lowest one that it has to look at, and memory in the width of the history.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Positions still to visit, and whether each is known to lie below the other heads.
    pending: BTreeMap<u64, bool>,
    wanted: usize,
    /// Built from the top: descending, disjoint.
    found: Vec<Range<u64>>,
}

impl Difference {
    /// Begins to look for what is at or below `heads` and not at or below `known`.
    pub fn new(heads: impl IntoIterator<Item = u64>, known: impl IntoIterator<Item = u64>) -> Self {
        let mut walk = Self { pending: BTreeMap::new(), wanted: 0, found: Vec::new() };
        known.into_iter().for_each(|position| walk.mark(position, true));
        heads.into_iter().for_each(|position| walk.mark(position, false));
        walk
    }

    /// The position whose parents are needed next; `None` at the end.
    pub fn next_position(&self) -> Option<u64> {
        if self.wanted == 0 {
            return None;
        }
        self.pending.last_key_value().map(|(position, _)| *position)
    }

    /// Takes the parents of the [next position](Self::next_position). Parents that are not below it are left out.
    pub fn visit(&mut self, parents: &[u64]) {
        let Some((position, known)) = self.pending.pop_last() else { return };
        if !known {
            self.wanted -= 1;
            match self.found.last_mut() {
                Some(range) if range.start == position + 1 => range.start = position,
                _ => self.found.push(position..position + 1),
            }
        }
        for parent in parents.iter().filter(|parent| **parent < position) {
            self.mark(*parent, known);
        }
    }

    /// What was found, from the top down to where the walk has come.
    pub fn finish(mut self) -> Positions {
        self.found.reverse();
        Positions { ranges: self.found }
    }

    fn mark(&mut self, position: u64, known: bool) {
        match self.pending.get_mut(&position) {
            None => {
                self.pending.insert(position, known);
                self.wanted += usize::from(!known);
            }
            Some(before) if known && !*before => {
                *before = true;
                self.wanted -= 1;
            }
            Some(_) => {}
        }
    }
}

/// A version of a replica: the ops that have no successor in it, and with them everything below.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frontier {
    /// The heads.
    pub heads: BTreeSet<OpId>,
}

impl FromIterator<OpId> for Frontier {
    fn from_iter<T: IntoIterator<Item = OpId>>(heads: T) -> Self {
        Self { heads: heads.into_iter().collect() }
    }
}
