//! The place of a child in its parent.

use std::fmt;
use std::str::FromStr;

use crate::bounds::MAX_FIELD_PATH_BYTES;
use crate::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// The place of a child in its parent: names joined by `/`, none of them empty, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(String);

/// What cannot be the place of a child.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldPathError {
    /// Nothing, or too much.
    #[error("the path of a child has {0} bytes: it has to have 1 to {MAX_FIELD_PATH_BYTES}")]
    Length(usize),
    /// Two slashes in a row, or one at an end.
    #[error("the path of a child has an empty name in it: write names with one '/' between them, such as pages/home")]
    EmptyName,
    /// A character that cannot be seen.
    #[error("the path of a child has a control character in it: use names that can be shown")]
    Control,
}

impl FieldPath {
    /// The names joined.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(path: &str) -> Result<Self, FieldPathError> {
        if path.is_empty() || path.len() > MAX_FIELD_PATH_BYTES {
            return Err(FieldPathError::Length(path.len()));
        }
        if path.split('/').any(str::is_empty) {
            return Err(FieldPathError::EmptyName);
        }
        if path.chars().any(char::is_control) {
            return Err(FieldPathError::Control);
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Encode for FieldPath {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(&self.0);
    }
}

impl Decode for FieldPath {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.text()?.parse().map_err(|error| match error {
            FieldPathError::Length(0) => DecodeError::Invalid("the path of a child is empty"),
            FieldPathError::Length(count) => {
                DecodeError::Bound { what: "bytes of a child's path", count, limit: MAX_FIELD_PATH_BYTES }
            }
            FieldPathError::EmptyName => DecodeError::Invalid("the path of a child has an empty name in it"),
            FieldPathError::Control => DecodeError::Invalid("the path of a child has a control character in it"),
        })
    }
}
