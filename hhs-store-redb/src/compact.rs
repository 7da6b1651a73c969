//! Compaction: the same entries in a new file, with full pages and none to spare.
//!
//! redb's own compaction moves pages to the front of the file and cuts off the end; it leaves half-full pages half full.
//! This one reads the entries in order and inserts them through one cursor, which packs them into full leaves.
//!
//! The new file lies beside the old one until it is whole and on the disk; then it takes the old one's place at once. A
//! crash leaves the one or the other at the path, and at most a file beside it that the next opening removes.

use std::fs::{self, File, OpenOptions};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use hhs_store::BackendError;
use redb::backends::FileBackend;
use redb::{Database, ReadableTable, ReadableTableMetadata, StorageBackend};

use crate::engine::{Engine, Entries};
use crate::error::{Failure, guarded};
use crate::file::StoreFile;
use crate::format::{self, ENTRIES};
use crate::open;
use crate::options::Options;

/// How far a compaction or a check has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Entries done.
    pub done: u64,
    /// Entries in all.
    pub total: u64,
}

/// What a compaction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Entries in the store.
    pub entries: u64,
    /// Bytes of the file before.
    pub before_bytes: u64,
    /// Bytes of the file after.
    pub after_bytes: u64,
}

/// Rewrites the store in the file at `path` so that it takes as little room as it can. Nobody else may have it open, and
/// for a while there has to be room for the old and the new file. It blocks for some seconds per GB, needs the memory
/// that [`Options::cache_bytes`] allows twice, and tells `progress` now and then how far it is.
///
/// # Errors
/// As [`RedbBackend::open_with`](crate::RedbBackend::open_with), and [`BackendError::Io`] where nothing is. The store is as
/// it was then.
pub fn compact(
    path: impl AsRef<Path>,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<Compacted, BackendError> {
    // A link to the store stays a link to it.
    let path = &path.as_ref().canonicalize().map_err(|error| open::failed("find its file", error))?;
    let old = Engine::new(open::open_existing(path, options)?);
    let before_bytes = path.metadata().map_err(|error| open::failed("look at its file", error))?.len();
    let (entries, after_bytes) = replace(&old, path, options, &mut progress)?;
    Ok(Compacted { entries, before_bytes, after_bytes })
}

/// Writes the store that is open in `old` anew and puts the new file at `path`; how many entries and bytes it has.
pub(crate) fn replace(
    old: &Engine,
    path: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<(u64, u64), BackendError> {
    let new_path = new_file_beside(path);
    let replaced = write_beside(old, path, &new_path, options, progress).and_then(|written| {
        fs::rename(&new_path, path).map_err(|error| open::failed("put the new file in place of the old one", error))?;
        Ok(written)
    });
    if replaced.is_err() {
        // What cannot be removed now is removed when the store is opened.
        let _ = fs::remove_file(&new_path);
    }
    open::sync_directory_of(path)?;
    // All that is there has been flushed.
    if replaced.is_ok() {
        open::remove(&open::failed_flush_beside(path))?;
    }
    replaced
}

/// Writes the new file and makes it durable; how many entries and bytes it has.
fn write_beside(
    old: &Engine,
    old_path: &Path,
    new_path: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<(u64, u64), BackendError> {
    let failed = |error| open::failed(WRITE, error);
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(new_path).map_err(failed)?;
    let rights = old_path.metadata().map_err(failed)?.permissions();
    file.set_permissions(rights).map_err(failed)?;
    let new = FileBackend::new(file).map_err(|error| Failure::new(WRITE, error))?;
    let entries = guarded(|| rewrite(&*old.snapshot()?, new, options, progress))?;
    let file = File::open(new_path).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok((entries, file.metadata().map_err(failed)?.len()))
}

/// Where the new file lies until it takes the place of the old one.
pub(crate) fn new_file_beside(path: &Path) -> PathBuf {
    open::beside(path, ".compacting")
}

/// Writes all entries to a new storage, compares what it holds then with them, and closes it; how many there are. What it
/// has written survives the loss of power when it returns.
pub(crate) fn rewrite(
    old: &Entries,
    new: impl StorageBackend,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, BackendError> {
    let failed = |error: redb::DatabaseError| Failure::new(WRITE, error);
    let mut database = open::database_on(StoreFile::new(new, None), options).map_err(failed)?;
    format::establish(&database, "the new file")?;
    copy(old, &database, progress).map_err(|error| Failure::new(WRITE, error))?;
    // redb grows a file in steps; this cuts off what the last step left over.
    database.compact().map_err(|error| Failure::new(WRITE, error))?;
    // From the disk, not from what is remembered of the writing.
    let sound = database.check_integrity().map_err(failed)?;
    let engine = Engine::new(database);
    if !sound || !same(old, &*engine.snapshot()?).map_err(|error| Failure::new("read what it wrote", error))? {
        return Err(BackendError::Corrupted { reason: "the disk does not keep what is written to it".to_owned() });
    }
    engine.close().map_err(failed)?;
    Ok(old.len().map_err(|error| Failure::new(WRITE, error))?)
}

/// Copies in order, some megabytes per transaction.
fn copy(old: &Entries, new: &Database, progress: &mut dyn FnMut(Progress)) -> Result<(), redb::Error> {
    let mut entries = old.range::<&[u8]>(..)?;
    let mut at = Progress { done: 0, total: old.len()? };
    while at.done < at.total {
        let transaction = new.begin_write()?;
        let mut table = transaction.open_table(ENTRIES)?;
        let mut cursor = table.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
        let (mut bytes, before) = (0, at.done);
        while bytes < TRANSACTION_BYTES {
            let Some((key, value)) = entries.next().transpose()? else { break };
            let (key, value) = (key.value(), value.value());
            cursor.insert_before(key, value)?;
            bytes += key.len() + value.len();
            at.done += 1;
        }
        cursor.close()?;
        drop(table);
        transaction.commit()?;
        progress(at);
        if at.done == before {
            return Err(redb::Error::Corrupted("it has fewer entries than it says".to_owned()));
        }
    }
    Ok(())
}

fn same(old: &Entries, new: &Entries) -> Result<bool, redb::Error> {
    let (mut old, mut new) = (old.iter()?, new.iter()?);
    loop {
        match (old.next().transpose()?, new.next().transpose()?) {
            (None, None) => return Ok(true),
            (Some(old), Some(new)) if old.0.value() == new.0.value() && old.1.value() == new.1.value() => {}
            _ => return Ok(false),
        }
    }
}

const WRITE: &str = "write the new file";
/// What one transaction of a compaction copies. Too low: a flush of the file more often than it takes; too high: pages
/// that do not fit into the cache are written twice.
const TRANSACTION_BYTES: usize = 16 << 20;
