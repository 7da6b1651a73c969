//! Ops that are being typed: they are in live replicas alone, and are sealed before anything else is staged on their replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::lock::MutexGuard;
use hhs_model::authority::{Authority, Seen};
use hhs_model::class::{Draft, EditError};
use hhs_model::{Author, OpId, ReplicaId};

use super::append::Written;
use super::pipeline::Ticket;
use super::replica::{Link, ReplicaState};
use super::writer::Writer;
use super::{AppendError, Applies, Store, StoreError};
use crate::backend::BackendError;

/// What an open op carries, to be written on what its author saw.
pub(crate) struct Unsealed {
    pub(crate) author: Author,
    pub(crate) time: u64,
    pub(crate) draft: Result<Draft, EditError>,
    pub(crate) parents: Vec<OpId>,
}

/// An op that was staged.
#[derive(Clone)]
pub(crate) struct Sealed {
    pub(crate) op: OpId,
    pub(super) ticket: Arc<Ticket>,
}

/// What the next op of a replica stands on, with the writer locked: nothing comes in between.
pub(crate) struct Ground<'a> {
    store: &'a Store,
    replica: ReplicaId,
    writer: MutexGuard<'a, Writer>,
    /// Put back when this is dropped.
    state: Option<ReplicaState>,
}

impl Store {
    /// Locks the writer when `live` shows exactly what is there. What is being typed stays open.
    pub(crate) async fn ground(&self, replica: ReplicaId, live: &dyn Applies) -> Result<Ground<'_>, StoreError> {
        let writer = self.writer().await?;
        let (writer, state) = self.up_to_date(writer, replica, Some(live), false).await?;
        Ok(Ground { store: self, replica, writer, state: Some(state) })
    }

    /// Stages what is being typed on the live replicas of an id.
    ///
    /// # Errors
    /// If the store fails before that: then it is still open. What cannot become an op is given up, and its live replica knows.
    pub(super) async fn seal_open(&self, writer: &mut Writer, replica: ReplicaId) -> Result<(), StoreError> {
        let live = self.listeners().live(replica);
        for live in live {
            let Some(unsealed) = live.close() else { continue };
            let outcome = match self.seal_one(writer, replica, &*live, unsealed).await {
                Err(AppendError::Store(error)) => return Err(error),
                outcome => outcome,
            };
            let state = self.take_state(writer, replica).await?;
            live.sealed(outcome, &state.authority);
            self.put_state(writer, replica, state);
        }
        Ok(())
    }

    async fn seal_one(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
        live: &dyn Applies,
        unsealed: Unsealed,
    ) -> Result<Sealed, AppendError> {
        let Unsealed { author, time, draft, parents } = unsealed;
        let draft = draft?;
        let state = self.take_state(writer, replica).await?;
        let on = match self.parents_of_sealed(&state, &parents).await {
            Ok(on) => on,
            Err(error) => {
                self.put_state(writer, replica, state);
                return Err(error);
            }
        };
        let written = Written { author: &author, time, draft, on };
        self.write_own(writer, state, replica, written, |op| live.becomes(op)).await
    }

    /// What a sealed op stands on, if that is not the tips: others may have come in between on a database that is shared, and it
    /// means what its author saw.
    async fn parents_of_sealed(
        &self,
        state: &ReplicaState,
        parents: &[OpId],
    ) -> Result<Option<BTreeMap<OpId, Link>>, AppendError> {
        let tips = state.tips();
        if tips.len() == parents.len() && parents.iter().all(|parent| tips.contains_key(parent)) {
            return Ok(None);
        }
        let links = self.links(state, parents.to_vec()).await?;
        if links.len() == parents.len() { Ok(Some(links)) } else { Err(AppendError::Lost) }
    }

    /// Seals what is being typed on a replica.
    pub(crate) async fn seal(&self, replica: ReplicaId) -> Result<(), StoreError> {
        let mut writer = self.writer().await?;
        self.seal_open(&mut writer, replica).await
    }

    /// For who is about to end: seals what is being typed on live replicas, waits until it is durable with all that was written, and
    /// writes checkpoints where the next opening would have to apply much again. The store can be used on.
    ///
    /// # Errors
    /// If the backend fails, or if something that was typed could not become an op; the rest is done all the same.
    pub async fn flush(&self) -> Result<(), AppendError> {
        let mut outcome = Ok(());
        let replicas = self.listeners().live_replicas();
        for replica in replicas {
            let sealed = self.seal(replica).await;
            outcome = outcome.and(sealed.map_err(AppendError::from));
            let live = self.listeners().live(replica);
            for live in live {
                let settled = self.settle_sealed(&*live).await;
                outcome = outcome.and(settled.map(drop));
                if live.wants_checkpoint(true) {
                    let written = self.write_checkpoint(replica, &*live).await;
                    outcome = outcome.and(written.map_err(AppendError::from));
                }
            }
        }
        let writer = self.quiet_writer().await;
        outcome.and(writer.map(drop).map_err(AppendError::from))
    }

    /// Makes durable what was sealed on the way of something that came to nothing, as nobody waits for it.
    pub(crate) async fn drive_sealed(&self, replica: ReplicaId) {
        let live = self.listeners().live(replica);
        if live.iter().any(|live| live.has_sealed()) {
            self.drain().await;
            // If that has failed, all is read anew; whose it was is told when they seal.
            self.writer().await.map(drop).ok();
        }
    }

    /// Waits until what became of open ops is durable; the last op.
    pub(crate) async fn settle_sealed(&self, live: &dyn Applies) -> Result<Option<OpId>, AppendError> {
        let (mut last, mut failed) = (None, None);
        for outcome in live.outcomes() {
            match outcome {
                Ok(sealed) => match self.settled(&sealed.ticket).await {
                    Ok(_) => last = Some(sealed.op),
                    Err(error) => failed = Some(error.into()),
                },
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(last), Err)
    }
}

