//! The writer on a storage in memory whose flushes can be held up, counted and broken.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Wake, Waker};

use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::join_all;
use hhs_store::backend::Batch;
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTableMetadata, StorageBackend};

use super::{Job, MAX_GROUP_BATCHES, MAX_GROUP_BYTES, Writer, gather};
use crate::engine::Engine;
use crate::error::Failure;
use crate::format;

/// While one commit is being flushed, sixty-three other tasks hand over theirs: one more flush is enough for all of them.
#[test]
fn batches_that_wait_share_one_flush() {
    let (engine, disk) = store();
    let writer = Writer::start(Arc::clone(&engine), false).unwrap();
    let before = disk.flushes.load(Ordering::Relaxed);
    let held = disk.gate.lock().unwrap();
    let outcomes: Vec<_> = (0..64).map(|number| writer.hand_over(batch(number, 10))).collect();
    drop(held);
    for outcome in block_on(join_all(outcomes)) {
        outcome.unwrap().unwrap();
    }
    let flushes = disk.flushes.load(Ordering::Relaxed) - before;
    assert!(flushes <= 2, "{flushes} flushes for 64 commits");
    assert_eq!(count(&engine), 64);
}

/// More waits than one transaction takes: the group ends at the bound of batches, or once it has the bytes.
#[test]
fn a_group_is_bounded_in_batches_and_in_bytes() {
    let (jobs, queue) = mpsc::channel();
    let job = |bytes| Job { batch: batch(0, bytes), done: oneshot::channel().0 };
    (0..MAX_GROUP_BATCHES + 5).for_each(|_| jobs.send(job(10)).unwrap());
    assert_eq!(gather(job(10), &queue).len(), MAX_GROUP_BATCHES);
    assert_eq!(gather(job(MAX_GROUP_BYTES), &queue).len(), 1, "the first alone is enough");
    assert_eq!(gather(job(10), &queue).len(), 7, "what was left behind comes next");
    assert_eq!(gather(job(10), &queue).len(), 1, "nothing waits any more");

    (0..10).for_each(|_| jobs.send(job(MAX_GROUP_BYTES / 4)).unwrap());
    assert_eq!(gather(job(10), &queue).len(), 5);
}

/// The disk fails while a group is being written: every task of the group is told, those that come later too, and nothing
/// of it shows.
#[test]
fn every_batch_of_a_failed_group_gets_the_error() {
    let (engine, disk) = store();
    let writer = Writer::start(Arc::clone(&engine), false).unwrap();
    block_on(writer.hand_over(batch(0, 10))).unwrap().unwrap();
    disk.broken.store(true, Ordering::Relaxed);
    let outcomes: Vec<_> = (1..10).map(|number| writer.hand_over(batch(number, 10))).collect();
    for outcome in block_on(join_all(outcomes)) {
        let failure = outcome.unwrap();
        assert!(matches!(failure, Err(Failure::Io(..))), "got {failure:?}");
    }
    assert_eq!(count(&engine), 1);
}

/// Batches whose guard does not hold wait in the middle of a group: they alone get the conflict, and those behind them see
/// what those before them wrote.
#[test]
fn a_conflict_in_a_group_is_for_its_batch_alone() {
    let (engine, disk) = store();
    let writer = Writer::start(Arc::clone(&engine), false).unwrap();
    let held = disk.gate.lock().unwrap();
    let guarded = |number: u32, key: u32, there: bool| {
        let mut batch = batch(number, 10);
        batch.guard(key.to_be_bytes(), there.then(|| vec![0; 6]));
        writer.hand_over(batch)
    };
    let outcomes = [
        writer.hand_over(batch(0, 10)),
        guarded(1, 0, true),
        guarded(2, 0, false),
        guarded(3, 2, false),
        guarded(4, 9, true),
        writer.hand_over(batch(5, 10)),
    ];
    drop(held);
    let conflicts = block_on(join_all(outcomes)).into_iter().map(|outcome| match outcome.unwrap() {
        Ok(()) => false,
        Err(Failure::Conflict) => true,
        Err(failure) => panic!("{failure:?}"),
    });
    assert_eq!(conflicts.collect::<Vec<_>>(), [false, false, true, false, true, false]);
    assert_eq!(count(&engine), 4);
}

/// A program hands over a hundred batches and closes the store without waiting: all are written.
#[test]
fn dropping_the_writer_finishes_what_it_was_handed() {
    let (engine, _disk) = store();
    let writer = Writer::start(Arc::clone(&engine), false).unwrap();
    let outcomes: Vec<_> = (0..100).map(|number| writer.hand_over(batch(number, 10))).collect();
    drop(writer);
    assert_eq!(Arc::strong_count(&engine), 1, "the thread has ended");
    assert_eq!(count(&engine), 100);
    for outcome in outcomes {
        assert!(matches!(block_on(outcome), Ok(Ok(()))));
    }
}

/// A task is woken by its commit, and waking it drops it together with the last handle, on the writer's own thread: that
/// thread does not wait for itself.
#[test]
fn the_last_handle_may_go_on_the_thread_itself() {
    struct LastHandle(Mutex<Option<Writer>>, mpsc::Sender<()>);
    impl Wake for LastHandle {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
            self.1.send(()).unwrap();
        }
    }
    let (engine, disk) = store();
    let writer = Writer::start(engine, false).unwrap();
    let held = disk.gate.lock().unwrap();
    let mut outcome = writer.hand_over(batch(0, 10));
    let (dropped, was_dropped) = mpsc::channel();
    let waker = Waker::from(Arc::new(LastHandle(Mutex::new(Some(writer)), dropped)));
    assert!(outcome.try_recv().unwrap().is_none(), "the flush is held up");
    assert!(Future::poll(std::pin::Pin::new(&mut outcome), &mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    drop(held);
    was_dropped.recv().unwrap();
}

fn store() -> (Arc<Engine>, Arc<Disk>) {
    let disk = Arc::new(Disk::default());
    let storage = Storage { memory: InMemoryBackend::new(), disk: Arc::clone(&disk) };
    let database = Database::builder().create_with_backend(storage).unwrap();
    format::establish(&database, "memory").unwrap();
    (Arc::new(Engine::new(database)), disk)
}

fn batch(number: u32, bytes: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put(number.to_be_bytes(), vec![0; bytes - 4]);
    batch
}

fn count(engine: &Engine) -> u64 {
    engine.snapshot().unwrap().len().unwrap()
}

#[derive(Debug, Default)]
struct Disk {
    gate: Mutex<()>,
    flushes: AtomicUsize,
    broken: AtomicBool,
}

#[derive(Debug)]
struct Storage {
    memory: InMemoryBackend,
    disk: Arc<Disk>,
}

impl StorageBackend for Storage {
    fn len(&self) -> std::io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.memory.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        drop(self.disk.gate.lock().unwrap_or_else(PoisonError::into_inner));
        self.disk.flushes.fetch_add(1, Ordering::Relaxed);
        if self.disk.broken.load(Ordering::Relaxed) { Err(std::io::Error::other("the disk is gone")) } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.memory.write(offset, data)
    }
}
