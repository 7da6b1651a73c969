//! An op that is being typed: how the state shows it, and what becomes of it.
//!
//! What is shown of it stands on what is there, and nothing else is ever applied on top: the state goes back to what it was
//! before anything is staged. Usually that is the op itself, of which watchers know already what it changes. Where it is another one,
//! because another handle had something open or another host has written, they are told that the edits are gone, and later what the
//! op changes.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::authority::{Authority, Seen};
use hhs_model::class::{Changes, Draft, EditError, Replica};
use hhs_model::replay::{OpenOp, Policy, Replay, ShowError, Typed};
use hhs_model::{Author, IdentityId, OpId};

use super::state::{Stale, State};
use crate::store::{AppendError, Sealed, StoredOp, Unsealed};

/// What a live replica knows of what is being typed.
pub(super) struct Open<R: Replica> {
    pub(super) policy: Policy,
    pub(super) op: Option<OpenOp<R>>,
    /// What it carries, once it is closed.
    closed: Option<Result<Draft, EditError>>,
    /// What it becomes.
    becomes: Option<OpId>,
    /// How many ops stand below what is shown of it, if that is shown.
    pub(super) shown_on: Option<u64>,
    /// What watchers have heard of before it is durable, and whose it is: the first edit of an open op, and sealed ops.
    pub(super) early: BTreeMap<OpId, IdentityId>,
    /// For undo stacks.
    pub(super) typed: Typed,
    outcomes: Vec<Result<Sealed, AppendError>>,
}

impl<R: Replica> Default for Open<R> {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            op: None,
            closed: None,
            becomes: None,
            shown_on: None,
            early: BTreeMap::new(),
            typed: Typed::default(),
            outcomes: Vec::new(),
        }
    }
}

impl<R: Replica> Open<R> {
    /// Whether an edit of this author has to wait until what is open is sealed.
    pub(super) fn has_to_go_before(&self, author: &IdentityId) -> bool {
        let closed = self.closed.is_some() || self.shown_on.is_none();
        self.op.as_ref().is_some_and(|open| closed || open.author().id() != *author)
    }

    /// Whether an edit can be added to what is open, if anything is.
    pub(super) fn takes(&self, draft: &Draft) -> bool {
        self.op.as_ref().is_none_or(|open| open.typing().takes(draft))
    }

    /// Whether an edit [names](OpenOp::is_named_in) one that is open.
    pub(super) fn is_named_in(&self, draft: &Draft) -> bool {
        self.op.as_ref().is_some_and(|open| open.is_named_in(draft))
    }

    /// Whether it has one edit.
    pub(super) fn is_fresh(&self) -> bool {
        self.op.as_ref().is_some_and(|open| open.typing().edits() == 1)
    }

    /// When it has to be sealed.
    pub(super) fn due_at(&self) -> Option<u64> {
        let open = self.op.as_ref()?;
        if self.closed.is_some() || self.shown_on.is_none() { Some(open.time()) } else { open.typing().due_at() }
    }

    /// Takes note that ops are durable.
    pub(super) fn settle(&mut self, op: &OpId) {
        self.early.remove(op);
        self.outcomes.retain(|outcome| !outcome.as_ref().is_ok_and(|sealed| sealed.op == *op));
    }

    /// Whether anything became an op that is not known to be durable.
    pub(super) fn has_sealed(&self) -> bool {
        self.outcomes.iter().any(Result::is_ok)
    }

    /// What became of open ops since this was asked last.
    pub(super) fn take_outcomes(&mut self) -> Vec<Result<Sealed, AppendError>> {
        std::mem::take(&mut self.outcomes)
    }

    /// What the open op carries, put together once.
    pub(super) fn close(&mut self) -> Option<Unsealed> {
        let open = self.op.as_mut()?;
        let draft = self.closed.get_or_insert_with(|| open.close()).clone();
        let parents = open.parents().iter().map(|(id, _)| *id).collect();
        Some(Unsealed { author: open.author().clone(), time: open.time(), draft, parents })
    }

    pub(super) fn becomes(&mut self, op: OpId) {
        self.becomes = Some(op);
    }

