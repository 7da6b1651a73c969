//! The store: objects, replicas and their ops on top of a backend, with every index built once for all backends.
//!
//! One writer at a time, behind a lock; readers go to the backend and never wait for it. A commit is one batch: after a
//! crash all of it is there or nothing.

mod ahead;
mod append;
mod error;
mod ingest;
mod keys;
mod objects;
mod read;
mod recent;
mod record;
mod replica;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::channel::mpsc;
use futures::lock::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};
use hhs_model::op::Genesis;
use hhs_model::{Identity, IdentityId, OpId, PublicKey, Registry, ReplicaId};

use crate::backend::{Backend, BackendError, Batch, Limit, Order, prefix_range};

pub use error::{AppendError, IngestError, StoreError};
pub use ingest::{Bundle, Ingested, SignedOp};
pub use read::{ReadLimit, StoredOp};

use recent::Recent;
use replica::ReplicaState;

/// The layout of keys and records that this program reads and writes.
const FORMAT: u64 = 1;
/// Keys of authors that are remembered in each of two generations, some 100 bytes each. Too low: the authors of a large
/// history are looked up again for every bundle.
const AUTHOR_KEYS: usize = 32_768;

/// A store of objects and replicas. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn Backend>,
    registry: Registry,
    writer: AsyncMutex<Writer>,
    /// How many commits have ended. Changed with the writer locked.
    commits: AtomicU64,
    /// The keys of identities that are here and were needed lately. A history has few authors beside its ops, and to look
    /// up, decode and check a key takes as long as to check a signature.
    author_keys: Mutex<Recent<IdentityId, PublicKey>>,
    /// Ops whose signatures were checked ahead.
    verified: Mutex<Recent<OpId, ()>>,
    listeners: Mutex<Listeners>,
}

/// What only the writer needs: where the next things go, and replicas that have been written to.
struct Writer {
    next_object: u64,
    next_replica: u32,
    replicas: BTreeMap<ReplicaId, ReplicaState>,
    /// A batch that was handed to the backend and whose outcome is not known: its future was dropped.
    undecided: Option<Undecided>,
}

struct Undecided {
    /// What is to be told of it, if it has ops and is there.
    ops: Option<Committed>,
}

impl Writer {
    async fn read(backend: &dyn Backend) -> Result<Self, StoreError> {
        let next_object = next_number(backend, &[keys::OBJECT]).await?;
        let next_replica = next_number(backend, &[keys::REPLICA]).await?;
        let next_replica = u32::try_from(next_replica).map_err(|_| corrupted("a replica number is out of range"))?;
        Ok(Self { next_object, next_replica, replicas: BTreeMap::new(), undecided: None })
    }
}

/// Who is told of commits.
#[derive(Default)]
struct Listeners {
    watchers: Vec<mpsc::UnboundedSender<Committed>>,
    live: BTreeMap<ReplicaId, Vec<Weak<dyn Applies>>>,
}

/// Told of every op of a replica in the order of positions, after it is durable and before the write returns.
pub(crate) trait Applies: Send + Sync {
    fn apply(&self, ops: &[StoredOp]);
}

/// What a commit has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The replica.
    pub replica: ReplicaId,
    /// How many ops it has now.
    pub ops: u64,
    /// How many of them came with this commit.
    pub added: u64,
    /// Whether this store wrote them, rather than received them.
    pub local: bool,
}

impl Store {
    /// Opens what is in a backend; an empty one becomes an empty store.
    ///
    /// # Errors
    /// If the backend cannot be read, or holds a store of another format.
    pub async fn open(backend: impl Backend, mut registry: Registry) -> Result<Self, StoreError> {
        // What the store itself reads back is checked whatever the program knows.
        registry.register::<Identity>().register::<Genesis>();
        let backend: Arc<dyn Backend> = Arc::new(backend);
        check_format(&*backend).await?;
        let writer = Writer::read(&*backend).await?;
        let inner = Inner {
            backend,
            registry,
            writer: AsyncMutex::new(writer),
            commits: AtomicU64::new(0),
            author_keys: Mutex::new(Recent::new(AUTHOR_KEYS)),
            verified: Mutex::new(Recent::new(ahead::REMEMBERED)),
            listeners: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A stream of commits from now on, each told once it is durable.
    pub fn watch(&self) -> mpsc::UnboundedReceiver<Committed> {
        let (sender, receiver) = mpsc::unbounded();
        self.listeners().watchers.push(sender);
        receiver
    }

    /// Small things that this device keeps for itself and never shares.
    ///
    /// # Errors
    /// If the backend cannot be read.
    pub async fn local(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.backend().get(&keys::local(name)).await?)
    }

    /// Keeps a small thing for this device alone, under a name; `None` forgets it.
    ///
    /// # Errors
    /// If the backend cannot write.
    pub async fn set_local(&self, name: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        match value {
            Some(value) => batch.put(keys::local(name), value),
            None => batch.delete(keys::local(name)),
        };
        Ok(self.backend().commit(batch).await?)
    }

    pub(crate) fn listen(&self, replica: ReplicaId, live: Weak<dyn Applies>) {
        self.listeners().live.entry(replica).or_default().push(live);
    }

    /// Keeps everybody from writing for as long as the guard lives.
    pub(crate) async fn lock_writer(&self) -> Result<impl Drop + '_, StoreError> {
        self.writer().await
    }

