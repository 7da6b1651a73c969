//! What a live replica holds, and how it follows the store.
//!
//! Ops are applied when they are staged. Sometimes the state cannot follow: an act has changed what earlier ops are worth, what
//! was staged will never be durable, or stands at other positions than it was applied at. Then it is *stale*: it goes on to
//! show what it has, nothing is written on top of it, and whoever has locked the writer next makes it anew, aside, from a
//! checkpoint and the durable ops after it. On top of all that it may show what is being [typed](super::open).

use std::collections::BTreeSet;

use hhs_model::authority::Authority;
use hhs_model::class::{Change, Changes, Draft, EditError, Replica};
use hhs_model::op::Act;
use hhs_model::replay::{Replay, Voided};
use hhs_model::{Author, IdentityId, OpId};

use super::changes::Feed;
use super::open::Open;
use crate::store::{Applied, CheckpointBytes, StoredOp};

pub(super) struct State<R: Replica> {
    pub(super) replay: Replay<R>,
    /// Ops that have been applied and are not durable yet.
    pub(super) staged: BTreeSet<OpId>,
    /// So many of the first ops have been told, or were there before anybody could be told.
    told: u64,
    pub(super) stale: Option<Stale>,
    aside: Option<Aside<R>>,
    pub(super) feed: Feed,
    pub(super) open: Open<R>,
    /// Bytes of ops that were applied since the last checkpoint, and how many bytes that had.
    pub(super) since: usize,
    pub(super) checkpoint: (u64, usize),
}

/// Why the state has to be made anew.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stale {
    /// It has ops that will not be durable, or not where it has them.
    Lost,
    /// Earlier ops are judged otherwise, since this op.
    Judged(OpId, IdentityId),
    /// This op of another replica may have changed that, or who holds what: it was not looked at yet.
    Touched(OpId, IdentityId),
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
            open: Open::default(),
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

    /// What `edit` records.
    pub(super) fn draft<F>(&self, author: &Author, time: u64, edit: F) -> Result<Draft, EditError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        let mut recorded = self.replay.state().edit();
        edit(&mut recorded);
        let draft = R::finish(recorded)?;
        self.replay.check(&draft, author.id(), time)?;
        Ok(draft)
    }

    /// How many ops are applied.
    pub(super) fn count(&self) -> u64 {
        self.open.shown_on.unwrap_or_else(|| self.replay.applied())
    }

    /// In what way an op has no effect, if it has none and is applied.
    pub(super) fn void(&self, position: u64) -> Option<Voided> {
        if position < self.count() { self.replay.void(position) } else { None }
    }

    fn durable(&self) -> u64 {
        self.count() - self.staged.len() as u64
    }

    /// Applies the next op, of which watchers know what it changes.
    fn apply_known(&mut self, stored: &StoredOp, authority: &Authority) {
        self.replay.apply(stored.kept(), authority, &mut Changes::unwatched());
        self.since += stored.bytes();
        self.told = self.told.max(stored.position + 1);
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

    pub(super) fn stage(&mut self, ops: &[StoredOp], authority: &Authority) {
        let known = self.give_way(ops, authority);
        for (at, stored) in ops.iter().enumerate() {
            if self.stale.is_some() || self.staged.contains(&stored.op.id()) {
                continue;
            }
            if stored.position != self.replay.applied() {
                self.stale = Some(Stale::Lost);
                continue;
            }
            self.staged.insert(stored.op.id());
            if known {
                self.apply_known(stored, authority)
            } else {
                self.apply(stored, authority)
            }
            self.judge(stored, at + 1 == ops.len(), authority);
        }
    }

    pub(super) fn settle(&mut self, ops: &[StoredOp]) {
        for stored in ops {
            self.staged.remove(&stored.op.id());
            self.open.settle(&stored.op.id());
        }
        if !matches!(self.stale, Some(Stale::Lost)) {
            self.feed.release(&self.staged);
        }
    }

    pub(super) fn catch_up(&mut self, ops: &[StoredOp], authority: &Authority) {
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
            self.withdraw(authority);
            if self.stale.is_some() {
                continue;
            }
            self.apply(stored, authority);
            self.judge(stored, at + 1 == ops.len(), authority);
        }
        if self.stale.is_none() {
            self.feed.release(&self.staged);
        }
    }

    pub(super) fn begin(&mut self, checkpoint: Option<CheckpointBytes<'_>>, authority: &Authority) -> bool {
        let (replay, checkpoint) = match checkpoint {
            None => (Replay::new(authority), (0, 0)),
            Some(CheckpointBytes { position, bytes }) => match Replay::load(bytes, authority) {
                Ok(Some(replay)) if replay.applied() == position => (replay, (position, bytes.len())),
                _ => return false,
            },
        };
        if matches!(self.stale, Some(Stale::Lost)) && self.told < u64::MAX {
            // What was staged was held back.
            self.told = self.told.min(self.durable());
        }
        if self.tells_difference().is_some() && replay.applied() > self.told {
            // What the op has changed could not be told from what came after it.
            return false;
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

    /// Under which op the difference between the old state and the new one is told, if it is. Of what is lost watchers have not heard,
    /// unless it was typed; then they are told of all of it, and then of the difference.
    fn tells_difference(&self) -> Option<(OpId, IdentityId)> {
        match self.stale? {
            Stale::Judged(op, author) => Some((op, author)),
            Stale::Touched(..) => None,
            Stale::Lost => self.open.early.first_key_value().map(|(op, author)| (*op, *author)),
        }
    }

    /// When the new state has come to where the old one is, what differs is what the verdicts have changed, or what was typed and is
    /// lost.
    fn tell_difference(&mut self, authority: &Authority) {
        let Some((op, author)) = self.tells_difference() else { return };
        let Some(aside) = &mut self.aside else { return };
        if aside.replay.applied() == self.told {
            let mut changes = Changes::of(op, author);
            self.replay.diff(&aside.replay, authority, &mut changes);
            aside.news.push((op, changes.into_vec(), 0));
        }
    }

    /// Shows what was made aside: all ops in it are durable.
    pub(super) fn show(&mut self) {
        let Some(aside) = self.aside.take() else { return };
        let forget = self.tells_difference().is_none();
        match self.stale.take() {
            Some(Stale::Lost) if forget => self.feed.reset(&self.staged),
            _ => self.feed.release(&BTreeSet::new()),
        }
        self.staged.clear();
        self.open.early.clear();
        self.open.shown_on = None;
        self.told = if self.told == u64::MAX { aside.replay.applied() } else { self.told.max(aside.replay.applied()) };
        self.replay = aside.replay;
        (self.since, self.checkpoint) = (aside.bytes, aside.checkpoint);
        for (op, changes, bytes) in aside.news {
            self.feed.add(op, changes, bytes);
        }
        self.feed.release(&self.staged);
    }

    pub(super) fn applied(&self) -> Applied {
        let stale = self.stale.is_some();
        match &self.aside {
            Some(aside) => Applied { durable: aside.replay.applied(), staged: 0, stale, aside: true },
            None => Applied { durable: self.durable(), staged: self.staged.len() as u64, stale, aside: false },
        }
    }
}

fn changes_of(stored: &StoredOp) -> Changes {
    Changes::of(stored.op.id(), stored.op.header().author)
}

/// Whether an op may change what other ops are worth.
fn acts_on_others(stored: &StoredOp) -> bool {
    stored.op.header().act.as_ref().is_some_and(|act| !matches!(act, Act::Grant { .. }))
}
