//! The store: objects, replicas and their ops on top of a backend, with every index built once for all backends.
//!
//! One writer at a time, behind a lock; readers go to the backend and never wait for it. A commit is one batch: after a
//! crash all of it is there or nothing.

mod append;
mod error;
mod ingest;
mod keys;
mod objects;
mod read;
mod record;
mod replica;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::channel::mpsc;
use futures::lock::Mutex as AsyncMutex;
use hhs_model::{Registry, ReplicaId};

use crate::backend::{Backend, BackendError, Batch, Limit, Order, prefix_range};

pub use error::{AppendError, IngestError, StoreError};
pub use ingest::{Bundle, Ingested, SignedOp};
pub use read::{ReadLimit, StoredOp};

use replica::ReplicaState;

/// The layout of keys and records that this program reads and writes.
const FORMAT: u64 = 1;

/// A store of objects and replicas. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn Backend>,
    registry: Registry,
    writer: AsyncMutex<Writer>,
    listeners: Mutex<Listeners>,
}

/// What only the writer needs: where the next things go, and replicas that have been written to.
struct Writer {
    next_object: u64,
    next_replica: u32,
    replicas: BTreeMap<ReplicaId, ReplicaState>,
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
    pub async fn open(backend: impl Backend, registry: Registry) -> Result<Self, StoreError> {
        let backend: Arc<dyn Backend> = Arc::new(backend);
        check_format(&*backend).await?;
        let next_object = last_number(&*backend, &[keys::OBJECT]).await?.map_or(0, |last| last + 1);
        let next_replica = last_number(&*backend, &[keys::REPLICA]).await?.map_or(0, |last| last + 1);
        let next_replica = u32::try_from(next_replica).map_err(|_| corrupted("a replica number is out of range"))?;
        let writer = Writer { next_object, next_replica, replicas: BTreeMap::new() };
        let listeners = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { backend, registry, writer: AsyncMutex::new(writer), listeners }) })
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
    pub(crate) async fn lock_writer(&self) -> impl Drop + '_ {
        self.inner.writer.lock().await
    }

    fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    fn listeners(&self) -> std::sync::MutexGuard<'_, Listeners> {
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

/// The number in the last key that begins with `prefix`.
async fn last_number(backend: &dyn Backend, prefix: &[u8]) -> Result<Option<u64>, StoreError> {
    let last = backend.scan(prefix_range(prefix), Order::Descending, Limit { entries: 1, bytes: 1 }).await?;
    last.first().map(|(key, _)| keys::number(key, prefix.len())).transpose()
}

fn corrupted(reason: &str) -> StoreError {
    StoreError::Backend(BackendError::Corrupted { reason: reason.to_owned() })
}
