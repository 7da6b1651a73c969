//! The mutations of a set in canonical bytes: `{"add": value}` and `{"remove": value}`.

use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// A change of a [`Set`](crate::Set).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetMutation<T> {
    /// The element is in.
    Add(T),
    /// The element is out as far as it is in by ops of this op's past, and by this op's own adds before this mutation.
    Remove(T),
}

impl<T> SetMutation<T> {
    /// The element that it is about.
    pub fn element(&self) -> &T {
        match self {
            Self::Add(element) | Self::Remove(element) => element,
        }
    }
}

impl<T: Encode> Encode for SetMutation<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(1);
        match self {
            Self::Add(value) => encoder.key("add").value(value),
            Self::Remove(value) => encoder.key("remove").value(value),
        };
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
            Some("remove") => Self::Remove(decoder.value()?),
            _ => return Err(SHAPE),
        };
        map.next_key(decoder)?;
        Ok(mutation)
    }
}