    fn end(&mut self, outcome: Result<Sealed, AppendError>) {
        if let (Ok(sealed), Some(open)) = (&outcome, &self.op) {
            self.typed.extend([(open.author().id(), sealed.op)]);
        }
        (self.op, self.closed, self.becomes) = (None, None, None);
        self.outcomes.push(outcome);
        self.outcomes.drain(..self.outcomes.len().saturating_sub(MAX_OUTCOMES));
    }
}

impl<R: Replica> State<R> {
    /// Shows an edit, on top of what stands above `tips`.
    pub(super) fn show_edit(
        &mut self,
        author: &Author,
        now: u64,
        draft: Draft,
        (authority, tips, seen): (&Authority, Vec<(OpId, u64)>, Seen),
    ) -> Result<(), ShowError> {
        let Self { replay, feed, open: Open { op, policy, shown_on, early, .. }, .. } = self;
        let fresh = op.is_none();
        let open = op.get_or_insert_with(|| OpenOp::new(policy.clone(), author, tips, seen, replay));
        let bytes = draft.payload.as_ref().map_or(0, Vec::len);
        match open.show(draft, now, replay, authority, feed.is_watched()) {
            Ok(changes) => {
                let shown = open.shown();
                if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
                    early.insert(*first, author.id());
                    shown_on.get_or_insert(open.position());
                    feed.add_early(*last, changes.into_vec(), bytes);
                    feed.release(&self.staged);
                }
                Ok(())
            }
            Err(error) => {
                if fresh {
                    *op = None;
                }
                Err(error)
            }
        }
    }

    /// Makes room for ops that are staged next: what is shown of an open op goes. Whether they are what it becomes, so that watchers
    /// know them.
    pub(super) fn give_way(&mut self, ops: &[StoredOp], authority: &Authority) -> bool {
        if self.stale.is_some() || self.open.shown_on.is_none() {
            return false;
        }
        let becomes = self.open.becomes.filter(|id| ops.iter().any(|stored| stored.op.id() == *id));
        let Some(id) = becomes else {
            self.withdraw(authority);
            return false;
        };
        if self.go_back(authority).is_none() {
            return false;
        }
        if let Some(open) = &self.open.op {
            let shown: BTreeSet<OpId> = open.shown().iter().copied().collect();
            self.feed.rename(&shown, id);
            self.open.early.retain(|early, _| !shown.contains(early));
            self.open.early.insert(id, open.author().id());
        }
        true
    }

    /// Takes back what is shown of an open op. Watchers are told.
    pub(super) fn withdraw(&mut self, authority: &Authority) {
        let Some(mut shown) = self.go_back(authority) else { return };
        let Some(open) = &self.open.op else { return };
        let (ids, author) = (open.shown(), open.author().id());
        let Some(last) = ids.last() else { return };
        self.open.early.retain(|early, _| !ids.contains(early));
        let mut changes = if self.feed.is_watched() { Changes::of(*last, author) } else { Changes::unwatched() };
        shown.diff(&self.replay, authority, &mut changes);
        self.feed.add_early(*last, changes.into_vec(), 0);
        self.feed.release(&self.staged);
    }

    /// Shows what stands below the open op, and returns what was shown. If that cannot be read, the state has to be made anew.
    fn go_back(&mut self, authority: &Authority) -> Option<Replay<R>> {
        self.open.shown_on?;
        match self.open.op.as_ref()?.base(authority) {
            Ok(Some(base)) => {
                self.open.shown_on = None;
                Some(std::mem::replace(&mut self.replay, base))
            }
            Ok(None) | Err(_) => {
                self.stale = Some(Stale::Lost);
                None
            }
        }
    }

    /// Takes note of what became of the open op. If it will never be one, what is shown of it goes.
    pub(super) fn end_open(&mut self, outcome: Result<Sealed, AppendError>, authority: &Authority) {
        if outcome.is_err() && self.stale.is_none() {
            self.withdraw(authority);
        }
        self.open.end(outcome);
    }
}

/// Outcomes that nobody has asked about. Too low: who seals is not told that something was lost before; too high: memory.
const MAX_OUTCOMES: usize = 64;
