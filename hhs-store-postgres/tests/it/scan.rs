//! Long scans: of one moment, though they take several statements, and never more than was asked for.

use std::ops::Bound;

use futures::future::join;
use hhs_store::backend::{Backend, Batch, KeyRange, Limit, Order};

use crate::proxy::Proxy;
use crate::server::{SHARED, named};

/// A writer changes ten thousand entries at once, again and again, while a reader reads them all in one scan, which takes
/// several statements: every scan is of one moment.
#[tokio::test]
async fn a_scan_of_several_statements_is_of_one_moment() {
    let store = SHARED.open("moments").await;
    store.commit(generation(0)).await.unwrap();
    let done = std::cell::Cell::new(false);
    let write = async {
        for number in 1..=10 {
            store.commit(generation(number)).await.unwrap();
        }
        done.set(true);
    };
    let read = async {
        let mut newest = 0;
        while !done.get() {
            for order in [Order::Ascending, Order::Descending] {
                let entries = store.scan(EVERYTHING, order, NO_LIMIT).await.unwrap();
                assert_eq!(entries.len(), ENTRIES as usize);
                assert!(entries.is_sorted_by(|(a, _), (b, _)| (a < b) == (order == Order::Ascending)));
                let number = entries[0].1[0];
                assert!(entries.iter().all(|(_, value)| *value == [number]), "two moments in one scan");
                assert!(number >= newest, "{number} after {newest}");
                newest = number;
            }
        }
    };
    join(write, read).await;
}

/// Pages of any size that take one statement or several are the same as those cut from the whole.
#[tokio::test]
async fn limits_hold_across_statements() {
    let store = SHARED.open("limits").await;
    let mut batch = Batch::new();
    for number in 0..6000_u32 {
        batch.put(number.to_be_bytes(), vec![7; number as usize % 50]);
    }
    // Three values that reach the bound of one statement together, in the midst of the small ones.
    for key in [&b"\0\0\x01\0a"[..], b"\0\0\x01\0b", b"\0\0\x01\0c"] {
        batch.put(key, vec![8; 9 << 20]);
    }
    store.commit(batch).await.unwrap();
    let all = store.scan(EVERYTHING, Order::Ascending, NO_LIMIT).await.unwrap();
    assert_eq!(all.len(), 6003);
    for order in [Order::Ascending, Order::Descending] {
        for entries in [1, 4095, 4096, 4097, 6003, usize::MAX] {
            for bytes in [1, 100_000, 130_000, 10 << 20, 20 << 20, usize::MAX] {
                let limit = Limit { entries, bytes };
                let page = store.scan(EVERYTHING, order, limit).await.unwrap();
                let mut size = 0;
                let mut expected: Vec<_> = all.iter().collect();
                if order == Order::Descending {
                    expected.reverse();
                }
                let expected = expected.into_iter().enumerate().map_while(|(at, entry)| {
                    let passes = limit.admits(at, size);
                    size += entry.0.len() + entry.1.len();
                    passes.then_some(entry)
                });
                assert!(page.iter().eq(expected), "{limit:?}, {order:?}");
            }
        }
    }
}

/// Sixty-four megabytes lie in a range, and a page of one is asked for: little more than that comes from the server.
#[tokio::test]
async fn a_page_of_a_large_range_costs_a_page() {
    let proxy = Proxy::start(SHARED.folder());
    let store = hhs_store_postgres::PostgresBackend::open(&proxy.address(), &named("large")).await.unwrap();
    for number in 0..64_u8 {
        let mut batch = Batch::new();
        batch.put([number], vec![number; 1 << 20]);
        store.commit(batch).await.unwrap();
    }
    for entries in [1000, usize::MAX] {
        for order in [Order::Ascending, Order::Descending] {
            let before = proxy.received();
            let page = store.scan(EVERYTHING, order, Limit { entries, bytes: 1 << 20 }).await.unwrap();
            assert_eq!(page.len(), 1);
            let received = proxy.received() - before;
            assert!(received < 2 << 20, "{received} bytes for a page of one megabyte");
        }
    }
}

fn generation(number: u8) -> Batch {
    let mut batch = Batch::new();
    for key in 0..ENTRIES {
        batch.put(key.to_be_bytes(), [number]);
    }
    batch
}

const ENTRIES: u32 = 10_000;
const EVERYTHING: KeyRange = (Bound::Unbounded, Bound::Unbounded);
const NO_LIMIT: Limit = Limit { entries: usize::MAX, bytes: usize::MAX };
