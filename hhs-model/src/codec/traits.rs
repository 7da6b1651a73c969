//! `Encode` and `Decode`: how a type stands in canonical bytes, and the primitive types.

use super::decoder::{DecodeError, Decoder, Kind};
use super::encoder::{EncodeError, Encoder};
use crate::id::Cid;

/// A type that has canonical bytes. Usually derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no canonical bytes",
    label = "does not implement `hhs_model::Encode`",
    note = "derive `Encode` or `Object` for a type of your own; use `u64`, `i64` and `f64` for `usize`, `isize` and `f32`, `BTreeMap` \
            with `String` keys and `BTreeSet` for the hashed ones, and a list of pairs for other maps"
)]
pub trait Encode {
    /// Writes exactly one value.
    fn encode(&self, encoder: &mut Encoder);

    /// Whether a struct leaves out the field that holds this value: an absent option is an absent field.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A type that can be read from canonical bytes. Usually derived.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from canonical bytes",
    label = "does not implement `hhs_model::Decode`",
    note = "derive `Decode` or `Object` for a type of your own; use `u64`, `i64` and `f64` for `usize`, `isize` and `f32`, `BTreeMap` \
            with `String` keys and `BTreeSet` for the hashed ones, and a list of pairs for other maps"
)]
pub trait Decode: Sized {
    /// Reads exactly one value.
    ///
    /// # Errors
    /// If the bytes are not canonical or not a value of this type.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// The value that an absent field stands for, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }
}

/// The canonical bytes of a value.
///
/// # Errors
/// If it has no canonical form or exceeds a bound.
pub fn encode(value: &(impl Encode + ?Sized)) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::new();
    value.encode(&mut encoder);
    encoder.finish()
}

/// The value that canonical bytes stand for.
///
/// # Errors
/// If the bytes are not canonical, not a value of this type, or more than that value.
pub fn decode<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut decoder = Decoder::new(bytes)?;
    let value = T::decode(&mut decoder)?;
    decoder.finish()?;
    Ok(value)
}

/// A byte string. (`Vec<u8>` would stand for a list of integers.)
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "h'{}'", data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Encode for Bytes {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.0);
    }
}

impl Decode for Bytes {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self(decoder.bytes()?.to_vec()))
    }
}

macro_rules! integers {
    ($($type:ty)*) => { $(
        impl Encode for $type {
            fn encode(&self, encoder: &mut Encoder) {
                encoder.int(i128::from(*self));
            }
        }

        impl Decode for $type {
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let at = decoder.position();
                let expected = concat!("an integer that fits into ", stringify!($type));
                decoder.int()?.try_into().map_err(|_| DecodeError::Expected { expected, at })
            }
        }
    )* };
}
integers!(u8 u16 u32 u64 i8 i16 i32 i64);

impl Encode for f64 {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.float(*self);
    }
}

impl Decode for f64 {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.float()
    }
}

impl Encode for bool {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bool(*self);
    }
}

impl Decode for bool {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.bool()
    }
}

impl Encode for str {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(self);
    }
}

impl Encode for String {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(self);
    }
}

impl Decode for String {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.text().map(String::from)
    }
}

impl Encode for Cid {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.link(self);
    }
}

impl Decode for Cid {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.link()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, encoder: &mut Encoder) {
        (**self).encode(encoder);
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Encode + ?Sized> Encode for Box<T> {
    fn encode(&self, encoder: &mut Encoder) {
        (**self).encode(encoder);
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        T::decode(decoder).map(Box::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Box::new)
    }
}

/// The canonical bytes of null.
const NULL: &[u8] = &[0xf6];

/// In a struct, `None` is an absent field; elsewhere it is null.
impl<T: Encode> Encode for Option<T> {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Some(value) => {
                let start = encoder.position();
                value.encode(encoder);
                if encoder.since(start) == NULL {
                    encoder.fail(EncodeError::NullOption);
                }
            }
            None => {
                encoder.null();
            }
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match decoder.peek()? {
            Kind::Null => decoder.null().map(|()| None),
            _ => T::decode(decoder).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}
