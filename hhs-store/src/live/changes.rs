//! Telling changes: held back until their op is durable, in the order in which they were applied, and bounded for who reads
//! slowly.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use hhs_model::OpId;
use hhs_model::class::Change;

use crate::mailbox::{Bin, Receiver, Sender, mailbox};

/// The changes of a live replica, from [`Live::changes`](super::Live::changes). Ends when the last handle on the replica is
/// dropped, or the replica is deleted.
pub struct ChangeStream(Receiver<Unread>);

/// Some changes will not be told: more came than are kept for who does not read them, or what was shown could not be made
/// durable.
///
/// Who follows the state by its changes reads it again, best with
/// [`read_and_watch`](super::Live::read_and_watch) and the stream that comes of it; others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missed} changes were passed over: read the state again")]
pub struct Lagged {
    /// How many; 0 if that is not known.
    pub missed: u64,
}

/// Whom to tell, and what they are not told yet.
#[derive(Default)]
pub(super) struct Feed {
    watchers: Vec<Watcher>,
    held: VecDeque<Held>,
    /// How many ops were applied.
    applied: u64,
    ended: bool,
}

struct Watcher {
    /// Who has seen the state with so many ops applied is told of later ones.
    from: u64,
    sender: Sender<Unread>,
}

/// What an op has changed.
struct Held {
    op: OpId,
    number: u64,
    changes: Vec<Change>,
    /// Of its payload, which bounds what the changes hold.
    bytes: usize,
    /// Whether it is told before it is durable: it was typed.
    early: bool,
}

impl Feed {
    pub(super) fn watch(&mut self) -> ChangeStream {
        let (sender, receiver) = mailbox();
        if !self.ended {
            self.watchers.push(Watcher { from: self.applied, sender });
        }
        ChangeStream(receiver)
    }

    /// Nothing is told any more: the replica was deleted.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.watchers.clear();
        self.held.clear();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether somebody wants to know.
    pub(super) fn is_watched(&mut self) -> bool {
        self.watchers.retain(|watcher| watcher.sender.is_read());
        !self.watchers.is_empty()
    }

    /// Takes in what an op has changed.
    pub(super) fn add(&mut self, op: OpId, changes: Vec<Change>, bytes: usize) {
        self.hold(op, changes, bytes, false);
    }

    /// Takes in what somebody has typed, which is told once what it stands on is.
    pub(super) fn add_early(&mut self, op: OpId, changes: Vec<Change>, bytes: usize) {
        self.hold(op, changes, bytes, true);
    }

    fn hold(&mut self, op: OpId, changes: Vec<Change>, bytes: usize, early: bool) {
        self.held.push_back(Held { op, number: self.applied, changes, bytes, early });
        self.applied += 1;
    }

    /// Calls changes that nobody has read by the op that they have become part of.
    pub(super) fn rename(&mut self, shown: &BTreeSet<OpId>, op: OpId) {
        let held = self.held.iter_mut().filter(|held| shown.contains(&held.op));
        held.flat_map(|held| &mut held.changes).for_each(|change| change.op = op);
        for watcher in &self.watchers {
            watcher.sender.post(|unread| unread.rename(shown, op));
        }
    }

    /// Tells what can be told: up to the first op that is still `staged`.
    pub(super) fn release(&mut self, staged: &BTreeSet<OpId>) {
        while self.held.front().is_some_and(|held| held.early || !staged.contains(&held.op)) {
            let Some(held) = self.held.pop_front() else { break };
            if held.changes.is_empty() {
                continue;
            }
            for watcher in self.watchers.iter().filter(|watcher| watcher.from <= held.number) {
                watcher.sender.post(|unread| unread.add(&held));
            }
        }
    }

    /// Forgets what was not told: the state begins anew. Who was told or has read what is not so learns that.
    pub(super) fn reset(&mut self, staged: &BTreeSet<OpId>) {
        let Some(first) = self.held.front() else { return };
        let mixed = self.held.iter().any(|held| !held.early && !staged.contains(&held.op));
        for watcher in self.watchers.iter().filter(|watcher| mixed || watcher.from > first.number) {
            watcher.sender.post(Unread::lag);
        }
        self.held.clear();
    }
}

impl ChangeStream {
    /// The next change that has come and was not read yet.
    pub fn next_ready(&mut self) -> Option<Result<Change, Lagged>> {
        self.0.take()
    }
}

impl Stream for ChangeStream {
    type Item = Result<Change, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(context)
    }
}

impl std::fmt::Debug for ChangeStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeStream").finish_non_exhaustive()
    }
}

/// What one reader has not read.
#[derive(Default)]
struct Unread {
    changes: VecDeque<(Change, usize)>,
    bytes: usize,
    lagged: Option<Lagged>,
}

impl Unread {
    fn add(&mut self, held: &Held) {
        // What an op carries is counted once, with its last change.
        for (left, change) in (0..held.changes.len()).rev().zip(&held.changes) {
            let bytes = if left == 0 { held.bytes } else { 0 };
            self.changes.push_back((change.clone(), bytes));
            self.bytes += bytes;
        }
        if self.changes.len() > MAX_UNREAD_CHANGES || self.bytes > MAX_UNREAD_BYTES && self.changes.len() > 1 {
            self.lag();
        }
    }

    fn rename(&mut self, shown: &BTreeSet<OpId>, op: OpId) {
        let changes = self.changes.iter_mut().map(|(change, _)| change);
        changes.filter(|change| shown.contains(&change.op)).for_each(|change| change.op = op);
    }

    fn lag(&mut self) {
        let missed = self.lagged.map_or(0, |lagged| lagged.missed) + self.changes.len() as u64;
        *self = Self { lagged: Some(Lagged { missed }), ..Self::default() };
    }
}

impl Bin for Unread {
    type Item = Result<Change, Lagged>;

    fn take(&mut self) -> Option<Self::Item> {
        if let Some(lagged) = self.lagged.take() {
            return Some(Err(lagged));
        }
        let (change, bytes) = self.changes.pop_front()?;
        self.bytes -= bytes;
        Some(Ok(change))
    }
}

/// Changes that are kept for who does not read them. Too low: a reader that is busy for a moment has to read the whole state
/// again; too high: memory, for every reader.
const MAX_UNREAD_CHANGES: usize = 8192;
/// Bytes of payloads that these changes are of: a single change of a larger one is kept all the same.
const MAX_UNREAD_BYTES: usize = 16 << 20;
