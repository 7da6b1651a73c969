//! Group commit: what writers stage while a batch is being made durable becomes the next batch.
//!
//! A group is a batch to be and all who wait for it. At most one is with the backend, so that none can overtake one that
//! fails; behind it the open one takes what is staged. Whoever waits for a group drives it, and those before it: nothing
//! runs in the background, and a group that nobody waits for any more is driven by who writes next.
//!
//! What is staged on top of a group that fails fails with it: see [`recovery`](super::recovery).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::FutureExt;
use futures::future::Shared;
use hhs_model::history::Positions;
use hhs_model::runtime::BoxFuture;
use hhs_model::{ObjectId, OpId, ReplicaId};

use super::failure::Failure;
use super::keys;
use super::replica::Link;
use super::shared;
use super::writer::Writer;
use super::{Committed, Inner, Store, StoredOp};
use crate::backend::{BackendError, Batch, Write};

/// What was staged by one writer and is to be committed whole.
#[derive(Default)]
pub(super) struct Change {
    /// Entries that later staging has to see before they are durable.
    pub(super) seen: Batch,
    /// Entries of ops, which later staging sees through `links`.
    pub(super) unseen: Batch,
    pub(super) links: BTreeMap<OpId, (u32, Link)>,
    pub(super) ops: Option<ChangedOps>,
    /// What it saves, as it was asked for; only where it may have to be staged again.
    pub(super) objects: Vec<(ObjectId, Vec<u8>)>,
    pub(super) adopted: Option<(ReplicaId, String)>,
}

/// The ops of a change.
#[derive(Debug, Clone)]
pub(super) struct ChangedOps {
    pub(super) committed: Committed,
    pub(super) ops: Vec<StoredOp>,
    /// What those of them have not seen that withdraw something, by position.
    pub(super) unseen: BTreeMap<u64, Positions>,
    /// What acts of sources keep of the replica, now that these ops have come.
    pub(super) kept: Vec<(OpId, Positions)>,
    /// Live replicas elsewhere that have to look again at what was said before.
    pub(super) reached: Vec<ReplicaId>,
    /// Replicas elsewhere whose heads these ops may have changed, which watchers are told of.
    pub(super) elsewhere: Vec<Committed>,
}

impl ChangedOps {
    pub(super) fn new(committed: Committed, ops: Vec<StoredOp>) -> Self {
        Self { committed, ops, unseen: BTreeMap::new(), kept: Vec::new(), reached: Vec::new(), elsewhere: Vec::new() }
    }
}

/// An op that acts on authority and is staged.
pub(super) struct StagedAct {
    pub(super) replica: ReplicaId,
    pub(super) stored: StoredOp,
    /// What it has not seen, if it withdraws something.
    pub(super) unseen: Option<Positions>,
}

/// What is remembered of a change until it is durable: whom to tell what, and how to stage it anew.
pub(super) struct Unit {
    pub(super) ticket: Arc<Ticket>,
    pub(super) ops: Option<ChangedOps>,
    /// What it saves; only where others may come first, for another try.
    pub(super) objects: Vec<(ObjectId, Vec<u8>)>,
    /// The replica that is made of one of them, and its class.
    pub(super) adopted: Option<(ReplicaId, String)>,
}

/// Ends when a group is durable or has failed, for everybody who waits for it.
pub(super) type Done = Shared<BoxFuture<'static, Result<(), Failure>>>;

/// What a writer holds while it waits for its change.
pub(super) struct Ticket {
    progress: Mutex<Progress>,
}

/// How far a change has come.
#[derive(Clone)]
pub(super) enum Progress {
    /// It is in a group.
    In {
        group: u64,
        added: u64,
        done: Done,
    },
    Failed(Failure),
}

/// The groups that are not durable yet.
pub(super) struct Pipeline {
    /// Oldest first.
    groups: VecDeque<Group>,
    opened: u64,
    /// How many groups have ended.
    commits: u64,
    /// Groups have failed, and nothing may be staged before all is read anew.
    pub(super) broken: Option<Broken>,
    /// Where several hosts have one database: how many commits it has, as far as is known here.
    pub(super) sequence: Option<u64>,
    /// How often in a row others came first.
    pub(super) conflicts: u32,
}

