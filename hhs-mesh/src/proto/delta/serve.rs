//! The side that sends ops.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use hhs_model::ReplicaId;
use hhs_model::history::Positions;

use crate::proto::{Config, Task};

/// Ranges of positions that one task reads.
const RANGES: usize = 4096;
/// Bytes of the first batch: one that comes in time over a slow link as well, since a batch counts only when all of it has
/// come. The next ones are larger while the link is quick.
const FIRST_BATCH: usize = 32 << 10;
/// Bytes of a batch over the slowest link.
const LEAST_BATCH: usize = 8 << 10;
/// When batches are dealt with within this time, they can be larger.
const QUICK: Duration = Duration::from_secs(1);
/// When batches take longer than this, they have to be smaller.
const SLOW: Duration = Duration::from_secs(8);

/// One request of a peer, under way.
#[derive(Debug)]
pub struct Serve {
    /// The replica.
    pub replica: ReplicaId,
    /// What has to be sent; `None` until it is known.
    pub plan: Option<Positions>,
    /// What finds that out, while the genesis has to be sent before.
    pub planning: Option<Task>,
    /// Batches that may be sent before the peer asks for more.
    pub credit: u64,
    /// Whether the store is reading for it.
    pub busy: bool,
    /// Bytes after which the next batch is full.
    pub batch_bytes: usize,
    next: u64,
    /// When the batches left that the peer has not dealt with yet.
    under_way: VecDeque<Duration>,
}

impl Serve {
    /// A request that has just come.
    pub fn new(replica: ReplicaId, credit: u64) -> Self {
        let (plan, planning, under_way) = (None, None, VecDeque::new());
        Self { replica, plan, planning, credit, busy: true, batch_bytes: FIRST_BATCH, next: 0, under_way }
    }

    /// How many ops have to be sent in all.
    pub fn total(&self) -> u64 {
        self.plan.as_ref().map_or(0, Positions::len)
    }

    /// What to read next, if a batch may be sent now.
    pub fn next_ranges(&self) -> Option<Vec<Range<u64>>> {
        let plan = self.plan.as_ref().filter(|_| !self.busy && self.credit > 0)?;
        let first = plan.ranges().partition_point(|range| range.end <= self.next);
        let ranges = plan.ranges()[first..].iter().take(RANGES);
        Some(ranges.map(|range| range.start.max(self.next)..range.end).collect())
    }

    /// The peer has dealt with a batch and may be sent one more. How long that took says how large batches should be.
    pub fn more(&mut self, config: &Config, now: Duration) {
        self.credit = (self.credit + 1).min(config.window);
        match self.under_way.pop_front().map(|left| now.saturating_sub(left)) {
            Some(took) if took < QUICK => self.batch_bytes = (self.batch_bytes * 2).min(config.batch_bytes),
            Some(took) if took > SLOW => self.batch_bytes = (self.batch_bytes / 2).max(LEAST_BATCH),
            _ => {}
        }
    }

    /// Notes that everything below a position was sent. True if that was all.
    pub fn sent(&mut self, next: u64, now: Duration) -> bool {
        self.under_way.push_back(now);
        self.next = next;
        self.credit = self.credit.saturating_sub(1);
        self.busy = false;
        self.plan.as_ref().is_none_or(|plan| plan.next_range(next).is_none())
    }
}
