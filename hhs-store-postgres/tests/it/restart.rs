//! The server goes down while it is written to, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures::future::join_all;
use hhs_store::backend::{Backend, Batch};
use hhs_store_postgres::PostgresBackend;

use crate::server::Server;

/// Four tasks write numbered batches, each guarded on the one before it, while the server crashes or is stopped six times
/// and starts again: all commits succeed in the end, once each, and right after each start everything that was acknowledged
/// before is there, whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_down_in_the_middle_of_writing_loses_nothing() {
    // This one flushes, as servers do: that is what is tested.
    let server = Arc::new(Server::start(&[]));
    let store = server.open("restart").await;
    let acknowledged: Arc<[AtomicU32; TASKS]> = Arc::default();
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(write(store.clone(), task, Arc::clone(&acknowledged), Arc::clone(&done))))
        .collect();
    for round in 0..6 {
        let before = count(&acknowledged);
        // Until it has written some more, so that it goes down in the middle.
        while count(&acknowledged) < before + 20 {
            tokio::task::yield_now().await;
        }
        let restarted = Arc::clone(&server);
        let restart = move || {
            if round % 3 == 2 {
                restarted.stop()
            } else {
                restarted.crash()
            }
            restarted.up();
        };
        let known: Vec<_> = acknowledged.iter().map(|count| count.load(Ordering::Acquire)).collect();
        tokio::task::spawn_blocking(restart).await.unwrap();
        let fresh = server.open("restart").await;
        for (task, known) in known.into_iter().enumerate() {
            let found = committed(&fresh, task).await;
            assert!(found >= known, "round {round}, task {task}: {known} were acknowledged, {found} are there");
        }
    }
    done.store(true, Ordering::Release);
    for (task, ended) in join_all(writers).await.into_iter().enumerate() {
        assert_eq!(committed(&store, task).await, ended.unwrap(), "task {task}");
    }
}

/// Commits batches until it is told to stop; how many.
async fn write(store: PostgresBackend, task: usize, counts: Arc<[AtomicU32; TASKS]>, done: Arc<AtomicBool>) -> u32 {
    let mut number = 0;
    while !done.load(Ordering::Acquire) {
        let mut batch = Batch::new();
        let before = (number > 0).then(|| u32::to_be_bytes(number).to_vec());
        number += 1;
        batch.guard(counter(task), before).put(counter(task), number.to_be_bytes());
        for part in 0..PARTS {
            batch.put([b"part".as_slice(), &[task as u8, part]].concat(), number.to_be_bytes());
        }
        store.commit(batch).await.unwrap();
        counts[task].store(number, Ordering::Release);
    }
    number
}

/// How many batches of a task there are; the last one must be whole.
async fn committed(store: &PostgresBackend, task: usize) -> u32 {
    let mut keys = vec![counter(task)];
    keys.extend((0..PARTS).map(|part| [b"part".as_slice(), &[task as u8, part]].concat()));
    let found = store.get_many(&keys).await.unwrap();
    assert!(found.iter().all(|value| *value == found[0]), "task {task}: {found:?}");
    found[0].as_ref().map_or(0, |count| u32::from_be_bytes(count.as_slice().try_into().unwrap()))
}

fn counter(task: usize) -> Vec<u8> {
    vec![b'c', task as u8]
}

fn count(counts: &[AtomicU32; TASKS]) -> u32 {
    counts.iter().map(|count| count.load(Ordering::Acquire)).sum()
}

const TASKS: usize = 4;
const PARTS: u8 = 8;