/// Why groups have failed, and what was in them.
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// Once it was taken out of the groups.
    pub(super) units: Option<Vec<Arc<Unit>>>,
}

struct Group {
    number: u64,
    /// What will be committed, as long as more can join.
    batch: Option<Batch>,
    bytes: usize,
    entries: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    links: BTreeMap<OpId, (u32, Link)>,
    replicas: BTreeSet<ReplicaId>,
    units: Vec<Arc<Unit>>,
    done: Done,
}

/// What whoever has locked the writer has to do before it stages anything.
pub(super) enum Turn {
    /// Nothing; whether nothing is on its way to the backend.
    Stage { idle: bool },
    /// Wait for this.
    Wait(Done),
    /// Read everything anew.
    Recover,
}

impl Pipeline {
    pub(super) fn new(sequence: Option<u64>) -> Self {
        Self { groups: VecDeque::new(), opened: 0, commits: 0, broken: None, sequence, conflicts: 0 }
    }

    pub(super) fn turn(&self) -> Turn {
        if self.broken.is_some() {
            return Turn::Recover;
        }
        match (self.groups.front(), self.groups.back()) {
            (Some(first), Some(last)) if self.groups.len() > 1 && last.is_full() => Turn::Wait(first.done.clone()),
            (first, _) => Turn::Stage { idle: first.is_none() },
        }
    }

    /// Whether changes are being staged again: they may not be committed before all are.
    pub(super) fn is_recovering(&self) -> bool {
        self.broken.as_ref().is_some_and(|broken| broken.units.is_some())
    }

    /// How many groups have ended. If it is the same before something was looked up and with the writer locked, then what
    /// was not there then, and is not staged now, is not there.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// Takes note of how many commits a database has that others write to.
    pub(super) fn follow(&mut self, sequence: u64) {
        self.sequence = Some(sequence);
        self.count_commit();
    }

    /// Counts what was read anew as the end of a group.
    pub(super) fn count_commit(&mut self) {
        self.commits += 1;
    }

    /// What the newest group says about a key: its value, or that it is deleted.
    pub(super) fn entry(&self, key: &[u8]) -> Option<Option<Vec<u8>>> {
        self.groups.iter().rev().find_map(|group| group.entries.get(key).cloned())
    }

    /// The replica's number of a staged op, and what ops on top of it have to know.
    pub(super) fn link(&self, op: &OpId) -> Option<&(u32, Link)> {
        self.groups.iter().rev().find_map(|group| group.links.get(op))
    }

    /// A staged op, by its position.
    pub(super) fn staged_op(&self, replica: ReplicaId, position: u64) -> Option<StoredOp> {
        let mut ops = self.staged().filter(|ops| ops.committed.replica == replica).flat_map(|ops| &ops.ops);
        ops.find(|stored| stored.position == position).cloned()
    }

    /// How many ops a replica has with those that are staged; 0 if none are.
    pub(super) fn staged_count(&self, replica: ReplicaId) -> u64 {
        let of = |ops: &&ChangedOps| ops.committed.replica == replica;
        self.staged().filter(of).map(|ops| ops.committed.ops).max().unwrap_or(0)
    }

    /// The staged acts of some replicas, in the order in which they were staged.
    pub(super) fn staged_acts(&self, replicas: &[ReplicaId]) -> Vec<StagedAct> {
        let ops = self.staged().filter(|ops| replicas.contains(&ops.committed.replica));
        let acts = |ops: &ChangedOps| {
            let acts = ops.ops.iter().filter(|stored| stored.op.header().act.is_some());
            let act = |stored: &StoredOp| StagedAct {
                replica: ops.committed.replica,
                stored: stored.clone(),
                unseen: ops.unseen.get(&stored.position).cloned(),
            };
            acts.map(act).collect::<Vec<_>>()
        };
        ops.flat_map(acts).collect()
    }

    fn staged(&self) -> impl Iterator<Item = &ChangedOps> {
        self.groups.iter().flat_map(|group| &group.units).filter_map(|unit| unit.ops.as_ref())
    }

