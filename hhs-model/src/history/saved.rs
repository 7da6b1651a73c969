//! Sets of positions as they are built up, and as they stand in checkpoints.

use std::ops::Range;

use super::{Positions, SharedPositions};
use crate::class::{LoadError, Loader, Saver};

impl Positions {
    /// None.
    pub const EMPTY: Self = Self { ranges: Vec::new() };

    /// Adds a position that is above all others.
    ///
    /// # Panics
    /// If it is not.
    pub fn push(&mut self, position: u64) {
        match self.ranges.last_mut() {
            Some(last) if last.end == position => last.end += 1,
            last => {
                assert!(last.is_none_or(|last| last.end < position), "positions are added in their order");
                self.ranges.push(position..position + 1);
            }
        }
    }

    /// Whether some position of a range is one of them.
    pub fn intersects(&self, range: &Range<u64>) -> bool {
        self.next_range(range.start).is_some_and(|next| next.start < range.end)
    }

    /// Writes them into a checkpoint.
    pub fn save(&self, saver: &mut Saver) {
        save_ranges(&self.ranges, saver);
    }

    /// Reads them from a checkpoint; all are below `end`.
    ///
    /// # Errors
    /// If they are not there.
    pub fn load(loader: &mut Loader<'_>, end: u64) -> Result<Self, LoadError> {
        load_ranges(loader, end).map(Self::from_ranges)
    }
}

impl SharedPositions {
    /// Writes into a checkpoint what is different from an earlier version.
    pub fn save_since(&self, earlier: &Self, saver: &mut Saver) {
        save_ranges(&earlier.differing(self), saver);
    }

    /// Reads from a checkpoint what is different from an earlier version, all of which is below `end`.
    ///
    /// # Errors
    /// If it is not there.
    pub fn load_since(earlier: &Self, loader: &mut Loader<'_>, end: u64) -> Result<Self, LoadError> {
        let mut positions = earlier.clone();
        load_ranges(loader, end)?.into_iter().for_each(|range| positions.flip(range));
        Ok(positions)
    }
}

fn save_ranges(ranges: &[Range<u64>], saver: &mut Saver) {
    saver.uint(ranges.len() as u64);
    let mut end = 0;
    for range in ranges {
        saver.uint(range.start - end).uint(range.end - range.start);
        end = range.end;
    }
}

/// Ascending, disjoint ranges below `end`, none empty.
fn load_ranges(loader: &mut Loader<'_>, end: u64) -> Result<Vec<Range<u64>>, LoadError> {
    const DAMAGED: LoadError = LoadError::Damaged("a set of positions");
    let (mut ranges, mut at) = (Vec::new(), 0_u64);
    for _ in 0..loader.count(2)? {
        let start = at.checked_add(loader.uint()?).ok_or(DAMAGED)?;
        at = start.checked_add(loader.uint()?).filter(|next| *next > start && *next <= end).ok_or(DAMAGED)?;
        ranges.push(start..at);
    }
    Ok(ranges)
}
