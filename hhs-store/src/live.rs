//! Live replicas: the state of a replica in memory, kept up with its ops, read and written through its class.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc;
use hhs_model::class::{Change, Changes, EditError, OpContext, Replica, Void};
use hhs_model::{Author, OpId, ReplicaId};

use crate::store::{AppendError, Applies, ReadLimit, Store, StoreError, StoredOp};

/// A replica of a class that is known here. Cloning gives another handle to the same state.
pub struct Live<R: Replica> {
    shared: Arc<Shared<R>>,
    store: Store,
    id: ReplicaId,
}

struct Shared<R> {
    state: Mutex<State<R>>,
}

struct State<R> {
    replica: R,
    /// How many ops have been applied: the position of the next one.
    applied: u64,
    void: BTreeMap<OpId, Void>,
    watchers: Vec<mpsc::UnboundedSender<Change>>,
}

/// How much is read at once while a replica is opened.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };

impl Store {
    /// Opens a replica as one of class `R`: reads its history, and keeps up with it from then on.
    ///
    /// # Errors
    /// If the replica is not here, is of another class, or the backend cannot read.
    pub async fn open_replica<R: Replica>(&self, id: ReplicaId) -> Result<Live<R>, StoreError> {
        let genesis = self.genesis(id).await?;
        if genesis.class != R::CLASS {
            return Err(StoreError::Class { id, found: genesis.class, expected: R::CLASS });
        }
        let state = State { replica: R::new(&genesis), applied: 0, void: BTreeMap::new(), watchers: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        // Most of the history without holding up writers, the rest while nothing can be written.
        self.catch_up(id, &shared).await?;
        let writer = self.lock_writer().await?;
        self.catch_up(id, &shared).await?;
        let applies: Arc<dyn Applies> = shared.clone();
        self.listen(id, Arc::downgrade(&applies));
        drop(writer);
        Ok(Live { shared, store: self.clone(), id })
    }

    async fn catch_up<R: Replica>(&self, id: ReplicaId, shared: &Shared<R>) -> Result<(), StoreError> {
        loop {
            let applied = shared.lock().applied;
            let ops = self.ops(id, applied..u64::MAX, PAGE).await?;
            if ops.is_empty() {
                return Ok(());
            }
            shared.apply(&ops);
        }
    }
}

impl<R: Replica> Live<R> {
    /// The replica's id.
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The store that it lives in.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads the state. While `read` runs nothing is applied, so it should be short.
    pub fn read<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        read(&self.shared.lock().replica)
    }

    /// Writes one op with all that `edit` records, and returns its id once it is durable and applied; `None` if nothing was
    /// recorded. `time` is what the op claims: milliseconds since 1970. While `edit` runs the state is locked: it reads from
    /// what it is given, not from this handle.
    ///
    /// # Errors
    /// If the author may not, a value cannot be saved, or the store fails. Then nothing was written. Who drops the future
    /// before it ends does not know: the op is there or not, whole, and shows here with the next write at the latest.
    pub async fn update<F>(&self, author: &Author, time: u64, edit: F) -> Result<Option<OpId>, AppendError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        let draft = || -> Result<Option<hhs_model::class::Draft>, EditError> {
            let state = self.shared.lock();
            let mut recorded = state.replica.edit();
            edit(&mut recorded);
            let draft = R::finish(recorded)?;
            Ok((!draft.is_empty()).then_some(draft))
        };
        self.store.append(self.id, author, time, draft).await
    }

    /// What changes from now on, op by op; ends when the last handle is dropped.
    pub fn changes(&self) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded();
        self.shared.lock().watchers.push(sender);
        receiver
    }

    /// What the replica holds now, and what changes from then on: nothing is missed in between and nothing told twice.
    pub fn read_and_watch<T>(&self, read: impl FnOnce(&R) -> T) -> (T, mpsc::UnboundedReceiver<Change>) {
        let (sender, receiver) = mpsc::unbounded();
        let mut state = self.shared.lock();
        state.watchers.push(sender);
        (read(&state.replica), receiver)
    }

    /// Why the payload of an op has no effect, if the class could make nothing of it.
    pub fn void_reason(&self, op: OpId) -> Option<Void> {
        self.shared.lock().void.get(&op).cloned()
    }

    /// How many ops have been applied, void ones included.
    pub fn applied(&self) -> u64 {
        self.shared.lock().applied
    }
}

impl<R: Replica> Clone for Live<R> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), store: self.store.clone(), id: self.id }
    }
}

impl<R: Replica> std::fmt::Debug for Live<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("class", &R::CLASS).field("id", &self.id).finish_non_exhaustive()
    }
}

impl<R> Shared<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // A reader that panicked has changed nothing; an edit that panicked was not written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Replica> Applies for Shared<R> {
    fn apply(&self, ops: &[StoredOp]) {
        let mut state = self.lock();
        for stored in ops {
            if stored.position >= state.applied {
                state.apply(stored);
            }
        }
    }
}

impl<R: Replica> State<R> {
    fn apply(&mut self, stored: &StoredOp) {
        let header = stored.op.header();
        let context = OpContext {
            id: stored.op.id(),
            height: stored.height,
            author: header.author,
            time: header.time,
            act: header.act.as_ref(),
        };
        self.watchers.retain(|watcher| !watcher.is_closed());
        let mut changes = match self.watchers.is_empty() {
            true => Changes::unwatched(),
            false => Changes::of(context.id, context.author),
        };
        match self.replica.apply(&context, stored.payload.as_deref(), &mut changes) {
            Ok(()) => {}
            Err(void) => drop(self.void.insert(context.id, void)),
        }
        self.applied = stored.position + 1;
        for change in changes.into_vec() {
            self.watchers.retain(|watcher| watcher.unbounded_send(change.clone()).is_ok());
        }
    }
}
