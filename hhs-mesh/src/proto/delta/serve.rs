//! The side that sends ops.

use std::ops::Range;

use hhs_model::ReplicaId;
use hhs_model::history::Positions;

use crate::proto::Task;

/// Ranges of positions that one task reads.
const RANGES: usize = 4096;

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
    next: u64,
}

impl Serve {
    /// A request that has just come.
    pub fn new(replica: ReplicaId, credit: u64) -> Self {
        Self { replica, plan: None, planning: None, credit, busy: true, next: 0 }
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

    /// Notes that everything below a position was sent. True if that was all.
    pub fn sent(&mut self, next: u64) -> bool {
        self.next = next;
        self.credit = self.credit.saturating_sub(1);
        self.busy = false;
        self.plan.as_ref().is_none_or(|plan| plan.next_range(next).is_none())
    }
}
