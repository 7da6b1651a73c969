//! The store: objects, replicas and their ops on top of a backend, with every index built once for all backends.
//!
//! One writer stages at a time, behind a lock; what is staged while a batch is being made durable becomes the next batch.
//! Readers go to the backend and never wait. A change is in one batch: after a crash all of it is there or nothing.

mod acts;
mod ahead;
mod append;
mod aside;
mod check;
mod checkpoints;
mod cut;
mod delete;
mod error;
mod failure;
mod foreign;
mod index;
mod ingest;
mod kept;
mod keys;
mod lineage;
mod listeners;
mod locate;
mod objects;
mod pipeline;
mod query;
mod reach;
mod read;
mod recent;
mod record;
mod recovery;
mod reindex;
mod renewal;
mod repair;
mod replica;
mod salvage;
mod save;
mod shape;
mod shared;
mod sources;
mod states;
mod stats;
mod tail;
mod tips;
mod typing;
mod version;
mod watch;
mod writer;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::lock::Mutex as AsyncMutex;
use hhs_model::op::Genesis;
use hhs_model::{Identity, IdentityId, OpId, PublicKey, Registry, ReplicaId};

use crate::backend::{Backend, BackendError, Batch, Limit, Order, prefix_range};

pub use check::{Checked, Depth, Finding, Severity};
pub(crate) use checkpoints::CheckpointBytes;
pub use delete::DeleteError;
pub use error::{AppendError, IngestError, StoreError};
pub use ingest::{Bundle, Ingested, SignedOp};
pub use lineage::{Consequences, FoundOp};
pub(crate) use listeners::{Applied, Applies};
pub use listeners::{CommitStream, Committed};
pub use locate::Located;
pub use query::{Cursor, Found, Query};
pub use read::{ReadLimit, StoredOp};
pub use salvage::{Lost, Salvaged};
pub use stats::{Amount, Ops, ReplicaStats, Room, Stats};
pub use tail::{LogTail, TailEntry};
pub(crate) use typing::{Sealed, Unsealed};
pub(crate) use version::Version;

use aside::Aside;
use listeners::Listeners;
use pipeline::Pipeline;
use recent::Recent;
use writer::Writer;

/// The layout of keys and records that this program reads and writes.
const FORMAT: u64 = 3;
/// Keys of authors that are remembered in each of two generations, some 100 bytes each. Too low: the authors of a large
/// history are looked up again for every bundle.
const AUTHOR_KEYS: usize = 32_768;

pub(crate) use index::needs as object_needs;

/// The identities that the header of an op names.
pub(crate) fn named_identities(header: &hhs_model::op::Header) -> impl Iterator<Item = IdentityId> {
    index::named_in_header(header).map(|id| IdentityId(id.0))
}

/// A store of objects and replicas. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn Backend>,
    registry: Registry,
    writer: AsyncMutex<Writer>,
    /// What is staged and not durable yet.
    pipeline: Mutex<Pipeline>,
    /// The keys of identities that are here and were needed lately. A history has few authors beside its ops, and to look
    /// up, decode and check a key takes as long as to check a signature.
    author_keys: Mutex<Recent<IdentityId, PublicKey>>,
    /// Ops whose signatures were checked ahead.
    verified: Mutex<Recent<OpId, ()>>,
    listeners: Mutex<Listeners>,
    aside: Aside,
    /// How many views of replicas were read that take authority from others.
    editions: AtomicU64,
}

impl Inner {
    fn pipeline(&self) -> MutexGuard<'_, Pipeline> {
        // No code of ours panics while it holds the lock.
        self.pipeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Opens what is in a backend; an empty one becomes an empty store. One of an older format is brought to this one, and
    /// deletions that were interrupted are ended: that takes as long as the store is large, or what was deleted.
    ///
    /// # Errors
    /// If the backend cannot be read, or holds a store of another format.
    pub async fn open(backend: impl Backend, registry: Registry) -> Result<Self, StoreError> {
        Self::open_at("this backend", backend, registry).await
    }

    /// As [`open`](Self::open); errors call the store by the name of its place.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_at(place: &str, backend: impl Backend, mut registry: Registry) -> Result<Self, StoreError> {
        // What the store itself reads back is checked whatever the program knows.
        registry.register::<Identity>().register::<Genesis>();
        let backend: Arc<dyn Backend> = Arc::new(backend);
        reindex::prepare(&*backend, place).await?;
        // Before anything else is read: what is newer is guarded against.
        let sequence = match backend.is_shared() {
            true => Some(shared::read_sequence(&*backend).await?),
            false => None,
        };
        let aside = Aside::read(&*backend).await?;
        let writer = Writer::read(&*backend).await?;
        let inner = Inner {
            backend,
            registry,
            writer: AsyncMutex::new(writer),
            pipeline: Mutex::new(Pipeline::new(sequence)),
            author_keys: Mutex::new(Recent::new(AUTHOR_KEYS)),
            verified: Mutex::new(Recent::new(ahead::REMEMBERED)),
            listeners: Mutex::default(),
            aside,
            editions: AtomicU64::new(0),
        };
        let store = Self { inner: Arc::new(inner) };
        store.sweep().await?;
        Ok(store)
    }

    /// The replicas that have news from now on, each told once what is new is durable.
    pub fn watch(&self) -> CommitStream {
        self.listeners().watch()
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
        self.listeners().listen(replica, live);
    }

    fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    fn pipeline(&self) -> MutexGuard<'_, Pipeline> {
        self.inner.pipeline()
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
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
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
