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
        let mut items = with_room(count);
        for read in 0..count {
            let item = T::decode(decoder)?;
            if items.len() == items.capacity() {
                // By little more than what is really there, as old and new items are held at a time.
                items.reserve_exact((read / 4 + 4).min(count - read));
            }
            items.push(item);
        }
        decoder.leave();
        Ok(items)
    }
}

/// Room for `count` items that the decoder says can follow, at once if items are small.
///
/// [`Decoder::list`] and [`Decoder::map`] see to it that all that is claimed and not yet read takes no more bytes than
/// there are: what is taken here, in all open lists and maps together, is at most [`ROOM_BYTES`] for each of them.
/// Growing by steps would take up to three times as much for a moment. Large items do not get room before they are there.
pub(super) fn with_room<T>(count: usize) -> Vec<T> {
    if size_of::<T>() <= ROOM_BYTES { Vec::with_capacity(count) } else { Vec::new() }
}

/// Largest item that gets its room beforehand: as many bytes as decoding may take for each byte that is read.
const ROOM_BYTES: usize = 64;

/// A set is a list of its elements, strictly ascending by length of their canonical bytes and then bytewise.
impl<T: Encode> Encode for BTreeSet<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.tree(self.len());
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
        decoder.tree(count)?;
        let mut items = Self::new();
        let mut last: Option<&[u8]> = None;
        for _ in 0..count {
            let start = decoder.position();
            let item = T::decode(decoder)?;
            let bytes = decoder.since(start);
            if last.is_some_and(|last| canonical_order(last, bytes).is_ge()) {
                return Err(DecodeError::ItemOrder(start));
            }
            last = Some(bytes);
            // Items that their order does not tell apart would be lost.
            if !items.insert(item) {
                return Err(DecodeError::ItemOrder(start));
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
        encoder.tree(entries.len());
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
        decoder.tree(entries.left())?;
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
