//! After groups have failed: what was staged on them is not there, and everything is read anew.
//!
//! If the backend failed, their writers get its error. If another host came first, the same changes are staged again, on
//! top of what it wrote: ops stay as they were signed, for their parents are there still; only their positions change.

use std::collections::BTreeSet;
use std::sync::Arc;

use hhs_model::ReplicaId;

use super::failure::Failure;
use super::pipeline::{Change, ChangedOps, Progress, Ticket, Unit};
use super::replica::ReplicaState;
use super::writer::Writer;
use super::{IngestError, Store, StoreError, StoredOp};
use crate::backend::BackendError;

impl Store {
    /// Reads everything anew, and decides what becomes of the changes that have failed. Called with the writer locked. Who
    /// gives it up midway leaves it to be begun again.
    pub(super) async fn recover(&self, writer: &mut Writer) -> Result<(), StoreError> {
        // Those behind the first one fail as soon as somebody asks.
        self.drain().await;
        let Some((failure, units)) = self.failed() else { return Ok(()) };
        *writer = Writer::read(self.backend()).await?;
        self.take_in(writer).await?;
        let again = matches!(failure, Failure::Conflict) && self.pipeline().conflicts < MAX_CONFLICTS;
        let (staged, failed) = match again {
            true => self.stage_again(writer, &units).await?,
            false => (Vec::new(), units.iter().map(|unit| (unit.clone(), failure.clone())).collect()),
        };
        self.lose_renumbered(writer, &units, &staged);
        for (unit, _) in &failed {
            let live = unit.ops.as_ref().map(|ops| self.listeners().live(ops.committed.replica));
            live.into_iter().flatten().for_each(|live| live.lose());
        }
        let touched = units.iter().filter_map(|unit| unit.ops.as_ref()).map(|ops| ops.committed.replica).collect();
        self.rebuild(writer, &touched, &staged).await?;

        let mut pipeline = self.pipeline();
        pipeline.broken = None;
        pipeline.count_commit();
        pipeline.conflicts = if again { pipeline.conflicts + 1 } else { 0 };
        drop(pipeline);
        for (unit, failure) in failed {
            unit.ticket.set(Progress::Failed(failure));
        }
        for staged in staged {
            staged.unit.ticket.set(staged.progress);
        }
        Ok(())
    }

    /// Live replicas whose staged ops have seen acts of other replicas that were staged with them: those may have other numbers now.
    fn lose_renumbered(&self, writer: &Writer, units: &[Arc<Unit>], staged: &[StagedAgain]) {
        let acts = |ops: &&ChangedOps| ops.ops.iter().any(|stored| stored.op.header().act.is_some());
        let acted = units.iter().filter_map(|unit| unit.ops.as_ref()).filter(acts);
        let acted: BTreeSet<ReplicaId> = acted.map(|ops| ops.committed.replica).collect();
        for ops in staged.iter().filter_map(|staged| staged.unit.ops.as_ref()) {
            let replica = ops.committed.replica;
            let state = writer.state(replica);
            if state.is_some_and(|state| state.foreign.sources.iter().any(|source| acted.contains(source))) {
                self.listeners().live(replica).iter().for_each(|live| live.lose());
            }
        }
    }

    /// Why groups have failed and what was in them. What an earlier recovery had staged and was given up goes.
    fn failed(&self) -> Option<(Failure, Vec<Arc<Unit>>)> {
        let mut pipeline = self.pipeline();
        let units = pipeline.take_units();
        let broken = pipeline.broken.as_mut()?;
        let units = broken.units.get_or_insert(units).clone();
        Some((broken.failure.clone(), units))
    }

