//! The queue of the writer: what waits goes together, up to the bounds, and in order.

use hhs_store::backend::Batch;
use tokio::sync::{mpsc, oneshot};

use super::{Job, MAX_GROUP_BATCHES, MAX_GROUP_BYTES, Queue};

/// More waits than one transaction takes: the group ends at the bound of batches, or once it has the bytes.
#[test]
fn a_group_is_bounded_in_batches_and_in_bytes() {
    let (jobs, queue) = mpsc::unbounded_channel();
    let mut queue = Queue { jobs: queue, next: None };
    let mut gather = |bytes| queue.gather(batch(bytes), oneshot::channel().0).len();
    (0..MAX_GROUP_BATCHES + 5).for_each(|_| jobs.send(job(10)).unwrap());
    assert_eq!(gather(10), MAX_GROUP_BATCHES);
    assert_eq!(gather(MAX_GROUP_BYTES), 1, "the first alone is enough");
    assert_eq!(gather(10), 7, "what was left behind comes next");
    assert_eq!(gather(10), 1, "nothing waits any more");

    (0..10).for_each(|_| jobs.send(job(MAX_GROUP_BYTES / 4)).unwrap());
    assert_eq!(gather(10), 5);
}

/// Somebody closes the store while batches wait before and behind: those before are a group of their own.
#[test]
fn a_group_ends_where_something_else_was_asked_for() {
    let (jobs, queue) = mpsc::unbounded_channel();
    let mut queue = Queue { jobs: queue, next: None };
    jobs.send(job(10)).unwrap();
    jobs.send(Job::Close(oneshot::channel().0)).unwrap();
    jobs.send(job(10)).unwrap();
    assert_eq!(queue.gather(batch(10), oneshot::channel().0).len(), 2);
    assert!(matches!(futures::executor::block_on(queue.next()), Some(Job::Close(_))));
    assert!(matches!(futures::executor::block_on(queue.next()), Some(Job::Commit { .. })));
}

fn job(bytes: usize) -> Job {
    Job::Commit { batch: batch(bytes), done: oneshot::channel().0 }
}

fn batch(bytes: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put("four", vec![0; bytes - 4]);
    batch
}
