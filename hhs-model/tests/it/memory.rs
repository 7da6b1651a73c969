//! What decoding takes: memory that is measured by a counting allocator, and stack.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use hhs_model::bounds::{MAX_DEPTH, MAX_TREES};
use hhs_model::codec::{DecodeError, Decoder, EncodeError, Unknown, decode, encode};
use hhs_model::{BigInt, Bytes, Decode, Encode, Map, Value};
use proptest::prelude::*;

/// The most that decoding may hold at a time, in bytes.
fn allowed(bytes: &[u8]) -> u64 {
    64 * bytes.len() as u64 + (64 << 10)
}

/// Decodes as `T`, whatever comes of it, and returns the most memory that was held at a time. A vector that grows counts
/// twice while it moves.
fn peak<T: Decode>(bytes: &[u8]) -> u64 {
    allocation_counter::measure(|| drop(decode::<T>(bytes))).bytes_max
}

#[track_caller]
fn within<T: Decode>(bytes: &[u8]) {
    let peak = peak::<T>(bytes);
    let name = std::any::type_name::<T>();
    assert!(
        peak <= allowed(bytes),
        "{peak} bytes for {} as {name}: {:02x?}",
        bytes.len(),
        &bytes[..bytes.len().min(40)]
    );
}

/// As everything that any bytes may be tried as.
#[track_caller]
fn within_for_all(bytes: &[u8]) {
    within::<Value>(bytes);
    within::<Vec<Value>>(bytes);
    within::<Map>(bytes);
    within::<Map<Map<u8>>>(bytes);
    within::<Holder>(bytes);
    within::<Vec<Map<String>>>(bytes);
    within::<Vec<String>>(bytes);
    within::<Vec<Bytes>>(bytes);
    within::<Vec<u64>>(bytes);
    within::<Vec<Vec<Vec<u8>>>>(bytes);
    within::<Vec<Option<Value>>>(bytes);
    within::<Vec<(Value, Value)>>(bytes);
    within::<Vec<(Value, Value, Value)>>(bytes);
    within::<Vec<(Value, Value, Value, Value)>>(bytes);
    within::<Vec<BigInt>>(bytes);
    within::<BTreeSet<u64>>(bytes);
    within::<BTreeSet<String>>(bytes);
    within::<BTreeSet<Vec<u8>>>(bytes);
    within::<BTreeMap<String, Value>>(bytes);
}

/// A struct that keeps what it does not know.
#[derive(Encode, Decode)]
struct Holder {
    #[hhs(unknown)]
    rest: Unknown,
}

/// A head of this major type with this argument, in its shortest form.
fn head(major: u8, argument: usize) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..=23 => vec![major | argument as u8],
        24..=0xff => vec![major | 24, argument as u8],
        0x100..=0xffff => [&[major | 25], &(argument as u16).to_be_bytes()[..]].concat(),
        _ => [&[major | 26], &(argument as u32).to_be_bytes()[..]].concat(),
    }
}

fn list(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = items.into_iter().collect();
    [head(4, items.len()), items.concat()].concat()
}

/// Maps and sets have to ascend: the keys of this map are all texts of a letter, then of two, and so on.
fn map(count: usize, value: &[u8]) -> Vec<u8> {
    let keys = [vec![0x60]].into_iter().chain((1_u8..).flat_map(|length| {
        (0..128_usize.pow(length.into()))
            .map(move |n| [&[0x60 | length][..], &n.to_be_bytes()[8 - usize::from(length)..]].concat())
            .filter(|key| key[1..].is_ascii())
    }));
    [head(5, count), keys.take(count).flat_map(|key| [key, value.to_vec()].concat()).collect()].concat()
}

/// `value` inside of `levels` lists.
fn nested(levels: usize, value: &[u8]) -> Vec<u8> {
    [vec![0x81; levels], value.to_vec()].concat()
}

