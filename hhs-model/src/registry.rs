//! The class registry: which classes this program knows, so that bytes can be checked by the class they name.

use std::collections::BTreeMap;

use crate::codec::{DecodeError, Decoder};
use crate::object::{Object, class_of, from_bytes};

/// The classes that a program knows.
///
/// Objects of other classes are ordinary: they are checked to be canonical, stored and relayed, and not interpreted.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    checks: BTreeMap<&'static str, Check>,
}

/// Decodes an object of one class and drops it.
type Check = fn(&[u8]) -> Result<(), DecodeError>;

/// Whether a class was known when an object was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The object is valid by its class.
    Known,
    /// The object is canonical; its class is not known here.
    Unknown,
}

impl Registry {
    /// A registry that knows no class.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a class.
    pub fn register<T: Object>(&mut self) -> &mut Self {
        self.checks.insert(T::CLASS, |bytes| from_bytes::<T>(bytes).map(drop));
        self
    }

    /// Checks an encoded object: by its class where that is known, for being canonical where it is not.
    ///
    /// # Errors
    /// If the bytes are not canonical, not an object, or not valid by their class.
    pub fn check(&self, bytes: &[u8]) -> Result<Checked, DecodeError> {
        match self.checks.get(class_of(bytes)?) {
            Some(check) => check(bytes).map(|()| Checked::Known),
            None => {
                let mut decoder = Decoder::new(bytes)?;
                decoder.skip()?;
                decoder.finish()?;
                Ok(Checked::Unknown)
            }
        }
    }
}
