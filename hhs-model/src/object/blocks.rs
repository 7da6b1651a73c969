//! An object and all that is nested in it as blocks to store.

use std::collections::BTreeSet;

use super::Object;
use super::nested::{BLOCKS, BYTES, Part};
use crate::bounds::{MAX_NESTED_BLOCKS, MAX_NESTED_BYTES};
use crate::codec::{EncodeError, Encoder};
use crate::id::ObjectId;

/// An object in bytes, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its id, the hash of its bytes.
    pub id: ObjectId,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// The bytes of an object and of all loaded ones nested in it, each once, and each after those nested in it.
///
/// Those that are not loaded are left out: whoever has only their ids has not changed them.
///
/// # Errors
/// As [`to_bytes`](super::to_bytes), and if there are more than [`MAX_NESTED_BLOCKS`] nested ones or they have more than
/// [`MAX_NESTED_BYTES`] together.
pub fn to_blocks(object: &impl Object) -> Result<Vec<Block>, EncodeError> {
    let mut encoder = Encoder::collecting();
    object.encode(&mut encoder);
    let (bytes, nested) = encoder.finish_with_nested()?;
    let mut collecting = Collecting::default();
    for part in &nested {
        collecting.add(&**part)?;
    }
    collecting.blocks.push(Block { id: ObjectId::of(&bytes), bytes });
    Ok(collecting.blocks)
}

#[derive(Default)]
struct Collecting {
    blocks: Vec<Block>,
    seen: BTreeSet<ObjectId>,
    bytes: usize,
}

impl Collecting {
    /// Adds a block, after those nested in it. Recurses no deeper than levels of nested objects may be, and looks at each once.
    fn add(&mut self, part: &dyn Part) -> Result<(), EncodeError> {
        let Some(bytes) = part.bytes() else { return Ok(()) };
        if !self.seen.insert(part.id()) {
            return Ok(());
        }
        if self.seen.len() > MAX_NESTED_BLOCKS {
            return Err(EncodeError::Bound { what: BLOCKS, count: self.seen.len(), limit: MAX_NESTED_BLOCKS });
        }
        self.bytes += bytes.len();
        if self.bytes > MAX_NESTED_BYTES {
            return Err(EncodeError::Bound { what: BYTES, count: self.bytes, limit: MAX_NESTED_BYTES });
        }
        for inner in part.inner() {
            self.add(&**inner)?;
        }
        self.blocks.push(Block { id: part.id(), bytes: bytes.to_vec() });
        Ok(())
    }
}
