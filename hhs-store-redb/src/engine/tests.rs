//! Snapshots: shared between commits, and never older than the last one that somebody was told of.

use std::sync::Arc;

use futures::executor::block_on;
use hhs_store::backend::{Backend, Batch};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTableMetadata};

use super::Engine;
use crate::{Options, RedbBackend, format, group};

/// Two reads between commits look at the same snapshot, and one that began before a commit goes on in its own.
#[test]
fn reads_share_a_snapshot_until_the_next_commit() {
    let engine = Engine::new(store());
    let first = engine.snapshot().unwrap();
    assert!(Arc::ptr_eq(&first, &engine.snapshot().unwrap()));
    group::apply(engine.database(), [batch(1)].iter(), false).unwrap();
    engine.forget_snapshot();
    assert_eq!(engine.snapshot().unwrap().len().unwrap(), 1);
    assert!(first.is_empty().unwrap(), "a read that goes on sees what it began with");
}

/// A task reads right after each of its commits, while other tasks read all the time and so hold on to snapshots: it
/// always sees what it has written.
#[test]
fn a_read_after_a_commit_sees_it_whoever_else_reads() {
    let store = &RedbBackend::on(store(), Default::default(), &Options::default()).unwrap();
    let done = &std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = block_on(store.get(b"absent")).unwrap();
                }
            });
        }
        for number in 0..300 {
            block_on(store.commit(batch(number))).unwrap();
            assert!(block_on(store.get(&number.to_be_bytes())).unwrap().is_some(), "batch {number} was acknowledged");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// A store that is read after every commit does not grow by it: the pages of old snapshots are used again.
#[test]
fn old_snapshots_do_not_keep_pages() {
    let pages = |read: bool| {
        let engine = Engine::new(store());
        for number in 0..200 {
            group::apply(engine.database(), [batch(number % 20)].iter(), false).unwrap();
            engine.forget_snapshot();
            if read {
                drop(engine.snapshot().unwrap());
            }
        }
        engine.forget_snapshot();
        let transaction = engine.database().begin_write().unwrap();
        transaction.stats().unwrap().allocated_pages()
    };
    assert!(pages(true) <= pages(false) + 20, "{} pages with reads, {} without", pages(true), pages(false));
}

fn store() -> Database {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    format::establish(&database, "memory").unwrap();
    database
}

fn batch(number: u32) -> Batch {
    let mut batch = Batch::new();
    batch.put(number.to_be_bytes(), [7; 500]);
    batch
}
