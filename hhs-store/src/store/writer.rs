//! The writer: what staging needs to know, behind a lock that is held while something is staged and not while it is
//! being made durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::lock::MutexGuard;
use hhs_model::{Identity, IdentityId, ObjectId, ReplicaId};

use super::pipeline::{Change, Turn};
use super::record::Place;
use super::replica::ReplicaState;
use super::shared::read_sequence;
use super::states::States;
use super::{Store, StoreError, corrupted, keys, next_number};
use crate::backend::{Backend, BackendError, Batch};

/// Where the next things go, and replicas that have been written to. All with what is staged.
pub(super) struct Writer {
    pub(super) next_object: u64,
    pub(super) next_replica: u32,
    states: States,
    /// The replicas to which some give authority, until another replica comes or goes.
    pub(super) dependents: BTreeMap<ReplicaId, Arc<[ReplicaId]>>,
}

impl Writer {
    pub(super) async fn read(backend: &dyn Backend) -> Result<Self, StoreError> {
        // Those of objects and replicas that were deleted are not given again.
        let (object, replica) = keys::floors(backend.get(keys::FLOORS).await?.as_deref())?;
        let next_object = next_number(backend, &[keys::OBJECT]).await?.max(object);
        let next_replica = next_number(backend, &[keys::REPLICA]).await?.max(replica);
        let next_replica = u32::try_from(next_replica).map_err(|_| corrupted("a replica number is out of range"))?;
        Ok(Self { next_object, next_replica, states: States::default(), dependents: BTreeMap::new() })
    }

    /// The state of a replica that was just put back.
    pub(super) fn state(&self, replica: ReplicaId) -> Option<&ReplicaState> {
        self.states.get(replica)
    }

    /// Takes the state of a replica out, if it is there.
    pub(super) fn take(&mut self, replica: ReplicaId) -> Option<ReplicaState> {
        self.states.take(replica)
    }

    /// Forgets the states of replicas that lack a source.
    pub(super) fn forget_incomplete(&mut self) {
        self.states.retain(|state| state.foreign.absent.is_none());
    }

    /// Forgets the state of a replica, which is read again by who writes to it next.
    pub(super) fn forget(&mut self, replica: ReplicaId) {
        self.states.take(replica);
    }
}

impl Store {
    /// Locks the writer, once there is room for what it stages and all that has failed is read anew.
    pub(super) async fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let mut writer = self.inner.writer.lock().await;
        loop {
            let turn = self.pipeline().turn();
            match turn {
                Turn::Recover => self.recover(&mut writer).await?,
                // How it ends shows in the next turn.
                Turn::Wait(done) => drop(done.await),
                Turn::Stage { idle } => {
                    if idle && self.is_shared() {
                        self.take_in(&mut writer).await?;
                    }
                    self.renew_all(&mut writer).await;
                    return Ok(writer);
                }
            }
        }
    }

    /// Locks the writer with nothing on its way to the backend, so that what is durable is all there is.
    pub(super) async fn quiet_writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        let mut writer = self.writer().await?;
        self.drain().await;
        while matches!(self.pipeline().turn(), Turn::Recover) {
            self.recover(&mut writer).await?;
            self.drain().await;
        }
        if self.is_shared() {
            self.take_in(&mut writer).await?;
        }
        Ok(writer)
    }

    /// Commits a batch while the writer is locked, behind all that was staged. For what is written seldom: everything else
    /// stages a [`Change`] and waits for it without the lock.
    ///
    /// # Errors
    /// If it is not there, [`BackendError::Conflict`] among them: it is not tried again.
    pub(super) async fn commit(&self, writer: &mut Writer, batch: Batch) -> Result<(), BackendError> {
        self.commit_change(writer, Change { seen: batch, ..Change::default() }).await
    }

    /// As [`commit`](Self::commit), for a change.
    pub(super) async fn commit_change(&self, writer: &mut Writer, change: Change) -> Result<(), BackendError> {
        self.join(writer, change).wait_once().await
    }

    /// Takes the state of a replica out of the writer. Who does not [put it back](Self::put_state), because staging failed
    /// midway or was given up, leaves it to be read again.
    pub(super) async fn take_state(&self, writer: &mut Writer, replica: ReplicaId) -> Result<ReplicaState, StoreError> {
        if let Some(state) = writer.states.take(replica) {
            return Ok(state);
        }
        if self.pipeline().has_staged(replica) {
            if self.pipeline().is_recovering() {
                // What it rests on could not be staged again.
                return Err(BackendError::Conflict.into());
            }
            // What is read is what is durable.
            self.drain().await;
            while matches!(self.pipeline().turn(), Turn::Recover) {
                Box::pin(self.recover(writer)).await?;
                self.drain().await;
            }
        }
        self.load_state(replica).await
    }

    /// Reads the state of a replica. Where others may commit meanwhile, until it was read between two commits.
    pub(super) async fn load_state(&self, replica: ReplicaId) -> Result<ReplicaState, StoreError> {
        if !self.is_shared() {
            return ReplicaState::load(self, replica).await;
        }
        for _ in 0..MAX_TORN {
            let before = read_sequence(self.backend()).await?;
            let state = ReplicaState::load(self, replica).await;
            if read_sequence(self.backend()).await? == before {
                return state;
            }
        }
        Err(BackendError::Conflict.into())
    }

    pub(super) fn put_state(&self, writer: &mut Writer, replica: ReplicaId, state: ReplicaState) {
        writer.states.put(replica, state, |replica| self.pipeline().has_staged(replica));
    }

    /// The value under a key, staged or durable.
    pub(super) async fn staged_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let staged = self.pipeline().entry(key);
        match staged {
            Some(value) => Ok(value),
            None => Ok(self.backend().get(key).await?),
        }
    }

    /// Where something is, staged or durable.
    pub(super) async fn staged_place(&self, id: impl Into<ObjectId>) -> Result<Option<Place>, StoreError> {
        let id = id.into();
        let link = self.pipeline().link(&hhs_model::OpId(id.0)).cloned();
        if let Some((replica, link)) = link {
            return Ok(Some(Place::Op { replica, position: link.position }));
        }
        let found = self.staged_get(&keys::place(id)).await?;
        found.map(|bytes| Place::from_bytes(&bytes)).transpose()
    }

    /// An identity, staged or durable.
    pub(super) async fn staged_identity(&self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        let Some(Place::Object(object)) = self.staged_place(id).await? else { return self.identity(id).await };
        let bytes = self.staged_get(&keys::object(object)).await?;
        let bytes = bytes.ok_or_else(|| corrupted("an index names an object that is not there"))?;
        match Identity::from_bytes(&bytes) {
            Ok(identity) => Ok(Some(identity)),
            Err(_) if IdentityId::of(&bytes) == id => Ok(None),
            Err(_) => Err(corrupted("the bytes of an object are not those of its id")),
        }
    }
}

/// How often a state is read again because another host has committed meanwhile.
const MAX_TORN: usize = 64;
