//! What the checks share: reads and writes that must succeed, and seeded dice.

use std::ops::Bound;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::backend::{Backend, Batch, Entry, KeyRange, Limit, Order};

/// Every key.
pub(super) const EVERYTHING: KeyRange = (Bound::Unbounded, Bound::Unbounded);
/// No limit.
pub(super) const NO_LIMIT: Limit = Limit { entries: usize::MAX, bytes: usize::MAX };

/// Commits; it must succeed.
pub(super) async fn commit(store: &impl Backend, batch: Batch) {
    store.commit(batch).await.expect("the backend commits a batch within the bounds");
}

/// Commits one entry.
pub(super) async fn put(store: &impl Backend, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
    let mut batch = Batch::new();
    batch.put(key, value);
    commit(store, batch).await;
}

/// Reads one value; it must succeed.
pub(super) async fn get(store: &impl Backend, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    store.get(key.as_ref()).await.expect("the backend reads a value")
}

/// Reads several values; it must succeed.
pub(super) async fn get_many(store: &impl Backend, keys: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    store.get_many(keys).await.expect("the backend reads values")
}

/// Reads a page; it must succeed.
pub(super) async fn scan(store: &impl Backend, range: KeyRange, order: Order, limit: Limit) -> Vec<Entry> {
    store.scan(range, order, limit).await.expect("the backend reads a range")
}

/// Reads every entry.
pub(super) async fn everything(store: &impl Backend) -> Vec<Entry> {
    scan(store, EVERYTHING, Order::Ascending, NO_LIMIT).await
}

/// The rest of `range` after `last`, the last key read from it in `order`.
pub(super) fn after(range: KeyRange, order: Order, last: Vec<u8>) -> KeyRange {
    match order {
        Order::Ascending => (Bound::Excluded(last), range.1),
        Order::Descending => (range.0, Bound::Excluded(last)),
    }
}

/// Lets the other futures of the same task go on.
pub(super) async fn yield_now() {
    struct Yield(bool);
    impl Future for Yield {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }
    Yield(false).await;
}

/// Dice that fall the same for the same seed (SplitMix64; Steele, Lea and Flood 2014), so that a failure can be repeated.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// `length` bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}
