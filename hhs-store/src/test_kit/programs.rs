//! Random programs: whatever is done to a backend, it answers as the one in memory does.

use std::ops::Bound;

use super::Open;
use super::fixture::{Dice, commit, everything, get, get_many, scan};
use crate::backend::{Backend, Batch, Entry, KeyRange, Limit, MemoryBackend, Order};

/// How many random programs [`conformance`](super::conformance) runs: the seeds 0 to this.
pub const SEEDS: u64 = 16;

/// A program of a hundred random steps (commits, reads of every kind, reopenings) over few keys, so that they meet often,
/// runs on the backend and in memory: every answer is the same. `seed` decides all of it; a failure names the seed.
pub async fn a_random_program_ends_as_in_memory(open: &impl Open, seed: u64) {
    let name = format!("random_program_{seed}");
    let dice = &mut Dice::new(seed);
    let reference = MemoryBackend::new();
    let mut store = open.open(&name).await;
    for step in 0..100 {
        if dice.below(25) == 0 {
            drop(store);
            store = open.open(&name).await;
        }
        let action = Action::random(dice);
        let (answer, expected) = (action.run(&store).await, action.run(&reference).await);
        assert!(
            answer == expected,
            "step {step} of the program with seed {seed}: {action:?}\nanswered {answer:?}\nin memory {expected:?}\n\
             repeat it with test_kit::programs::a_random_program_ends_as_in_memory(&open, {seed})"
        );
    }
    assert!(everything(&store).await == everything(&reference).await, "the program with seed {seed} ends differently");
}

#[derive(Debug)]
enum Action {
    Commit(Batch),
    Get(Vec<u8>),
    GetMany(Vec<Vec<u8>>),
    Scan(KeyRange, Order, Limit),
    Stats,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Value(Option<Vec<u8>>),
    Values(Vec<Option<Vec<u8>>>),
    Entries(Vec<Entry>),
    Counts(u64, u64),
}

impl Action {
    fn random(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..5 => Self::Commit(batch(dice)),
            5 => Self::Get(key(dice)),
            6 => Self::GetMany((0..dice.below(8)).map(|_| key(dice)).collect()),
            7..9 => {
                let order = if dice.below(2) == 0 { Order::Ascending } else { Order::Descending };
                let limit = Limit { entries: dice.below(40), bytes: dice.below(5000) };
                Self::Scan((bound(dice), bound(dice)), order, limit)
            }
            _ => Self::Stats,
        }
    }

    async fn run(&self, store: &impl Backend) -> Answer {
        match self {
            Self::Commit(batch) => {
                commit(store, batch.clone()).await;
                Answer::Done
            }
            Self::Get(key) => Answer::Value(get(store, key).await),
            Self::GetMany(keys) => Answer::Values(get_many(store, keys).await),
            Self::Scan(range, order, limit) => Answer::Entries(scan(store, range.clone(), *order, *limit).await),
            Self::Stats => {
                let stats = store.stats().await.expect("the backend counts");
                Answer::Counts(stats.entries, stats.stored_bytes)
            }
        }
    }
}

fn batch(dice: &mut Dice) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..dice.below(12) {
        let key = key(dice);
        if dice.below(3) == 0 {
            batch.delete(key)
        } else {
            batch.put(key, value(dice))
        };
    }
    batch
}

/// Up to three bytes of a small alphabet, and now and then the same with a long tail.
fn key(dice: &mut Dice) -> Vec<u8> {
    let mut key: Vec<u8> = (0..dice.below(4)).map(|_| [0, 1, b'a', 0xff][dice.below(4)]).collect();
    if dice.below(8) == 0 {
        key.extend([0x80; 900]);
    }
    key
}

/// Mostly short, sometimes over a page.
fn value(dice: &mut Dice) -> Vec<u8> {
    let length = if dice.below(10) == 0 { dice.below(20_000) } else { dice.below(60) };
    dice.bytes(length)
}

fn bound(dice: &mut Dice) -> Bound<Vec<u8>> {
    match dice.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Included(key(dice)),
        _ => Bound::Excluded(key(dice)),
    }
}
