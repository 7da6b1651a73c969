//! Who is told of commits: live replicas op by op, and who watches the store replica by replica.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures::Stream;
use hhs_model::authority::Authority;
use hhs_model::{IdentityId, OpId, ReplicaId};

use super::checkpoints::CheckpointBytes;
use super::typing::{Sealed, Unsealed};
use super::{AppendError, StoredOp};
use crate::mailbox::{Bin, Receiver, Sender, mailbox};

/// What commits have changed in a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The replica.
    pub replica: ReplicaId,
    /// How many ops it has now.
    pub ops: u64,
    /// How many of them are news. None where the replica was deleted, which leaves none of its ops, or where others of them may
    /// have effect now, by what was said in a replica that gives it authority.
    pub added: u64,
    /// How many of those this store wrote, rather than received.
    pub local: u64,
}

/// The replicas that have news, from [`Store::watch`](super::Store::watch). A replica waits to be read once, however many commits there were:
/// what is not read in time becomes one [`Committed`]. Ends when the store is dropped.
pub struct CommitStream(Receiver<News>);

/// What threads share; where there is one thread only, anything.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) trait Shareable: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync> Shareable for T {}

/// What threads share; where there is one thread only, anything.
#[cfg(target_arch = "wasm32")]
pub(crate) trait Shareable {}
#[cfg(target_arch = "wasm32")]
impl<T> Shareable for T {}

/// Kept up with the ops of a replica. All but [`settle`](Self::settle) are called with the writer locked.
///
/// One that cannot follow becomes stale: nothing is written on top of it, what is staged passes it by, and it is
/// [made anew](Store::renew) aside, by [`begin`](Self::begin), [`catch_up`](Self::catch_up) and [`show`](Self::show).
pub(crate) trait Applies: Shareable {
    /// Applies ops that will be committed, on top of all that was applied before. The authority knows all of them.
    fn stage(&self, ops: &[StoredOp], authority: &Authority);
    /// Takes note that ops are durable.
    fn settle(&self, ops: &[StoredOp]);
    /// Applies the next durable ops.
    fn catch_up(&self, ops: &[StoredOp], authority: &Authority);
    /// Begins anew, aside, with what a checkpoint holds or without any op; whether that is possible.
    fn begin(&self, checkpoint: Option<CheckpointBytes<'_>>, authority: &Authority) -> bool;
    /// Shows what was made aside.
    fn show(&self);
    /// Takes note that some of the ops that were staged will never be durable.
    fn lose(&self);
    /// Takes note that an op of a replica that gives authority to this one was staged: it is stale until that was reviewed.
    fn touch(&self, op: OpId, author: IdentityId);
    /// Looks at what such ops have changed, all of which are durable, and known to the authority.
    fn review(&self, authority: &Authority);
    /// What an op that is open carries, if there is one; nothing is added to it any more. It goes on to show until it is told what
    /// became of it.
    fn close(&self) -> Option<Unsealed>;
    /// Takes note that the open op becomes this one, which is staged next.
    fn becomes(&self, op: OpId);
    /// Takes note that the open op was staged, or why it never will be.
    fn sealed(&self, outcome: Result<Sealed, AppendError>, authority: &Authority);
    /// What became of open ops since this was asked last, as far as it is not durable.
    fn outcomes(&self) -> Vec<Result<Sealed, AppendError>>;
    /// Whether an open op was staged that was not durable when this was told last.
    fn has_sealed(&self) -> bool;
    /// Ends all that is told of changes: the replica was deleted.
    fn end(&self);
    /// How many durable ops it has applied, and how many others; of what is being made aside, if something is.
    fn applied(&self) -> Applied;
    /// What a checkpoint of it is a checkpoint of.
    fn kind(&self) -> String;
    /// Whether so much came since the last checkpoint that it is time for another; `ending`: if it can be the last chance.
    fn wants_checkpoint(&self, ending: bool) -> bool;
    /// The position of the next op and what a checkpoint there holds, unless there is one already. Not while ops are staged.
    fn save(&self) -> Option<(u64, Vec<u8>)>;
    /// Takes note that a checkpoint was written.
    fn saved(&self, position: u64, bytes: usize);
}

/// How far a live replica has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Ops that are durable: all of these first positions.
    pub(crate) durable: u64,
    /// Ops that are staged.
    pub(crate) staged: u64,
    /// Whether it has to be made anew.
    pub(crate) stale: bool,
    /// Whether that has begun.
    pub(crate) aside: bool,
}

/// Who is told.
#[derive(Default)]
pub(super) struct Listeners {
    watchers: Vec<Sender<News>>,
    live: BTreeMap<ReplicaId, Vec<Weak<dyn Applies>>>,
    /// Replicas with live ones that are stale, for whoever locks the writer next.
    pub(super) stale: BTreeSet<ReplicaId>,
    /// When there are so many replicas, those without live handles are forgotten.
    crowded: usize,
}

impl Listeners {
    pub(super) fn watch(&mut self) -> CommitStream {
        let (sender, receiver) = mailbox();
        self.watchers.retain(Sender::is_read);
        self.watchers.push(sender);
        CommitStream(receiver)
    }

    pub(super) fn listen(&mut self, replica: ReplicaId, live: Weak<dyn Applies>) {
        self.live.entry(replica).or_default().push(live);
        if self.live.len() > self.crowded {
            self.live.retain(|_, live| live.iter().any(|live| live.strong_count() > 0));
            self.crowded = 2 * self.live.len().max(32);
        }
    }

    /// The live replicas of an id.
    pub(super) fn live(&mut self, replica: ReplicaId) -> Vec<Arc<dyn Applies>> {
        let Some(live) = self.live.get_mut(&replica) else { return Vec::new() };
        live.retain(|live| live.strong_count() > 0);
        live.iter().filter_map(Weak::upgrade).collect()
    }

    /// Forgets the live replicas of an id, and tells them that it is gone.
    pub(super) fn end(&mut self, replica: ReplicaId) {
        let live = self.live.remove(&replica).unwrap_or_default();
        live.iter().filter_map(Weak::upgrade).for_each(|live| live.end());
    }

    /// All replicas that are live.
    pub(super) fn live_replicas(&self) -> BTreeSet<ReplicaId> {
        self.live.keys().copied().collect()
    }

    /// Tells who watches the store.
    pub(super) fn tell(&mut self, committed: &Committed) {
        self.watchers.retain(|watcher| {
            watcher.post(|news| news.add(committed));
            watcher.is_read()
        });
    }
}

impl CommitStream {
    /// What is news now and was not read yet.
    pub fn next_ready(&mut self) -> Option<Committed> {
        self.0.take()
    }
}

impl Stream for CommitStream {
    type Item = Committed;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Committed>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

impl std::fmt::Debug for CommitStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommitStream").finish_non_exhaustive()
    }
}

/// The news that were not read yet, replica by replica.
#[derive(Default)]
struct News {
    order: VecDeque<ReplicaId>,
    replicas: BTreeMap<ReplicaId, Committed>,
}

impl News {
    fn add(&mut self, committed: &Committed) {
        match self.replicas.get_mut(&committed.replica) {
            Some(news) => {
                news.ops = committed.ops;
                news.added += committed.added;
                news.local += committed.local;
            }
            None => {
                self.order.push_back(committed.replica);
                self.replicas.insert(committed.replica, committed.clone());
            }
        }
    }
}

impl Bin for News {
    type Item = Committed;

    fn take(&mut self) -> Option<Committed> {
        self.order.pop_front().and_then(|replica| self.replicas.remove(&replica))
    }
}
