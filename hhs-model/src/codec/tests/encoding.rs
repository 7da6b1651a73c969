//! What the encoder refuses to write: nobody makes what others refuse.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPTH, MAX_LINKS};
use crate::codec::{Bytes, EncodeError, Encoder, Unknown, Value, decode, encode};
use crate::id::Cid;
use crate::{Decode, Encode};

#[track_caller]
fn fails(write: impl FnOnce(&mut Encoder) -> &mut Encoder, error: EncodeError) {
    let mut encoder = Encoder::new();
    write(&mut encoder);
    assert!(encoder.has_failed() || error == EncodeError::ItemCount);
    assert_eq!(encoder.finish().unwrap_err(), error);
}

/// A division by zero, or a sum that grew too large, gets into what is saved.
#[test]
fn numbers_without_a_canonical_form() {
    for (float, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (-0.0, "-0")] {
        assert_eq!(encode(&float).unwrap_err(), EncodeError::Float(text.into()));
    }
    for integer in [1 << 64, -(1 << 63) - 1, i128::MAX, i128::MIN] {
        assert_eq!(encode(&Value::Int(integer)).unwrap_err(), EncodeError::Integer(integer));
    }
}

/// A block may be full to the last byte.
#[test]
fn blocks_up_to_the_bound_and_over_it() {
    let full = Bytes(vec![7; MAX_BLOCK_BYTES - 5]);
    let bytes = encode(&full).unwrap();
    assert_eq!(bytes.len(), MAX_BLOCK_BYTES);
    assert_eq!(decode::<Bytes>(&bytes).unwrap(), full);
    let over = encode(&Bytes(vec![7; MAX_BLOCK_BYTES - 4])).unwrap_err();
    assert_eq!(over, EncodeError::TooLarge(MAX_BLOCK_BYTES + 1));
}

/// Many small items exceed the bound as one large one does, and are not kept beyond it.
#[test]
fn small_items_over_the_bound_of_a_block() {
    let mut encoder = Encoder::new();
    encoder.list(usize::MAX);
    for _ in 0..MAX_BLOCK_BYTES + 10_000 {
        encoder.uint(1);
    }
    assert!(encoder.position() <= MAX_BLOCK_BYTES + 8);
    assert_eq!(encoder.finish().unwrap_err(), EncodeError::TooLarge(MAX_BLOCK_BYTES + 1));
}

/// A type that holds itself without end.
struct Endless;

impl Encode for Endless {
    fn encode(&self, encoder: &mut Encoder) {
        [Self].as_slice().encode(encoder);
    }
}

/// Encoding stops where it nests too deep, and does not use up the stack.
#[test]
fn nesting_one_level_too_deep() {
    let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    encode(&nested(MAX_DEPTH)).unwrap();
    assert_eq!(encode(&nested(MAX_DEPTH + 1)).unwrap_err(), EncodeError::TooDeep);
    assert_eq!(encode(&Endless).unwrap_err(), EncodeError::TooDeep);
    let empty = |levels: usize| (0..levels).fold(Value::List(vec![]), |inner, _| Value::List(vec![inner]));
    encode(&empty(MAX_DEPTH - 1)).unwrap();
    assert_eq!(encode(&empty(MAX_DEPTH)).unwrap_err(), EncodeError::TooDeep);
}

/// An app lists 65,537 links in one object.
#[test]
fn more_links_than_an_object_may_have() {
    let links = |count| vec![Cid::of_object(b""); count];
    encode(&links(MAX_LINKS)).unwrap();
    assert_eq!(encode(&links(MAX_LINKS + 1)).unwrap_err(), EncodeError::TooManyLinks);
}

