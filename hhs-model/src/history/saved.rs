//! Sets of positions as they are built up, and as they stand in checkpoints.

use std::ops::Range;

use super::Positions;
use crate::class::{LoadError, Loader, Saver};

impl Positions {
    /// None.
    pub const EMPTY: Self = Self { ranges: Vec::new() };

    /// Adds a position that is above all others.
    ///
    /// # Panics
    /// If it is not.
    pub fn push(&mut self, position: u64) {
        self.push_range(position..position + 1);
    }

    /// Adds positions that are above all others.
    fn push_range(&mut self, range: Range<u64>) {
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            last => {
                assert!(last.is_none_or(|last| last.end < range.start), "positions are added in their order");
                self.ranges.push(range);
            }
        }
    }

    /// Puts in those of some positions that are not there, and takes out those that are. Costs time in what is behind the first.
    pub fn flip(&mut self, positions: &Self) {
        let Some(first) = positions.ranges.first() else { return };
        let behind = self.ranges.partition_point(|range| range.end < first.start);
        let ends = |range: &Range<u64>| [range.start, range.end];
        let mut edges: Vec<u64> = self.ranges.drain(behind..).flat_map(|range| ends(&range)).collect();
        edges.extend(positions.ranges.iter().flat_map(ends));
        edges.sort_unstable();
        // What begins or ends in both neither begins nor ends.
        let mut kept: Vec<u64> = Vec::with_capacity(edges.len());
        for edge in edges {
            match kept.last() {
                Some(last) if *last == edge => drop(kept.pop()),
                _ => kept.push(edge),
            }
        }
        self.ranges.extend(kept.chunks_exact(2).map(|pair| pair[0]..pair[1]));
    }

    /// Whether some position of a range is one of them.
    pub fn intersects(&self, range: &Range<u64>) -> bool {
        self.next_range(range.start).is_some_and(|next| next.start < range.end)
    }

    /// Writes them into a checkpoint.
    pub fn save(&self, saver: &mut Saver) {
        saver.uint(self.ranges.len() as u64);
        let mut end = 0;
        for range in &self.ranges {
            saver.uint(range.start - end).uint(range.end - range.start);
            end = range.end;
        }
    }

    /// Reads them from a checkpoint; all are below `end`.
    ///
    /// # Errors
    /// If they are not there.
    pub fn load(loader: &mut Loader<'_>, end: u64) -> Result<Self, LoadError> {
        const DAMAGED: LoadError = LoadError::Damaged("a set of positions");
        let (mut positions, mut at) = (Self::EMPTY, 0_u64);
        for _ in 0..loader.count(2)? {
            let start = at.checked_add(loader.uint()?).ok_or(DAMAGED)?;
            at = start.checked_add(loader.uint()?).filter(|next| *next > start && *next <= end).ok_or(DAMAGED)?;
            positions.push_range(start..at);
        }
        Ok(positions)
    }
}
