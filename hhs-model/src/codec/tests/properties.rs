//! What holds of all values and all bytes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::arbitrary::{damage, damaged, damaged_by, float, value};
use crate::codec::{DecodeError, Decoder, Map, Value, decode, encode};

/// Collections of typed items in each other, each kind in an order of its own.
type Typed = (Vec<Option<i64>>, BTreeMap<String, BTreeSet<u16>>, BTreeSet<BTreeSet<String>>, (bool, f64, Map<u8>));

fn typed() -> impl Strategy<Value = Typed> {
    let words = btree_map("[a-c]{0,3}", btree_set(any::<u16>(), 0..5), 0..5);
    let sets = btree_set(btree_set("[a-c]{0,2}", 0..4), 0..4);
    let map = btree_map("[a-c]{0,3}", any::<u8>(), 0..5).prop_map(Map::from);
    (vec(option::of(any::<i64>()), 0..8), words, sets, (any::<bool>(), float(), map))
}

/// Reads over bytes as a relay does that does not know their class.
fn skip(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(bytes)?;
    decoder.skip()?;
    decoder.finish()
}

proptest! {
    /// Whatever is saved is read as what it was.
    #[test]
    fn what_is_written_is_read_as_it_was(value in value()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(decode::<Value>(&bytes).unwrap(), value);
    }

    /// A peer damages bytes in the hope of a second encoding of some value. Whatever is accepted is the one encoding.
    #[test]
    fn damaged_bytes_that_are_accepted_are_canonical(bytes in damaged()) {
        if let Ok(value) = decode::<Value>(&bytes) {
            prop_assert_eq!(encode(&value).unwrap(), bytes);
        }
    }

    /// The same of noise, which mostly ends early, and must never panic.
    #[test]
    fn noise_that_is_accepted_is_canonical(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(value) = decode::<Value>(&bytes) {
            prop_assert_eq!(encode(&value).unwrap(), bytes);
        }
    }

    /// A relay that reads over an object and an app that reads it must agree on whether it is canonical, and why not.
    #[test]
    fn reading_over_bytes_refuses_what_reading_them_refuses(bytes in damaged()) {
        prop_assert_eq!(skip(&bytes).err(), decode::<Value>(&bytes).err());
    }

    /// Values pass unharmed between code that knows their type and code that does not.
    #[test]
    fn a_value_of_a_value_is_itself(value in value()) {
        prop_assert_eq!(Value::of(&value).unwrap(), value.clone());
        prop_assert_eq!(value.to::<Value>().unwrap(), value);
    }

    /// Types that sort their items otherwise than bytes are sorted.
    #[test]
    fn typed_values_are_read_as_they_were(value in typed()) {
        let bytes = encode(&value).unwrap();
        prop_assert_eq!(&decode::<Typed>(&bytes).unwrap(), &value);
        // It is an ordinary value, too.
        prop_assert_eq!(encode(&decode::<Value>(&bytes).unwrap()).unwrap(), bytes);
    }

    /// A peer damages the bytes of a value whose type is known: no second encoding of anything is accepted.
    #[test]
    fn damaged_bytes_of_typed_values(value in typed(), damages in vec(damage(), 0..4)) {
        let bytes = damaged_by(encode(&value).unwrap(), damages);
        if let Ok(value) = decode::<Typed>(&bytes) {
            prop_assert_eq!(encode(&value).unwrap(), bytes);
        }
    }
}