/// Code that writes by hand gets its order and its counts wrong.
#[test]
fn maps_and_lists_that_are_written_wrong() {
    let order = |key: &str| EncodeError::KeyOrder(key.into());
    fails(|e| e.map(2).key("b").uint(1).key("a").uint(1), order("a"));
    fails(|e| e.map(2).key("a").uint(1).key("a").uint(1), order("a"));
    fails(|e| e.map(2).key("aa").uint(1).key("b").uint(1), order("b"));
    fails(|e| e, EncodeError::ItemCount);
    fails(|e| e.uint(1).uint(2), EncodeError::ItemCount);
    fails(|e| e.list(2).uint(1), EncodeError::ItemCount);
    fails(|e| e.list(1).uint(1).uint(2), EncodeError::ItemCount);
    fails(|e| e.list(1).key("a").uint(1), EncodeError::ItemCount);
    fails(|e| e.key("a").uint(1), EncodeError::ItemCount);
    fails(|e| e.map(1), EncodeError::ItemCount);
    fails(|e| e.map(1).key("a"), EncodeError::ItemCount);
    fails(|e| e.map(1).uint(1), EncodeError::ItemCount);
    fails(|e| e.map(2).key("a").key("b").uint(1), EncodeError::ItemCount);
    fails(|e| e.map(1).key("a").uint(1).uint(2), EncodeError::ItemCount);
    fails(|e| e.map(1).key("a").uint(1).key("b").uint(2), EncodeError::ItemCount);
}

/// Only the first mistake is told: the others mostly follow from it.
#[test]
fn the_first_failure_counts() {
    fails(|e| e.list(1).float(f64::NAN).uint(1).uint(2), EncodeError::Float("NaN".into()));
}

/// An option of null would be read as an empty one.
#[test]
fn options_that_hold_null() {
    assert_eq!(encode(&Some(())).unwrap_err(), EncodeError::NullOption);
    assert_eq!(encode(&Some(None::<u8>)).unwrap_err(), EncodeError::NullOption);
    assert_eq!(encode(&vec![Some(Value::Null)]).unwrap_err(), EncodeError::NullOption);
    assert_eq!(encode(&vec![None, Some(Value::Int(1))]).unwrap(), [0x82, 0xf6, 0x01]);
}

/// A tree of sets.
#[derive(Encode, Decode, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Tree(BTreeSet<Tree>);

/// Someone else chose how deep the sets are nested, and they have to be encoded to know their id:
/// that must not cost twice as much with every level.
#[test]
fn sets_in_sets_in_sets() {
    let tree = (1..MAX_DEPTH).fold(Tree(BTreeSet::new()), |tree, _| Tree(BTreeSet::from([tree])));
    let bytes = encode(&tree).unwrap();
    assert_eq!(bytes.len(), MAX_DEPTH);
    assert_eq!(decode::<Tree>(&bytes).unwrap(), tree);
}

/// Items that differ by their order and not by their bytes.
#[derive(Encode)]
struct Same((), #[allow(dead_code, reason = "only its order matters")] Hidden);

struct Hidden(u8);

impl Encode for Hidden {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.null();
    }
}

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        self.1.0 == other.1.0
    }
}

impl Eq for Same {}

impl PartialOrd for Same {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Same {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.0.cmp(&other.1.0)
    }
}

/// Whoever reads the set would refuse it.
#[test]
fn set_items_with_the_same_bytes() {
    let set = BTreeSet::from([Same((), Hidden(1)), Same((), Hidden(2))]);
    assert_eq!(encode(&set).unwrap_err(), EncodeError::DoubledItem);
}

#[derive(Encode, Decode, Debug, PartialEq)]
struct Known {
    name: Option<String>,
    #[hhs(unknown)]
    rest: Unknown,
}

/// Something stands among the unknown fields that the type knows: it would be read as the known one.
#[test]
fn unknown_fields_that_are_known() {
    let rest = Unknown([("name", Value::from("b"))].into());
    let order = EncodeError::KeyOrder("name".into());
    assert_eq!(encode(&Known { name: None, rest: rest.clone() }).unwrap_err(), order);
    assert_eq!(encode(&Known { name: Some("a".into()), rest }).unwrap_err(), order);
}
