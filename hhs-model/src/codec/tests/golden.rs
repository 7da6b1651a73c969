//! Bytes written by hand: the format must never change by accident.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;

use crate::codec::{Bytes, Decode, Encode, Value, decode, encode};
use crate::id::{Cid, Codec, Hash};

#[track_caller]
fn golden<T: Encode + Decode + PartialEq + std::fmt::Debug>(value: T, hex: &str) {
    assert_eq!(HEXLOWER.encode(&encode(&value).unwrap()), hex);
    assert_eq!(decode::<T>(&HEXLOWER.decode(hex.as_bytes()).unwrap()).unwrap(), value);
}

/// Every integer takes the shortest head there is, and each bound of a length belongs to the shorter one.
#[test]
fn integers() {
    golden(0_u8, "00");
    golden(23_u8, "17");
    golden(24_u8, "1818");
    golden(255_u8, "18ff");
    golden(256_u16, "190100");
    golden(65_536_u32, "1a00010000");
    golden(1_u64 << 32, "1b0000000100000000");
    golden(u64::MAX, "1bffffffffffffffff");
    golden(-1_i8, "20");
    golden(-24_i8, "37");
    golden(-25_i8, "3818");
    golden(-256_i16, "38ff");
    golden(-257_i32, "390100");
    golden(i64::MIN, "3b7fffffffffffffff");
}

/// Floats are 64 bits long even where 16 would do.
#[test]
fn floats() {
    golden(0.0, "fb0000000000000000");
    golden(1.0, "fb3ff0000000000000");
    golden(-1.5, "fbbff8000000000000");
    golden(f64::MAX, "fb7fefffffffffffff");
    golden(f64::from_bits(1), "fb0000000000000001");
}

/// Texts are counted in bytes of UTF-8, not in letters.
#[test]
fn simple_values_texts_and_bytes() {
    golden(false, "f4");
    golden(true, "f5");
    golden((), "f6");
    golden(String::new(), "60");
    golden("aü水𐅑".to_owned(), "6a61c3bce6b0b4f0908591");
    golden("x".repeat(24), &format!("7818{}", "78".repeat(24)));
    golden(Bytes(vec![]), "40");
    golden(Bytes(vec![1, 2, 3]), "43010203");
}

/// A tuple is a list; an empty option in a list is null.
#[test]
fn lists_and_tuples() {
    golden(Vec::<u8>::new(), "80");
    golden(vec![Some(1), None], "8201f6");
    golden((1_u8, "a".to_owned()), "82016161");
    golden((1_u8, 2_u8, 3_u8), "83010203");
    golden((1_u8, 2_u8, 3_u8, vec![4_u8]), "840102038104");
}

/// Sets are sorted by the bytes of their items, not by the order of their type.
#[test]
fn sets() {
    golden(BTreeSet::from([-1_i64, 0, 1000, 24, -25]), "850020181838181903e8");
    golden(BTreeSet::from(["b".to_owned(), "aa".to_owned(), "a".to_owned()]), "8361616162626161");
    golden(BTreeSet::from([BTreeSet::from([3_u8, 2]), BTreeSet::from([9]), BTreeSet::new()]), "83808109820203");
}

/// Shorter keys come first, whatever the order of the alphabet.
#[test]
fn maps() {
    golden(BTreeMap::<String, u8>::new(), "a0");
    let map = [("b", 1), ("aa", 2), ("a", 3), ("", 4)].map(|(key, value)| (key.to_owned(), value));
    golden(BTreeMap::from(map), "a4600461610361620162616102");
}

/// Tag 42 around a byte string: a zero, then the binary CID.
#[test]
fn links() {
    let hash = Hash([0x11; 32]);
    golden(Cid { codec: Codec::DagCbor, hash }, &format!("d82a58250001711220{}", "11".repeat(32)));
    golden(Value::from(Cid { codec: Codec::Raw, hash }), &format!("d82a58250001551220{}", "11".repeat(32)));
}

/// Lists in maps in lists, with something of every kind.
#[test]
fn nested_values() {
    let inner = [("k", Value::List(vec![Value::Null, Value::Bool(true), Value::Int(-1)]))].into();
    golden(Value::List(vec![Value::Map(inner), Value::Float(0.5)]), "82a1616b83f6f520fb3fe0000000000000");
}
