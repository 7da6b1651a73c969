//! Checks of batches: one commit, all of it, in its own order.

use super::Open;
use super::fixture::{commit, everything, get, put};
use crate::backend::{Backend, BackendError, Batch, MAX_VALUE_BYTES};

/// One batch writes the same keys several times, puts and deletes mixed: what it wrote last to a key is there.
pub async fn the_last_write_to_a_key_counts(open: &impl Open) {
    let store = &open.open("last_write").await;
    put(store, "deleted and put", "old").await;
    put(store, "put and deleted", "old").await;

    let mut batch = Batch::new();
    batch.put("put twice", "1").delete("deleted and put").put("put and deleted", "1").put("new and deleted", "1");
    batch.put("put twice", "2").put("deleted and put", "2").delete("put and deleted").delete("new and deleted");
    commit(store, batch).await;
    let expected = [("deleted and put", "2"), ("put twice", "2")];
    assert_eq!(everything(store).await, expected.map(|(key, value)| (key.into(), value.into())));
}

/// A batch of good writes with a value over the bound in its midst fails, and none of the good ones shows, neither then
/// nor after the next commit.
pub async fn a_batch_with_one_bad_write_leaves_nothing(open: &impl Open) {
    let store = &open.open("bad_write").await;
    put(store, "kept", "1").await;
    let mut batch = Batch::new();
    batch.put("before", "1").delete("kept").put("bad", vec![0; MAX_VALUE_BYTES + 1]).put("behind", "1");
    assert!(store.commit(batch).await.is_err(), "a value over the bound is refused");
    put(store, "next", "1").await;
    assert_eq!(everything(store).await, [("kept", "1"), ("next", "1")].map(|(key, value)| (key.into(), value.into())));
}

/// Two hosts write what they made from the same value: the first batch is written, the other one not at all, and what
/// comes behind it is. A guard can ask for a key not to be there, and sees what the batches before it wrote.
pub async fn a_guarded_batch_is_written_only_on_what_it_was_made_from(open: &impl Open) {
    let store = &open.open("guards").await;
    let guarded = |expected: Option<&str>, key: &str| {
        let mut batch = Batch::new();
        batch.guard("counter", expected.map(Into::into)).put("counter", key).put(key, "written");
        batch
    };
    commit(store, guarded(None, "1")).await;
    let late = store.commit(guarded(None, "late")).await;
    assert!(matches!(late, Err(BackendError::Conflict)), "the key is there by now, and the commit says {late:?}");
    let (second, stale, third) =
        futures::join!(store.commit(guarded(Some("1"), "2")), store.commit(guarded(Some("1"), "stale")), async {
            store.commit(guarded(Some("2"), "3")).await
        });
    assert!(second.is_ok() && third.is_ok(), "guards that hold: {second:?}, {third:?}");
    assert!(matches!(stale, Err(BackendError::Conflict)), "a guard that does not hold: {stale:?}");
    let mut check = Batch::new();
    check.guard("counter", Some("2".into()));
    let check = store.commit(check).await;
    assert!(matches!(check, Err(BackendError::Conflict)), "a guard counts without writes too: {check:?}");
    let expected = [("1", "written"), ("2", "written"), ("3", "written"), ("counter", "3")];
    assert_eq!(everything(store).await, expected.map(|(key, value)| (key.into(), value.into())));
}

/// Somebody commits a batch without writes: that is no error and changes nothing.
pub async fn an_empty_batch_commits(open: &impl Open) {
    let store = &open.open("empty_batch").await;
    put(store, "key", "value").await;
    commit(store, Batch::new()).await;
    assert_eq!(everything(store).await, [(b"key".to_vec(), b"value".to_vec())]);
}

/// A long history arrives at once: ten thousand entries go in with one commit, in descending order, and half of them out
/// with another.
pub async fn a_batch_of_ten_thousand_writes_is_one_commit(open: &impl Open) {
    let store = &open.open("large_batch").await;
    let entry = |number: u32| (number.to_be_bytes().to_vec(), vec![number as u8; number as usize % 300]);
    let mut batch = Batch::new();
    for number in (0..10_000).rev() {
        let (key, value) = entry(number);
        batch.put(key, value);
    }
    commit(store, batch).await;
    assert!(everything(store).await == (0..10_000).map(entry).collect::<Vec<_>>(), "all entries are there");

    let mut batch = Batch::new();
    for number in (0..10_000).step_by(2) {
        batch.delete(entry(number).0);
    }
    commit(store, batch).await;
    let odd = (1..10_000).step_by(2).map(entry);
    assert!(everything(store).await == odd.collect::<Vec<_>>(), "the odd half is left");
}

/// A writer reads after each of its commits and finds just what it wrote, whether it asks for one key or for all.
pub async fn every_commit_is_seen_by_the_next_read(open: &impl Open) {
    let store = &open.open("read_your_writes").await;
    for number in 0..100_u8 {
        let mut batch = Batch::new();
        batch.put("counter", [number]).put([b'e', number], [number]);
        commit(store, batch).await;
        assert_eq!(get(store, "counter").await, Some(vec![number]));
        assert_eq!(get(store, [b'e', number]).await, Some(vec![number]));
        assert_eq!(everything(store).await.len(), usize::from(number) + 2);
    }
}
