//! Creations that end half-way.

use std::fs::{self, File, OpenOptions};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use hhs_store::BackendError as StoreError;
use hhs_store::backend::{Backend, Batch};
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};
use tempfile::tempdir;

use super::{CREATED_BYTES, MAGIC_BYTES, PAGE_BYTES, PAGE_BYTES_AT, StoreFile};
use crate::open::{self, failed_flush_beside};
use crate::{Options, RedbBackend, format};

/// A program creates a store and is killed before its first change of the file, before its second, and so on, until it
/// gets through: whatever is left, the next one opens it as a new store and writes to it.
#[test]
fn a_store_whose_creation_was_killed_is_created_again() {
    let directory = tempdir().unwrap();
    let mut without_magic = 0;
    for changes in 0.. {
        let path = directory.path().join(format!("killed-after-{changes}"));
        let created = create_and_stop_after(&path, changes);
        let left = fs::read(&path).unwrap();
        without_magic += usize::from(left.len() == CREATED_BYTES as usize && left[..MAGIC_BYTES] == [0; MAGIC_BYTES]);

        let store = RedbBackend::open(&path).unwrap_or_else(|error| panic!("after {changes} changes: {error}"));
        let mut batch = Batch::new();
        batch.put("key", "value");
        block_on(store.commit(batch)).unwrap();
        drop(store);
        let store = RedbBackend::open(&path).unwrap();
        assert!(block_on(store.get(b"key")).unwrap().is_some());
        if created {
            assert!(without_magic > 1, "redb still creates in the steps that this layer knows");
            return;
        }
    }
}

/// Somebody's file of zeros, or one that only looks a little like a creation, is not ours to write over.
#[test]
fn other_files_of_zeros_are_not_taken_for_half_created_stores() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("theirs");
    let zeros = vec![0; CREATED_BYTES as usize];
    let mut with_a_tail = zeros.clone();
    with_a_tail[70_000] = 1;
    let mut with_a_head = zeros.clone();
    with_a_head[0] = b'r';
    let mut with_another_header = zeros.clone();
    with_another_header[PAGE_BYTES_AT + 1] = !PAGE_BYTES[1];
    for content in [&zeros[1..], &zeros[..4096], &with_a_tail, &with_a_head, &with_another_header] {
        fs::write(&path, content).unwrap();
        let refusal = RedbBackend::open(&path).map(drop);
        assert!(matches!(refusal, Err(StoreError::NotAStore { .. })), "got {refusal:?}");
        assert!(fs::read(&path).unwrap() == content, "their file is as it was");
    }
}

/// The disk does not take what is flushed, and then it does again: a mark says so until the store was written anew, into
/// another file. What had been acknowledged is there.
#[test]
fn a_store_is_written_anew_after_a_failed_flush() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let mark = failed_flush_beside(&path);
    drop(RedbBackend::open(&path).unwrap());
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let opened = file.metadata().unwrap();
    let file =
        Stopping { inner: store_file(file), changes_left: AtomicUsize::new(usize::MAX).into(), flushes_only: true };
    let changes = Arc::clone(&file.changes_left);
    let database = Database::builder().create_with_backend(StoreFile::new(file, Some(mark.clone()))).unwrap();
    let store = RedbBackend::on(database, path.clone(), &Options::default()).unwrap();
    let put = |key: &str| {
        let mut batch = Batch::new();
        batch.put(key, "value");
        block_on(store.commit(batch))
    };
    put("acknowledged").unwrap();
    assert!(!mark.exists());
    changes.store(0, Ordering::Relaxed);
    for key in ["in doubt", "later"] {
        assert!(matches!(put(key), Err(StoreError::Io { .. })));
    }
    assert!(mark.exists());
    drop(store);

    let store = RedbBackend::open(&path).unwrap();
    assert!(!mark.exists() && !open::is_at(&opened, &path).unwrap(), "it is in a new file");
    assert!(block_on(store.get(b"acknowledged")).unwrap().is_some());
    assert!(block_on(store.get(b"later")).unwrap().is_none());
    let mut batch = Batch::new();
    batch.put("next", "value");
    block_on(store.commit(batch)).unwrap();
}

/// Creates a store on a file that fails after so many changes; whether it was created whole.
fn create_and_stop_after(path: &Path, changes: usize) -> bool {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
    let file =
        Stopping { inner: store_file(file), changes_left: AtomicUsize::new(changes).into(), flushes_only: false };
    let database = Database::builder().create_with_backend(file);
    database.is_ok_and(|database| format::establish(&database, "").is_ok())
}

fn store_file(file: File) -> StoreFile<FileBackend> {
    StoreFile::new(FileBackend::new(file).unwrap(), None)
}

/// A file that can be changed a few times and then fails for ever, as if the program had been killed there; or one that
/// can be flushed a few times.
#[derive(Debug)]
struct Stopping {
    inner: StoreFile<FileBackend>,
    changes_left: Arc<AtomicUsize>,
    flushes_only: bool,
}

impl Stopping {
    fn change(&self) -> std::io::Result<()> {
        if self.flushes_only { Ok(()) } else { self.count() }
    }

    fn count(&self) -> std::io::Result<()> {
        let left = self.changes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| std::io::Error::other("killed"))
    }
}

impl StorageBackend for Stopping {
    fn len(&self) -> std::io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.change()?;
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.count()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.change()?;
        self.inner.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }
}
