//! A replica as it was at a version: made from the ops of that version alone, and judged from them alone.

use std::ops::Range;

use super::judge::View;
use super::{Kept, Replay};
use crate::authority::{Authority, Seen};
use crate::class::{Changes, Replica};
use crate::codec::Decoder;
use crate::history::Positions;

/// Makes the state of a version. It does no I/O: it says which ops it [wants](Self::wants) next, and is fed them in order.
///
/// A version is judged from the acts in it, so that it stays what its readers saw: what was withdrawn later still stands
/// in it. Who wants to know what of it stands today looks at the verdicts of its ops.
pub struct VersionBuilder<R> {
    replay: Replay<R>,
    version: Ranked,
    parents: Vec<u64>,
}

impl<R: Replica> VersionBuilder<R> {
    /// Begins to make the version of these ops, which have seen `seen`: what [`Authority::join`] gives for an op on top of them.
    pub fn new(version: &Positions, seen: Seen, authority: &Authority) -> Self {
        let replay = Replay::viewed(View::past(seen), authority);
        Self { replay, version: Ranked::new(version), parents: Vec::new() }
    }

    /// The same, beginning with what a replay [saved](Replay::save), if all that was applied by then is in the version and was
    /// judged as the version judges it; `None` if not, or if it cannot be read.
    pub fn from_saved(saved: &[u8], version: &Positions, seen: Seen, authority: &Authority) -> Option<Self> {
        let replay = Replay::load_viewed(saved, View::past(seen), authority).ok()??;
        let first = version.ranges().first().map_or(0, |first| if first.start == 0 { first.end } else { 0 });
        let fits = replay.applied() <= first;
        fits.then(|| Self { replay, version: Ranked::new(version), parents: Vec::new() })
    }

    /// The positions of the ops that it wants next, ascending, as far as they follow each other; none if the version is complete.
    pub fn wants(&self) -> Option<Range<u64>> {
        self.version.from(self.replay.applied())
    }

    /// Takes the next op that it wants.
    ///
    /// # Panics
    /// If it is another one.
    pub fn feed(&mut self, kept: Kept<'_>, authority: &Authority) {
        self.feed_watched(kept, authority, &mut Changes::unwatched());
    }

    /// The same; reports what is different then: the history of the version.
    ///
    /// # Panics
    /// If it is another one.
    pub fn feed_watched(&mut self, kept: Kept<'_>, authority: &Authority, changes: &mut Changes) {
        let wanted = self.wants().map(|range| range.start);
        assert_eq!(wanted, Some(kept.position), "the op is the next of the version");
        let ranks = kept.parents.iter().map(|parent| self.version.rank(*parent));
        self.parents.clear();
        self.parents.extend(ranks);
        self.replay.apply_at(kept, &self.parents, authority, changes);
    }

    /// The state of the version.
    ///
    /// # Panics
    /// If ops are missing.
    pub fn finish(self) -> R {
        assert_eq!(self.wants(), None, "the version is complete");
        self.replay.into_state()
    }
}

/// Whether a payload writes to a field of its replica. One that is not canonical writes to none.
pub fn writes(payload: &[u8], field: &str) -> bool {
    let Ok(mut decoder) = Decoder::new(payload) else { return false };
    let Ok(mut fields) = decoder.map() else { return false };
    while let Ok(Some(name)) = fields.next_key(&mut decoder) {
        if name == field {
            return true;
        }
        if decoder.skip().is_err() {
            return false;
        }
    }
    false
}

/// The ops of a version, in the history and by themselves.
struct Ranked {
    /// Ascending: ranges of positions in the history, and the rank of the first position of each among all of them.
    ranges: Vec<(Range<u64>, u64)>,
}

impl Ranked {
    fn new(version: &Positions) -> Self {
        let mut rank = 0;
        let ranges = version.ranges().iter().map(|range| {
            let first = rank;
            rank += range.end - range.start;
            (range.clone(), first)
        });
        Self { ranges: ranges.collect() }
    }

    /// The positions from a rank on, as far as they follow each other.
    fn from(&self, rank: u64) -> Option<Range<u64>> {
        let at = self.ranges.partition_point(|(_, first)| *first <= rank).checked_sub(1)?;
        let (range, first) = &self.ranges[at];
        Some(range.start + (rank - first)..range.end).filter(|rest| !rest.is_empty())
    }

    /// How many ops of the version are below a position.
    fn rank(&self, position: u64) -> u64 {
        let at = self.ranges.partition_point(|(range, _)| range.end <= position);
        self.ranges.get(at).map_or(0, |(range, first)| first + position.saturating_sub(range.start))
    }
}

impl<R> std::fmt::Debug for VersionBuilder<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VersionBuilder").field("fed", &self.replay.graph.len()).finish_non_exhaustive()
    }
}