    /// Replicas that are being adopted.
    pub(super) fn adopted(&self) -> Vec<ReplicaId> {
        let units = self.groups.iter().flat_map(|group| &group.units);
        units.filter_map(|unit| unit.adopted.as_ref()).map(|(id, _)| *id).collect()
    }

    /// Whether ops of a replica are staged.
    pub(super) fn has_staged(&self, replica: ReplicaId) -> bool {
        self.groups.iter().any(|group| group.replicas.contains(&replica))
    }

    /// What all groups wait for.
    pub(super) fn last(&self) -> Option<Done> {
        self.groups.back().map(|group| group.done.clone())
    }

    /// Takes out everything, when all groups have failed.
    pub(super) fn take_units(&mut self) -> Vec<Arc<Unit>> {
        self.groups.drain(..).flat_map(|group| group.units).collect()
    }

    /// Closes a group and takes out what is to be committed.
    fn close(&mut self, number: u64) -> Option<Batch> {
        let group = self.groups.front_mut().filter(|group| group.number == number)?;
        let mut batch = group.batch.take()?;
        if let Some(sequence) = self.sequence
            && !batch.is_empty()
        {
            let news = group.units.iter().filter_map(|unit| unit.ops.as_ref()).map(|ops| &ops.committed);
            shared::follow(&mut batch, sequence, news);
        }
        Some(batch)
    }

    /// Takes note that the first group is durable; whom to tell what.
    fn finish(&mut self, written: bool) -> Vec<Arc<Unit>> {
        self.commits += 1;
        self.conflicts = 0;
        if written && let Some(sequence) = &mut self.sequence {
            *sequence += 1;
        }
        self.groups.pop_front().map(|group| group.units).unwrap_or_default()
    }

    fn fail(&mut self, failure: Failure) {
        self.broken.get_or_insert(Broken { failure, units: None });
    }

    /// The group that takes what is staged next.
    fn open(&mut self, store: &Weak<Inner>) -> &mut Group {
        if !self.groups.back().is_some_and(|group| group.batch.is_some() && !group.is_full()) {
            self.opened += 1;
            let done: BoxFuture<'static, _> = Box::pin(commit(store.clone(), self.last(), self.opened));
            self.groups.push_back(Group::new(self.opened, done.shared()));
        }
        self.groups.back_mut().expect("one was pushed if there was none")
    }
}

impl Group {
    fn new(number: u64, done: Done) -> Self {
        let (entries, links) = (BTreeMap::new(), BTreeMap::new());
        let (replicas, units) = (BTreeSet::new(), Vec::new());
        Self { number, batch: Some(Batch::new()), bytes: 0, entries, links, replicas, units, done }
    }

    fn is_full(&self) -> bool {
        self.bytes >= MAX_GROUP_BYTES || self.units.len() >= MAX_GROUP_CHANGES
    }

    fn add(&mut self, change: Change, ticket: Arc<Ticket>) -> Arc<Unit> {
        let Change { seen, unseen, links, ops, objects, adopted } = change;
        for write in &seen.writes {
            match write {
                Write::Put(key, value) => self.entries.insert(key.clone(), Some(value.clone())),
                Write::Delete(key) => self.entries.insert(key.clone(), None),
            };
        }
        self.replicas.extend(ops.as_ref().map(|ops| ops.committed.replica));
        match self.links.is_empty() {
            true => self.links = links,
            false => self.links.extend(links),
        }
        let batch = self.batch.as_mut().expect("a group that takes more is open");
        for writes in [seen.writes, unseen.writes] {
            self.bytes += writes.iter().map(Write::bytes).sum::<usize>();
            match batch.writes.is_empty() {
                true => batch.writes = writes,
                false => batch.writes.extend(writes),
            }
        }
        let unit = Arc::new(Unit { ticket, ops, objects, adopted });
        self.units.push(unit.clone());
        unit
    }
}

