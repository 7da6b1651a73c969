//! `Value`: any value of the format, for code that does not know the type.

use super::decoder::{DecodeError, Decoder, Kind};
use super::encoder::{EncodeError, Encoder};
use super::map::Map;
use super::traits::{Bytes, Decode, Encode, decode, encode};
use crate::id::Cid;

/// Any value that canonical bytes can hold.
///
/// It is 32 bytes small, and whatever is read from n bytes takes at most 64 × n + 64 KiB of memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// Null.
    #[default]
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
    Map(Map),
    /// A link; boxed, as it would make all values half as large again.
    Link(Box<Cid>),
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

    /// The value under a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The item at an index, if this is a list that has it.
    pub fn at(&self, index: usize) -> Option<&Self> {
        self.as_list()?.get(index)
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is one.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The float, if this is one. An integer is none: `1` and `1.0` are different values.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The byte string, if this is one.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(value) => Some(&value.0),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The link, if this is one.
    pub fn as_link(&self) -> Option<&Cid> {
        match self {
            Self::Link(cid) => Some(cid),
            _ => None,
        }
    }
}

macro_rules! conversions {
    ($($type:ty => $value:ident: $to:expr;)*) => { $(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $to
            }
        }
    )* };
}
conversions! {
    () => _value: Self::Null;
    bool => value: Self::Bool(value);
    u8 => value: Self::Int(value.into());
    u16 => value: Self::Int(value.into());
    u32 => value: Self::Int(value.into());
    u64 => value: Self::Int(value.into());
    i8 => value: Self::Int(value.into());
    i16 => value: Self::Int(value.into());
    i32 => value: Self::Int(value.into());
    i64 => value: Self::Int(value.into());
    f64 => value: Self::Float(value);
    Bytes => value: Self::Bytes(value);
    &str => value: Self::Text(value.to_owned());
    String => value: Self::Text(value);
    Cid => value: Self::Link(Box::new(value));
    Map => value: Self::Map(value);
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Of none, null.
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
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
            Kind::Link => Self::Link(Box::new(decoder.link()?)),
        })
    }
}
