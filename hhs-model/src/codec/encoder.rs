//! The canonical encoder: `ciborium-ll` writes the heads, this decides which heads there may be.

use std::convert::Infallible;
use std::sync::Arc;

use ciborium_ll::Header;

use super::decoder::{TREES, canonical_order};
use super::traits::Encode;
use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPTH, MAX_LINKS, MAX_TREES};
use crate::id::Cid;
use crate::object::nested::{Part, Parts};

/// Writes one value as canonical DAG-CBOR.
///
/// Methods never fail at once: the first thing that has no canonical form is remembered and returned by
/// [`Encoder::finish`], so that encoding code reads as the list of what it writes.
///
/// ```
/// use hhs_model::codec::Encoder;
///
/// let mut encoder = Encoder::new();
/// encoder.map(2);
/// encoder.key("to").text("Ana");
/// encoder.key("text").text("hello");
/// assert_eq!(encoder.finish()?.len(), 19);
/// # Ok::<(), hhs_model::codec::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct Encoder {
    bytes: Vec<u8>,
    limit: usize,
    open: Vec<Open>,
    links: usize,
    trees: usize,
    error: Option<EncodeError>,
    /// The loaded nested objects that were written, if somebody wants them.
    nested: Option<Parts>,
}

/// A list or map whose items are still being written.
#[derive(Debug)]
struct Open {
    left: usize,
    map: bool,
    /// Of a map: a key is written, and its value has to follow.
    has_key: bool,
    /// Where the text of the last key lies in `bytes`.
    last_key: Option<(usize, usize)>,
}

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A float is NaN, infinite or −0.0.
    #[error("the float {0} has no canonical form: NaN, infinities and -0.0 cannot be saved")]
    Float(String),
    /// An integer lies outside −2⁶³ … 2⁶⁴−1.
    #[error("the integer {0} is outside -2^63 ... 2^64-1: use a `BigInt` for larger ones")]
    Integer(i128),
    /// The encoded bytes exceed [`MAX_BLOCK_BYTES`].
    #[error("the object takes at least {0} bytes, more than the {MAX_BLOCK_BYTES} that a block may have: split it")]
    TooLarge(usize),
    /// Lists and maps are nested deeper than [`MAX_DEPTH`].
    #[error("lists and maps are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More links than [`MAX_LINKS`].
    #[error("the object has more than {MAX_LINKS} links")]
    TooManyLinks,
    /// A map's key is not above the one before it.
    #[error("the map key {0:?} is doubled or out of order: write keys shorter first, then bytewise")]
    KeyOrder(String),
    /// The items of a list that has to ascend do not.
    #[error("the items of {0} are doubled or out of order: sort them")]
    ItemOrder(&'static str),
    /// Two items of a set have the same canonical bytes.
    #[error("two items of a set have the same canonical bytes: their order has to tell apart what their bytes do")]
    DoubledItem,
    /// An option holds a value that is itself written as null.
    #[error("an option holds null and could not be told from an empty one: wrap the value in a struct")]
    NullOption,
    /// The items written differ from the number that a list or map announced.
    #[error("a list or map does not have as many items as it announced")]
    ItemCount,
    /// The object's class refuses it.
    #[error("the object is not valid: {0}")]
    Validation(String),
    /// A bound of a particular kind of object is exceeded.
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

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// An encoder that has written nothing.
    pub fn new() -> Self {
        Self::with_limit(MAX_BLOCK_BYTES)
    }

    /// An encoder for what is made of several blocks, such as a message, with a bound of its own in bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, open: Vec::new(), links: 0, trees: 0, error: None, nested: None }
    }

    /// Writes an unsigned integer.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.item();
        self.push(Header::Positive(value))
    }

    /// Writes an integer of −2⁶³ … 2⁶⁴−1.
    pub fn int(&mut self, value: i128) -> &mut Self {
        if let Ok(value) = u64::try_from(value) {
            return self.uint(value);
        }
        match i64::try_from(value) {
            Ok(value) => {
                self.item();
                self.push(Header::Negative(!value as u64))
            }
            Err(_) => self.fail(EncodeError::Integer(value)),
        }
    }

    /// Writes a float, always as 64 bits.
    pub fn float(&mut self, value: f64) -> &mut Self {
        if !value.is_finite() || (value == 0.0 && value.is_sign_negative()) {
            return self.fail(EncodeError::Float(value.to_string()));
        }
        self.item();
        // Not by `ciborium-ll`, which shortens floats that fit into 16 or 32 bits.
        self.raw(&[0xfb]).raw(&value.to_be_bytes())
    }

    /// Writes a truth value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.item();
        self.push(Header::Simple(if value { 21 } else { 20 }))
    }

    /// Writes null.
    pub fn null(&mut self) -> &mut Self {
        self.item();
        self.push(Header::Simple(22))
    }

    /// Writes a byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.item();
        self.push(Header::Bytes(Some(value.len())));
        self.raw(value)
    }

    /// Writes a text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.item();
        self.push(Header::Text(Some(value.len())));
        self.raw(value.as_bytes())
    }

    /// Writes a link: tag 42 around the binary CID with the identity multibase prefix.
    pub fn link(&mut self, cid: &Cid) -> &mut Self {
        self.links += 1;
        if self.links > MAX_LINKS {
            return self.fail(EncodeError::TooManyLinks);
        }
        self.item();
        self.push(Header::Tag(42));
        self.push(Header::Bytes(Some(1 + Cid::BYTES)));
        self.raw(&[0]);
        self.raw(&cid.to_bytes())
    }

    /// Begins a list of `count` items, which have to follow.
    pub fn list(&mut self, count: usize) -> &mut Self {
        self.item();
        self.push(Header::Array(Some(count)));
        self.enter(count, false)
    }

    /// Begins a map of `count` entries, each a [`key`](Self::key) and a value, which have to follow in canonical order.
    pub fn map(&mut self, count: usize) -> &mut Self {
        self.item();
        self.push(Header::Map(Some(count)));
        self.enter(count, true)
    }

    /// Writes the key of the next entry of the innermost open map; its value has to follow.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.close_full();
        let Some(open) = self.open.last().filter(|open| open.map && open.left > 0 && !open.has_key) else {
            return self.fail(EncodeError::ItemCount);
        };
        if let Some((start, end)) = open.last_key
            && canonical_order(&self.bytes[start..end], key.as_bytes()).is_ge()
        {
            return self.fail(EncodeError::KeyOrder(key.into()));
        }
        self.push(Header::Text(Some(key.len())));
        let start = self.bytes.len();
        self.raw(key.as_bytes());
        let end = self.bytes.len();
        if let Some(open) = self.open.last_mut() {
            open.last_key = Some((start, end));
            open.has_key = true;
        }
        self
    }

    /// Writes any value that can encode itself.
    pub fn value(&mut self, value: &(impl Encode + ?Sized)) -> &mut Self {
        value.encode(self);
        self
    }

    /// Remembers that what is being encoded has no canonical form; the first call counts.
    pub fn fail(&mut self, error: EncodeError) -> &mut Self {
        self.error.get_or_insert(error);
        self
    }

    /// Whether something has failed: what is written from here on does not matter.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// The first thing written that has no canonical form or exceeds a bound.
    pub fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        self.close_full();
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.bytes.len() > self.limit {
            return Err(EncodeError::TooLarge(self.bytes.len()));
        }
        if self.bytes.is_empty() || !self.open.is_empty() {
            return Err(EncodeError::ItemCount);
        }
        Ok(self.bytes)
    }

    /// An encoder that also keeps the loaded nested objects whose links it writes.
    pub(crate) fn collecting() -> Self {
        Self { nested: Some(Vec::new()), ..Self::new() }
    }

    /// Takes note of a nested object whose link was written.
    pub(crate) fn nested(&mut self, part: impl FnOnce() -> Arc<dyn Part>) {
        if let Some(nested) = self.nested.as_mut().filter(|_| self.error.is_none()) {
            nested.push(part());
        }
    }

    /// The canonical bytes, and the nested objects whose links are in them.
    ///
    /// # Errors
    /// As [`Encoder::finish`].
    pub(crate) fn finish_with_nested(mut self) -> Result<(Vec<u8>, Parts), EncodeError> {
        let nested = self.nested.take().unwrap_or_default();
        Ok((self.finish()?, nested))
    }

    /// How many links were written.
    pub(crate) fn links(&self) -> usize {
        self.links
    }

    /// The offset of the next item.
    pub(crate) fn position(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes from `start` up to here.
    pub(crate) fn since(&self, start: usize) -> &[u8] {
        &self.bytes[start..]
    }

    /// Counts a set or map that is held as a tree, as whoever reads it as one does.
    pub(crate) fn tree(&mut self, items: usize) {
        self.trees += usize::from(items > 0);
        if self.trees > MAX_TREES {
            self.fail(EncodeError::Bound { what: TREES, count: self.trees, limit: MAX_TREES });
        }
    }

    /// Sorts the items that begin at these offsets, the last of which ends here: by length, then bytewise.
    pub(crate) fn sort_items(&mut self, starts: &[usize]) {
        let Some(&first) = starts.first().filter(|_| !self.has_failed()) else { return };
        let ends = starts.iter().skip(1).copied().chain([self.bytes.len()]);
        let mut items: Vec<&[u8]> = starts.iter().zip(ends).map(|(start, end)| &self.bytes[*start..end]).collect();
        items.sort_by(|a, b| canonical_order(a, b));
        if items.windows(2).any(|pair| pair[0] == pair[1]) {
            self.fail(EncodeError::DoubledItem);
            return;
        }
        let sorted = items.concat();
        self.bytes.truncate(first);
        self.bytes.extend_from_slice(&sorted);
    }

    fn push(&mut self, header: Header) -> &mut Self {
        // As in `raw`; a head has nine bytes at most, and `finish` looks again.
        if self.bytes.len() >= self.limit {
            return self.fail(EncodeError::TooLarge(self.bytes.len() + 1));
        }
        let written: Result<(), Infallible> = ciborium_ll::Encoder::from(Sink(&mut self.bytes)).push(header);
        match written {
            Ok(()) => self,
            Err(never) => match never {},
        }
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        // Past the bound nothing more is kept, so that a mistake cannot fill the memory.
        if self.bytes.len().saturating_add(bytes.len()) > self.limit {
            return self.fail(EncodeError::TooLarge(self.bytes.len().saturating_add(bytes.len())));
        }
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Counts an item against the innermost open list or map.
    fn item(&mut self) {
        self.close_full();
        match self.open.last_mut() {
            // In a map every key stands for one value.
            Some(open) if open.left > 0 && open.map == open.has_key => {
                open.left -= 1;
                open.has_key = false;
            }
            None if self.bytes.is_empty() => {}
            _ => {
                self.fail(EncodeError::ItemCount);
            }
        }
    }

    fn enter(&mut self, count: usize, map: bool) -> &mut Self {
        if self.open.len() >= MAX_DEPTH {
            return self.fail(EncodeError::TooDeep);
        }
        self.open.push(Open { left: count, map, has_key: false, last_key: None });
        self
    }

    fn close_full(&mut self) {
        while self.open.last().is_some_and(|open| open.left == 0) {
            self.open.pop();
        }
    }
}

struct Sink<'a>(&'a mut Vec<u8>);

impl ciborium_io::Write for Sink<'_> {
    type Error = Infallible;

    fn write_all(&mut self, data: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
