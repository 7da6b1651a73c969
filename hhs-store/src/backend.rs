//! The backend trait: an ordered key-value engine, and nothing that knows about objects.
//!
//! Everything else (objects, ops, indexes, frontiers) is built once, on top of it, by [`Store`](crate::Store). A backend
//! is right when the conformance suite passes.

mod memory;

use std::ops::Bound;

use hhs_model::seam;

pub use memory::MemoryBackend;

/// An ordered map from byte strings to byte strings that survives crashes.
///
/// Keys are ordered bytewise and have 0 to [`MAX_KEY_BYTES`] bytes, values 0 to [`MAX_VALUE_BYTES`]: an empty key is a
/// key, an empty value is not a missing one. Reads see the last commit that had completed when they began, or a later
/// one, never half of one.
#[seam]
pub trait Backend: Send + Sync + 'static {
    /// The value under `key`. The store calls it for look-ups by id.
    ///
    /// # Errors
    /// If the engine cannot read.
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// The values under `keys`, in the order of `keys`, all of one moment. The store calls it with the parents of a batch
    /// of ops, some hundreds at a time.
    ///
    /// # Errors
    /// If the engine cannot read.
    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError>;

    /// The first entries of a range in the order asked for, as many as `limit` lets through, all of one moment. A range
    /// whose end lies before its start has none. The store pages with it: the next page begins after the last key of
    /// this one.
    ///
    /// # Errors
    /// If the engine cannot read.
    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError>;

    /// Applies a batch: all of it or, after a crash or an error, none. When it returns, the batch survives the loss of
    /// power and every later read sees it. Batches commit in the order in which their futures were first polled; several
    /// that wait may share one durable write. A future that is dropped after that first poll leaves its batch to be
    /// committed whole or not at all. The store calls it once per commit.
    ///
    /// # Errors
    /// [`BackendError::TooLarge`] if a key or value is over the bounds, before anything is written.
    /// [`BackendError::Conflict`] if the batch has a [`Guard`] that does not hold when its turn comes; then nothing of it is
    /// written, and batches behind it are not affected. If the engine cannot write, the batch is not visible; whether it is
    /// there after the store was opened again is then open, but never half of it.
    async fn commit(&self, batch: Batch) -> Result<(), BackendError>;

    /// Whether others may commit to the same entries while this is open, as several hosts on one database do. Where they
    /// may, the store guards every batch against what it has not seen. Asked once, when a store is opened.
    fn is_shared(&self) -> bool;

    /// How much is stored; it may read everything. Called by people who look into a store.
    ///
    /// # Errors
    /// If the engine cannot read.
    async fn stats(&self) -> Result<BackendStats, BackendError>;
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A range of keys.
pub type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The range of all keys that begin with `prefix`.
pub fn prefix_range(prefix: &[u8]) -> KeyRange {
    let mut end = prefix.to_vec();
    // The end is the prefix plus one in its last byte that can grow.
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return (Bound::Included(prefix.to_vec()), Bound::Excluded(end));
        }
    }
    (Bound::Included(prefix.to_vec()), Bound::Unbounded)
}

/// Whether no key can be in `range`: its end lies before its start, or both exclude the one key between them. Backends ask
/// before they hand a range to an engine, because engines differ (a `BTreeMap` panics).
pub fn is_empty_range(range: &KeyRange) -> bool {
    use Bound::{Excluded, Included};
    match range {
        (Included(start), Included(end)) => start > end,
        (Included(start) | Excluded(start), Included(end) | Excluded(end)) => start >= end,
        _ => false,
    }
}

/// In which order a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// How much of a range to read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// At most this many entries.
    pub entries: usize,
    /// No further entry once the keys and values so far have this many bytes; one entry always passes, however large.
    pub bytes: usize,
}

impl Limit {
    /// Whether a page that holds `entries` entries with `bytes` bytes of keys and values takes another one.
    pub fn admits(&self, entries: usize, bytes: usize) -> bool {
        entries < self.entries && (entries == 0 || bytes < self.bytes)
    }
}

