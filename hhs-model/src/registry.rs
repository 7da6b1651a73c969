//! The class registry: which classes this program knows, how their objects are read, and how older ones become newer.

mod error;
mod upgrades;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;

use crate::codec::{DecodeError, Decoder, EncodeError, Value, decode};
use crate::object::{AnyObject, CLASS_KEY, Object, class_of, from_bytes};

pub use error::{ReadError, RegistryError};

use upgrades::Upgrade;

/// The classes that a program knows.
///
/// Objects of other classes are ordinary: they are checked to be canonical, stored and relayed, and not interpreted.
///
/// A class changes by becoming another one: objects are immutable and their class is part of their bytes. A program
/// that knows how the older becomes the newer reads both as the newer:
///
/// ```
/// use hhs_model::{Object, Registry, object};
///
/// #[derive(Object)]
/// #[object(class = "chat/v1/Message")]
/// struct MessageV1 {
///     text: String,
/// }
///
/// #[derive(Object, Debug, PartialEq)]
/// #[object(class = "chat/v2/Message", upgrades = MessageV1)]
/// struct Message {
///     text: String,
///     language: Option<String>,
/// }
///
/// impl From<MessageV1> for Message {
///     fn from(old: MessageV1) -> Self {
///         Self { text: old.text, language: None }
///     }
/// }
///
/// let mut registry = Registry::new();
/// registry.register::<Message>();
/// let old = object::to_bytes(&MessageV1 { text: "hello".into() })?;
/// assert_eq!(registry.read::<Message>(&old)?, Message { text: "hello".into(), language: None });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    classes: BTreeMap<&'static str, Class>,
}

#[derive(Clone)]
struct Class {
    ty: TypeId,
    /// Decodes an object of the class and drops it.
    check: fn(&[u8]) -> Result<(), DecodeError>,
    decode: DecodeAny,
    /// How an object becomes one of a newer class.
    newer: Option<Upgrade>,
}

type DecodeAny = fn(&[u8]) -> Result<Box<dyn AnyObject>, DecodeError>;

/// Whether a class was known when an object was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The object is valid by its class.
    Known,
    /// The object is canonical; its class is not known here.
    Unknown,
}

/// An object that was read without knowing beforehand of which class it is.
#[derive(Debug)]
pub enum Decoded {
    /// Of a class that is known here: [`downcast`](AnyObject) says of which.
    Known(Box<dyn AnyObject>),
    /// Of a class that is not: a map whose first entry is the class.
    Unknown(Value),
}

impl Registry {
    /// A registry that knows no class.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a class, and older ones that it upgrades by its derive. Of several types with one class name the last one counts,
    /// and forgets the upgrades of the others.
    ///
    /// # Panics
    /// If the derived upgrades contradict each other or those that are there: they are constants of a program.
    /// [`upgrade`](Self::upgrade) says the same as an error.
    pub fn register<T: Object>(&mut self) -> &mut Self {
        if self.is_known::<T>() {
            return self;
        }
        self.classes.values_mut().for_each(|class| class.forget_upgrade_to(T::CLASS));
        self.classes.insert(T::CLASS, Class::of::<T>());
        if let Err(error) = T::register_upgrades(self) {
            panic!("the class {} cannot be registered: {error}", T::CLASS);
        }
        self
    }

    /// Whether a class is known as this type.
    fn is_known<T: Object>(&self) -> bool {
        self.classes.get(T::CLASS).is_some_and(|class| class.ty == TypeId::of::<T>())
    }

    /// Checks an encoded object: by its class where that is known, for being canonical where it is not.
    ///
    /// # Errors
    /// If the bytes are not canonical, not an object, or not valid by their class.
    pub fn check(&self, bytes: &[u8]) -> Result<Checked, DecodeError> {
        match self.classes.get(class_of(bytes)?) {
            Some(class) => (class.check)(bytes).map(|()| Checked::Known),
            None => {
                let mut decoder = Decoder::new(bytes)?;
                decoder.skip()?;
                decoder.finish()?;
                Ok(Checked::Unknown)
            }
        }
    }

    /// Reads an object of whatever class. Its class is the one it was written with: nothing is upgraded.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn decode(&self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        match self.classes.get(class_of(bytes)?) {
            Some(class) => (class.decode)(bytes).map(Decoded::Known),
            None => decode(bytes).map(Decoded::Unknown),
        }
    }
}

impl Class {
    fn of<T: Object>() -> Self {
        Self {
            ty: TypeId::of::<T>(),
            check: |bytes| from_bytes::<T>(bytes).map(drop),
            decode: |bytes| from_bytes::<T>(bytes).map(|object| Box::new(object) as Box<dyn AnyObject>),
            newer: None,
        }
    }

    fn forget_upgrade_to(&mut self, class: &str) {
        self.newer.take_if(|newer| newer.to == class);
    }
}

impl Decoded {
    /// The name of the class.
    pub fn class(&self) -> &str {
        match self {
            Self::Known(object) => object.class(),
            Self::Unknown(value) => value.get(CLASS_KEY).and_then(Value::as_text).unwrap_or_default(),
        }
    }

    /// The canonical bytes: those that it was read from, unless its class drops fields that it does not know.
    ///
    /// # Errors
    /// As [`to_bytes`](crate::object::to_bytes).
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Known(object) => object.to_bytes(),
            Self::Unknown(value) => crate::codec::encode(value),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let newer = |class: &Class| class.newer.as_ref().map(|newer| newer.to);
        f.debug_map().entries(self.classes.iter().map(|(name, class)| (name, newer(class)))).finish()
    }
}
