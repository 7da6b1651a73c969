//! `Value`: any value of the format, for code that does not know the type.

use std::collections::BTreeMap;

use super::decoder::{DecodeError, Decoder, Kind};
use super::encoder::{EncodeError, Encoder};
use super::traits::{Bytes, Decode, Encode, decode, encode};
use crate::id::Cid;

/// Any value that canonical bytes can hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// False or true.
    Bool(bool),
    /// An integer of −2⁶³ … 2⁶⁴−1.
    Int(i128),
    /// A float; neither NaN nor infinite nor −0.0.
    Float(f64),
    /// A byte string.
    Bytes(Bytes),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map with text keys.
    Map(BTreeMap<String, Value>),
    /// A link.
    Link(Cid),
}

/// Why a value could not be turned into another type or from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The value has no canonical form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The value is not one of the type asked for.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Value {
    /// The value of a type that encodes itself.
    ///
    /// # Errors
    /// If it has no canonical form.
    pub fn of(value: &(impl Encode + ?Sized)) -> Result<Self, ValueError> {
        Ok(decode(&encode(value)?)?)
    }

    /// This value as a type that decodes itself.
    ///
    /// # Errors
    /// If it is not a value of that type.
    pub fn to<T: Decode>(&self) -> Result<T, ValueError> {
        Ok(decode(&encode(self)?)?)
    }
}

impl Encode for Value {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Self::Null => {
                encoder.null();
            }
            Self::Bool(value) => {
                encoder.bool(*value);
            }
            Self::Int(value) => {
                encoder.int(*value);
            }
            Self::Float(value) => {
                encoder.float(*value);
            }
            Self::Bytes(value) => value.encode(encoder),
            Self::Text(value) => value.encode(encoder),
            Self::List(items) => items.encode(encoder),
            Self::Map(entries) => entries.encode(encoder),
            Self::Link(cid) => {
                encoder.link(cid);
            }
        }
    }
}

impl Decode for Value {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(match decoder.peek()? {
            Kind::Null => decoder.null().map(|()| Self::Null)?,
            Kind::Bool => Self::Bool(decoder.bool()?),
            Kind::Integer => Self::Int(decoder.int()?),
            Kind::Float => Self::Float(decoder.float()?),
            Kind::Bytes => Self::Bytes(decoder.value()?),
            Kind::Text => Self::Text(decoder.value()?),
            Kind::List => Self::List(decoder.value()?),
            Kind::Map => Self::Map(decoder.value()?),
            Kind::Link => Self::Link(decoder.link()?),
        })
    }
}