    /// Stages changes again, in their order. One that cannot be has rested on what is gone, and fails.
    async fn stage_again(
        &self,
        writer: &mut Writer,
        units: &[Arc<Unit>],
    ) -> Result<(Vec<StagedAgain>, Vec<(Arc<Unit>, Failure)>), StoreError> {
        let (mut staged, mut failed) = (Vec::new(), Vec::new());
        for unit in units {
            if let Progress::Failed(failure) = unit.ticket.progress() {
                failed.push((unit.clone(), failure));
                continue;
            }
            match self.change_of(writer, unit).await {
                Ok(change) => {
                    let mut progress = None;
                    let anew = self.join_as(change, |now| {
                        progress = Some(now);
                        unit.ticket.clone()
                    });
                    staged.extend(progress.map(|progress| StagedAgain { unit: anew, progress }));
                }
                Err(IngestError::Store(StoreError::Backend(error))) if !matches!(error, BackendError::Conflict) => {
                    return Err(error.into());
                }
                Err(_) => failed.push((unit.clone(), Failure::Conflict)),
            }
        }
        Ok((staged, failed))
    }

    /// The change of a unit on top of what is there now.
    async fn change_of(&self, writer: &mut Writer, unit: &Unit) -> Result<Change, IngestError> {
        let mut change = self.stage_objects(writer, unit.objects.clone(), unit.adopted.clone()).await?;
        if let Some(ChangedOps { committed, ops, .. }) = &unit.ops {
            let mut ops = ops.iter().map(|stored| (stored.op.clone(), stored.payload.clone())).collect();
            self.drop_staged(&mut ops);
            if self.drop_known(&mut ops).await? {
                self.stage_instead_of_objects(writer, &ops, &mut change).await?;
            }
            self.stage_ops(writer, committed.replica, ops, committed.local > 0, &mut change).await?;
        }
        Ok(change)
    }

    /// Makes live replicas show what is durable, and what was staged again. Those that had applied what is lost, or stands
    /// elsewhere now, begin anew.
    async fn rebuild(
        &self,
        writer: &mut Writer,
        touched: &BTreeSet<ReplicaId>,
        staged: &[StagedAgain],
    ) -> Result<(), StoreError> {
        for replica in touched {
            let live = self.listeners().live(*replica);
            let ops = || staged.iter().filter_map(|staged| staged.unit.ops.as_ref());
            let ops = || ops().filter(|ops| ops.committed.replica == *replica).flat_map(|ops| &ops.ops);
            if live.iter().all(|live| !live.applied().stale) {
                continue;
            }
            let count = match self.count(*replica).await {
                Err(StoreError::NoReplica(_)) => continue,
                count => count?,
            };
            let (state, held) = match writer.take(*replica) {
                Some(state) => (state, true),
                // What others commit meanwhile does not matter to those that show less.
                None => match ReplicaState::load(self, *replica).await {
                    // But what is read of a replica and of its sources has to go together.
                    Err(StoreError::Backend(BackendError::Corrupted { .. })) => {
                        (self.load_state(*replica).await?, false)
                    }
                    state => (state?, false),
                },
            };
            let ops: Vec<StoredOp> = ops().cloned().collect();
            for live in live.into_iter().filter(|live| live.applied().stale) {
                self.bring_up_to(*replica, &*live, &state.authority, count).await?;
                live.stage(&ops, &state.authority);
            }
            if held {
                self.put_state(writer, *replica, state);
            }
        }
        Ok(())
    }
}

/// A change that was staged again, and where it is now.
struct StagedAgain {
    unit: Arc<Unit>,
    progress: Progress,
}

impl Ticket {
    /// Waits for the group that the change is in, and gives it up if that fails.
    pub(super) async fn wait_once(&self) -> Result<(), BackendError> {
        match self.progress() {
            Progress::Failed(failure) => Err(failure.to_error()),
            Progress::In { done, .. } => done.await.map_err(|failure| {
                self.set(Progress::Failed(failure.clone()));
                failure.to_error()
            }),
        }
    }
}

/// How often in a row others may come first. Hosts that write all the time each come first now and then; so many times in a
/// row mean that something is wrong.
const MAX_CONFLICTS: u32 = 64;
