//! Nested objects: values of a class inside others, stored once each and linked by id.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use super::loading::LoadError;
use super::{Link, Object, from_bytes};
use crate::bounds::MAX_NESTED_LEVELS;
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};
use crate::id::ObjectId;

/// An object inside another: in the bytes a link, in memory the id alone or the object too.
///
/// It is a part of what it stands in: [`to_blocks`](super::to_blocks) gives its bytes along with those around it, and
/// [`load_deep`](super::load_deep) reads it along with them. What is merely referred to is a [`Link`].
///
/// Two are equal if their ids are. An object is decoded with its nested ones not loaded, so that its `validate` sees their
/// ids at most.
///
/// ```
/// use hhs_model::object::{self, Nested};
/// use hhs_model::{Object, ObjectId};
/// use std::collections::BTreeMap;
///
/// #[derive(Object)]
/// #[object(class = "album/v1/Photo")]
/// struct Photo {
///     title: String,
/// }
///
/// #[derive(Object)]
/// #[object(class = "album/v1/Album")]
/// struct Album {
///     photos: Vec<Nested<Photo>>,
/// }
///
/// let sunset = Nested::new(Photo { title: "Sunset".into() })?;
/// let album = Album { photos: vec![sunset.clone(), sunset] };
/// let blocks = object::to_blocks(&album)?;
/// assert_eq!(blocks.len(), 2, "the photo once, then the album");
///
/// let stored: BTreeMap<ObjectId, Vec<u8>> = blocks.into_iter().map(|block| (block.id, block.bytes)).collect();
/// let album: Album = object::load_deep(object::id(&album)?, &stored)?;
/// assert_eq!(album.photos[1].get().map(|photo| photo.title.as_str()), Some("Sunset"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Nested<T>(Arc<Cell<T>>);

/// An object that may be loaded, once.
struct Cell<T> {
    id: ObjectId,
    loaded: OnceLock<Loaded<T>>,
}

/// A loaded object, with all that has to be known to save it again.
struct Loaded<T> {
    value: T,
    bytes: Vec<u8>,
    /// The objects nested directly in it, as often as they are.
    inner: Parts,
    /// One more than the levels of loaded objects below it. Bounded, as dropping it recurses through them.
    levels: usize,
}

/// What is nested in an object.
pub(crate) type Parts = Vec<Arc<dyn Part>>;

/// A nested object whatever its type.
pub(crate) trait Part: Any + Send + Sync {
    fn id(&self) -> ObjectId;

    /// Its bytes, if it is loaded.
    fn bytes(&self) -> Option<&[u8]>;

    /// What is nested directly in it; nothing if it is not loaded.
    fn inner(&self) -> &[Arc<dyn Part>];

    fn levels(&self) -> usize;
}

impl fmt::Debug for dyn Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({})", self.id())
    }
}

impl<T: Object> Part for Cell<T> {
    fn id(&self) -> ObjectId {
        self.id
    }

    fn bytes(&self) -> Option<&[u8]> {
        self.loaded.get().map(|loaded| loaded.bytes.as_slice())
    }

    fn inner(&self) -> &[Arc<dyn Part>] {
        self.loaded.get().map_or(&[], |loaded| &loaded.inner)
    }

    fn levels(&self) -> usize {
        self.loaded.get().map_or(0, |loaded| loaded.levels)
    }
}

impl<T: Object> Nested<T> {
    /// Nests an object, which is encoded here and now, and only once however often the result is cloned.
    ///
    /// # Errors
    /// If the object has no canonical bytes, or loaded objects are nested in it more than [`MAX_NESTED_LEVELS`] levels deep,
    /// itself counted.
    pub fn new(value: T) -> Result<Self, EncodeError> {
        let mut encoder = Encoder::collecting();
        value.encode(&mut encoder);
        let (bytes, inner) = encoder.finish_with_nested()?;
        let levels = 1 + inner.iter().map(|part| part.levels()).max().unwrap_or(0);
        if levels > MAX_NESTED_LEVELS {
            return Err(EncodeError::Bound { what: LEVELS, count: levels, limit: MAX_NESTED_LEVELS });
        }
        let nested = Self::from_id(ObjectId::of(&bytes));
        nested.fill(value, bytes, inner, levels);
        Ok(nested)
    }

    /// Gives an object that is known by its id what was loaded.
    pub(super) fn fill(&self, value: T, bytes: Vec<u8>, inner: Parts, levels: usize) {
        // The same id stands for the same object: whichever came first stays.
        let _same = self.0.loaded.set(Loaded { value, bytes, inner, levels });
    }

    pub(super) fn part(&self) -> Arc<dyn Part> {
        Arc::clone(&self.0) as Arc<dyn Part>
    }

    /// Reads the object from its bytes; what is nested in it stays to be loaded. This one does not change.
    ///
    /// # Errors
    /// If the bytes are those of another object, or of another class.
    pub fn read(&self, bytes: &[u8]) -> Result<T, LoadError> {
        self.link().read(bytes)
    }
}

impl<T> Nested<T> {
    /// An object that is known by its id alone and not loaded.
    pub fn from_id(id: ObjectId) -> Self {
        Self(Arc::new(Cell { id, loaded: OnceLock::new() }))
    }

    /// The object's id.
    pub fn id(&self) -> ObjectId {
        self.0.id
    }

    /// The object, if it is loaded.
    pub fn get(&self) -> Option<&T> {
        self.0.loaded.get().map(|loaded| &loaded.value)
    }

    /// A mere reference to the object.
    pub fn link(&self) -> Link<T> {
        Link::from_id(self.id())
    }
}

impl<T: Object> Link<T> {
    /// Reads the object from its bytes.
    ///
    /// # Errors
    /// If the bytes are those of another object, or of another class.
    pub fn read(&self, bytes: &[u8]) -> Result<T, LoadError> {
        let found = ObjectId::of(bytes);
        if found != self.id() {
            return Err(LoadError::WrongId { expected: self.id(), found });
        }
        from_bytes(bytes).map_err(|error| LoadError::Object { id: found, error })
    }
}

impl<T> Clone for Nested<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> PartialEq for Nested<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl<T> Eq for Nested<T> {}

impl<T> PartialOrd for Nested<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Nested<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id().cmp(&other.id())
    }
}

impl<T> Hash for Nested<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl<T> fmt::Debug for Nested<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.get().is_some() { "loaded" } else { "not loaded" };
        write!(f, "Nested({}, {state})", self.id())
    }
}

impl<T: Object> Encode for Nested<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.link(&self.id().cid());
        encoder.nested(|| self.part());
    }
}

impl<T: Object> Decode for Nested<T> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let id = ObjectId::decode(decoder)?;
        match decoder.recorder() {
            None => Ok(Self::from_id(id)),
            Some(recorder) => recorder.borrow_mut().nested(id),
        }
    }
}

pub(super) const LEVELS: &str = "levels of objects nested in each other";
pub(super) const BLOCKS: &str = "objects nested in one";
pub(super) const BYTES: &str = "bytes of the objects nested in one";
