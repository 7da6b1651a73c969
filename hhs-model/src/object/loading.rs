//! Reading an object together with all that is nested in it, without I/O: whoever stores blocks brings them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Object;
use super::nested::{BYTES, LEVELS};
use super::recorder::{Filled, Recorder, Slot, decode};
use crate::bounds::{MAX_NESTED_BYTES, MAX_NESTED_LEVELS};
use crate::codec::DecodeError;
use crate::id::ObjectId;

/// Where blocks come from.
pub trait Blocks {
    /// The bytes of an object, if they are there.
    fn block(&self, id: &ObjectId) -> Option<&[u8]>;
}

impl<B: AsRef<[u8]>> Blocks for BTreeMap<ObjectId, B> {
    fn block(&self, id: &ObjectId) -> Option<&[u8]> {
        self.get(id).map(AsRef::as_ref)
    }
}

/// Why an object could not be read from blocks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Objects are not there; all of them that are known of.
    #[error("{}", missing(.0))]
    Missing(Vec<ObjectId>),
    /// The bytes are those of another object.
    #[error("the bytes brought for {expected} are those of {found}: the place that they come from is damaged")]
    WrongId {
        /// The object that was asked for.
        expected: ObjectId,
        /// The object that came.
        found: ObjectId,
    },
    /// An object cannot be read.
    #[error("the object {id} cannot be read: {error}")]
    Object {
        /// The object.
        id: ObjectId,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// More is nested than may be.
    #[error("{what}: {count} is more than {limit}")]
    Bound {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

fn missing(ids: &[ObjectId]) -> String {
    let named: Vec<String> = ids.iter().take(8).map(ObjectId::to_string).collect();
    let more = ids.len().saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("objects are missing, fetch them first: {}{more}", named.join(", "))
}

/// The object of an id with all that is nested in it, each decoded once.
///
/// # Errors
/// If one is missing, damaged, of another class or not valid, or more is nested than may be: see [`Loading`].
pub fn load_deep<T: Object>(id: ObjectId, blocks: &(impl Blocks + ?Sized)) -> Result<T, LoadError> {
    let mut loading = Loading::new(id);
    let mut missing = BTreeSet::new();
    loop {
        let wanted: Vec<ObjectId> = loading.wanted().filter(|id| !missing.contains(id)).collect();
        if wanted.is_empty() {
            return loading.finish();
        }
        for id in wanted {
            match blocks.block(&id) {
                Some(bytes) => loading.supply(id, bytes)?,
                None => drop(missing.insert(id)),
            }
        }
    }
}

/// An object that is being read together with all that is nested in it.
///
/// It says which blocks it [wants](Self::wanted); whoever has a store, near or far, [supplies](Self::supply) them, in
/// any order, until it wants no more. No more than [`MAX_NESTED_BLOCKS`](crate::bounds::MAX_NESTED_BLOCKS) objects are taken, [`MAX_NESTED_BYTES`] bytes, and
/// [`MAX_NESTED_LEVELS`] levels below the outermost one, whatever they claim.
///
/// ```
/// use hhs_model::object::{self, Loading, Nested};
/// use hhs_model::{Object, ObjectId};
///
/// #[derive(Object, Debug, PartialEq)]
/// #[object(class = "tree/v1/Node")]
/// struct Node {
///     below: Vec<Nested<Node>>,
/// }
///
/// let leaf = Nested::new(Node { below: vec![] })?;
/// let blocks = object::to_blocks(&Node { below: vec![leaf] })?;
/// let mut loading = Loading::<Node>::new(blocks[1].id);
/// loop {
///     let wanted: Vec<ObjectId> = loading.wanted().collect();
///     if wanted.is_empty() {
///         break;
///     }
///     for id in wanted {
///         let block = blocks.iter().find(|block| block.id == id).expect("a store has it");
///         loading.supply(id, &block.bytes)?;
///     }
/// }
/// assert_eq!(loading.finish()?.below[0].get(), Some(&Node { below: vec![] }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Loading<T> {
    root: ObjectId,
    /// The outermost object, and the numbers of those nested in it.
    outermost: Option<(T, Vec<usize>)>,
    /// Those not supplied yet. One object can be wanted as several types.
    wanted: BTreeMap<ObjectId, Vec<Box<dyn Slot>>>,
    supplied: Vec<Box<dyn Filled>>,
    bytes: usize,
    recorder: RefCell<Recorder>,
}

impl<T: Object> Loading<T> {
    /// Begins with the outermost object.
    pub fn new(id: ObjectId) -> Self {
        Self {
            root: id,
            outermost: None,
            wanted: BTreeMap::new(),
            supplied: Vec::new(),
            bytes: 0,
            recorder: RefCell::default(),
        }
    }

    /// The objects that are known of and not supplied yet, ascending by id.
    pub fn wanted(&self) -> impl Iterator<Item = ObjectId> {
        let root = self.outermost.is_none().then_some(self.root);
        root.into_iter().chain(self.wanted.keys().copied())
    }

    /// Takes the bytes of a wanted object; those of any other are passed over.
    ///
    /// # Errors
    /// If they are those of another object, of another class or not valid, or more is nested than may be. Nothing can be
    /// loaded any more then.
    pub fn supply(&mut self, id: ObjectId, bytes: &[u8]) -> Result<(), LoadError> {
        let is_root = id == self.root && self.outermost.is_none();
        let slots = self.wanted.remove(&id).unwrap_or_default();
        if !is_root && slots.is_empty() {
            return Ok(());
        }
        match ObjectId::of(bytes) {
            found if found == id => {}
            found => return Err(LoadError::WrongId { expected: id, found }),
        }
        if is_root {
            self.recorder.get_mut().begin(0);
            self.outermost = Some(decode(id, bytes, &self.recorder)?);
            self.note_new()?;
        }
        for slot in slots {
            self.bytes += bytes.len();
            bound(BYTES, self.bytes, MAX_NESTED_BYTES)?;
            self.recorder.get_mut().begin(slot.depth());
            self.supplied.push(slot.decode(bytes, &self.recorder)?);
            self.note_new()?;
        }
        Ok(())
    }

    /// Wants what the last object was the first to nest.
    fn note_new(&mut self) -> Result<(), LoadError> {
        let recorder = self.recorder.get_mut();
        for slot in recorder.new.drain(..) {
            bound(LEVELS, slot.depth(), MAX_NESTED_LEVELS)?;
            self.wanted.entry(slot.id()).or_default().push(slot);
        }
        Ok(())
    }

    /// The object, with everything nested in it loaded.
    ///
    /// # Errors
    /// [`LoadError::Missing`] if something is still wanted; [`LoadError::Bound`] if levels are too many.
    pub fn finish(mut self) -> Result<T, LoadError> {
        let wanted: Vec<ObjectId> = self.wanted().collect();
        let Some((outermost, _)) = self.outermost.take().filter(|_| wanted.is_empty()) else {
            return Err(LoadError::Missing(wanted));
        };
        let parts = self.recorder.into_inner().parts;
        let levels = levels(&self.supplied, parts.len())?;
        // Not before everything is known to be within bounds: dropping loaded ones recurses through their levels.
        for filled in self.supplied {
            let inner = filled.inner().iter().map(|number| Arc::clone(&parts[*number])).collect();
            let levels = levels[filled.number()];
            filled.fill(inner, levels);
        }
        Ok(outermost)
    }
}

impl<T> fmt::Debug for Loading<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loading").field("root", &self.root).field("wanted", &self.wanted.len()).finish_non_exhaustive()
    }
}