/// Blocks of many small things, each as small as it can be.
fn wide(count: usize) -> Vec<Vec<u8>> {
    let items: [&[u8]; 14] = [
        &[0x00],
        &[0xf6],
        &[0x40],
        &[0x60],
        &[0x80],
        &[0xa0],
        &[0x61, 0x61],
        &[0x41, 0x00],
        &[0x81, 0x00],
        &[0xa1, 0x60, 0x00],
        &[0x82, 0x00, 0x00],
        &[0x83, 0x00, 0x00, 0x00],
        &[0x84, 0x00, 0x00, 0x00, 0x00],
        &[0x81, 0x81, 0xa1, 0x60, 0xa1, 0x60, 0x60],
    ];
    items.iter().flat_map(|item| [list(vec![item.to_vec(); count]), map(count.min(20_000), item)]).collect()
}

/// A peer sends what takes the least bytes on the wire and the most memory here.
#[test]
fn blocks_that_are_made_of_tiny_things() {
    // Around the sizes at which vectors grow, too.
    for count in [1, 5, 9, 63, 129, 1025, 20_000, 65_537] {
        wide(count).iter().for_each(|bytes| within_for_all(bytes));
    }
}

/// A full block of tiny maps held 300 times its bytes when maps were trees.
#[test]
fn full_blocks() {
    let tiny_maps = list(vec![vec![0xa1, 0x60, 0x00]; (8 << 20) / 3 - 5]);
    decode::<Value>(&tiny_maps).expect("that is a block");
    within::<Value>(&tiny_maps);
    within::<Vec<Map<u8>>>(&tiny_maps);
    let nulls = list(vec![vec![0xf6]; (8 << 20) - 5]);
    within::<Value>(&nulls);
    within::<Vec<String>>(&list(vec![vec![0x60]; (8 << 20) - 5]));
}

/// Everything at the greatest depth that is read, wide at every level or at the last.
#[test]
fn blocks_that_are_deep() {
    for item in wide(1000) {
        within_for_all(&nested(MAX_DEPTH - 1, &item));
        within_for_all(&nested(MAX_DEPTH - 4, &item));
    }
    let mut value = list(vec![vec![0x60]; 300]);
    for _ in 1..MAX_DEPTH {
        value = list([vec![vec![0x60]; 300], vec![value], vec![vec![0xa0]; 300]].concat());
    }
    decode::<Value>(&value).expect("that is a value");
    within_for_all(&value);
    let mut value = vec![0xa0];
    for _ in 1..MAX_DEPTH {
        value = [&[0xa2, 0x60][..], &value, &[0x61, 0x61, 0x80]].concat();
    }
    decode::<Value>(&value).expect("that is a value");
    within_for_all(&value);
}

/// Each of 64 nested lists claims that all the bytes behind it are its own items.
#[test]
fn lengths_that_are_claimed_again_at_every_level() {
    for (major, filler) in [(4, 0x00), (4, 0x60), (5, 0x60)] {
        for length in [1000, 100_000, 1 << 20] {
            let claims: Vec<u8> = (0..MAX_DEPTH).flat_map(|_| head(major, length)).collect();
            let bytes = [claims, vec![filler; length]].concat();
            within_for_all(&bytes);
            within_for_all(&bytes[..bytes.len() / 2]);
        }
    }
    // Lists as long as they can claim to be, each inside the one before it.
    let mut halves = Vec::new();
    for level in 0..40 {
        halves.extend(head(4, (1 << 20) >> level));
    }
    within_for_all(&[halves, vec![0x60; 1 << 20]].concat());
}

/// A few bytes claim quintillions of bytes, letters, items, entries.
#[test]
fn lengths_that_no_memory_has() {
    for first in [0x5b, 0x7b, 0x9b, 0xbb] {
        for length in [1_u64 << 63, u64::MAX, 1 << 32, u64::MAX / 24] {
            let bytes = [&[first], &length.to_be_bytes()[..], &[0x60; 100]].concat();
            assert!(peak::<Value>(&bytes) < 1000);
            within_for_all(&bytes);
            within_for_all(&nested(40, &bytes));
        }
    }
}

/// What is read over is not kept, and takes no memory at all.
#[test]
fn reading_over_takes_no_memory() {
    for bytes in wide(1000) {
        let skip = || Decoder::new(&bytes).and_then(|mut decoder| decoder.skip().map(drop)).expect("that is a value");
        assert_eq!(allocation_counter::measure(skip).count_total, 0);
    }
}

