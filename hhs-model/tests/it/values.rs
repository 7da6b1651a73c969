//! Values for code that does not know their type: conversions, access, how people see them.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use hhs_model::codec::{DecodeError, EncodeError, decode, encode};
use hhs_model::{BigInt, Bytes, Cid, Map, Value};

const DOCUMENT: &str = include_str!("../../../docs/format.md");

/// Somebody reads the table of examples in the format, and types them in.
#[test]
fn the_values_of_the_format_are_shown_as_it_says() {
    let lines =
        DOCUMENT.lines().skip_while(|line| *line != "Values and, behind two blanks, how they are shown to people:");
    let examples = lines.skip(2).map_while(|line| line.strip_prefix("    "));
    let mut count = 0;
    for example in examples {
        let (hex, shown) = example.split_once("  ").expect("two blanks");
        let bytes = HEXLOWER.decode(hex.replace(' ', "").as_bytes()).expect("hexadecimal digits");
        let value: Value = decode(&bytes).expect("examples are canonical");
        assert_eq!(value.to_string(), shown.trim());
        assert_eq!(encode(&value).unwrap(), bytes);
        count += 1;
    }
    assert_eq!(count, 22);
}

/// A program asks a plain document for what it needs, and gets nothing where there is something else.
#[test]
fn looking_into_a_value() {
    let place: Map = [("x", Value::from(0.5)), ("y", Value::from(-3))].into();
    let value =
        Value::Map([("place", Value::from(place)), ("tags", vec!["a", "b"].into()), ("on", true.into())].into());
    assert_eq!(value.get("place").and_then(|place| place.get("y")).and_then(Value::as_int), Some(-3));
    assert_eq!(value.get("place").and_then(|place| place.get("x")).and_then(Value::as_float), Some(0.5));
    assert_eq!(value.get("tags").and_then(|tags| tags.at(1)).and_then(Value::as_text), Some("b"));
    assert_eq!(value.get("on").and_then(Value::as_bool), Some(true));
    for absent in [value.get("nowhere"), value.get("tags").and_then(|tags| tags.at(2)), value.at(0)] {
        assert_eq!(absent, None);
    }
    assert_eq!(value.get("on").and_then(Value::as_int), None);
    assert_eq!(Value::from(1).as_float(), None);
    assert_eq!(Value::from(Bytes(vec![1])).as_bytes(), Some(&[1][..]));
    assert_eq!(Value::from(Cid::of_object(b"")).as_link(), Some(&Cid::of_object(b"")));
    assert!(Value::from(None::<u8>).is_null() && Value::default().is_null());
    assert_eq!((1..3).collect::<Value>(), Value::List(vec![Value::Int(1), Value::Int(2)]));
}

/// A map behaves as one, in another order than that of its keys' letters.
#[test]
fn a_map_is_changed() {
    let mut map: Map<u8> = [("bb", 1), ("a", 2), ("a", 3), ("c", 4)].into();
    // Of doubled keys the last counts, as it does when they are inserted one by one.
    assert_eq!(map.iter().collect::<Vec<_>>(), [("a", &3), ("c", &4), ("bb", &1)]);
    assert_eq!(map.insert("b".into(), 5), None);
    assert_eq!(map.insert("bb".into(), 6), Some(1));
    assert_eq!(map.remove("a"), Some(3));
    assert_eq!(map.remove("a"), None);
    *map.get_mut("c").unwrap() += 1;
    assert_eq!(map.keys().collect::<Vec<_>>(), ["b", "c", "bb"]);
    assert_eq!((map["c"], map.len(), map.contains_key("a"), map.is_empty()), (5, 3, false, false));
    map.retain(|key, _| key.len() == 1);
    assert_eq!(map, Map::from(BTreeMap::from([("b".to_owned(), 5), ("c".to_owned(), 5)])));
    assert_eq!(format!("{map:?}"), r#"{"b": 5, "c": 5}"#);
    assert_eq!(map.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), ["b", "c"]);
}

