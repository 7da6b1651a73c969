//! Values of every kind, at the bounds of each length, and nested.

use hhs_model::codec::encode;
use hhs_model::id::{Cid, Codec, Hash};
use hhs_model::{BigInt, Bytes, Map, ObjectId, Value};
use serde_json::{Value as Json, json};

use super::hex;
use super::typed::typed;

pub(super) fn all() -> Vec<Json> {
    let big = big_integers().into_iter().map(|(decimal, value)| {
        let mut vector = vector(&format!("big integer {}", &decimal[..decimal.len().min(20)]), &value);
        vector["big_integer"] = json!(decimal);
        vector
    });
    let plain = values().into_iter().map(|(name, value)| vector(&name, &value));
    plain.chain(big).collect()
}

fn vector(name: &str, value: &Value) -> Json {
    let bytes = encode(value).expect("vectors have canonical bytes");
    let id = ObjectId::of(&bytes).to_string();
    let mut vector = json!({ "name": name, "value": typed(value), "hex": hex(&bytes), "id": id });
    if let Value::Float(float) = value
        && float.fract() == 0.0
        && float.abs() < 2_f64.powi(53)
    {
        // JavaScript cannot tell 1.0 from 1; larger ones are no integers that it is sure of.
        vector["exceptions"] = json!({ "@ipld/dag-cbor": "a float without fraction is written as an integer" });
    }
    vector
}

/// Also what the seeds of fuzz targets are made of.
pub(crate) fn values() -> Vec<(String, Value)> {
    let mut values = vec![
        ("null".to_owned(), Value::Null),
        ("false".to_owned(), Value::from(false)),
        ("true".to_owned(), Value::from(true)),
    ];
    let edges =
        [0, 1, 23, 24, 255, 256, 65_535, 65_536, (1 << 32) - 1, 1 << 32, (1 << 53) - 1, 1 << 53, i64::MAX.into()];
    let integers = edges.into_iter().flat_map(|edge: i128| [edge, !edge]).chain([1 << 63, u64::MAX.into()]);
    values.extend(integers.map(|integer| (format!("integer {integer}"), Value::Int(integer))));
    let floats = [0.0, 1.0, -1.5, 0.1, 1e300, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), 9_007_199_254_740_993.0];
    values.extend(floats.map(|float| (format!("float {float:?}"), Value::Float(float))));
    for length in [0, 1, 23, 24, 255, 256] {
        values.push((format!("text of {length} bytes"), Value::from("x".repeat(length))));
        let bytes = Bytes((0..length).map(|index| index as u8).collect());
        values.push((format!("byte string of {length} bytes"), Value::from(bytes)));
    }
    values.extend([
        ("text with letters of one to four bytes".to_owned(), Value::from("aü水𐅑")),
        ("text with control characters and a combining accent".to_owned(), Value::from("\0\n\u{7f}e\u{301}")),
        ("link to an object".to_owned(), Value::from(Cid { codec: Codec::DagCbor, hash: Hash([0x11; 32]) })),
        ("link to raw bytes".to_owned(), Value::from(Cid { codec: Codec::Raw, hash: Hash([0x22; 32]) })),
        ("empty list".to_owned(), Value::List(vec![])),
        ("list of 24 items".to_owned(), (0..24).collect()),
        ("list of 256 items".to_owned(), vec![Value::Null; 256].into()),
        ("empty map".to_owned(), Value::Map(Map::new())),
        ("map whose keys are sorted by length first".to_owned(), map(&["", "b", "aa", "a", "Z", "ü", "10", "9"])),
        ("set of integers as a list in the order of bytes".to_owned(), [0, -1, 24, -25, 1000].into_iter().collect()),
        ("object".to_owned(), object()),
        ("map of 300 entries".to_owned(), (0..300).map(|n| (format!("k{n}"), Value::from(n))).collect::<Map>().into()),
        ("lists, 64 deep".to_owned(), (1..64).fold(Value::List(vec![]), |inner, _| Value::List(vec![inner]))),
        ("maps, 20 deep".to_owned(), (1..20).fold(Value::Map(Map::new()), |inner, _| Value::Map([("", inner)].into()))),
    ]);
    values
}

fn map(keys: &[&str]) -> Value {
    Value::Map((0..).zip(keys).map(|(index, key): (u8, _)| (*key, Value::from(index))).collect())
}

/// A bit of everything.
pub(crate) fn object() -> Value {
    let place: Map = [("x", Value::from(0.5)), ("y", Value::from(-3))].into();
    let items = vec![Value::Null, Value::from(true), Value::from("two"), Value::List(vec![]), Value::Map(place)];
    let entries = [
        ("$", Value::from("test/v1/Everything")),
        ("items", Value::List(items)),
        ("photo", Value::from(Bytes(vec![0xff, 0xd8, 0xff]))),
        ("author", Value::from(Cid::of_object(b"Ana"))),
        ("n", Value::from(1_700_000_000_000_u64)),
    ];
    Value::Map(entries.into())
}

/// Big integers by their decimal digits, as the byte strings that they are.
fn big_integers() -> Vec<(String, Value)> {
    let power = |exponent: u32| BigInt::from(2).pow(exponent);
    let mut numbers = vec![BigInt::from(0), BigInt::from(1), BigInt::from(-1)];
    for exponent in [7, 8, 63, 64, 127, 200, 8191] {
        numbers.extend([power(exponent) - 1, -power(exponent)]);
        if exponent < 8191 {
            numbers.extend([power(exponent), -power(exponent) - 1]);
        }
    }
    numbers.iter().map(|number| (number.to_string(), Value::of(number).expect("it is within bounds"))).collect()
}