/// The levels of each of `count` parts: one more than the most of those nested in it. Does not recurse, and looks at each
/// part and each nesting once.
fn levels(supplied: &[Box<dyn Filled>], count: usize) -> Result<Vec<usize>, LoadError> {
    let mut inner: Vec<&[usize]> = vec![&[]; count];
    for filled in supplied {
        inner[filled.number()] = filled.inner();
    }
    let mut levels = vec![0; count];
    for start in 0..count {
        // Each with how many of its inner ones have been looked at.
        let mut open = if levels[start] == 0 { vec![(start, 0)] } else { Vec::new() };
        while let Some((number, next)) = open.last_mut() {
            match inner[*number].get(*next) {
                Some(below) => {
                    *next += 1;
                    if levels[*below] == 0 {
                        open.push((*below, 0));
                    }
                }
                None => {
                    levels[*number] = 1 + inner[*number].iter().map(|below| levels[*below]).max().unwrap_or(0);
                    bound(LEVELS, levels[*number], MAX_NESTED_LEVELS)?;
                    open.pop();
                }
            }
        }
    }
    Ok(levels)
}

fn bound(what: &'static str, count: usize, limit: usize) -> Result<(), LoadError> {
    if count > limit { Err(LoadError::Bound { what, count, limit }) } else { Ok(()) }
}
