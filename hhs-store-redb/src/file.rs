//! The file under redb.
//!
//! redb creates a store in three steps: it gives the file its length, writes the header without its first bytes, and the
//! first bytes last. A process that is killed in between leaves a file that redb then takes for something foreign. This
//! layer tells redb that such a file is empty, so that it begins again; it is asked under redb's own lock, so it never
//! mistakes a file that another process is creating.

use std::fs::File;
use std::ops::Bound;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// A file that redb works on.
#[derive(Debug)]
pub(crate) struct StoreFile {
    inner: FileBackend,
}

impl StoreFile {
    pub(crate) fn new(file: File) -> Result<Self, redb::DatabaseError> {
        Ok(Self { inner: FileBackend::new(file)? })
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

impl StorageBackend for StoreFile {
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
        self.inner.sync_data()
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
