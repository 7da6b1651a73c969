//! What a live replica holds, and how it follows the store.
//!
//! Ops are applied when they are staged. Sometimes the state cannot follow: an act has changed what earlier ops are worth, what
//! was staged will never be durable, or stands at other positions than it was applied at. Then it is *stale*: it goes on to
//! show what it has, nothing is written on top of it, and whoever has locked the writer next makes it anew, aside, from a
//! checkpoint and the durable ops after it.

use std::collections::BTreeSet;

use hhs_model::authority::Authority;
use hhs_model::class::{Change, Changes, Replica};
use hhs_model::op::Act;
use hhs_model::replay::Replay;
use hhs_model::{IdentityId, OpId};

use super::Shared;
use super::changes::Feed;
use crate::store::{Applied, Applies, CheckpointBytes, StoredOp};

pub(super) struct State<R> {
    replay: Replay<R>,
    /// Ops that have been applied and are not durable yet.
    staged: BTreeSet<OpId>,
    /// So many of the first ops have been told, or were there before anybody could be told.
    told: u64,
    stale: Option<Stale>,
    aside: Option<Aside<R>>,
    pub(super) feed: Feed,
    /// Bytes of ops that were applied since the last checkpoint, and how many bytes that had.
    since: usize,
    checkpoint: (u64, usize),
}

/// Why the state has to be made anew.
#[derive(Debug, Clone, Copy)]
enum Stale {
    /// It has ops that will not be durable, or not where it has them.
    Lost,
    /// Earlier ops are judged otherwise, since this op.
    Judged(OpId, IdentityId),
}

/// A state that is being made anew.
struct Aside<R> {
    replay: Replay<R>,
    news: Vec<(OpId, Vec<Change>, usize)>,
    bytes: usize,
    checkpoint: (u64, usize),
}

impl<R: Replica> State<R> {
    pub(super) fn new(authority: &Authority) -> Self {
        Self {
            replay: Replay::new(authority),
            staged: BTreeSet::new(),
            // Until it is shown nothing is news.
            told: u64::MAX,
            stale: Some(Stale::Lost),
            aside: None,
            feed: Feed::default(),
            since: 0,
            checkpoint: (0, 0),
        }
    }

    pub(super) fn replica(&self) -> &R {
        self.replay.state()
    }

    pub(super) fn replay(&self) -> &Replay<R> {
        &self.replay
    }

    fn durable(&self) -> u64 {
        self.replay.applied() - self.staged.len() as u64
    }

    /// Applies the next op, and tells what it changes if nobody was told before.
    fn apply(&mut self, stored: &StoredOp, authority: &Authority) {
        let news = stored.position >= self.told;
        let mut changes = match news && self.feed.is_watched() {
            true => changes_of(stored),
            false => Changes::unwatched(),
        };
        self.replay.apply(stored.kept(), authority, &mut changes);
        self.since += stored.bytes();
        if news {
            self.told = stored.position + 1;
            self.feed.add(stored.op.id(), changes.into_vec(), stored.payload_bytes());
        }
    }

    /// Looks whether the ops up to this one are still worth what they were. Not after each: the authority knows those that
    /// come with it, and an ordinary op before the act is not to blame.
    fn judge(&mut self, stored: &StoredOp, last: bool, authority: &Authority) {
        if (last || acts_on_others(stored)) && self.replay.outdated(authority).is_some() {
            self.stale = Some(Stale::Judged(stored.op.id(), stored.op.header().author));
        }
    }

    fn stage(&mut self, ops: &[StoredOp], authority: &Authority) {
        for (at, stored) in ops.iter().enumerate() {
            if self.stale.is_some() || self.staged.contains(&stored.op.id()) {
                continue;
            }
            if stored.position != self.replay.applied() {
                self.stale = Some(Stale::Lost);
                continue;
            }
            self.staged.insert(stored.op.id());
            self.apply(stored, authority);
            self.judge(stored, at + 1 == ops.len(), authority);
        }
    }

    fn settle(&mut self, ops: &[StoredOp]) {
        for stored in ops {
            self.staged.remove(&stored.op.id());
        }
        if !matches!(self.stale, Some(Stale::Lost)) {
            self.feed.release(&self.staged);
        }
    }

    fn catch_up(&mut self, ops: &[StoredOp], authority: &Authority) {
        for (at, stored) in ops.iter().enumerate() {
            if let Some(aside) = &mut self.aside {
                if stored.position == aside.replay.applied() {
                    self.apply_aside(stored, authority);
                }
                continue;
            }
            if self.stale.is_some() || stored.position != self.durable() {
                continue;
            }
            if !self.staged.is_empty() {
                self.stale = Some(Stale::Lost);
                continue;
            }
            self.apply(stored, authority);
            self.judge(stored, at + 1 == ops.len(), authority);
        }
        if self.stale.is_none() {
            self.feed.release(&self.staged);
        }
    }

