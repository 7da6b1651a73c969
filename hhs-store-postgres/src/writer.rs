//! The writer: one task that makes all batches that wait for it durable in one transaction.
//!
//! A durable commit costs the server a flush and us two round trips, whatever it holds. While one is under way, the
//! batches of other tasks queue up; the next transaction takes them all. So a lone writer waits for nobody, and many
//! share the cost. Hosts that share a store write one after the other: each transaction holds the store's lock from its
//! first statement, so what a guard finds stays so until the commit.

mod group;
mod session;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hhs_store::backend::Batch;
use tokio::sync::{mpsc, oneshot};

use crate::error::Failure;

pub(crate) use session::Session;

/// What a committing task gets once its batch is durable, or failed.
pub(crate) type Outcome = Result<(), Failure>;

/// The handle on the writer's task. When the last one is dropped, the task ends after what it was handed.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    in_doubt: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the task on the tokio runtime of the caller.
    pub(crate) fn start(session: Session) -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        let in_doubt = Arc::new(AtomicBool::new(false));
        tokio::spawn(serve(session, Queue { jobs: queue, next: None }, Arc::clone(&in_doubt)));
        Self { jobs, in_doubt }
    }

    /// Hands a batch over, behind those handed over before; it is handed over when this returns. What comes back resolves
    /// when it is durable.
    pub(crate) fn commit(&self, batch: Batch) -> impl Future<Output = Outcome> {
        self.send(|done| Job::Commit { batch, done })
    }

    /// Waits until it is known whether a batch that was reported as failed is there. Reads ask before they begin: such a
    /// batch must not show.
    pub(crate) async fn settled(&self) -> Outcome {
        if self.in_doubt.load(Ordering::Acquire) { self.send(Job::Settle).await } else { Ok(()) }
    }

    /// Waits until everything handed over before is decided and the task has ended.
    pub(crate) async fn close(&self) {
        // If it has ended already, that is as well.
        let _ = self.send(Job::Close).await;
    }

    fn send<J>(&self, job: J) -> impl Future<Output = Outcome> + use<J>
    where
        J: FnOnce(oneshot::Sender<Outcome>) -> Job,
    {
        let (done, outcome) = oneshot::channel();
        // A queue without a task drops the job, and with it the sender.
        let _ = self.jobs.send(job(done));
        async { outcome.await.unwrap_or(Err(Failure::Closed)) }
    }
}

#[derive(Debug)]
enum Job {
    Commit { batch: Batch, done: oneshot::Sender<Outcome> },
    Settle(oneshot::Sender<Outcome>),
    Close(oneshot::Sender<Outcome>),
}

async fn serve(mut session: Session, mut queue: Queue, in_doubt: Arc<AtomicBool>) {
    let mut closing = None;
    while let Some(job) = queue.next().await {
        match job {
            Job::Commit { batch, done } => {
                let group = queue.gather(batch, done);
                let batches: Vec<&Batch> = group.iter().map(|(batch, _)| batch).collect();
                let outcome = session.commit(&batches).await;
                // Before anybody learns of a failure: what they read next must not be what has failed.
                in_doubt.store(session.is_in_doubt(), Ordering::Release);
                tell(group, &outcome);
            }
            Job::Settle(done) => {
                let outcome = session.settle().await;
                in_doubt.store(session.is_in_doubt(), Ordering::Release);
                let _ = done.send(outcome);
            }
            Job::Close(done) => {
                closing = Some(done);
                break;
            }
        }
    }
    drop(queue);
    session.leave().await;
    if let Some(done) = closing {
        let _ = done.send(Ok(()));
    }
}

fn tell(group: Vec<(Batch, oneshot::Sender<Outcome>)>, outcome: &Result<BTreeSet<usize>, Failure>) {
    for (at, (_, done)) in group.into_iter().enumerate() {
        let outcome = match outcome {
            Ok(conflicts) if conflicts.contains(&at) => Err(Failure::Conflict),
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.clone()),
        };
        // Nobody may be waiting any more.
        let _ = done.send(outcome);
    }
}

/// The jobs in the order in which they came.
struct Queue {
    jobs: mpsc::UnboundedReceiver<Job>,
    /// One that was taken out and did not belong to a group.
    next: Option<Job>,
}

impl Queue {
    async fn next(&mut self) -> Option<Job> {
        match self.next.take() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        }
    }

    /// A batch and those that wait behind it, up to the bounds of a group.
    fn gather(&mut self, batch: Batch, done: oneshot::Sender<Outcome>) -> Vec<(Batch, oneshot::Sender<Outcome>)> {
        let mut bytes = group::size(&batch);
        let mut group = vec![(batch, done)];
        while group.len() < MAX_GROUP_BATCHES && bytes < MAX_GROUP_BYTES {
            match self.jobs.try_recv() {
                Ok(Job::Commit { batch, done }) => {
                    bytes += group::size(&batch);
                    group.push((batch, done));
                }
                Ok(other) => {
                    self.next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        group
    }
}

/// The most batches of one transaction. Too low: a flush for few tasks where many wait; too high: those that wait longest
/// wait for the work of many. The flush outweighs the work of some hundred small batches.
const MAX_GROUP_BATCHES: usize = 256;
/// No further batch joins a transaction with this many bytes of keys and values: sending them takes as long as the flush,
/// so sharing gains little, and they are kept in memory twice.
const MAX_GROUP_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests;
