//! The open database, and the snapshot that reads share.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{Database, DatabaseError, ReadOnlyTable, ReadableDatabase};

use crate::error::Failure;
use crate::format::ENTRIES;

/// The entries as one commit left them.
pub(crate) type Entries = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// A database, and its entries as the last commit left them.
///
/// To begin a transaction and to open the table in it takes longer than to look up a key. So the first read after a
/// commit does it, and those behind it share what it opened. Until the writer forgets a snapshot its pages cannot be used
/// again, which costs the pages of one commit at most, because every commit makes it forget.
// The order matters: the snapshot has to be gone when the database closes.
pub(crate) struct Engine {
    latest: RwLock<Option<Arc<Entries>>>,
    database: Database,
}

impl Engine {
    pub(crate) fn new(database: Database) -> Self {
        Self { latest: RwLock::new(None), database }
    }

    /// Closes the file and says whether that went well, which dropping does not.
    pub(crate) fn close(self) -> Result<(), DatabaseError> {
        self.forget_snapshot();
        self.database.close()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// The entries as the last commit left them.
    pub(crate) fn snapshot(&self) -> Result<Arc<Entries>, Failure> {
        if let Some(entries) = &*self.latest.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(entries));
        }
        // Opened under the lock: whoever forgets after a commit waits for a read that began before it.
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = &*latest {
            return Ok(Arc::clone(entries));
        }
        let transaction = self.database.begin_read().map_err(|error| Failure::new(READ, error))?;
        let entries = Arc::new(transaction.open_table(ENTRIES).map_err(|error| Failure::new(READ, error))?);
        *latest = Some(Arc::clone(&entries));
        Ok(entries)
    }

    /// Makes the next read look at what is committed by now. The writer calls it after every transaction and before it
    /// tells anybody, so that whoever was told reads what was written.
    pub(crate) fn forget_snapshot(&self) {
        let forgotten = self.latest.write().unwrap_or_else(PoisonError::into_inner).take();
        // Outside the lock: reads need not wait while a transaction ends.
        drop(forgotten);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

pub(crate) const READ: &str = "read";

#[cfg(test)]
mod tests;