impl Ground<'_> {
    /// Stages what is being typed.
    pub(crate) async fn seal(&mut self, live: &dyn Applies) -> Result<(), StoreError> {
        self.put_back();
        self.store.seal_open(&mut self.writer, self.replica).await?;
        self.store.renew(&mut self.writer, self.replica).await?;
        if live.applied().stale {
            return Err(BackendError::Conflict.into());
        }
        Ok(())
    }

    /// Looks at what the next op stands on: authority, the tips with their positions, and what they have seen.
    pub(crate) async fn look<T>(
        &mut self,
        look: impl FnOnce(&Authority, Vec<(OpId, u64)>, Seen) -> T,
    ) -> Result<T, StoreError> {
        let state = self.take().await?;
        let tips = state.tips();
        let seen = state.seen_now();
        let outcome = look(&state.authority, tips.iter().map(|(id, link)| (*id, link.position)).collect(), seen);
        self.state = Some(state);
        Ok(outcome)
    }

    /// Writes an op, and waits until it is durable.
    pub(crate) async fn write(mut self, author: &Author, time: u64, draft: Draft) -> Result<OpId, AppendError> {
        let (store, replica) = (self.store, self.replica);
        let state = self.take().await?;
        let written = Written { author, time, draft, on: None };
        let written = store.write_own(&mut self.writer, state, replica, written, drop).await?;
        drop(self);
        store.settled(&written.ticket).await?;
        store.checkpoint_if_due(replica).await;
        Ok(written.op)
    }

    async fn take(&mut self) -> Result<ReplicaState, StoreError> {
        match self.state.take() {
            Some(state) => Ok(state),
            None => self.store.take_state(&mut self.writer, self.replica).await,
        }
    }

    fn put_back(&mut self) {
        if let Some(state) = self.state.take() {
            self.store.put_state(&mut self.writer, self.replica, state);
        }
    }
}

impl Drop for Ground<'_> {
    fn drop(&mut self) {
        self.put_back();
    }
}
