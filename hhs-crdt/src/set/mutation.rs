//! The mutations of a set in canonical bytes: `{"add": value}` and `{"remove": {"seen": [op, …], "value": value}}`.

use std::collections::BTreeSet;

use hhs_model::OpId;
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// A change of a [`Set`](crate::Set).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetMutation<T> {
    /// The element is in.
    Add(T),
    /// The element is out as far as it is in by these ops, and by this op's own adds before this mutation.
    Remove {
        /// The element.
        value: T,
        /// The ops whose adds of the element the author has seen in effect.
        seen: BTreeSet<OpId>,
    },
}

impl<T: Encode> Encode for SetMutation<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(1);
        match self {
            Self::Add(value) => {
                encoder.key("add").value(value);
            }
            Self::Remove { value, seen } => {
                encoder.key("remove").map(2);
                encoder.key("seen").value(seen);
                encoder.key("value").value(value);
            }
        }
    }
}

/// Closed, unlike structs of apps: an entry that is not known could be one that changes the meaning.
impl<T: Decode> Decode for SetMutation<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError = DecodeError::Invalid("a mutation of a set is neither an add nor a remove");
        let mut map = decoder.map()?;
        if map.left() != 1 {
            return Err(SHAPE);
        }
        let mutation = match map.next_key(decoder)? {
            Some("add") => Self::Add(decoder.value()?),
            Some("remove") => {
                let mut remove = decoder.map()?;
                if remove.left() != 2 || remove.next_key(decoder)? != Some("seen") {
                    return Err(SHAPE);
                }
                let seen = decoder.value()?;
                if remove.next_key(decoder)? != Some("value") {
                    return Err(SHAPE);
                }
                let value = decoder.value()?;
                remove.next_key(decoder)?;
                Self::Remove { value, seen }
            }
            _ => return Err(SHAPE),
        };
        map.next_key(decoder)?;
        Ok(mutation)
    }
}
