//! `Log`: entries that are only ever added, in one order.

use std::collections::BTreeMap;

use hhs_model::class::{Action, Changes, event_value};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::Founding;
use hhs_model::{IdentityId, OpId};

use crate::edit::Edit;
use crate::field::{At, Field, Position};

/// Entries in an order that is the same everywhere.
///
/// - State: every entry that was appended, in the order of their [positions](Position): an entry stands after those that
///   its author had seen, and concurrent ones stand by height, then by op id. Those of one op stand together.
/// - Mutation: the entry itself.
/// - Concurrency: nothing is lost. An entry that arrives late may stand before entries that were there already.
/// - Cost: memory in the entries, some 120 bytes each beside the value; logarithmic time to append. Reading the last `n`
///   takes time in `n`, whatever the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log<T> {
    entries: BTreeMap<Position, Entry<T>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry<T> {
    author: IdentityId,
    time: u64,
    value: T,
}

/// An entry of a [`Log`], and who wrote it.
#[derive(Debug, PartialEq, Eq)]
pub struct LogEntry<'a, T> {
    /// The op that appended it.
    pub op: OpId,
    /// Which of the op's entries in this log it is, from 0.
    pub index: u32,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970. It decides nothing.
    pub time: u64,
    /// The entry itself.
    pub value: &'a T,
}

impl<T> Clone for LogEntry<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for LogEntry<'_, T> {}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<T> Log<T> {
    /// The entries, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LogEntry<'_, T>> + ExactSizeIterator {
        self.entries.iter().map(view)
    }

    /// The last `count` entries, or all if there are fewer, in their order.
    pub fn last(&self, count: usize) -> impl DoubleEndedIterator<Item = LogEntry<'_, T>> {
        // Found from the end; skipping from the start would cost time in the whole log.
        let first = self.entries.keys().rev().take(count).last();
        first.into_iter().flat_map(|first| self.entries.range(first..)).map(view)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn view<'a, T>((position, entry): (&'a Position, &'a Entry<T>)) -> LogEntry<'a, T> {
    let Entry { author, time, value } = entry;
    LogEntry { op: position.op, index: position.index, author: *author, time: *time, value }
}

impl<T: Encode + Decode + Send + Sync + 'static> Field for Log<T> {
    type Mutation = T;

    fn new(_founding: &Founding) -> Self {
        Self::default()
    }

    fn apply(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        changes.report(|| Action::Inserted { value: event_value(&value) });
        self.entries.insert(at.position(), Entry { author: at.op.author, time: at.op.time, value });
    }
}

impl<T: Encode + Decode + Send + Sync + 'static> Edit<'_, Log<T>> {
    /// Appends an entry.
    pub fn append(&mut self, entry: T) {
        self.record(entry);
    }
}
