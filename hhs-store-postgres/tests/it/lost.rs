//! Connections that end at the worst moment: every commit is decided, and none happens twice.
//!
//! The batches here are guarded on a key that they create, so that one that were applied twice would be a conflict.

use std::time::Duration;

use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_postgres::{Options, PostgresBackend};
use tokio::sync::oneshot;
use tokio_postgres::NoTls;

use crate::proxy::{Loss, Proxy};
use crate::server::{SHARED, named};

/// The connection ends before `COMMIT` reaches the server: the batch is written on another connection.
#[tokio::test]
async fn a_commit_that_did_not_arrive_is_made_again() {
    let (proxy, store) = open("request_lost", PATIENT).await;
    proxy.lose(Loss::Request);
    store.commit(once("key")).await.unwrap();
    assert!(proxy.has_lost());
    assert_eq!(store.get(b"key").await.unwrap().as_deref(), Some(b"once".as_slice()));
}

/// The server commits and its answer is lost: the batch is found to be there, and is not written again.
#[tokio::test]
async fn a_commit_whose_answer_was_lost_counts_once() {
    let (proxy, store) = open("answer_lost", PATIENT).await;
    store.commit(once("before")).await.unwrap();
    for key in ["first", "second"] {
        proxy.lose(Loss::Answer);
        store.commit(once(key)).await.unwrap();
        assert!(proxy.has_lost());
    }
    store.commit(once("behind")).await.unwrap();
}

/// The host has lost its connection while its `COMMIT` is still on the way, and looks whether it is there: it waits for the
/// server to get it, rather than write the batch a second time.
#[tokio::test]
async fn a_commit_that_arrives_late_counts_once() {
    let (proxy, store) = open("late", PATIENT).await;
    let (deliver, signal) = oneshot::channel();
    proxy.lose(Loss::Late(signal));
    let commit = tokio::spawn({
        let store = store.clone();
        async move { store.commit(once("key")).await }
    });
    wait_until_somebody_waits_for("late").await;
    deliver.send(()).unwrap();
    commit.await.unwrap().unwrap();
    assert_eq!(store.get(b"key").await.unwrap().as_deref(), Some(b"once".as_slice()));
}

/// A host vanishes without a word in the middle of its transaction, as one that lost its network does: the server ends the
/// transaction, and other hosts write on. The batch of the silent one fails, is nowhere, and can be written later.
#[tokio::test]
async fn a_host_that_falls_silent_does_not_stop_the_others() {
    let (proxy, silent) = open("silent", Duration::from_millis(500)).await;
    let other = SHARED.open("silent").await;
    proxy.lose(Loss::Silence);
    let commit = tokio::spawn({
        let silent = silent.clone();
        async move { silent.commit(once("silent")).await }
    });
    wait_until(|| proxy.has_lost()).await;
    other.commit(once("other")).await.unwrap();
    let failure = commit.await.unwrap().unwrap_err();
    assert!(failure.to_string().contains("no answer"), "{failure}");
    assert_eq!(other.get(b"silent").await.unwrap(), None);
    silent.commit(once("silent")).await.unwrap();
}

/// The server stays away until patience is at its end, and the batch never got there: its commit fails with what to do, so
/// do reads meanwhile; when the server is back, the batch is not there and everything goes on.
#[tokio::test]
async fn a_commit_that_never_arrived_is_an_error_and_nothing_else() {
    let (proxy, store) = open("gone", IMPATIENT).await;
    store.commit(once("before")).await.unwrap();
    proxy.lose_and_stay_down(Loss::Request);
    let failure = store.commit(once("key")).await.unwrap_err();
    assert!(matches!(failure, BackendError::Io { .. }), "got {failure:?}");
    assert!(failure.to_string().contains("check that the server runs"), "{failure}");
    let failure = store.get(b"before").await.unwrap_err();
    assert!(matches!(failure, BackendError::Io { .. }), "got {failure:?}");

    proxy.come_back();
    assert_eq!(store.get(b"key").await.unwrap(), None);
    store.commit(once("key")).await.unwrap();
    assert!(store.get(b"before").await.unwrap().is_some());
}