/// Trees take room for eleven items at once: a block may hold so many of them, counted when it is written as well.
#[test]
fn more_trees_than_a_block_may_have() {
    let sets = |count| vec![BTreeSet::from([0_u8]); count];
    let bytes = encode(&sets(MAX_TREES)).unwrap();
    decode::<Vec<BTreeSet<u8>>>(&bytes).unwrap();
    let (what, count, limit) = ("sets and maps held as trees (BTreeSet, BTreeMap)", MAX_TREES + 1, MAX_TREES);
    assert_eq!(encode(&sets(MAX_TREES + 1)).unwrap_err(), EncodeError::Bound { what, count, limit });

    let sets = list(vec![vec![0x81, 0x00]; MAX_TREES + 1]);
    let error = DecodeError::Bound { what, count, limit };
    assert_eq!(decode::<Vec<BTreeSet<u8>>>(&sets).unwrap_err(), error);
    decode::<Vec<Vec<u8>>>(&sets).unwrap();
    let maps = list(vec![vec![0xa1, 0x60, 0x00]; MAX_TREES + 1]);
    assert_eq!(decode::<Vec<BTreeMap<String, u8>>>(&maps).unwrap_err(), error);
    decode::<Vec<Map<u8>>>(&maps).unwrap();
    // Empty ones take nothing.
    decode::<Vec<BTreeSet<u8>>>(&list(vec![vec![0x80]; MAX_TREES + 1])).unwrap();
    // The most that trees can take beyond the bound on bytes.
    let full = list(vec![vec![0xa1, 0x60, 0x00]; MAX_TREES]);
    assert!(peak::<Vec<BTreeMap<String, Value>>>(&full) < 1024 * MAX_TREES as u64);
}

/// Someone sends ten thousand lists in each other, to a thread with a stack as small as they get.
#[test]
fn deep_nesting_does_not_use_up_the_stack() {
    let small = |check: fn()| {
        let thread = thread::Builder::new().stack_size(256 << 10).spawn(check).expect("there are threads");
        thread.join().expect("the stack is large enough");
    };
    small(|| {
        for bytes in [nested(10_000, &[0x00]), [[0xa1, 0x60].repeat(10_000), vec![0x00]].concat()] {
            assert!(matches!(decode::<Value>(&bytes), Err(DecodeError::TooDeep(_))));
            let skipped = Decoder::new(&bytes).and_then(|mut decoder| decoder.skip().map(drop));
            assert!(matches!(skipped, Err(DecodeError::TooDeep(_))));
        }
        let deepest = decode::<Value>(&nested(MAX_DEPTH, &[0x00])).expect("that is as deep as may be");
        assert_eq!(encode(&deepest).expect("and can be written").len(), MAX_DEPTH + 1);
        assert_eq!(deepest.to_string().len(), 2 * MAX_DEPTH + 1);
    });
}

proptest! {
    /// Whatever somebody changes in such blocks.
    #[test]
    fn damaged_blocks(
        index in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..40),
        levels in 0..70_usize,
    ) {
        let corpus = wide(2000);
        let mut bytes = nested(levels, index.get::<Vec<u8>>(&corpus));
        for (at, byte) in changes {
            let at = at.index(bytes.len().min(3000));
            bytes[at] = byte;
        }
        within_for_all(&bytes);
    }

    /// Heads of lists and maps at random, which nest and claim as they like.
    #[test]
    fn random_heads(bytes in proptest::collection::vec(proptest::sample::select(HEADS), 0..5000)) {
        within_for_all(&bytes);
    }
}

/// First bytes of items of every kind, most of them small lists and maps.
const HEADS: &[u8] = &[
    0x00, 0x18, 0x20, 0x40, 0x41, 0x60, 0x61, 0x80, 0x81, 0x82, 0x83, 0x85, 0x98, 0x99, 0xa0, 0xa1, 0xa2, 0xb8, 0xf6,
    0xfb,
];
