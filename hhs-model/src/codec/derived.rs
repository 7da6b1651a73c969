//! What the derive macros expand to calls of: the parts of their code that need not be generated.

use std::fmt::Display;

use super::decoder::{DecodeError, Decoder, Kind, MapDecoder};
use super::encoder::{EncodeError, Encoder};
use super::traits::Decode;

/// Longest text in an error that peers' bytes or an app's validation put there, in characters.
const MAX_ERROR_CHARS: usize = 256;

/// Reads the value of a field.
///
/// # Errors
/// If it is not one of its type, or the null that an absent field has to be.
pub fn field<T: Decode>(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
    if decoder.peek()? == Kind::Null && T::absent().is_some() {
        return Err(DecodeError::Invalid("an absent option is an absent field, not null"));
    }
    T::decode(decoder)
}

/// The value of a field that has to be there unless its type may be absent.
///
/// # Errors
/// [`DecodeError::MissingField`].
pub fn required<T: Decode>(value: Option<T>, key: &'static str) -> Result<T, DecodeError> {
    value.or_else(T::absent).ok_or(DecodeError::MissingField(key))
}

/// The value of a field that has a default.
pub fn or_default<T: Decode>(value: Option<T>, default: impl FnOnce() -> T) -> T {
    value.or_else(T::absent).unwrap_or_else(default)
}

/// Begins a list that has to have `count` items.
///
/// # Errors
/// If it is no list, or of another length.
pub fn expect_list(decoder: &mut Decoder<'_>, count: usize, expected: &'static str) -> Result<(), DecodeError> {
    let at = decoder.position();
    match decoder.list()? {
        found if found == count => Ok(()),
        _ => Err(DecodeError::Expected { expected, at }),
    }
}

/// Begins a variant with content: a map of one entry, whose key is the variant.
///
/// # Errors
/// If it is anything else.
pub fn variant_entry<'a>(decoder: &mut Decoder<'a>) -> Result<(MapDecoder<'a>, &'a str), DecodeError> {
    let expected = DecodeError::Expected {
        expected: "a variant: a text, or a map of one entry that holds its content",
        at: decoder.position(),
    };
    if decoder.peek()? != Kind::Map {
        return Err(expected);
    }
    let mut map = decoder.map()?;
    if map.left() != 1 {
        return Err(expected);
    }
    let name = map.next_key(decoder)?.ok_or(expected)?;
    Ok((map, name))
}

/// The one entry that an object which is an enum has beside its class.
///
/// # Errors
/// If there are none or several.
pub fn object_variant<'a>(map: &mut MapDecoder<'a>, decoder: &mut Decoder<'a>) -> Result<&'a str, DecodeError> {
    let expected =
        DecodeError::Expected { expected: "one entry beside the class: the variant", at: decoder.position() };
    if map.left() != 1 {
        return Err(expected);
    }
    map.next_key(decoder)?.ok_or(expected)
}

/// Reads up to the value of the field of this key, over fields that are not known.
///
/// # Errors
/// [`DecodeError::MissingField`].
pub fn expect_value<'a>(
    map: &mut MapDecoder<'a>,
    decoder: &mut Decoder<'a>,
    key: &'static str,
) -> Result<(), DecodeError> {
    while let Some(found) = map.next_key(decoder)? {
        if found == key {
            return Ok(());
        }
        decoder.skip()?;
    }
    Err(DecodeError::MissingField(key))
}

/// Reads over the fields that are left, and ends the map.
///
/// # Errors
/// If they are not canonical.
pub fn skip_rest<'a>(map: &mut MapDecoder<'a>, decoder: &mut Decoder<'a>) -> Result<(), DecodeError> {
    while map.next_key(decoder)?.is_some() {
        decoder.skip()?;
    }
    Ok(())
}

/// The error of a variant that an enum does not have.
pub fn unknown_variant(name: &str) -> DecodeError {
    DecodeError::UnknownVariant(cut(name))
}

/// The error of a decoded object that its class refuses.
pub fn invalid(reason: &impl Display) -> DecodeError {
    DecodeError::Validation(cut(&reason.to_string()))
}

/// Refuses to encode an object that its class refuses.
pub fn fail_validation(encoder: &mut Encoder, reason: &impl Display) {
    encoder.fail(EncodeError::Validation(cut(&reason.to_string())));
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_ERROR_CHARS).collect()
}