/// The same, but the batch had got there, and its task was told that it failed: the open store refuses to go on, rather than
/// to show what has failed; opened again, it has it.
#[tokio::test]
async fn a_failed_commit_that_is_there_after_all_shows_only_in_a_new_store() {
    let (proxy, store) = open("overtaken", IMPATIENT).await;
    proxy.lose_and_stay_down(Loss::Answer);
    let failure = store.commit(once("key")).await.unwrap_err();
    assert!(matches!(failure, BackendError::Io { .. }), "got {failure:?}");
    proxy.come_back();
    for failure in [store.get(b"key").await.unwrap_err(), store.commit(once("other")).await.unwrap_err()] {
        assert!(failure.to_string().contains("open the store again"), "{failure}");
    }
    drop(store);
    let store = SHARED.open("overtaken").await;
    assert!(store.get(b"key").await.unwrap().is_some());
    assert!(store.get(b"other").await.unwrap().is_none());
}

/// An administrator ends every connection of a busy store, again and again: no read and no commit fails.
#[tokio::test]
async fn sessions_that_are_ended_are_made_anew() {
    let store = SHARED.open("ended").await;
    let (done, is_done) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::Ordering::Relaxed);
    let write = async {
        for number in 0..200_u32 {
            let mut batch = Batch::new();
            let before = number.checked_sub(1).map(|before| before.to_be_bytes().to_vec());
            batch.guard("count", before).put("count", number.to_be_bytes());
            store.commit(batch).await.unwrap();
        }
        done.store(true, is_done);
    };
    let read = async {
        let mut newest = 0;
        while !done.load(is_done) {
            let Some(count) = store.get(b"count").await.unwrap() else { continue };
            let count = u32::from_be_bytes(count.try_into().unwrap());
            assert!(count >= newest, "{count} after {newest}");
            newest = count;
        }
    };
    let end = async {
        while !done.load(is_done) {
            SHARED.administer(END_SESSIONS).await;
        }
    };
    futures::join!(write, read, end);
}

/// The rows of hosts that were killed do not pile up, and a host whose own row was deleted meanwhile writes all the same.
#[tokio::test]
async fn rows_of_hosts_long_gone_are_deleted() {
    let store = SHARED.open("forgotten").await;
    store.commit(once("first")).await.unwrap();
    SHARED.administer("UPDATE forgotten.hhs_writers SET seen = now() - interval '31 days'").await;
    let other = SHARED.open("forgotten").await;
    other.commit(once("second")).await.unwrap();
    assert_eq!(writers("forgotten").await, 1, "the new host's");
    store.commit(once("third")).await.unwrap();
    assert_eq!(writers("forgotten").await, 2);
    futures::join!(store.close(), other.close());
    assert_eq!(writers("forgotten").await, 0);
}

async fn open(name: &str, patience: Duration) -> (Proxy, PostgresBackend) {
    let proxy = Proxy::start(SHARED.folder());
    let options = Options { patience, ..named(name) };
    let store = PostgresBackend::open(&proxy.address(), &options).await.unwrap();
    (proxy, store)
}

fn once(key: &str) -> Batch {
    let mut batch = Batch::new();
    batch.guard(key, None).put(key, "once");
    batch
}

async fn writers(schema: &str) -> i64 {
    number(&format!("SELECT count(*) FROM {schema}.hhs_writers")).await
}

/// Until a session waits for a lock with a statement about `schema`.
async fn wait_until_somebody_waits_for(schema: &str) {
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%\"{schema}\".\"hhs_writers\"%'"
    );
    while number(&waiting).await == 0 {
        tokio::task::yield_now().await;
    }
}

async fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

async fn number(sql: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(&SHARED.address(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one(sql, &[]).await.unwrap().get(0)
}

const PATIENT: Duration = Duration::from_secs(60);
const IMPATIENT: Duration = Duration::from_millis(300);
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE pid <> pg_backend_pid() AND query LIKE '%\"ended\".%'";
