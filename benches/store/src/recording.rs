//! A backend that remembers what the store commits to it, so that the floor can write the same.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use hhs_model::seam;
use hhs_store::backend::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, Order};
use hhs_store_redb::RedbBackend;

/// redb, with a record of batches.
#[derive(Clone)]
pub(crate) struct Recording {
    inner: RedbBackend,
    batches: Arc<Mutex<Vec<Batch>>>,
}

impl Recording {
    pub(crate) fn new(inner: RedbBackend) -> Self {
        Self { inner, batches: Arc::default() }
    }

    /// What was committed since it was asked last.
    pub(crate) fn take(&self) -> Vec<Batch> {
        mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[seam]
impl Backend for Recording {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.inner.get_many(keys).await
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        self.inner.scan(range, order, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        // The copy is on the account of what is measured; it takes about a hundredth of it.
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push(batch.clone());
        self.inner.commit(batch).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.inner.stats().await
    }
}
