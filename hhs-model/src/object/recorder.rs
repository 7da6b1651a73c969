//! What a decoder tells of nested objects, and how they are decoded and filled in whatever their types.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use super::Object;
use super::loading::LoadError;
use super::nested::{BLOCKS, Nested, Parts};
use crate::bounds::MAX_NESTED_BLOCKS;
use crate::codec::{DecodeError, Decoder};
use crate::id::ObjectId;

/// Decodes an object; returns the numbers of those nested in it too.
pub(super) fn decode<T: Object>(
    id: ObjectId,
    bytes: &[u8],
    recorder: &RefCell<Recorder>,
) -> Result<(T, Vec<usize>), LoadError> {
    let decode = || {
        let mut decoder = Decoder::recording(bytes, recorder)?;
        let value = T::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(value)
    };
    let value = decode().map_err(|error| LoadError::Object { id, error })?;
    Ok((value, std::mem::take(&mut recorder.borrow_mut().found)))
}

/// What a decoder tells of the nested objects that it comes across.
#[derive(Default)]
pub(crate) struct Recorder {
    /// What was come across, by id and type: its number, and a `Nested` of that type.
    known: BTreeMap<(ObjectId, TypeId), (usize, Box<dyn Any + Send + Sync>)>,
    /// Those that were come across, by their numbers.
    pub(super) parts: Parts,
    /// How far below the outermost object the one is that is being decoded, at least.
    depth: usize,
    /// The numbers of those nested in it.
    found: Vec<usize>,
    /// Those nested in it that nothing else was found to nest before.
    pub(super) new: Vec<Box<dyn Slot>>,
}

impl Recorder {
    /// Begins with an object this far below the outermost one.
    pub(super) fn begin(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// The nested object of this id and type: the same one wherever it is nested.
    pub(crate) fn nested<T: Object>(&mut self, id: ObjectId) -> Result<Nested<T>, DecodeError> {
        let key = (id, TypeId::of::<T>());
        if let Some((number, nested)) = self.known.get(&key)
            && let Some(nested) = nested.downcast_ref::<Nested<T>>()
        {
            self.found.push(*number);
            return Ok(nested.clone());
        }
        let number = self.parts.len();
        if number >= MAX_NESTED_BLOCKS {
            return Err(DecodeError::Bound { what: BLOCKS, count: number + 1, limit: MAX_NESTED_BLOCKS });
        }
        let nested = Nested::<T>::from_id(id);
        self.known.insert(key, (number, Box::new(nested.clone())));
        self.parts.push(nested.part());
        self.found.push(number);
        self.new.push(Box::new(Waiting { nested: nested.clone(), number, depth: self.depth + 1 }));
        Ok(nested)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

/// A nested object whose bytes are not here yet, whatever its type.
pub(super) trait Slot: Send + Sync {
    fn id(&self) -> ObjectId;

    /// How far below the outermost object it was found.
    fn depth(&self) -> usize;

    fn decode(self: Box<Self>, bytes: &[u8], recorder: &RefCell<Recorder>) -> Result<Box<dyn Filled>, LoadError>;
}

/// A nested object that is decoded, and not given to those that nest it yet.
pub(super) trait Filled: Send + Sync {
    fn number(&self) -> usize;

    fn inner(&self) -> &[usize];

    fn fill(self: Box<Self>, inner: Parts, levels: usize);
}

struct Waiting<T> {
    nested: Nested<T>,
    number: usize,
    depth: usize,
}

struct Ready<T> {
    waiting: Waiting<T>,
    value: T,
    bytes: Vec<u8>,
    inner: Vec<usize>,
}

impl<T: Object> Slot for Waiting<T> {
    fn id(&self) -> ObjectId {
        self.nested.id()
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn decode(self: Box<Self>, bytes: &[u8], recorder: &RefCell<Recorder>) -> Result<Box<dyn Filled>, LoadError> {
        let (value, inner) = decode(self.nested.id(), bytes, recorder)?;
        Ok(Box::new(Ready { waiting: *self, value, bytes: bytes.to_vec(), inner }))
    }
}

impl<T: Object> Filled for Ready<T> {
    fn number(&self) -> usize {
        self.waiting.number
    }

    fn inner(&self) -> &[usize] {
        &self.inner
    }

    fn fill(self: Box<Self>, inner: Parts, levels: usize) {
        self.waiting.nested.fill(self.value, self.bytes, inner, levels);
    }
}
