//! What holds of all values and all bytes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::{damaged, value};
use crate::codec::{DecodeError, Decoder, Value, decode, encode};

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
}