/// Writes that happen together; the last one to a key counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// In the order in which they were added.
    pub writes: Vec<Write>,
    /// What has to hold for any of it to be written.
    pub guard: Option<Guard>,
}

/// What a key has to hold when a batch is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The key.
    pub key: Vec<u8>,
    /// Its value; none if it must not be there.
    pub expected: Option<Vec<u8>>,
}

/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key, if it is there.
    Delete(Vec<u8>),
}

impl Write {
    /// Its bytes of key and value.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::Delete(key) => key.len(),
        }
    }
}

impl Batch {
    /// A batch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.writes.push(Write::Put(key.into(), value.into()));
        self
    }

    /// Removes `key`.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> &mut Self {
        self.writes.push(Write::Delete(key.into()));
        self
    }

    /// Lets the batch be written only if `key` holds `expected` by then.
    pub fn guard(&mut self, key: impl Into<Vec<u8>>, expected: Option<Vec<u8>>) -> &mut Self {
        self.guard = Some(Guard { key: key.into(), expected });
        self
    }

    /// Checks that every backend accepts these keys and values. Backends call it first in [`Backend::commit`].
    ///
    /// # Errors
    /// [`BackendError::TooLarge`] for the first key or value over [`MAX_KEY_BYTES`] or [`MAX_VALUE_BYTES`].
    pub fn check_bounds(&self) -> Result<(), BackendError> {
        self.writes.iter().try_for_each(|write| match write {
            Write::Put(key, value) => {
                at_most("key", key, MAX_KEY_BYTES)?;
                at_most("value", value, MAX_VALUE_BYTES)
            }
            Write::Delete(key) => at_most("key", key, MAX_KEY_BYTES),
        })
    }

    /// Whether it changes nothing and asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.guard.is_none()
    }
}

fn at_most(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), BackendError> {
    let size = bytes.len();
    if size <= limit { Ok(()) } else { Err(BackendError::TooLarge { what, size, limit }) }
}

/// How much a backend stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackendStats {
    /// Entries.
    pub entries: u64,
    /// Bytes of keys and values.
    pub stored_bytes: u64,
    /// Bytes that they take where they are kept; 0 for memory.
    pub disk_bytes: u64,
}

/// Why a backend failed.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// Another process, or another handle of this one, has the store open.
    #[error("the store at {place} is in use by another process: close that one first, or use another store")]
    Locked {
        /// Where the store is.
        place: String,
    },
    /// What is there is not a store.
    #[error("{place} is not a store ({reason}): give the path of a store, or one where nothing is yet")]
    NotAStore {
        /// Where the store was to be.
        place: String,
        /// What was found.
        reason: String,
    },
    /// The store was written by a program with another format.
    #[error(
        "the store at {place} has format {found}, and this program reads {supported}: use the program that wrote it, or a newer one"
    )]
    Version {
        /// Where the store is.
        place: String,
        /// The format found.
        found: String,
        /// The format that this program reads.
        supported: String,
    },
    /// A key or value is larger than every backend has to accept.
    #[error("a {what} of {size} bytes is more than the {limit} that a backend accepts")]
    TooLarge {
        /// Key or value.
        what: &'static str,
        /// Its bytes.
        size: usize,
        /// The bytes accepted.
        limit: usize,
    },
    /// What the batch was made from is not there any more: another host has committed since.
    #[error("another host has written to this store meanwhile: read again and repeat the write")]
    Conflict,
    /// Reading or writing failed, as when the disk is full or gone.
    #[error("the store cannot {action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// What the engine says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What the engine reads back is not what it wrote.
    #[error("the store is damaged ({reason}): restore it from a copy, or synchronise a new one from a peer")]
    Corrupted {
        /// What does not hold.
        reason: String,
    },
    /// The backend was closed.
    #[error("the store is closed")]
    Closed,
}

/// The most bytes of a key that every backend accepts.
pub const MAX_KEY_BYTES: usize = 1 << 10;
/// The most bytes of a value that every backend accepts.
pub const MAX_VALUE_BYTES: usize = 16 << 20;
