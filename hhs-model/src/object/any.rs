//! `AnyObject`: an object whose type is found out at run time.

use std::any::Any;
use std::fmt;

use super::{Object, to_bytes};
use crate::codec::EncodeError;

/// An object of any class. Every [`Object`] is one.
pub trait AnyObject: Any + Send + Sync {
    /// The name of its class.
    fn class(&self) -> &'static str;

    /// Its canonical bytes.
    ///
    /// # Errors
    /// As [`to_bytes`].
    fn to_bytes(&self) -> Result<Vec<u8>, EncodeError>;
}

impl<T: Object> AnyObject for T {
    fn class(&self) -> &'static str {
        T::CLASS
    }

    fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        to_bytes(self)
    }
}

impl dyn AnyObject {
    /// The object, if it is of this type.
    pub fn downcast_ref<T: Object>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// The object, if it is of this type.
    ///
    /// # Errors
    /// The object as it was, if it is of another type.
    pub fn downcast<T: Object>(self: Box<Self>) -> Result<Box<T>, Box<Self>> {
        if self.downcast_ref::<T>().is_none() {
            return Err(self);
        }
        (self as Box<dyn Any>).downcast().map_err(|_| unreachable!("it was of that type a line above"))
    }
}

impl fmt::Debug for dyn AnyObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyObject({})", self.class())
    }
}
