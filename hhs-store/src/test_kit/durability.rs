//! Checks of what is left when a store is closed and opened again.

use super::Open;
use super::fixture::{commit, everything, put};
use crate::backend::{Backend, Batch};

/// A store is filled, closed, opened, changed, closed and opened again: each time it holds exactly what was committed,
/// small and large, and what was deleted stays away.
pub async fn a_reopened_store_holds_what_was_committed(open: &impl Open) {
    let name = "reopened";
    let store = open.open(name).await;
    let mut batch = Batch::new();
    batch.put("deleted later", "1").put("empty", "").put("large", vec![9; 3 << 20]);
    for number in 0..1000_u32 {
        batch.put(number.to_be_bytes(), vec![number as u8; 50]);
    }
    commit(&store, batch).await;
    let filled = everything(&store).await;
    drop(store);

    let store = open.open(name).await;
    assert!(everything(&store).await == filled, "what was committed is there after the first reopening");
    let mut change = Batch::new();
    change.delete("deleted later").put("empty", "no more");
    commit(&store, change).await;
    let changed = everything(&store).await;
    drop(store);

    let store = open.open(name).await;
    assert!(everything(&store).await == changed, "the change is there after the second");
    assert_eq!(changed.len(), filled.len() - 1);
    drop(store);
    let store = open.open(name).await;
    assert!(everything(&store).await == changed, "opening alone changes nothing");
}

/// A task is cancelled in the middle of its commits: each is there whole or not at all, those of others are not touched,
/// and so it stays after the store was opened again.
pub async fn a_dropped_commit_is_whole_or_absent(open: &impl Open) {
    let name = "dropped_commits";
    let store = open.open(name).await;
    for number in 0..50_u8 {
        let mut batch = Batch::new();
        batch.put([b'a', number], [number]).put([b'z', number], [number]);
        let mut commit = store.commit(batch);
        let _ = futures::poll!(commit.as_mut());
        drop(commit);
        put(&store, [b'm', number], [number]).await;
        expect_whole(&store, number).await;
    }
    let before = everything(&store).await;
    drop(store);
    let store = open.open(name).await;
    assert_eq!(everything(&store).await, before);
}

async fn expect_whole(store: &impl Backend, newest: u8) {
    let entries = everything(store).await;
    let having = |kind: u8| {
        let of_kind = entries.iter().filter(move |(key, _)| key[0] == kind);
        of_kind.map(|(key, _)| key[1]).collect::<Vec<_>>()
    };
    assert_eq!(having(b'a'), having(b'z'), "a dropped commit is whole or absent");
    assert_eq!(having(b'm'), (0..=newest).collect::<Vec<_>>(), "the commits that were awaited are there");
}
