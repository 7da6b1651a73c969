//! Ranges of keys in the one form that the statements take.

use std::ops::Bound::{Excluded, Included, Unbounded};

use hhs_store::backend::{MAX_KEY_BYTES, Order};

use super::Keys;

/// Every kind of bounds selects the same keys in both forms, at the edges too: just before, at and just behind a bound,
/// the empty key and the longest one.
#[test]
fn every_range_selects_the_same_keys_in_the_form_of_the_statements() {
    let keys = [&b""[..], b"\0", b"a", b"a\0", b"a\0\0", b"a\x01", b"b", b"\xff", b"\xff\xff", &[0xff; MAX_KEY_BYTES]];
    let bounds = || keys.iter().flat_map(|key| [Included(key.to_vec()), Excluded(key.to_vec())]).chain([Unbounded]);
    for range in bounds().flat_map(|start| bounds().map(move |end| (start.clone(), end))) {
        let plain = Keys::of(&range);
        for key in keys {
            let selected = plain.first.as_slice() <= key && key < plain.end.as_slice();
            let expected = std::ops::RangeBounds::contains(&range, &key.to_vec());
            assert_eq!(selected, expected, "{key:?} in {range:?}");
        }
    }
}

/// A page has ended with a key: the next one begins right behind it, in either direction.
#[test]
fn the_rest_of_a_range_has_neither_the_last_key_nor_a_gap() {
    let mut upwards = Keys::of(&(Unbounded, Unbounded));
    upwards.leave_out(b"k", Order::Ascending);
    assert_eq!(upwards, Keys { first: b"k\0".to_vec(), end: vec![0xff; MAX_KEY_BYTES + 1] });
    let mut downwards = Keys::of(&(Unbounded, Unbounded));
    downwards.leave_out(b"k", Order::Descending);
    assert_eq!(downwards, Keys { first: Vec::new(), end: b"k".to_vec() });
}
