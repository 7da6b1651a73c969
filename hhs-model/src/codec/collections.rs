//! Lists, sets, maps and tuples in canonical bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::decoder::{DecodeError, Decoder, canonical_order};
use super::encoder::Encoder;
use super::traits::{Decode, Encode};

impl<T: Encode> Encode for [T] {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.list(self.len());
        for item in self {
            // What nests too deep must not be followed to its end.
            if encoder.has_failed() {
                return;
            }
            item.encode(encoder);
        }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, encoder: &mut Encoder) {
        self.as_slice().encode(encoder);
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = decoder.list()?;
        // Grows with what is really there, not with what is claimed.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::decode(decoder)?);
        }
        decoder.leave();
        Ok(items)
    }
}

/// A set is a list of its elements, strictly ascending by length of their canonical bytes and then bytewise.
impl<T: Encode> Encode for BTreeSet<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.list(self.len());
        let mut starts = Vec::with_capacity(self.len());
        for item in self {
            if encoder.has_failed() {
                return;
            }
            starts.push(encoder.position());
            item.encode(encoder);
        }
        // In place, and not item by item beforehand: sets in sets would be encoded 2^depth times.
        encoder.sort_items(&starts);
    }
}

impl<T: Decode + Ord> Decode for BTreeSet<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = decoder.list()?;
        let mut items = Self::new();
        let mut last: Option<&[u8]> = None;
        for _ in 0..count {
            let start = decoder.position();
            let item = T::decode(decoder)?;
            let bytes = decoder.since(start);
            if last.is_some_and(|last| canonical_order(last, bytes).is_ge()) {
                return Err(DecodeError::KeyOrder(start));
            }
            last = Some(bytes);
            // Items that their order does not tell apart would be lost.
            if !items.insert(item) {
                return Err(DecodeError::KeyOrder(start));
            }
        }
        decoder.leave();
        Ok(items)
    }
}

/// A map with text keys is a map; its entries are in canonical order.
impl<T: Encode> Encode for BTreeMap<String, T> {
    fn encode(&self, encoder: &mut Encoder) {
        let mut entries: Vec<(&String, &T)> = self.iter().collect();
        entries.sort_by(|(a, _), (b, _)| canonical_order(a.as_bytes(), b.as_bytes()));
        encoder.map(entries.len());
        for (key, value) in entries {
            if encoder.has_failed() {
                return;
            }
            encoder.key(key);
            value.encode(encoder);
        }
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut entries = decoder.map()?;
        let mut map = Self::new();
        while let Some(key) = entries.next_key(decoder)? {
            map.insert(key.to_owned(), T::decode(decoder)?);
        }
        Ok(map)
    }
}

impl Encode for () {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.null();
    }
}

impl Decode for () {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.null()
    }
}

macro_rules! tuples {
    ($($count:literal: $($name:ident $index:tt),*;)*) => { $(
        impl<$($name: Encode),*> Encode for ($($name,)*) {
            fn encode(&self, encoder: &mut Encoder) {
                encoder.list($count);
                $(self.$index.encode(encoder);)*
            }
        }

        impl<$($name: Decode),*> Decode for ($($name,)*) {
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let at = decoder.position();
                if decoder.list()? != $count {
                    return Err(DecodeError::Expected { expected: concat!("a list of ", $count, " items"), at });
                }
                let tuple = ($($name::decode(decoder)?,)*);
                decoder.leave();
                Ok(tuple)
            }
        }
    )* };
}
tuples! {
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
}