    fn begin(&mut self, checkpoint: Option<CheckpointBytes<'_>>, authority: &Authority) -> bool {
        let (replay, checkpoint) = match checkpoint {
            None => (Replay::new(authority), (0, 0)),
            Some(CheckpointBytes { position, bytes }) => match Replay::load(bytes, authority) {
                Ok(Some(replay)) if replay.applied() == position => (replay, (position, bytes.len())),
                _ => return false,
            },
        };
        if matches!(self.stale, Some(Stale::Judged(..))) && replay.applied() > self.told {
            // What the op has changed could not be told from what came after it.
            return false;
        }
        if matches!(self.stale, Some(Stale::Lost)) && self.told < u64::MAX {
            // What was staged was held back.
            self.told = self.told.min(self.durable());
        }
        self.aside = Some(Aside { replay, news: Vec::new(), bytes: 0, checkpoint });
        self.tell_difference(authority);
        true
    }

    fn apply_aside(&mut self, stored: &StoredOp, authority: &Authority) {
        let Some(aside) = &mut self.aside else { return };
        let news = stored.position >= self.told;
        let mut changes = if news { changes_of(stored) } else { Changes::unwatched() };
        aside.replay.apply(stored.kept(), authority, &mut changes);
        aside.bytes += stored.bytes();
        if news {
            aside.news.push((stored.op.id(), changes.into_vec(), stored.payload_bytes()));
        }
        self.tell_difference(authority);
    }

    /// When the new state has come to where the old one is, what differs is what the verdicts have changed.
    fn tell_difference(&mut self, authority: &Authority) {
        let (Some(aside), Some(Stale::Judged(op, author))) = (&mut self.aside, self.stale) else { return };
        if aside.replay.applied() == self.told {
            let mut changes = Changes::of(op, author);
            self.replay.diff(&aside.replay, authority, &mut changes);
            aside.news.push((op, changes.into_vec(), 0));
        }
    }

    /// Shows what was made aside: all ops in it are durable.
    fn show(&mut self) {
        let Some(aside) = self.aside.take() else { return };
        match self.stale.take() {
            Some(Stale::Lost) => self.feed.reset(&self.staged),
            _ => self.feed.release(&BTreeSet::new()),
        }
        self.staged.clear();
        self.told = if self.told == u64::MAX { aside.replay.applied() } else { self.told.max(aside.replay.applied()) };
        self.replay = aside.replay;
        (self.since, self.checkpoint) = (aside.bytes, aside.checkpoint);
        for (op, changes, bytes) in aside.news {
            self.feed.add(op, changes, bytes);
        }
        self.feed.release(&self.staged);
    }

    fn applied(&self) -> Applied {
        let stale = self.stale.is_some();
        match &self.aside {
            Some(aside) => Applied { durable: aside.replay.applied(), staged: 0, stale, aside: true },
            None => Applied { durable: self.durable(), staged: self.staged.len() as u64, stale, aside: false },
        }
    }
}

impl<R: Replica> Applies for Shared<R> {
    fn stage(&self, ops: &[StoredOp], authority: &Authority) {
        self.lock().stage(ops, authority);
    }

    fn settle(&self, ops: &[StoredOp]) {
        self.lock().settle(ops);
    }

    fn catch_up(&self, ops: &[StoredOp], authority: &Authority) {
        self.lock().catch_up(ops, authority);
    }

    fn begin(&self, checkpoint: Option<CheckpointBytes<'_>>, authority: &Authority) -> bool {
        self.lock().begin(checkpoint, authority)
    }

    fn show(&self) {
        self.lock().show();
    }

    fn lose(&self) {
        self.lock().stale = Some(Stale::Lost);
    }

    fn end(&self) {
        self.lock().feed.end();
    }

    fn applied(&self) -> Applied {
        self.lock().applied()
    }

    fn kind(&self) -> String {
        format!("{} {}", R::CLASS, std::any::type_name::<R>())
    }

    fn wants_checkpoint(&self) -> bool {
        let state = self.lock();
        state.stale.is_none() && state.since >= MIN_HISTORY.max(state.checkpoint.1 / 2)
    }

    fn save(&self) -> Option<(u64, Vec<u8>)> {
        let state = self.lock();
        let position = state.replay.applied();
        let new = position > state.checkpoint.0;
        (new && state.stale.is_none() && state.staged.is_empty()).then(|| (position, state.replay.save()))
    }

    fn saved(&self, position: u64, bytes: usize) {
        let mut state = self.lock();
        state.since = 0;
        state.checkpoint = (position, bytes);
    }
}

fn changes_of(stored: &StoredOp) -> Changes {
    Changes::of(stored.op.id(), stored.op.header().author)
}

/// Whether an op may change what other ops are worth.
fn acts_on_others(stored: &StoredOp) -> bool {
    stored.op.header().act.as_ref().is_some_and(|act| !matches!(act, Act::Grant { .. }))
}

/// A checkpoint is due after this many bytes of ops, or half as many as the last one had: so all of them together take no
/// more writing than some times the history. Too low: large states are written for little. Too high: opening a replica
/// applies much history again.
const MIN_HISTORY: usize = 1 << 20;