impl Store {
    /// Adds what was staged to the open group, and shows it to live replicas. Called with the writer locked.
    pub(super) fn join(&self, writer: &Writer, change: Change) -> Arc<Ticket> {
        let unit = self.join_as(change, |progress| Arc::new(Ticket { progress: Mutex::new(progress) }));
        if let Some(staged) = &unit.ops
            && let Some(state) = writer.state(staged.committed.replica)
        {
            self.stage_live(staged.committed.replica, &staged.ops, &state.authority);
            self.touch_live(&staged.ops, &staged.reached);
        }
        unit.ticket.clone()
    }

    /// Adds what was staged to the open group. `ticket` is told where it is.
    pub(super) fn join_as(&self, change: Change, ticket: impl FnOnce(Progress) -> Arc<Ticket>) -> Arc<Unit> {
        let mut pipeline = self.pipeline();
        let group = pipeline.open(&Arc::downgrade(&self.inner));
        let added = change.ops.as_ref().map_or(0, |ops| ops.committed.added);
        let ticket = ticket(Progress::In { group: group.number, added, done: group.done.clone() });
        group.add(change, ticket)
    }

    /// Waits until what a ticket stands for is durable; returns how many ops came with it.
    ///
    /// # Errors
    /// Why it is not, and will not be.
    pub(super) async fn settled(&self, ticket: &Ticket) -> Result<u64, BackendError> {
        loop {
            let (group, added, done) = match ticket.progress() {
                Progress::In { group, added, done } => (group, added, done),
                Progress::Failed(failure) => return Err(failure.to_error()),
            };
            let Err(failure) = done.await else { return Ok(added) };
            // Whoever locks the writer first recovers, for all.
            if self.writer().await.is_err() && ticket.give_up(group, &failure) {
                return Err(failure.to_error());
            }
        }
    }

    /// Waits until nothing is on its way to the backend. Called with the writer locked, so that nothing comes after it.
    pub(super) async fn drain(&self) {
        let last = self.pipeline().last();
        if let Some(last) = last {
            // Who locks the writer next, or goes on here, finds out by the pipeline whether it has failed.
            drop(last.await);
        }
    }
}

impl Ticket {
    pub(super) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, progress: Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// Fails the change, if it is still in the group of this number, which has failed.
    fn give_up(&self, number: u64, failure: &Failure) -> bool {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let still = matches!(&*progress, Progress::In { group, .. } if *group == number);
        if still {
            *progress = Progress::Failed(failure.clone());
        }
        still
    }
}

/// Makes a group durable, after the one before it. Holds the store only while it runs: a store that nobody holds any more
/// is closed, whatever is on its way.
async fn commit(store: Weak<Inner>, before: Option<Done>, number: u64) -> Result<(), Failure> {
    if let Some(before) = before {
        before.await?;
    }
    let closed = || Failure::from(BackendError::Closed);
    let (backend, batch) = {
        let inner = store.upgrade().ok_or_else(closed)?;
        let batch = inner.pipeline().close(number).ok_or_else(closed)?;
        (inner.backend.clone(), batch)
    };
    let written = !batch.is_empty();
    let objects = batch.writes.iter().any(keys::is_object);
    let outcome = if written { backend.commit(batch).await.map_err(Failure::from) } else { Ok(()) };
    drop(backend);
    let store = Store { inner: store.upgrade().ok_or_else(closed)? };
    if let Err(failure) = &outcome {
        store.pipeline().fail(failure.clone());
        return outcome;
    }
    let units = store.pipeline().finish(written);
    for ops in units.iter().filter_map(|unit| unit.ops.as_ref()) {
        let live = store.listeners().live(ops.committed.replica);
        live.iter().for_each(|live| live.settle(&ops.ops));
        store.listeners().tell(&ops.committed);
        ops.elsewhere.iter().for_each(|committed| store.listeners().tell(committed));
    }
    if objects {
        store.inner.aside.wakes.ring();
    }
    Ok(())
}

/// A group with this many bytes of keys and values takes no more: writing them takes as long as the flush that is shared.
const MAX_GROUP_BYTES: usize = 8 << 20;
/// A group with this many changes takes no more, so that none waits long for the others.
const MAX_GROUP_CHANGES: usize = 4096;
