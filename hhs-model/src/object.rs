//! Objects: immutable typed values whose class is part of their hashed content, and links to them.

mod any;
mod blocks;
mod links;
mod loading;
pub(crate) mod nested;
mod nonce;
mod path;
pub(crate) mod recorder;

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;

use crate::bounds::MAX_CLASS_BYTES;
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, MapDecoder, decode, encode};
use crate::id::ObjectId;
use crate::registry::{Registry, RegistryError};

pub use any::AnyObject;
pub use blocks::{Block, to_blocks};
pub use links::{LinkAt, links};
pub use loading::{Blocks, LoadError, Loading, load_deep};
pub use nested::Nested;
pub use nonce::Nonce;
pub use path::{Path, Step};

/// The key under which an object's class stands. It is the shortest key there is and sorts before every letter, so that
/// the class comes first in the bytes.
pub const CLASS_KEY: &str = "$";

/// A class of immutable values, which can be handed from thread to thread. Usually derived:
///
/// ```
/// use hhs_model::{Object, object};
///
/// #[derive(Object, Debug, Clone, PartialEq)]
/// #[object(class = "chat/v1/Message", validate = not_empty)]
/// struct Message {
///     text: String,
/// }
///
/// fn not_empty(message: &Message) -> Result<(), &'static str> {
///     if message.text.is_empty() { Err("a message has a text") } else { Ok(()) }
/// }
///
/// let message = Message { text: "hello".into() };
/// let bytes = object::to_bytes(&message)?;
/// assert_eq!(object::from_bytes::<Message>(&bytes)?, message);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an object",
    label = "has no class",
    note = "derive `Object` and name its class: `#[derive(Object)] #[object(class = \"app/v1/Name\")]`"
)]
pub trait Object: Encode + Decode + Send + Sync + 'static {
    /// The name of the class, by convention `"app/version/Name"`.
    const CLASS: &'static str;

    /// Tells a registry how objects of older classes become objects of this one. Called when the class is registered;
    /// derived from `#[object(upgrades = …)]`.
    ///
    /// # Errors
    /// If the registry takes no such upgrade.
    fn register_upgrades(_registry: &mut Registry) -> Result<(), RegistryError> {
        Ok(())
    }
}

/// The canonical bytes of an object.
///
/// # Errors
/// If it is not valid, has no canonical form, or exceeds a bound.
pub fn to_bytes(object: &impl Object) -> Result<Vec<u8>, EncodeError> {
    encode(object)
}

/// The object that canonical bytes stand for, checked.
///
/// # Errors
/// If the bytes are not canonical, of another class, or not valid by that class.
pub fn from_bytes<T: Object>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode(bytes)
}

/// The id of an object.
///
/// # Errors
/// As [`to_bytes`].
pub fn id(object: &impl Object) -> Result<ObjectId, EncodeError> {
    to_bytes(object).map(|bytes| ObjectId::of(&bytes))
}

/// The class that an encoded object names, whether it is known or not. Checks no more than it reads.
///
/// # Errors
/// If the bytes are not those of an object.
pub fn class_of(bytes: &[u8]) -> Result<&str, DecodeError> {
    let mut decoder = Decoder::new(bytes)?;
    let mut map = decoder.map()?;
    match map.next_key(&mut decoder)? {
        Some(CLASS_KEY) => {}
        _ => return Err(DecodeError::MissingField(CLASS_KEY)),
    }
    let class = decoder.text()?;
    match class.len() {
        0 => Err(DecodeError::Invalid("a class has a name of one byte at least")),
        1..=MAX_CLASS_BYTES => Ok(class),
        count => Err(DecodeError::Bound { what: "bytes of a class name", count, limit: MAX_CLASS_BYTES }),
    }
}

/// A typed reference to an object by id.
pub struct Link<T> {
    id: ObjectId,
    class: PhantomData<fn() -> T>,
}

impl<T: Object> Link<T> {
    /// The link to an object.
    ///
    /// # Errors
    /// If the object has no canonical bytes.
    pub fn to(object: &T) -> Result<Self, EncodeError> {
        id(object).map(Self::from_id)
    }
}

impl<T> Link<T> {
    /// A link to the object of this id, which has to be of class `T` when it is loaded.
    pub fn from_id(id: ObjectId) -> Self {
        Self { id, class: PhantomData }
    }

    /// The id of the object.
    pub fn id(&self) -> ObjectId {
        self.id
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Link<T> {}

impl<T> PartialEq for Link<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<T> Eq for Link<T> {}

impl<T> PartialOrd for Link<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Link<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl<T> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.id)
    }
}

impl<T> Encode for Link<T> {
    fn encode(&self, encoder: &mut Encoder) {
        self.id.encode(encoder);
    }
}

impl<T> Decode for Link<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        ObjectId::decode(decoder).map(Self::from_id)
    }
}

/// Reads the class, which is the first entry of every object: what a [`Decode`] by hand does first.
///
/// # Errors
/// If the first entry is not the class, or another class.
pub fn expect_class<'a>(
    map: &mut MapDecoder<'a>,
    decoder: &mut Decoder<'a>,
    class: &'static str,
) -> Result<(), DecodeError> {
    match map.next_key(decoder)? {
        Some(CLASS_KEY) => {}
        _ => return Err(DecodeError::MissingField(CLASS_KEY)),
    }
    match decoder.text()? {
        found if found == class => Ok(()),
        found => Err(DecodeError::Class { expected: class, found: found.chars().take(MAX_CLASS_BYTES).collect() }),
    }
}
