//! The backend in memory: the reference for every other one, and what tests and throw-away nodes run on.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hhs_model::seam;

use super::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, Order, Write, is_empty_range};

/// A [`Backend`] that keeps everything in memory, as long as one of its clones lives.
///
/// A clone shares the data, so that a test can drop what it works with and "open it again".
#[derive(Debug, Clone, Default)]
pub struct MemoryBackend {
    entries: Arc<RwLock<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl MemoryBackend {
    /// An empty backend.
    pub fn new() -> Self {
        Self::default()
    }

    // No code of ours panics while it holds the lock, so a poisoned one still guards whole commits.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[seam]
impl Backend for MemoryBackend {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.read().get(key).cloned())
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let entries = self.read();
        Ok(keys.iter().map(|key| entries.get(key).cloned()).collect())
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        if is_empty_range(&range) {
            return Ok(Vec::new());
        }
        let entries = self.read();
        let range = entries.range(range);
        Ok(match order {
            Order::Ascending => page(range, limit),
            Order::Descending => page(range.rev(), limit),
        })
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        batch.check_bounds()?;
        let mut entries = self.write();
        if batch.guard.is_some_and(|guard| entries.get(&guard.key) != guard.expected.as_ref()) {
            return Err(BackendError::Conflict);
        }
        for write in batch.writes {
            match write {
                Write::Put(key, value) => entries.insert(key, value),
                Write::Delete(key) => entries.remove(&key),
            };
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        let entries = self.read();
        let stored_bytes = entries.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        Ok(BackendStats { entries: entries.len() as u64, stored_bytes, disk_bytes: 0 })
    }
}

fn page<'a>(mut entries: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>, limit: Limit) -> Vec<Entry> {
    let mut bytes = 0;
    let mut page = Vec::new();
    while limit.admits(page.len(), bytes) {
        let Some((key, value)) = entries.next() else { break };
        bytes += key.len() + value.len();
        page.push((key.clone(), value.clone()));
    }
    page
}
