//! Backends for tests, over one in memory: one that is slow, so that tasks come in between each other, one that fails when
//! it is told to, and one that commits when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures::channel::oneshot;
use hhs_model::seam;
use hhs_store::backend::{
    Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, MemoryBackend, Order, Write,
};

/// Answers late: every read lets other tasks go first a few times, as its seed says. A batch waits in a queue; it commits,
/// with all before it, when somebody waits for it a second time or for a later one. So a commit that nobody waits for
/// stays undecided until the next one, as it may behind a thread that writes.
///
/// Told so, some commits fail, and leave nothing; or it says that others may commit to the same memory.
#[derive(Clone)]
pub(crate) struct Slow {
    memory: MemoryBackend,
    seed: Arc<AtomicU64>,
    /// Of a hundred commits so many fail.
    failing: Arc<AtomicU64>,
    shared: bool,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Batch>,
    handed_over: u64,
    committed: u64,
    failed: BTreeMap<u64, BackendError>,
}

impl Slow {
    pub(crate) fn new(memory: MemoryBackend, seed: u64) -> Self {
        let (seed, failing) = (Arc::new(AtomicU64::new(seed)), Arc::default());
        Self { memory, seed, failing, shared: false, queue: Arc::default() }
    }

    /// One of several on this memory.
    pub(crate) fn shared(memory: MemoryBackend, seed: u64) -> Self {
        Self { shared: true, ..Self::new(memory, seed) }
    }

    pub(crate) fn fail(&self, of_hundred: u64) {
        self.failing.store(of_hundred, Ordering::Relaxed);
    }

    fn next_random(&self) -> u64 {
        // The generator of Knuth's MMIX.
        let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let seed = self.seed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| Some(next(seed))).unwrap();
        seed >> 33
    }

    async fn wait(&self) {
        for _ in 0..self.next_random() % 4 {
            YieldOnce::default().await;
        }
    }

    async fn commit_up_to(&self, ticket: u64) -> Result<(), BackendError> {
        loop {
            let (number, batch) = {
                let mut queue = self.queue.lock().unwrap();
                if queue.committed >= ticket {
                    return queue.failed.remove(&ticket).map_or(Ok(()), Err);
                }
                queue.committed += 1;
                (queue.committed, queue.waiting.pop_front().unwrap())
            };
            let outcome = match self.next_random() % 100 < self.failing.load(Ordering::Relaxed) {
                true => Err(BackendError::Io { action: "write a batch", source: "the disk is full".into() }),
                false => self.memory.commit(batch).await,
            };
            if let Err(error) = outcome {
                self.queue.lock().unwrap().failed.insert(number, error);
            }
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
        let outcome = self.commit_up_to(ticket).await;
        self.wait().await;
        outcome
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.memory.stats().await
    }
}

/// A batch, and who waits for its outcome.
type Waiting = (Batch, oneshot::Sender<Result<(), BackendError>>);

/// Commits when it is told to, with the outcome that it is told.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    pub(crate) memory: MemoryBackend,
    waiting: Arc<Mutex<VecDeque<Waiting>>>,
    open: Arc<AtomicBool>,
}

impl Gate {
    /// From now on commits wait for [`commit_one`](Self::commit_one) and [`fail_one`](Self::fail_one).
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
    }

    /// From now on commits do not wait; those that do are done.
    pub(crate) async fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        while self.waiting() > 0 {
            self.commit_one().await;
        }
    }

    /// How many batches wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    /// The bytes of the batch that waits.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting.lock().unwrap()[0].0.writes.iter().map(Write::bytes).sum()
    }

    pub(crate) async fn commit_one(&self) {
        let (batch, done) = self.waiting.lock().unwrap().pop_front().unwrap();
        let outcome = self.memory.commit(batch).await;
        // Who waited may have gone.
        drop(done.send(outcome));
    }

    pub(crate) fn fail_one(&self) {
        let (_, done) = self.waiting.lock().unwrap().pop_front().unwrap();
        let full = BackendError::Io { action: "write a batch", source: "the disk is full".into() };
        drop(done.send(Err(full)));
    }
}

#[seam]
impl Backend for Gate {
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
        let (done, outcome) = oneshot::channel();
        self.waiting.lock().unwrap().push_back((batch, done));
        if self.open.load(Ordering::SeqCst) {
            self.commit_one().await;
        }
        outcome.await.unwrap()
    }

    fn is_shared(&self) -> bool {
        false
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
    /// Commits that still work, if they are counted.
    left: Arc<Mutex<Option<u64>>>,
}

impl Failing {
    /// Fails no commit yet.
    pub(crate) fn on(memory: MemoryBackend) -> Self {
        Self { memory, ..Self::default() }
    }

    /// Fails every commit after so many.
    pub(crate) fn after(memory: MemoryBackend, commits: u64) -> Self {
        Self { memory, left: Arc::new(Mutex::new(Some(commits))), ..Self::default() }
    }

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
        let full = match &mut *self.left.lock().unwrap() {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => self.full.load(Ordering::SeqCst),
        };
        match full {
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
