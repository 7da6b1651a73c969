//! Backends for tests, over one in memory: one that is slow, so that tasks come in between each other, and one that fails
//! when it is told to.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hhs_model::seam;
use hhs_store::backend::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, MemoryBackend, Order};

/// Answers late: every read lets other tasks go first a few times, as its seed says. A batch waits in a queue; it commits,
/// with all before it, when somebody waits for it a second time or for a later one. So a commit that nobody waits for
/// stays undecided until the next one, as it may behind a thread that writes.
#[derive(Clone)]
pub(crate) struct Slow {
    memory: MemoryBackend,
    seed: Arc<AtomicU64>,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Batch>,
    handed_over: u64,
    committed: u64,
}

impl Slow {
    pub(crate) fn new(memory: MemoryBackend, seed: u64) -> Self {
        Self { memory, seed: Arc::new(AtomicU64::new(seed)), queue: Arc::default() }
    }

    async fn wait(&self) {
        // The generator of Knuth's MMIX.
        let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let seed = self.seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(next(seed))).unwrap();
        for _ in 0..(seed >> 33) % 4 {
            YieldOnce::default().await;
        }
    }

    async fn commit_up_to(&self, ticket: u64) -> Result<(), BackendError> {
        loop {
            let batch = {
                let mut queue = self.queue.lock().unwrap();
                if queue.committed >= ticket {
                    return Ok(());
                }
                queue.committed += 1;
                queue.waiting.pop_front().unwrap()
            };
            self.memory.commit(batch).await?;
        }
    }
}

#[seam]
impl Backend for Slow {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.wait().await;
        let found = self.memory.get(key).await;
        self.wait().await;
        found
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.wait().await;
        let found = self.memory.get_many(keys).await;
        self.wait().await;
        found
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        self.wait().await;
        let found = self.memory.scan(range, order, limit).await;
        self.wait().await;
        found
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        batch.check_bounds()?;
        let ticket = {
            let mut queue = self.queue.lock().unwrap();
            queue.waiting.push_back(batch);
            queue.handed_over += 1;
            queue.handed_over
        };
        YieldOnce::default().await;
        self.wait().await;
        self.commit_up_to(ticket).await?;
        self.wait().await;
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.memory.is_shared()
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.memory.stats().await
    }
}

/// Lets other tasks go first, once.
#[derive(Default)]
pub(crate) struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls a future so often, then drops it; whether it had ended.
pub(crate) async fn abandon(future: impl Future, polls: usize) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if futures::poll!(&mut future).is_ready() {
            return true;
        }
    }
    false
}

/// Fails every commit for as long as it is told to; none of these is there later.
#[derive(Clone, Default)]
pub(crate) struct Failing {
    pub(crate) memory: MemoryBackend,
    full: Arc<AtomicBool>,
}

impl Failing {
    pub(crate) fn fill_disk(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }
}

#[seam]
impl Backend for Failing {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.memory.get(key).await
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.memory.get_many(keys).await
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        self.memory.scan(range, order, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(BackendError::Io { action: "write a batch", source: "the disk is full".into() }),
            false => self.memory.commit(batch).await,
        }
    }

    fn is_shared(&self) -> bool {
        self.memory.is_shared()
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.memory.stats().await
    }
}
