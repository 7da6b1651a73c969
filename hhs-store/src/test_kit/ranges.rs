//! Checks of range scans: order, bounds, limits and pages.

use std::ops::{Bound, RangeBounds};

use super::Open;
use super::fixture::{Dice, EVERYTHING, NO_LIMIT, after, commit, everything, scan};
use crate::backend::{Backend, Batch, Entry, KeyRange, Limit, Order, prefix_range};

/// Keys are put in a shuffled order, short ones that begin longer ones, zero bytes and high bytes among them: they come
/// back in bytewise order, upwards and downwards.
pub async fn keys_are_ordered_bytewise_in_both_directions(open: &impl Open) {
    let store = &open.open("order").await;
    let keys: [&[u8]; 12] =
        [b"", b"\0", b"\0\0", b"\0\x01", b"\x01", b"A", b"a", b"a\0", b"aa", b"\x7f", b"\x80", b"\xff\xff"];
    for position in [7, 0, 11, 3, 9, 1, 5, 10, 2, 8, 6, 4] {
        let mut batch = Batch::new();
        batch.put(keys[position], [position as u8]);
        commit(store, batch).await;
    }
    let mut expected: Vec<Entry> = (0..).zip(keys).map(|(position, key)| (key.to_vec(), vec![position])).collect();
    assert_eq!(everything(store).await, expected);
    expected.reverse();
    assert_eq!(scan(store, EVERYTHING, Order::Descending, NO_LIMIT).await, expected);
}

/// A reader asks for every range that can be said with a few keys, open, closed and half-open, turned over and empty
/// ones too: it gets what a filter over all entries gives.
pub async fn every_kind_of_bounds_selects_what_lies_between(open: &impl Open) {
    let store = &open.open("bounds_of_ranges").await;
    let keys: [&[u8]; 7] = [b"", b"\0", b"b", b"b\0", b"bb", b"d", b"\xff"];
    let mut batch = Batch::new();
    for key in keys {
        batch.put(key, [key, b" value"].concat());
    }
    commit(store, batch).await;

    // Keys that are there, and one before, between and behind them.
    let ends: [&[u8]; 10] = [b"", b"\0", b"a", b"b", b"b\0", b"b\0\0", b"c", b"d", b"\xff", b"\xff\xff"];
    let bounds = |end: &[u8]| [Bound::Included(end.to_vec()), Bound::Excluded(end.to_vec())];
    let mut bounds: Vec<Bound<Vec<u8>>> = ends.into_iter().flat_map(bounds).collect();
    bounds.push(Bound::Unbounded);
    let all = everything(store).await;
    for start in &bounds {
        for end in &bounds {
            expect_filtered(store, &all, (start.clone(), end.clone())).await;
        }
    }
}

/// Indexes are read by prefix: the range of a prefix holds what begins with it, even where the prefix ends in the highest
/// byte or is nothing else.
pub async fn a_prefix_range_holds_its_prefix_and_nothing_else(open: &impl Open) {
    let store = &open.open("prefixes").await;
    let keys: [&[u8]; 10] =
        [b"", b"a", b"a\xfe", b"a\xff", b"a\xff\0", b"a\xff\xff", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"];
    let mut batch = Batch::new();
    for key in keys {
        batch.put(key, "");
    }
    commit(store, batch).await;
    for prefix in keys {
        let found = scan(store, prefix_range(prefix), Order::Ascending, NO_LIMIT).await;
        let expected = keys.into_iter().filter(|key| key.starts_with(prefix));
        assert_eq!(found, expected.map(|key| (key.to_vec(), Vec::new())).collect::<Vec<_>>(), "prefix {prefix:?}");
    }
}

/// A reader wants the first few entries of a range, from either end, or more than there are.
pub async fn a_limit_of_entries_cuts_a_page(open: &impl Open) {
    let store = &numbered(open, "limit_of_entries", 100).await;
    for entries in [0, 1, 2, 99, 100, 101] {
        let limit = Limit { entries, bytes: usize::MAX };
        let up = scan(store, EVERYTHING, Order::Ascending, limit).await;
        assert_eq!(numbers(&up), (0..100).take(entries).collect::<Vec<_>>());
        let down = scan(store, EVERYTHING, Order::Descending, limit).await;
        assert_eq!(numbers(&down), (0..100).rev().take(entries).collect::<Vec<_>>());
    }
}

/// A reader bounds the memory of a page: entries of 100 bytes come until those so far have the bytes asked for, and at
/// least one comes, so that paging always gets on.
pub async fn a_limit_of_bytes_cuts_a_page_but_never_to_nothing(open: &impl Open) {
    let store = &numbered(open, "limit_of_bytes", 10).await;
    for (bytes, entries) in [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (250, 3), (999, 10), (1001, 10)] {
        for order in [Order::Ascending, Order::Descending] {
            let page = scan(store, EVERYTHING, order, Limit { entries: usize::MAX, bytes }).await;
            assert_eq!(page.len(), entries, "{bytes} bytes, {order:?}");
        }
    }
    let neither = scan(store, EVERYTHING, Order::Ascending, Limit { entries: 0, bytes: 1000 }).await;
    assert_eq!(neither, [], "no entries were asked for");
}

/// A reader goes through a range page by page, with pages of many sizes, in both directions: it meets every entry once.
pub async fn pages_cover_a_range_once(open: &impl Open) {
    let store = &numbered(open, "pages", 1000).await;
    let mut dice = Dice::new(11);
    for order in [Order::Ascending, Order::Descending] {
        let mut range = EVERYTHING;
        let mut met = Vec::new();
        loop {
            let limit = Limit { entries: 1 + dice.below(50), bytes: 1 + dice.below(4000) };
            let page = scan(store, range.clone(), order, limit).await;
            let Some((last, _)) = page.last().cloned() else { break };
            met.extend(numbers(&page));
            range = after(range, order, last);
        }
        if order == Order::Descending {
            met.reverse();
        }
        assert_eq!(met, (0..1000).collect::<Vec<_>>(), "{order:?}");
    }
}

/// A store with the keys 0 to `count`, 100 bytes to an entry.
async fn numbered<O: Open>(open: &O, name: &str, count: u32) -> O::Backend {
    let store = open.open(name).await;
    let mut batch = Batch::new();
    for number in 0..count {
        batch.put(number.to_be_bytes(), [7; 96]);
    }
    commit(&store, batch).await;
    store
}

fn numbers(entries: &[Entry]) -> Vec<u32> {
    let number = |key: &[u8]| u32::from_be_bytes(key.try_into().expect("the check wrote keys of four bytes"));
    entries.iter().map(|(key, _)| number(key)).collect()
}

async fn expect_filtered(store: &impl Backend, all: &[Entry], range: KeyRange) {
    let mut expected: Vec<_> = all.iter().filter(|(key, _)| range.contains(key)).cloned().collect();
    assert_eq!(scan(store, range.clone(), Order::Ascending, NO_LIMIT).await, expected, "{range:?} upwards");
    expected.reverse();
    assert_eq!(scan(store, range.clone(), Order::Descending, NO_LIMIT).await, expected, "{range:?} downwards");
}
