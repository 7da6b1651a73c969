//! Fields that a type does not know: kept, so that an older program does not lose what a newer one wrote.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec;

use super::decoder::canonical_order;
use super::encoder::{EncodeError, Encoder};
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
pub struct Unknown(pub BTreeMap<String, Value>);

/// Writes unknown fields in between the known ones; the macros expand to it.
#[derive(Debug)]
pub struct UnknownEntries<'a>(Peekable<vec::IntoIter<(&'a String, &'a Value)>>);

impl<'a> UnknownEntries<'a> {
    /// What is to be written.
    pub fn new(unknown: &'a Unknown) -> Self {
        let mut entries: Vec<_> = unknown.0.iter().collect();
        entries.sort_by(|(a, _), (b, _)| canonical_order(a.as_bytes(), b.as_bytes()));
        Self(entries.into_iter().peekable())
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
