//! Fields that a type does not know: kept, so that an older program does not lose what a newer one wrote.

use std::iter::Peekable;
use std::slice;

use super::decoder::{DecodeError, Decoder, MapDecoder, canonical_order};
use super::encoder::{EncodeError, Encoder};
use super::map::Map;
use super::value::Value;

/// The fields of a map that a type does not know, by their keys.
///
/// ```
/// use hhs_model::codec::{Unknown, decode, encode};
/// use hhs_model::{Decode, Encode};
///
/// #[derive(Encode, Decode)]
/// struct Newer {
///     name: String,
///     mood: String,
/// }
///
/// #[derive(Encode, Decode)]
/// struct Older {
///     name: String,
///     #[hhs(unknown)]
///     rest: Unknown,
/// }
///
/// let bytes = encode(&Newer { name: "Ana".into(), mood: "glad".into() })?;
/// let read: Older = decode(&bytes)?;
/// assert_eq!(encode(&read)?, bytes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unknown(pub Map);

impl Unknown {
    /// Reads the value of a field that is not known, whose key `map` has just returned, and keeps it.
    ///
    /// # Errors
    /// If the value is not canonical.
    pub fn read<'a>(&mut self, key: &str, map: &MapDecoder<'a>, decoder: &mut Decoder<'a>) -> Result<(), DecodeError> {
        self.0.push_read(key, decoder.value()?, map);
        Ok(())
    }
}

/// Writes unknown fields in between the known ones; the macros expand to it.
#[derive(Debug)]
pub struct UnknownEntries<'a>(Peekable<slice::Iter<'a, (String, Value)>>);

impl<'a> UnknownEntries<'a> {
    /// What is to be written.
    pub fn new(unknown: &'a Unknown) -> Self {
        Self(unknown.0.as_slice().iter().peekable())
    }

    /// How many entries have not been written.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Writes the entries that stand before the known field of this key.
    pub fn write_before(&mut self, known: &str, encoder: &mut Encoder) {
        let before = |key: &str| canonical_order(key.as_bytes(), known.as_bytes()).is_le();
        while let Some((key, value)) = self.0.next_if(|(key, _)| before(key)) {
            // Were the known field absent, what is written would be read as that field.
            if key == known {
                encoder.fail(EncodeError::KeyOrder(key.clone()));
            }
            encoder.key(key).value(value);
        }
    }

    /// Writes the entries that are left.
    pub fn write_all(self, encoder: &mut Encoder) {
        for (key, value) in self.0 {
            encoder.key(key).value(value);
        }
    }
}
