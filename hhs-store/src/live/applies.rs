//! How the store drives a live replica.

use hhs_model::authority::Authority;
use hhs_model::class::{Replica, Shape};
use hhs_model::{IdentityId, OpId};

use super::Shared;
use super::state::Stale;
use crate::store::{AppendError, Applied, Applies, CheckpointBytes, Sealed, StoredOp, Unsealed};

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

    fn touch(&self, op: OpId, author: IdentityId) {
        self.lock().touch(op, author);
    }

    fn review(&self, authority: &Authority) {
        self.lock().review(authority);
    }

    fn close(&self) -> Option<Unsealed> {
        self.lock().open.close()
    }

    fn becomes(&self, op: OpId) {
        self.lock().open.becomes(op);
    }

    fn sealed(&self, outcome: Result<Sealed, AppendError>, authority: &Authority) {
        self.lock().end_open(outcome, authority);
    }

    fn outcomes(&self) -> Vec<Result<Sealed, AppendError>> {
        self.lock().open.take_outcomes()
    }

    fn has_sealed(&self) -> bool {
        self.lock().open.has_sealed()
    }

    fn end(&self) {
        self.lock().feed.end();
    }

    fn applied(&self) -> Applied {
        self.lock().applied()
    }

    fn kind(&self) -> String {
        format!("{} {} {:016x}", R::CLASS, std::any::type_name::<R>(), Shape::of::<R>())
    }

    fn wants_checkpoint(&self, ending: bool) -> bool {
        let state = self.lock();
        let (least, part) = if ending { (MIN_HISTORY_AT_END, 16) } else { (MIN_HISTORY, 2) };
        state.stale.is_none() && state.since >= least.max(state.checkpoint.1 / part)
    }

    fn save(&self) -> Option<(u64, Vec<u8>)> {
        let state = self.lock();
        let position = state.count();
        let new = position > state.checkpoint.0;
        let save = || match &state.open.op {
            Some(open) if state.open.shown_on.is_some() => open.saved().to_vec(),
            _ => state.replay.save(),
        };
        (new && state.stale.is_none() && state.staged.is_empty()).then(|| (position, save()))
    }

    fn saved(&self, position: u64, bytes: usize) {
        let mut state = self.lock();
        state.since = 0;
        state.checkpoint = (position, bytes);
    }
}

/// A checkpoint is due after this many bytes of ops, or half as many as the last one had: so all of them together take no
/// more writing than some times the history. Too low: large states are written for little. Too high: opening a replica
/// applies much history again.
const MIN_HISTORY: usize = 1 << 20;
/// The same when the program ends, or a sixteenth as many as the last one had. Too low: ending takes long; too high: the next start does.
const MIN_HISTORY_AT_END: usize = 64 << 10;
