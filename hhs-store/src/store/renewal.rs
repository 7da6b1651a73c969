//! Keeping live replicas up with what is staged and what is durable, and making those anew that could not follow.

use std::sync::Arc;

use hhs_model::ReplicaId;
use hhs_model::authority::Authority;

use super::listeners::Applies;
use super::pipeline::Turn;
use super::replica::ReplicaState;
use super::writer::Writer;
use super::{ReadLimit, Store, StoreError, StoredOp, corrupted};

impl Store {
    /// The live replicas of an id apply what was staged. Called with the writer locked.
    pub(super) fn stage_live(&self, replica: ReplicaId, ops: &[StoredOp], authority: &Authority) {
        // Not within the lock of the listeners: what a class does may take long.
        let live = self.listeners().live(replica);
        live.iter().for_each(|live| live.stage(ops, authority));
        if live.iter().any(|live| live.applied().stale) {
            self.listeners().stale.insert(replica);
        }
    }

    /// Reads for a live replica what it lacks of the first `count` ops, all of which the authority knows. Called with the
    /// writer locked, or before the store knows of it.
    pub(crate) async fn catch_up(
        &self,
        id: ReplicaId,
        live: &dyn Applies,
        authority: &Authority,
        count: u64,
    ) -> Result<(), StoreError> {
        loop {
            let applied = live.applied().durable;
            let ops = match applied < count {
                true => self.ops(id, applied..count, PAGE).await?,
                false => return Ok(()),
            };
            if ops.is_empty() {
                return Ok(());
            }
            live.catch_up(&ops, authority);
            match live.applied() {
                now if now.durable > applied => {}
                // What was staged on it stands elsewhere: it is made anew.
                now if now.stale && !now.aside => return Ok(()),
                _ => return Err(corrupted("the op of a position is not there")),
            }
        }
    }

    /// Brings a live replica up that nobody has seen yet, and lets it hear of everything from then on.
    pub(crate) async fn bring_up(&self, id: ReplicaId, live: &Arc<dyn Applies>) -> Result<(), StoreError> {
        // Most of the history without holding up writers, the rest while nothing can be written.
        let (authority, count) = self.with_state(id, |state| (state.authority.clone(), state.count)).await?;
        self.begin_anew(id, &**live, &authority).await?;
        self.catch_up(id, &**live, &authority, count).await?;
        live.show();
        let mut writer = self.quiet_writer().await?;
        let state = self.take_state(&mut writer, id).await?;
        let outcome = self.bring_up_to(id, &**live, &state.authority, state.count).await;
        self.put_state(&mut writer, id, state);
        outcome?;
        self.listen(id, Arc::downgrade(live));
        Ok(())
    }

    /// Brings a live replica to where the first `count` ops are all there is. Called with nothing on its way to the backend.
    pub(super) async fn bring_up_to(
        &self,
        id: ReplicaId,
        live: &dyn Applies,
        authority: &Authority,
        count: u64,
    ) -> Result<(), StoreError> {
        live.review(authority);
        if !live.applied().stale {
            self.catch_up(id, live, authority, count).await?;
        }
        if live.applied().stale {
            self.begin_anew(id, live, authority).await?;
            self.catch_up(id, live, authority, count).await?;
            live.show();
        }
        Ok(())
    }

    /// Makes the stale live replicas of an id anew, once all that is staged is durable. Called with the writer locked.
    pub(super) async fn renew(&self, writer: &mut Writer, id: ReplicaId) -> Result<(), StoreError> {
        let live = self.listeners().live(id);
        if live.iter().all(|live| !live.applied().stale) {
            return Ok(());
        }
        self.drain().await;
        if matches!(self.pipeline().turn(), Turn::Recover) {
            // It is made anew with all that has failed, or by who locks the writer next.
            self.listeners().stale.insert(id);
            return Ok(());
        }
        let state = self.take_state(writer, id).await?;
        let mut outcome = Ok(());
        for live in live {
            outcome = outcome.and(self.bring_up_to(id, &*live, &state.authority, state.count).await);
        }
        self.put_state(writer, id, state);
        outcome
    }

    /// Makes all stale live replicas anew that can be. Who left them so gave up before that. Called with the writer locked.
    pub(super) async fn renew_all(&self, writer: &mut Writer) {
        let stale = std::mem::take(&mut self.listeners().stale);
        for replica in stale {
            // One that cannot be read goes on to show what it has; who writes to it is told.
            self.renew(writer, replica).await.ok();
        }
    }

    async fn begin_anew(&self, id: ReplicaId, live: &dyn Applies, authority: &Authority) -> Result<(), StoreError> {
        if !self.begin_at_checkpoint(id, live, authority).await? {
            live.begin(None, authority);
        }
        Ok(())
    }

    /// Runs `ask` on the authority of a replica, with all that is staged.
    pub(crate) async fn with_authority<T>(
        &self,
        id: ReplicaId,
        ask: impl FnOnce(&Authority) -> T,
    ) -> Result<T, StoreError> {
        self.with_state(id, |state| ask(&state.authority)).await
    }

    pub(super) async fn with_state<T>(
        &self,
        id: ReplicaId,
        ask: impl FnOnce(&ReplicaState) -> T,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer().await?;
        let state = self.take_state(&mut writer, id).await?;
        let answer = ask(&state);
        self.put_state(&mut writer, id, state);
        Ok(answer)
    }
}

/// How much of a history a live replica reads at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
