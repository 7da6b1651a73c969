//! The file under redb.
//!
//! redb creates a store in three steps: it gives the file its length, writes the header without its first bytes, and the
//! first bytes last. A process that is killed in between leaves a file that redb then takes for something foreign. This
//! layer tells redb that such a file is empty, so that it begins again; it is asked under redb's own lock, so it never
//! mistakes a file that another process is creating.
//!
//! It also notes when a flush fails. What was to be flushed is then in the memory of the operating system still, where it
//! is read as if nothing were wrong, but no later flush writes it: Linux takes it for written. A store that went on from
//! there would break when the power goes. So a file is put beside the store, and where the next opening finds it, it
//! writes the store anew (see `compact.rs`).

use std::fs::File;
use std::ops::Bound;
use std::path::PathBuf;

use redb::{BackendError, StorageBackend};

/// A file that redb works on, or what stands for one in tests.
#[derive(Debug)]
pub(crate) struct StoreFile<S> {
    inner: S,
    mark: Option<PathBuf>,
}

impl<S: StorageBackend> StoreFile<S> {
    /// `mark`: where to put a file when a flush fails.
    pub(crate) fn new(inner: S, mark: Option<PathBuf>) -> Self {
        Self { inner, mark }
    }

    /// Whether the file is what a killed creation leaves: as long as a new store, without redb's first bytes, and empty
    /// behind the header.
    fn is_half_created(&self, length: u64) -> std::io::Result<bool> {
        if length != CREATED_BYTES {
            return Ok(false);
        }
        let mut bytes = vec![0; CREATED_BYTES as usize];
        self.inner.read(0, &mut bytes)?;
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let header_begun = is_zero(&bytes[..HEADER_BYTES]) || bytes[PAGE_BYTES_AT..].starts_with(&PAGE_BYTES);
        Ok(header_begun && is_zero(&bytes[..MAGIC_BYTES]) && is_zero(&bytes[HEADER_BYTES..]))
    }
}

impl<S: StorageBackend> StorageBackend for StoreFile<S> {
    fn len(&self) -> std::io::Result<u64> {
        let length = self.inner.len()?;
        Ok(if self.is_half_created(length)? { 0 } else { length })
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        let flushed = self.inner.sync_data();
        if let (Err(_), Some(mark)) = (&flushed, &self.mark) {
            // Where this fails too, nothing can be noted; the error of the flush says what is wrong.
            let _ = File::create(mark).and_then(|mark| mark.sync_all());
        }
        flushed
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}

/// The length of a file that redb 4.6 has just created; `tests.rs` notices when that changes.
const CREATED_BYTES: u64 = 72 << 10;
const HEADER_BYTES: usize = 512;
const MAGIC_BYTES: usize = 9;
/// Where the header says how large a page is, and what it says.
const PAGE_BYTES_AT: usize = 12;
const PAGE_BYTES: [u8; 4] = 4096_u32.to_le_bytes();

#[cfg(test)]
mod tests;
