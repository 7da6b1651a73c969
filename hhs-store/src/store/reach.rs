//! Acts reach the replicas to which theirs gives authority: what is staged in one is told to those that rest on it.
//!
//! Views that the writer has take the acts in, and the lists of their heads go into the same batch. Of others it is noted that
//! their heads have to be looked for anew. Live replicas are looked at again once the acts are durable.

use hhs_model::op::Act;
use hhs_model::{IdentityId, OpId, ReplicaId};

use super::pipeline::Change;
use super::replica::ReplicaState;
use super::shape::Shapes;
use super::writer::Writer;
use super::{Committed, Store, StoreError, StoredOp, keys, next_number};
use crate::backend::BackendError;

/// The views that have taken in what a change says. They are put back with that of the change itself: before, it may be given up.
#[derive(Default)]
pub(super) struct Reached(Vec<(ReplicaId, ReplicaState)>);

impl Reached {
    pub(super) fn put_back(self, store: &Store, writer: &mut Writer) {
        for (replica, state) in self.0 {
            store.put_state(writer, replica, state);
        }
    }
}

impl Store {
    /// Tells the dependents of a replica of the acts that a change stages in it. Called before the change joins a group, with the
    /// writer locked.
    pub(super) async fn reach(&self, writer: &mut Writer, change: &mut Change) -> Result<Reached, StoreError> {
        let mut reached = Reached::default();
        let Some(ops) = change.ops.as_ref() else { return Ok(reached) };
        if ops.kept.is_empty() && !ops.ops.iter().any(acts) {
            return Ok(reached);
        }
        let withdraws = !ops.kept.is_empty() || ops.ops.iter().any(acts_on_others);
        let dependents = self.dependents_of(writer, ops.committed.replica).await?;
        let (mut shapes, mut elsewhere) = (Shapes::default(), Vec::new());
        for dependent in dependents.iter() {
            let followed = match writer.take(*dependent) {
                Some(state) => self.followed(writer, state, &mut shapes, change).await?,
                None => None,
            };
            let count = match followed {
                Some(state) => {
                    let count = state.count;
                    reached.0.push((*dependent, state));
                    count
                }
                None if withdraws => {
                    let number = self.staged_replica_number(*dependent).await?;
                    change.unseen.put(keys::tips(number), []);
                    next_number(self.backend(), &keys::ops_of(number)).await?
                }
                None => 0,
            };
            if withdraws && count > 0 {
                elsewhere.push(Committed { replica: *dependent, ops: count, added: 0, local: 0 });
            }
        }
        change.ops.iter_mut().for_each(|ops| ops.elsewhere = std::mem::take(&mut elsewhere));
        let live = dependents.iter().copied().filter(|dependent| !self.listeners().live(*dependent).is_empty());
        let live: Vec<ReplicaId> = live.collect();
        change.ops.iter_mut().for_each(|ops| ops.reached.clone_from(&live));
        Ok(reached)
    }

    /// A view that has taken in what a change says; none if it cannot be kept up, and has to be read again.
    async fn followed(
        &self,
        writer: &Writer,
        mut state: ReplicaState,
        shapes: &mut Shapes,
        change: &mut Change,
    ) -> Result<Option<ReplicaState>, StoreError> {
        let Some(ops) = change.ops.as_ref() else { return Ok(Some(state)) };
        let followed = match state.follow(self, writer, shapes, ops).await {
            Ok(()) => state.settle_tips(self, &super::replica::Staged::default()).await,
            failed => failed,
        };
        match followed {
            Ok(()) => {
                state.list_tips(&mut change.unseen);
                Ok(Some(state))
            }
            // What is wrong there stops nobody here.
            Err(StoreError::Backend(BackendError::Corrupted { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stages what is open on live replicas that rest on one, before something is said there that it has not seen.
    pub(super) async fn seal_dependents(&self, writer: &mut Writer, replica: ReplicaId) -> Result<(), StoreError> {
        for dependent in self.dependents_of(writer, replica).await?.iter() {
            if !self.listeners().live(*dependent).is_empty() {
                // What is open there carries no act, so that this goes no deeper.
                Box::pin(self.seal_open(writer, *dependent)).await?;
            }
        }
        Ok(())
    }

    /// Live replicas that were reached are to be looked at again. Called when the change joins a group.
    pub(super) fn touch_live(&self, ops: &[StoredOp], reached: &[ReplicaId]) {
        let Some(last) = ops.iter().rev().find(|stored| acts(stored)).or(ops.last()) else { return };
        self.touch_all(reached, last.op.id(), last.op.header().author);
    }

    pub(super) fn touch_all(&self, replicas: &[ReplicaId], op: OpId, author: IdentityId) {
        for replica in replicas {
            let live = self.listeners().live(*replica);
            live.iter().for_each(|live| live.touch(op, author));
            if !live.is_empty() {
                self.listeners().stale.insert(*replica);
            }
        }
    }
}

fn acts(stored: &StoredOp) -> bool {
    stored.op.header().act.is_some()
}

fn acts_on_others(stored: &StoredOp) -> bool {
    stored.op.header().act.as_ref().is_some_and(|act| !matches!(act, Act::Grant { .. }))
}
