//! The backend itself: reads in snapshots, commits through the writer.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use hhs_store::backend::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, Order, is_empty_range};
use redb::{AccessGuard, Database, ReadableTableMetadata, StorageError};

use crate::engine::{Engine, Entries, READ};
use crate::error::{Failure, guarded};
use crate::open;
use crate::options::Options;
use crate::writer::Writer;

/// A [`Backend`] in one file.
///
/// Reads run in the calling task: a read of a page that is in memory takes about a microsecond, one from the disk as
/// long as the disk takes. Commits run in a thread of their own.
///
/// Clones are handles on the same open file. Dropping the last one waits until the batches handed over are written and
/// the file is closed, so that it can be opened again at once; it may block for as long as one commit takes.
#[derive(Debug, Clone)]
pub struct RedbBackend {
    shared: Arc<Shared>,
}

// The order matters: the writer ends before the last reference to the engine goes, which closes the file.
#[derive(Debug)]
struct Shared {
    writer: Writer,
    engine: Arc<Engine>,
    path: PathBuf,
}

impl RedbBackend {
    /// Opens the store in the file at `path` with the default [`Options`]; where nothing is, or an empty file, it makes
    /// a new one. The directory must exist. It blocks, for as long as [`Options`] say.
    ///
    /// # Errors
    /// See [`open_with`](Self::open_with).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BackendError> {
        Self::open_with(path, &Options::default())
    }

    /// Opens the store in the file at `path`, as `options` say.
    ///
    /// # Errors
    /// - [`BackendError::Locked`] while another process, or another handle of this one, has it open;
    /// - [`BackendError::NotAStore`] for a directory, a file that redb did not write, and a database of another program;
    /// - [`BackendError::Version`] for a store in another format, or a file in another format of redb;
    /// - [`BackendError::Corrupted`] for a file that was cut off or changed;
    /// - [`BackendError::Io`] when the file cannot be made, read or written.
    ///
    /// What was there keeps its content.
    pub fn open_with(path: impl AsRef<Path>, options: &Options) -> Result<Self, BackendError> {
        let path = path.as_ref().to_path_buf();
        let database = open::open(&path, options)?;
        Self::on(database, path, options)
    }

    /// A backend on a database that is a store in our format.
    pub(crate) fn on(database: Database, path: PathBuf, options: &Options) -> Result<Self, BackendError> {
        let engine = Arc::new(Engine::new(database));
        let writer = Writer::start(Arc::clone(&engine), options.quick_repair);
        let writer = writer.map_err(|error| io_error("start its writer", error))?;
        Ok(Self { shared: Arc::new(Shared { writer, engine, path }) })
    }

    /// The entries as the last commit left them.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> Result<Arc<Entries>, Failure> {
        self.shared.engine.snapshot()
    }

    /// What `read` makes of the entries as the last commit left them.
    fn snapshot<T>(&self, read: impl FnOnce(&Entries) -> Result<T, Failure>) -> Result<T, BackendError> {
        Ok(guarded(|| read(&*self.shared.engine.snapshot()?))?)
    }
}

// Not the seam of `hhs-model`, which this crate does not know: redb is native only, so the futures are always `Send`.
#[async_trait]
impl Backend for RedbBackend {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.snapshot(|entries| look_up(entries, key))
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.snapshot(|entries| keys.iter().map(|key| look_up(entries, key)).collect())
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        if is_empty_range(&range) {
            return Ok(Vec::new());
        }
        let range = (as_slice(&range.0), as_slice(&range.1));
        self.snapshot(|entries| {
            let found = entries.range::<&[u8]>(range).map_err(|error| Failure::new(READ, error))?;
            match order {
                Order::Ascending => page(found, limit),
                Order::Descending => page(found.rev(), limit),
            }
        })
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        batch.check_bounds()?;
        if batch.is_empty() {
            return Ok(());
        }
        match self.shared.writer.hand_over(batch).await {
            Ok(outcome) => Ok(outcome?),
            Err(_canceled) => Err(BackendError::Closed),
        }
    }

    fn is_shared(&self) -> bool {
        // redb locks the file: no other process has it open.
        false
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        let disk_bytes = self.shared.path.metadata().map_err(|error| io_error("look at its file", error))?.len();
        self.snapshot(|entries| {
            let tree = entries.stats().map_err(|error| Failure::new(READ, error))?;
            let count = entries.len().map_err(|error| Failure::new(READ, error))?;
            Ok(BackendStats { entries: count, stored_bytes: tree.stored_bytes(), disk_bytes })
        })
    }
}

type Bytes = AccessGuard<'static, &'static [u8]>;

fn look_up(entries: &Entries, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let found = entries.get(key).map_err(|error| Failure::new(READ, error))?;
    Ok(found.map(|value| value.value().to_vec()))
}

fn page(
    mut entries: impl Iterator<Item = Result<(Bytes, Bytes), StorageError>>,
    limit: Limit,
) -> Result<Vec<Entry>, Failure> {
    let mut bytes = 0;
    let mut page = Vec::new();
    while limit.admits(page.len(), bytes) {
        let Some(entry) = entries.next() else { break };
        let (key, value) = entry.map_err(|error| Failure::new(READ, error))?;
        let (key, value) = (key.value().to_vec(), value.value().to_vec());
        bytes += key.len() + value.len();
        page.push((key, value));
    }
    Ok(page)
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

fn io_error(action: &'static str, error: std::io::Error) -> BackendError {
    BackendError::Io { action, source: Box::new(error) }
}
