//! Several hosts on one database.

use futures::future::{join, join_all};
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_postgres::{Options, PostgresBackend};

use crate::server::{SHARED, named};

/// Two hosts read a counter and both write the next number on what they have read: one of them is written, the other is told
/// of the conflict, round after round.
#[tokio::test]
async fn of_two_batches_made_from_the_same_state_one_is_written() {
    let (one, two) = join(SHARED.open("race"), SHARED.open("race")).await;
    let mut expected = None;
    for round in 0..100_u32 {
        let outcomes = join(one.commit(next(expected, round)), two.commit(next(expected, round))).await;
        match outcomes {
            (Ok(()), Err(BackendError::Conflict)) | (Err(BackendError::Conflict), Ok(())) => {}
            other => panic!("round {round}: {other:?}"),
        }
        expected = Some(round);
    }
}

/// Two hosts with four tasks each count up the same counter, and repeat what was in conflict: no step is lost.
#[tokio::test(flavor = "multi_thread")]
async fn counters_of_several_hosts_lose_nothing() {
    let (one, two) = join(SHARED.open("counter"), SHARED.open("counter")).await;
    let tasks = (0..8).map(|task| {
        let store = if task % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move {
            for _ in 0..25 {
                count_up(&store).await;
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
    assert_eq!(count(&one).await, Some(199));
    assert_eq!(count(&two).await, Some(199));
}

/// Two hosts write batches of the same keys in opposite orders at the same time, without guards: nobody gets stuck, every
/// batch is whole, and what one has committed the other reads.
#[tokio::test(flavor = "multi_thread")]
async fn unguarded_batches_of_several_hosts_are_whole() {
    let (one, two) = join(SHARED.open("crossing"), SHARED.open("crossing")).await;
    let write = |store: PostgresBackend, host: u8| {
        tokio::spawn(async move {
            for round in 0..50_u8 {
                let mut batch = Batch::new();
                for key in 0..100_u8 {
                    let key = if host == 0 { key } else { 99 - key };
                    batch.put([key], [host, round]);
                }
                store.commit(batch).await.unwrap();
            }
        })
    };
    let (first, second) = join(write(one.clone(), 0), write(two.clone(), 1)).await;
    first.and(second).unwrap();
    let keys: Vec<_> = (0..100).map(|key| vec![key]).collect();
    let (one, two) = (one.get_many(&keys).await.unwrap(), two.get_many(&keys).await.unwrap());
    assert_eq!(one, two);
    assert!(one.iter().all(|value| *value == one[0]), "the last batch is whole");
}

/// Several hosts open a store that is not there yet at the same time: one of them creates it, all use it.
#[tokio::test]
async fn hosts_may_create_a_store_together() {
    let stores = join_all((0..8).map(|_| SHARED.open("together"))).await;
    for (number, store) in stores.iter().enumerate() {
        let mut batch = Batch::new();
        batch.put([number as u8], "host");
        store.commit(batch).await.unwrap();
    }
    assert_eq!(stores[0].stats().await.unwrap().entries, 8);
}

/// Two stores in one schema have nothing in common.
#[tokio::test]
async fn stores_of_one_schema_are_apart() {
    let open = async |store: &str| {
        let options = Options { store: store.to_owned(), ..named("apart \"and\" quoted") };
        PostgresBackend::open(&SHARED.address(), &options).await.unwrap()
    };
    let (left, right) = (open("left's \\ one").await, open("Right").await);
    count_up(&left).await;
    assert_eq!((count(&left).await, count(&right).await), (Some(0), None));
}

async fn count_up(store: &PostgresBackend) {
    loop {
        let now = count(store).await;
        match store.commit(next(now, now.map_or(0, |now| now + 1))).await {
            Ok(()) => return,
            Err(BackendError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn count(store: &PostgresBackend) -> Option<u32> {
    let count = store.get(b"count").await.unwrap();
    count.map(|count| u32::from_be_bytes(count.try_into().unwrap()))
}

fn next(expected: Option<u32>, count: u32) -> Batch {
    let mut batch = Batch::new();
    let expected = expected.map(|expected| expected.to_be_bytes().to_vec());
    batch.guard("count", expected).put("count", count.to_be_bytes());
    batch
}
