//! `Log`: entries that are only ever added, in one order.

mod chunks;

use std::cmp::Ordering;

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver, event_value};
use hhs_model::codec::{Decode, Encode};
use hhs_model::{IdentityId, OpId};

use chunks::Chunks;

use crate::edit::Edit;
use crate::field::{At, Field, Position, Recorded};

/// Entries in an order that is the same everywhere.
///
/// - State: every entry that was appended, in the order of their [positions](Position): an entry stands after those that
///   its author had seen, and concurrent ones stand by height, then by op id. Those of one op stand together.
/// - Mutation: the entry itself.
/// - Concurrency: nothing is lost. An entry that arrives late may stand before entries that were there already.
/// - Cost: memory in the entries, some 90 bytes each beside the value; constant time to append what comes in order, a few hundred
///   entries to move for what comes late. Reading the last `n` takes time in `n`, whatever the length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log<T> {
    entries: Chunks<Entry<T>>,
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
        Self { entries: Chunks::default() }
    }
}

impl<T> Log<T> {
    /// The entries, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LogEntry<'_, T>> + ExactSizeIterator {
        self.entries.iter().map(view)
    }

    /// The last `count` entries, or all if there are fewer, in their order.
    pub fn last(&self, count: usize) -> impl DoubleEndedIterator<Item = LogEntry<'_, T>> + ExactSizeIterator {
        self.entries.last(count).map(view)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn view<T>((position, entry): &(Position, Entry<T>)) -> LogEntry<'_, T> {
    let Entry { author, time, value } = entry;
    LogEntry { op: position.op, index: position.index, author: *author, time: *time, value }
}

impl<T: Encode + Decode + Send + Sync + 'static> Field for Log<T> {
    const AUTHORISED: bool = false;

    type Mutation = T;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        changes.report(|| Action::Inserted { value: event_value(&value) });
        self.entries.insert(at.position(), Entry { author: at.op.author, time: at.op.time, value });
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<T> {
        edit.into_recorded()
    }

    /// Nothing: what was appended stays.
    fn undo(&self, _mutation: &T, _at: At<'_>, _before: &Self) -> Vec<T> {
        Vec::new()
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        let (mut old, mut new) = (self.entries.iter().peekable(), newer.entries.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let gone = old.next_if(|_| order.is_le()).filter(|_| order.is_ne());
            let come = new.next_if(|_| order.is_ge()).filter(|_| order.is_ne());
            if let Some((_, entry)) = gone {
                changes.report(|| Action::Withdrawn { value: event_value(&entry.value) });
            }
            if let Some((_, entry)) = come {
                changes.report(|| Action::Inserted { value: event_value(&entry.value) });
            }
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.entries.len() as u64);
        for (position, Entry { author, time, value }) in self.entries.iter() {
            position.save(saver);
            saver.identity(author).uint(*time).value(value);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut entries = Chunks::default();
        for _ in 0..loader.count(Position::SAVED_BYTES)? {
            let position = Position::load(loader)?;
            let (author, time, value) = (loader.identity()?, loader.uint()?, loader.value()?);
            entries.insert(position, Entry { author, time, value });
        }
        Ok(Self { entries })
    }
}

impl<T: Encode + Decode + Send + Sync + 'static> Edit<'_, Log<T>> {
    /// Appends an entry.
    pub fn append(&mut self, entry: T) {
        self.record(entry);
    }
}