proptest::proptest! {
    /// Whatever is put in and taken out, a map holds what a `BTreeMap` would, and has the same bytes.
    #[test]
    fn a_map_agrees_with_a_tree(changes in proptest::collection::vec(("[a-c]{0,3}", proptest::option::of(0..9_u8)), 0..40)) {
        let (mut map, mut tree) = (Map::new(), BTreeMap::new());
        for (key, value) in &changes {
            match value {
                Some(value) => proptest::prop_assert_eq!(map.insert(key.clone(), *value), tree.insert(key.clone(), *value)),
                None => proptest::prop_assert_eq!(map.remove(key), tree.remove(key)),
            }
        }
        proptest::prop_assert_eq!(encode(&map).unwrap(), encode(&tree).unwrap());
        proptest::prop_assert_eq!(&Map::from(tree.clone()), &map);
        proptest::prop_assert_eq!(decode::<Map<u8>>(&encode(&tree).unwrap()).unwrap(), map);
    }

    /// Numbers of any size are read as what they were, and any bytes have one number or none.
    #[test]
    fn big_integers(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
        let number = BigInt::from_signed_bytes_be(&bytes);
        let encoded = encode(&number).unwrap();
        proptest::prop_assert_eq!(decode::<BigInt>(&encoded).unwrap(), number);
        let given = encode(&Bytes(bytes)).unwrap();
        proptest::prop_assert_eq!(decode::<BigInt>(&given).is_ok(), given == encoded);
    }
}

/// A number with a byte too much would have a second id; one without bytes is none; one with too many is refused.
#[test]
fn big_integers_that_are_refused() {
    let refused = |bytes: &[u8]| decode::<BigInt>(&encode(&Bytes(bytes.to_vec())).unwrap()).unwrap_err();
    for bytes in [&[0x00, 0x00][..], &[0x00, 0x7f], &[0xff, 0xff], &[0xff, 0x80], &[0x00, 0x00, 0x80]] {
        assert_eq!(refused(bytes), DecodeError::NotShortest(0), "{bytes:02x?}");
    }
    assert_eq!(refused(&[]), DecodeError::Expected { expected: "a byte string that holds an integer", at: 0 });
    assert_eq!(decode::<BigInt>(&[0x01]).unwrap_err(), DecodeError::Expected { expected: "a byte string", at: 0 });
    let (what, count, limit) = ("bytes of a big integer", 1025, 1024);
    assert_eq!(refused(&[0x7f; 1025]), DecodeError::Bound { what, count, limit });

    let largest: BigInt = (BigInt::from(1) << 8191_u32) - 1;
    assert_eq!(decode::<BigInt>(&encode(&largest).unwrap()).unwrap(), largest);
    let error = EncodeError::Bound { what, count, limit };
    assert_eq!(encode(&(largest.clone() + 1)).unwrap_err(), error);
    assert_eq!(encode(&(-largest - 2)).unwrap_err(), error);
    let huge = EncodeError::Bound { what, count: 125_001, limit };
    assert_eq!(encode(&(BigInt::from(1) << 1_000_000_u32)).unwrap_err(), huge);
}

/// What comes from anybody goes into a log: it is cut short, and cannot make the terminal do things.
#[test]
fn values_that_are_shown() {
    assert_eq!(Value::from("a\"b\\c\nd\u{1b}[2J\u{9b}").to_string(), r#""a\"b\\c\nd\u001b[2J\u009b""#);
    assert_eq!(Value::from(f64::MIN_POSITIVE).to_string(), "2.2250738585072014e-308");
    let shown = Value::from("ü".repeat(5000)).to_string();
    assert_eq!((shown.chars().count(), shown.chars().next_back()), (4097, Some('…')));
    let shown = Value::from(Bytes(vec![0; 1 << 20])).to_string();
    assert_eq!((shown.chars().count(), shown.chars().next_back()), (4097, Some('…')));
    // A value that fits exactly is not cut.
    let exact = Value::from("x".repeat(4094)).to_string();
    assert_eq!((exact.chars().count(), exact.ends_with("x\"")), (4096, true));
    let nested = Value::List(vec![Value::List(vec![Value::Null; 1000]); 1000]).to_string();
    assert_eq!(nested.chars().count(), 4097);
}