    /// Locks the writer, when all that was handed to the backend before is decided.
    async fn writer(&self) -> Result<AsyncMutexGuard<'_, Writer>, StoreError> {
        let mut writer = self.inner.writer.lock().await;
        if let Some(undecided) = &writer.undecided {
            let (decided, ops) = self.decide(undecided).await?;
            *writer = decided;
            self.count_commit();
            if let Some((committed, ops)) = ops {
                self.tell(committed, &ops);
            }
        }
        Ok(writer)
    }

    /// Commits a batch. `ops` is what has to be told, by [`decide`](Self::decide), if nobody waits for the end of this.
    async fn commit(&self, writer: &mut Writer, batch: Batch, ops: Option<Committed>) -> Result<(), BackendError> {
        writer.undecided = Some(Undecided { ops });
        let outcome = self.backend().commit(batch).await;
        writer.undecided = None;
        self.count_commit();
        outcome
    }

    /// Waits until a batch is there or not, and says what the writer has to know now and whom to tell what.
    async fn decide(&self, undecided: &Undecided) -> Result<(Writer, Option<(Committed, Vec<StoredOp>)>), StoreError> {
        // Batches commit in order: with this one that one is decided. It writes what is there already, because backends
        // may pass over a batch without writes.
        let mut barrier = Batch::new();
        barrier.put(keys::FORMAT, FORMAT.to_be_bytes());
        self.backend().commit(barrier).await?;
        let writer = Writer::read(self.backend()).await?;
        let Some(committed) = undecided.ops.clone() else { return Ok((writer, None)) };
        if self.count(committed.replica).await? != committed.ops {
            return Ok((writer, None));
        }
        let range = committed.ops - committed.added..committed.ops;
        let ops = self.ops(committed.replica, range, ReadLimit { ops: usize::MAX, bytes: usize::MAX }).await?;
        Ok((writer, Some((committed, ops))))
    }

    fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    /// How many commits have ended. If it is the same before something was looked up and once the writer is locked, then
    /// what was not here is not here: a commit that was under way in between has ended since.
    fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::Acquire)
    }

    /// Counts a commit that has ended. Called with the writer locked.
    fn count_commit(&self) {
        self.inner.commits.fetch_add(1, Ordering::Release);
    }

    fn author_keys(&self) -> MutexGuard<'_, Recent<IdentityId, PublicKey>> {
        self.inner.author_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> MutexGuard<'_, Recent<OpId, ()>> {
        self.inner.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody of what has just been committed. Called with the writer locked, so that the order of commits is
    /// the order of events.
    fn tell(&self, committed: Committed, ops: &[StoredOp]) {
        let live: Vec<Arc<dyn Applies>> = {
            let mut listeners = self.listeners();
            listeners.watchers.retain(|watcher| watcher.unbounded_send(committed.clone()).is_ok());
            let Some(live) = listeners.live.get_mut(&committed.replica) else { return };
            live.retain(|live| live.strong_count() > 0);
            live.iter().filter_map(Weak::upgrade).collect()
        };
        for live in live {
            live.apply(ops);
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

async fn check_format(backend: &dyn Backend) -> Result<(), StoreError> {
    match backend.get(keys::FORMAT).await? {
        Some(found) if found == FORMAT.to_be_bytes() => Ok(()),
        Some(found) => Err(StoreError::Backend(BackendError::Version {
            place: "this backend".into(),
            found: found.try_into().map_or("unknown".into(), |bytes| u64::from_be_bytes(bytes).to_string()),
            supported: FORMAT.to_string(),
        })),
        None => {
            let any = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
            if !backend.scan(any, Order::Ascending, Limit { entries: 1, bytes: 1 }).await?.is_empty() {
                return Err(corrupted("it has entries, but no mark of the format that they are in"));
            }
            let mut batch = Batch::new();
            batch.put(keys::FORMAT, FORMAT.to_be_bytes());
            Ok(backend.commit(batch).await?)
        }
    }
}

/// One more than the number in the last key that begins with `prefix`; 0 if there is none.
async fn next_number(backend: &dyn Backend, prefix: &[u8]) -> Result<u64, StoreError> {
    let last = backend.scan(prefix_range(prefix), Order::Descending, Limit { entries: 1, bytes: 1 }).await?;
    let Some((key, _)) = last.first() else { return Ok(0) };
    keys::number(key, prefix.len())?.checked_add(1).ok_or_else(|| corrupted("a number is out of range"))
}

fn corrupted(reason: &str) -> StoreError {
    StoreError::Backend(BackendError::Corrupted { reason: reason.to_owned() })
}
