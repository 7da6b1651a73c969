//! What an op has seen, in bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Seen;
use crate::codec::{Value, decode, encode};
use crate::id::ReplicaId;

/// A few acts of the replica itself are a list of their numbers, as they always were.
#[test]
fn few_acts_are_a_list_of_numbers() {
    for numbers in [vec![], vec![7], vec![0, 3, 4, 70_000]] {
        assert_eq!(encode(&Seen::acts(numbers.clone())).unwrap(), encode(&numbers).unwrap());
    }
}

/// A hundred thousand grants side by side take a few bytes in every op above them, and not half a megabyte.
#[test]
fn many_acts_side_by_side_take_few_bytes() {
    let seen = Seen::acts((5..100_005).chain([200_000]).collect());
    let bytes = encode(&seen).unwrap();
    assert!(bytes.len() < 40, "{} bytes", bytes.len());
    assert_eq!(decode::<Seen>(&bytes).unwrap(), seen);
}

/// Bytes that are not what was written, from a damaged record: nothing panics, and nothing is taken to be in order.
#[test]
fn what_is_not_in_order() {
    let list = |numbers: &[u64]| {
        let numbers: Vec<Value> = numbers.iter().map(|number| Value::Int((*number).into())).collect();
        encode(&Value::List(numbers)).unwrap()
    };
    let (runs, most) = (1 << 32, u64::MAX);
    let quarters = [1, 2, 3, 4];
    let twice = [[runs, 0].as_slice(), &quarters, &[1, 7, 1], &quarters, &[1, 8, 1]].concat();
    let wrong: [&[u64]; 14] = [
        &[3, 3],
        &[4, 3],
        &[1 << 33],
        &[0, runs],
        &[runs],
        &[runs, 1],
        &[runs, most],
        &[runs, 1, 0, 0],
        &[runs, 1, most, 2],
        &[runs, 1, 0, 1 << 40],
        &[runs, 2, 5, 3, 7, 1],
        &[runs, 0, 1, 2, 3],
        &[runs, 1, 1 << 24, 1],
        &twice,
    ];
    for numbers in wrong {
        assert!(decode::<Seen>(&list(numbers)).is_err(), "{numbers:?}");
    }
}

proptest! {
    /// Whatever was seen comes back from its bytes.
    #[test]
    fn round_trips(
        own in prop::collection::btree_set(0..200_u32, 0..150),
        foreign in prop::collection::vec(prop::collection::btree_set(0..100_000_u32, 1..40), 0..3),
    ) {
        let foreign: BTreeMap<ReplicaId, Vec<u32>> = foreign
            .into_iter()
            .enumerate()
            .map(|(at, acts)| (ReplicaId::of(&[at as u8]), acts.into_iter().collect()))
            .collect();
        let seen = Seen { own: own.into_iter().collect(), foreign };
        prop_assert_eq!(decode::<Seen>(&encode(&seen).unwrap()).unwrap(), seen);
    }
}
