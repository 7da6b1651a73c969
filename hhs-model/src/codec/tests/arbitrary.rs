//! Arbitrary values, and arbitrary damage to bytes.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::codec::{Bytes, Value};
use crate::id::{Cid, Codec, Hash};

/// Any value that has canonical bytes, a few levels deep.
pub(super) fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::List),
            btree_map(key(), inner, 0..8).prop_map(|map| Value::Map(map.into())),
        ]
    })
}

/// Bytes that are nearly canonical: those of a value, with a few bytes changed, taken out or put in.
pub(super) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let bytes = value().prop_map(|value| crate::codec::encode(&value).expect("arbitrary values are canonical"));
    (bytes, vec(damage(), 0..4)).prop_map(|(bytes, damages)| damaged_by(bytes, damages))
}

/// A change to bytes: its kind, where, and with which byte.
type Damage = (u8, proptest::sample::Index, u8);

pub(super) fn damaged_by(mut bytes: Vec<u8>, damages: Vec<Damage>) -> Vec<u8> {
    for (kind, index, byte) in damages {
        let at = index.index(bytes.len() + 1);
        match kind {
            _ if at == bytes.len() => bytes.push(byte),
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
    bytes
}

pub(super) fn damage() -> impl Strategy<Value = Damage> {
    let byte =
        prop_oneof![any::<u8>(), proptest::sample::select(&[0x00, 0x17, 0x18, 0x40, 0x60, 0x80, 0xa0, 0xf6][..])];
    (0..4_u8, any::<proptest::sample::Index>(), byte)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        integer().prop_map(Value::Int),
        float().prop_map(Value::Float),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(Bytes(bytes))),
        key().prop_map(Value::Text),
        cid().prop_map(Value::from),
    ]
}

/// Integers of every length in bytes, and those beside each bound.
fn integer() -> impl Strategy<Value = i128> {
    let edges: Vec<i128> =
        [0, 23, 24, 255, 256, 65_535, 65_536, u32::MAX.into(), 1 << 32, i64::MAX.into(), u64::MAX.into()]
            .into_iter()
            .flat_map(|edge: i128| [edge, !edge])
            .filter(|edge| *edge >= i64::MIN.into())
            .collect();
    prop_oneof![
        proptest::sample::select(edges),
        any::<u64>().prop_map(i128::from),
        any::<i64>().prop_map(i128::from),
        any::<i16>().prop_map(i128::from),
    ]
}

pub(super) fn float() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).prop_map(|float| if float == 0.0 { 0.0 } else { float })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{0,3}", any::<String>()]
}

fn cid() -> impl Strategy<Value = Cid> {
    (any::<bool>(), any::<[u8; 32]>())
        .prop_map(|(raw, hash)| Cid { codec: if raw { Codec::Raw } else { Codec::DagCbor }, hash: Hash(hash) })
}
