//! Checks of what happens at once: many writers, and readers among them.
//!
//! All tasks of a check run in the caller's; those whose backend answers at once yield after each step, so that they mix.

use std::cell::Cell;
use std::pin::Pin;

use futures::future::{join, join_all};

use super::Open;
use super::fixture::{EVERYTHING, NO_LIMIT, after, commit, everything, get, get_many, put, scan, yield_now};
use crate::backend::{Backend, Batch, Entry, Limit, Order};

/// Sixty-four tasks commit at the same time, ten batches each, one after the other: every batch lands, and each task sees
/// its own as soon as it is acknowledged.
pub async fn commits_of_many_tasks_all_land(open: &impl Open) {
    let store = &open.open("many_tasks").await;
    join_all((0..64_u8).map(|task| async move {
        for number in 0..10_u8 {
            let mut batch = Batch::new();
            batch.put([task, number], [number]).put([task], [number]);
            commit(store, batch).await;
            assert_eq!(get(store, [task]).await, Some(vec![number]), "task {task} sees its commit {number}");
        }
    }))
    .await;
    assert_eq!(everything(store).await.len(), 64 * 11);
}

/// A task starts many commits to one key without waiting for any, then waits for all: the last one it started counts, and
/// each saw the keys of those before it kept.
pub async fn batches_commit_in_the_order_of_the_calls(open: &impl Open) {
    let store = &open.open("order_of_commits").await;
    let mut commits: Vec<Pin<Box<_>>> = Vec::new();
    for number in 0..200_u8 {
        let mut batch = Batch::new();
        batch.put("last", [number]).put([number], [number]).delete([number.wrapping_sub(1)]);
        commits.push(Box::pin(store.commit(batch)));
    }
    // The first poll is the call; nothing here waits for it to end.
    let mut waiting = Vec::new();
    for mut commit in commits {
        match futures::poll!(commit.as_mut()) {
            std::task::Poll::Ready(outcome) => outcome.expect("the backend commits"),
            std::task::Poll::Pending => waiting.push(commit),
        }
    }
    join_all(waiting).await.into_iter().for_each(|outcome| outcome.expect("the backend commits"));
    let expected = [(vec![199], vec![199]), (b"last".to_vec(), vec![199])];
    let mut found = everything(store).await;
    found.sort_by_key(|(key, _)| key.len());
    assert_eq!(found, expected, "each deleted the key of the one before it");
}

/// One writer rewrites two hundred keys with the same number again and again while a reader looks: whichever way it
/// reads, all keys have one number, and the numbers never go back.
pub async fn no_read_sees_half_a_batch(open: &impl Open) {
    let store = &open.open("half_a_batch").await;
    commit(store, generation(0, 200)).await;
    let done = Cell::new(false);
    let write = async {
        for number in 1..=100 {
            commit(store, generation(number, 200)).await;
            yield_now().await;
        }
        done.set(true);
    };
    let read = async {
        let mut newest = 0;
        while !done.get() {
            let page = everything(store).await;
            newest = one_generation(page.iter().map(|(_, value)| value), newest);
            let keys: Vec<_> = [199, 0, 100].into_iter().map(key).collect();
            let values = get_many(store, &keys).await;
            newest = one_generation(values.iter().flatten(), newest);
            yield_now().await;
        }
    };
    join(write, read).await;
}

/// A reader pages through a store, in both directions, while a writer changes every entry, adds some between and takes
/// them away again: each page is of one moment, later pages are not older, and what was there all the time is met
/// exactly once.
pub async fn pages_stay_correct_while_others_write(open: &impl Open) {
    let store = &open.open("pages_among_writes").await;
    commit(store, generation(0, 200)).await;
    let done = Cell::new(false);
    let write = async {
        for number in 1..=100 {
            let mut batch = generation(number, 200);
            let passing = [key(number as u8).as_slice(), b"between"].concat();
            if number % 2 == 0 {
                batch.delete(passing)
            } else {
                batch.put(passing, number.to_be_bytes())
            };
            commit(store, batch).await;
            yield_now().await;
        }
        done.set(true);
    };
    let read = async {
        while !done.get() {
            for order in [Order::Ascending, Order::Descending] {
                read_in_pages(store, order).await;
            }
        }
    };
    join(write, read).await;
    put(store, "end", "").await;
}

async fn read_in_pages(store: &impl Backend, order: Order) {
    let mut range = EVERYTHING;
    let mut newest = 0;
    let mut met: Vec<Entry> = Vec::new();
    loop {
        let page = scan(store, range.clone(), order, Limit { entries: 17, ..NO_LIMIT }).await;
        let Some((last, _)) = page.last().cloned() else { break };
        let stable: Vec<_> = page.into_iter().filter(|(key, _)| key.len() == 1).collect();
        newest = one_generation(stable.iter().map(|(_, value)| value), newest);
        met.extend(stable);
        range = after(range, order, last);
        yield_now().await;
    }
    let mut met: Vec<_> = met.into_iter().map(|(key, _)| key).collect();
    if order == Order::Descending {
        met.reverse();
    }
    assert_eq!(met, (0..200).map(key).collect::<Vec<_>>(), "every lasting key is met once, {order:?}");
}

/// Sets every one of the first `keys` keys to `number`.
fn generation(number: u32, keys: u8) -> Batch {
    let mut batch = Batch::new();
    for position in 0..keys {
        batch.put(key(position), number.to_be_bytes());
    }
    batch
}

fn key(position: u8) -> Vec<u8> {
    vec![position]
}

/// The one number that all `values` have, which is `newest` or newer; `newest` if there are none.
fn one_generation<'a>(values: impl Iterator<Item = &'a Vec<u8>>, newest: u32) -> u32 {
    let mut found = None;
    for value in values {
        let number = u32::from_be_bytes(value.as_slice().try_into().expect("the check wrote values of four bytes"));
        assert_eq!(*found.get_or_insert(number), number, "a read met two generations: half a batch");
    }
    let number = found.unwrap_or(newest);
    assert!(number >= newest, "a read met generation {number} after {newest}");
    number
}
