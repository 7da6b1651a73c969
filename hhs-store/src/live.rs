//! Live replicas: the state of a replica in memory, kept up with its ops, read and written through its class.

mod changes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hhs_model::class::{Changes, EditError, OpContext, Replica, Void};
use hhs_model::op::Founding;
use hhs_model::{Author, OpId, ReplicaId};

use crate::store::{AppendError, Applied, Applies, Store, StoreError, StoredOp};

pub use changes::{ChangeStream, Lagged};

use changes::Feed;

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
    founding: Founding,
    replica: R,
    /// How many durable ops have been applied: the position of the next one.
    durable: u64,
    /// Ops that have been applied and are not durable yet.
    staged: BTreeSet<OpId>,
    /// So many of the first ops were told before the state began anew.
    told: u64,
    void: BTreeMap<OpId, Void>,
    feed: Feed,
}

impl Store {
    /// Opens a replica as one of class `R`: reads its history, and keeps up with it from then on.
    ///
    /// # Errors
    /// If the replica is not here, is of another class, or the backend cannot read.
    pub async fn open_replica<R: Replica>(&self, id: ReplicaId) -> Result<Live<R>, StoreError> {
        let founding = self.founding(id).await?;
        if founding.class() != R::CLASS {
            return Err(StoreError::Class { id, found: founding.class().to_owned(), expected: R::CLASS });
        }
        let shared = Arc::new(Shared { state: Mutex::new(State::<R>::new(founding)) });
        // Most of the history without holding up writers, the rest while nothing can be written.
        self.catch_up(id, &*shared, u64::MAX).await?;
        let writer = self.lock_quiet().await?;
        self.catch_up(id, &*shared, u64::MAX).await?;
        let applies: Arc<dyn Applies> = shared.clone();
        self.listen(id, Arc::downgrade(&applies));
        drop(writer);
        Ok(Live { shared, store: self.clone(), id })
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
    ///
    /// The state has what is being written already, a moment before it is durable: the next write builds on it. If it then
    /// cannot be made durable, the state goes back to what is; its [changes](Self::changes) are told only once they are.
    pub fn read<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        read(&self.shared.lock().replica)
    }

    /// Writes one op with all that `edit` records, and returns its id once it is durable and applied; `None` if nothing was
    /// recorded. `time` is what the op claims: milliseconds since 1970. While `edit` runs the state is locked: it reads from
    /// what it is given, not from this handle.
    ///
    /// Writes that run at the same time share a durable commit; each sees those before it, durable or not. If the store
    /// cannot make one durable, those on top of it fail as well, and the state shows none of them when they return.
    ///
    /// # Errors
    /// If the author may not, a value cannot be saved, or the store fails. Then nothing was written. Who drops the future
    /// before it ends does not know: the op is there or not, whole, and is decided with the next write at the latest.
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
        if self.shared.lock().feed.has_ended() {
            // The replica may be here again by now, but then with other handles.
            return Err(StoreError::NoReplica(self.id).into());
        }
        self.store.append_on(self.id, author, time, Some(&*self.shared), draft).await
    }

    /// What changes from now on, op by op, each told once it is durable; ends when the last handle is dropped, or the
    /// replica deleted. Who does not
    /// read gets [`Lagged`] in place of what was too much to keep.
    pub fn changes(&self) -> ChangeStream {
        self.shared.lock().feed.watch()
    }

    /// What the replica holds now, and what changes from then on: nothing is missed in between and nothing told twice.
    pub fn read_and_watch<T>(&self, read: impl FnOnce(&R) -> T) -> (T, ChangeStream) {
        let mut state = self.shared.lock();
        let changes = state.feed.watch();
        (read(&state.replica), changes)
    }

    /// Why the payload of an op has no effect, if the class could make nothing of it.
    pub fn void_reason(&self, op: OpId) -> Option<Void> {
        self.shared.lock().void.get(&op).cloned()
    }

    /// How many ops have been applied, void ones included.
    pub fn applied(&self) -> u64 {
        let Applied { durable, staged } = Applies::applied(&*self.shared);
        durable + staged
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
    fn stage(&self, ops: &[StoredOp]) {
        let mut state = self.lock();
        for stored in ops {
            if state.staged.insert(stored.op.id()) {
                state.apply(stored);
            }
        }
    }

    fn settle(&self, ops: &[StoredOp]) {
        let mut state = self.lock();
        for stored in ops {
            if stored.position != state.durable {
                // It was seen before; or others lie between, and this one will be read with them.
                continue;
            }
            if !state.staged.remove(&stored.op.id()) {
                state.apply(stored);
            }
            state.durable += 1;
        }
        let State { feed, staged, .. } = &mut *state;
        feed.release(staged);
    }

    fn end(&self) {
        self.lock().feed.end();
    }

    fn applied(&self) -> Applied {
        let state = self.lock();
        Applied { durable: state.durable, staged: state.staged.len() as u64 }
    }

    fn reset(&self) {
        let mut state = self.lock();
        let State { feed, staged, .. } = &mut *state;
        feed.reset(staged);
        state.told = state.told.max(state.durable);
        state.replica = R::new(&state.founding);
        state.durable = 0;
        state.staged.clear();
        state.void.clear();
    }
}

impl<R: Replica> State<R> {
    fn new(founding: Founding) -> Self {
        let replica = R::new(&founding);
        let (staged, void, feed) = (BTreeSet::new(), BTreeMap::new(), Feed::default());
        Self { founding, replica, durable: 0, staged, told: 0, void, feed }
    }

    fn apply(&mut self, stored: &StoredOp) {
        let header = stored.op.header();
        let context = OpContext {
            id: stored.op.id(),
            height: stored.height,
            author: header.author,
            time: header.time,
            act: header.act.as_ref(),
        };
        let news = self.durable >= self.told;
        let mut changes = match news && self.feed.is_watched() {
            true => Changes::of(context.id, context.author),
            false => Changes::unwatched(),
        };
        match self.replica.apply(&context, stored.payload.as_deref(), &mut changes) {
            Ok(()) => {}
            Err(void) => drop(self.void.insert(context.id, void)),
        }
        if news {
            let bytes = stored.payload.as_ref().map_or(0, Vec::len);
            self.feed.add(context.id, changes.into_vec(), bytes);
        }
    }
}
