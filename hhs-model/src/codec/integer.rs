//! Integers of any size in canonical bytes: byte strings of minimal two's complement.

use num_bigint::BigInt;

use super::decoder::{DecodeError, Decoder};
use super::encoder::{EncodeError, Encoder};
use super::traits::{Decode, Encode};
use crate::bounds::MAX_INTEGER_BYTES;

const BYTES: &str = "bytes of a big integer";

/// A byte string: two's complement, most significant byte first, in as few bytes as hold the number and its sign.
impl Encode for BigInt {
    fn encode(&self, encoder: &mut Encoder) {
        // Of a number that is far too large not even the bytes are made.
        let count = usize::try_from(self.bits() / 8 + 1).unwrap_or(usize::MAX);
        if count > MAX_INTEGER_BYTES + 1 {
            encoder.fail(EncodeError::Bound { what: BYTES, count, limit: MAX_INTEGER_BYTES });
            return;
        }
        let bytes = self.to_signed_bytes_be();
        if bytes.len() > MAX_INTEGER_BYTES {
            encoder.fail(EncodeError::Bound { what: BYTES, count: bytes.len(), limit: MAX_INTEGER_BYTES });
        }
        encoder.bytes(&bytes);
    }
}

impl Decode for BigInt {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let at = decoder.position();
        let bytes = decoder.bytes()?;
        match bytes {
            [] => Err(DecodeError::Expected { expected: "a byte string that holds an integer", at }),
            // A sign that the next byte has as well.
            [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(DecodeError::NotShortest(at)),
            _ if bytes.len() > MAX_INTEGER_BYTES => {
                Err(DecodeError::Bound { what: BYTES, count: bytes.len(), limit: MAX_INTEGER_BYTES })
            }
            _ => Ok(Self::from_signed_bytes_be(bytes)),
        }
    }
}
