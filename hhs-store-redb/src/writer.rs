//! The writer: one thread that makes all batches that wait for it durable in one transaction.
//!
//! A durable commit costs a flush of the file, whatever it holds. While one is under way, the batches of other tasks
//! queue up; the next transaction takes them all. So a lone writer waits for nobody, and many share the cost.

use std::io;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use hhs_store::backend::{Batch, Write};

use crate::engine::Engine;
use crate::error::{Failure, guarded};
use crate::group;

/// What a committing task gets once its batch is durable, or failed.
pub(crate) type Outcome = Result<(), Failure>;

/// The handle on the writer's thread. Dropping it waits until the thread has finished what it was handed.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `quick_repair`: see [`Options`](crate::Options).
    pub(crate) fn start(engine: Arc<Engine>, quick_repair: bool) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("hhs-store-redb".to_owned());
        let thread = thread.spawn(move || serve(&engine, &queue, quick_repair))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands a batch over, behind those handed over before. What comes back resolves when it is durable, or to
    /// `Canceled` if the thread is gone.
    pub(crate) fn hand_over(&self, batch: Batch) -> oneshot::Receiver<Outcome> {
        let (done, outcome) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // A queue without a thread drops the job, which cancels the outcome.
            let _ = jobs.send(Job { batch, done });
        }
        outcome
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return };
        // Waking a task can drop it, and with it the last handle: then this is the thread itself, which ends by itself.
        if thread.thread().id() != thread::current().id() {
            // It catches the engine's panics, so there is nothing to learn from how it ended.
            let _ = thread.join();
        }
    }
}

struct Job {
    batch: Batch,
    done: oneshot::Sender<Outcome>,
}

fn serve(engine: &Engine, queue: &mpsc::Receiver<Job>, quick_repair: bool) {
    while let Some(first) = next(queue) {
        let group = gather(first, queue);
        let outcome = guarded(|| {
            let batches = group.iter().map(|job| &job.batch);
            group::apply(engine.database(), batches, quick_repair).map_err(|error| Failure::new(WRITE, error))
        });
        // After a failure too: what redb shows then is for redb to say.
        engine.forget_snapshot();
        for (at, job) in group.into_iter().enumerate() {
            let outcome = match &outcome {
                Ok(conflicts) if conflicts.contains(&at) => Err(Failure::Conflict),
                Ok(_) => Ok(()),
                Err(failure) => Err(failure.clone()),
            };
            // Nobody may be waiting any more.
            let _ = job.done.send(outcome);
        }
    }
}

/// The next job; `None` once nobody can hand over any more.
fn next(queue: &mpsc::Receiver<Job>) -> Option<Job> {
    let start = now();
    loop {
        match queue.try_recv() {
            Ok(job) => return Some(job),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if start.elapsed() < LOOKS => std::hint::spin_loop(),
            Err(TryRecvError::Empty) => return queue.recv().ok(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread of a native backend; nothing but its own patience rests on it")]
fn now() -> Instant {
    Instant::now()
}

/// `first` and what waits behind it, up to the bounds of a group.
fn gather(first: Job, queue: &mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = size(&first.batch);
    let mut group = vec![first];
    while group.len() < MAX_GROUP_BATCHES && bytes < MAX_GROUP_BYTES {
        let Ok(job) = queue.try_recv() else { break };
        bytes += size(&job.batch);
        group.push(job);
    }
    group
}

fn size(batch: &Batch) -> usize {
    let size = |write: &Write| match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
    };
    batch.writes.iter().map(size).sum()
}

const WRITE: &str = "write a batch";

/// How long the thread looks for another batch before it sleeps. Too low: who writes one op after the other waits each time
/// until the thread is woken, some 50 µs; too high: a processor is busy with nothing after every commit. Signing an op takes
/// some 20 µs, a flush some hundred at least.
const LOOKS: Duration = Duration::from_micros(100);

/// The most batches of one transaction. Too low: a flush for few tasks where many wait; too high: those that wait longest
/// wait for the work of many. The flush outweighs the work of some hundred small batches.
const MAX_GROUP_BATCHES: usize = 256;
/// No further batch joins a transaction with this many bytes of keys and values: writing them takes as long as the flush,
/// so sharing gains little, and the pages of a transaction are kept in memory.
const MAX_GROUP_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests;
