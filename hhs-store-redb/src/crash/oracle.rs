//! What has to be in a store: it is as its batches left it, one after the other, up to one of those that may be the last.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::executor::block_on;
use hhs_store::backend::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, Order, Write};

use super::disk::{Disk, Event};

/// A backend that writes down every batch, in the order in which they commit, and on the disk's log when each was handed
/// over and acknowledged.
#[derive(Clone)]
pub(super) struct Watched<B> {
    pub(super) inner: B,
    pub(super) disk: Disk,
    pub(super) batches: Batches,
}

pub(super) type Batches = Arc<Mutex<Vec<Batch>>>;

#[async_trait]
impl<B: Backend> Backend for Watched<B> {
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
        // Nothing is awaited before the inner commit is polled, so this is the order in which batches commit.
        let number = {
            let mut batches = self.batches.lock().unwrap();
            batches.push(batch.clone());
            batches.len() - 1
        };
        self.disk.note(Event::Begun);
        self.inner.commit(batch).await?;
        self.disk.note(Event::Acknowledged(number));
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.inner.stats().await
    }
}

/// How many batches may be there if the power goes before event `place`: at least those that were acknowledged, at most
/// those that were handed over.
pub(super) fn possible(log: &[Event], place: usize) -> RangeInclusive<usize> {
    let (mut acknowledged, mut begun) = (0, 0);
    for event in &log[..place] {
        match event {
            Event::Begun => begun += 1,
            Event::Acknowledged(number) => acknowledged = acknowledged.max(number + 1),
            Event::Reopened(found) => (acknowledged, begun) = (*found, *found),
            Event::Write { .. } | Event::SetLen(_) | Event::Sync | Event::FailedSync => {}
        }
    }
    acknowledged..=begun
}

/// How many of the batches the store holds, one of `possible`.
///
/// # Panics
/// If it holds something else than the batches up to one of these.
pub(super) fn holds(store: &impl Backend, batches: &[Batch], possible: RangeInclusive<usize>) -> usize {
    let found: BTreeMap<_, _> = everything(store).into_iter().collect();
    let mut expected = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        if possible.contains(&number) && expected == found {
            return number;
        }
        write(&mut expected, batch);
    }
    assert!(
        possible.contains(&batches.len()) && expected == found,
        "what the {} entries are that it holds, no {possible:?} of the batches make",
        found.len()
    );
    batches.len()
}

pub(super) fn everything(store: &impl Backend) -> Vec<Entry> {
    let no_limit = Limit { entries: usize::MAX, bytes: usize::MAX };
    block_on(store.scan((Bound::Unbounded, Bound::Unbounded), Order::Ascending, no_limit)).unwrap()
}

fn write(entries: &mut BTreeMap<Vec<u8>, Vec<u8>>, batch: &Batch) {
    assert!(batch.guard.is_none(), "these programs write whatever is there");
    for write in &batch.writes {
        match write {
            Write::Put(key, value) => entries.insert(key.clone(), value.clone()),
            Write::Delete(key) => entries.remove(key),
        };
    }
}
