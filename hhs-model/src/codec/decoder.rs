//! The strict decoder: reads canonical bytes in place and refuses all others.

use std::cell::RefCell;
use std::cmp::Ordering;

use super::traits::Decode;
use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPTH, MAX_LINKS, MAX_TREES};
use crate::id::{Cid, CidError};
use crate::object::recorder::Recorder;

/// Reads one value of canonical DAG-CBOR, item by item, without copying.
///
/// It never trusts a claimed length: lists and maps that together claim more items than there are bytes left are refused
/// before anything is allocated. Nesting is bounded by [`MAX_DEPTH`].
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    links: usize,
    trees: usize,
    /// Items that open lists and maps have claimed and that have not begun, each of which takes a byte at least.
    owed: usize,
    /// Who is told of nested objects.
    recorder: Option<&'a RefCell<Recorder>>,
}

/// Why bytes were refused; every position is an offset in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("the bytes end at {0}, inside a value")]
    Truncated(usize),
    /// Bytes follow the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// More than [`MAX_BLOCK_BYTES`].
    #[error("{0} bytes are more than the {MAX_BLOCK_BYTES} of a block")]
    TooLarge(usize),
    /// An integer or length is not in its shortest form.
    #[error("the integer or length at {0} is not in its shortest form")]
    NotShortest(usize),
    /// A length is indefinite or reserved.
    #[error("the length at {0} is indefinite or reserved")]
    Indefinite(usize),
    /// A tag other than 42, or a tag 42 that does not hold a CID.
    #[error("the tag at {0} is not a link")]
    Tag(usize),
    /// The CID in a link is not one that this format uses.
    #[error("the link at {at} cannot be read: {source}")]
    Link {
        /// Where the link begins.
        at: usize,
        /// What is wrong with it.
        source: CidError,
    },
    /// A simple value other than false, true and null.
    #[error("the simple value at {0} is not false, true or null")]
    Simple(usize),
    /// A float that is not 64 bits, or is NaN, infinite or −0.0.
    #[error("the float at {0} is not 64 bits long, or NaN, infinite or -0.0")]
    Float(usize),
    /// An integer below −2⁶³.
    #[error("the integer at {0} is below -2^63")]
    Integer(usize),
    /// Text that is not UTF-8.
    #[error("the text at {0} is not UTF-8")]
    Utf8(usize),
    /// A map key that is not text.
    #[error("the map key at {0} is not text")]
    KeyKind(usize),
    /// Map keys that are doubled or out of order.
    #[error("the map key at {0} is doubled or out of order: keys go shorter first, then bytewise")]
    KeyOrder(usize),
    /// Items of a set, or of a list that has to ascend, that are doubled or out of order.
    #[error("the item at {0} is doubled or out of order in a set or an ascending list")]
    ItemOrder(usize),
    /// Nesting deeper than [`MAX_DEPTH`].
    #[error("lists and maps are nested deeper than {MAX_DEPTH} at {0}")]
    TooDeep(usize),
    /// More links than [`MAX_LINKS`].
    #[error("there are more than {MAX_LINKS} links")]
    TooManyLinks,
    /// An item of another kind than the type asks for.
    #[error("expected {expected} at {at}")]
    Expected {
        /// What the type asks for.
        expected: &'static str,
        /// Where.
        at: usize,
    },
    /// A field that the type asks for is not there.
    #[error("the field {0:?} is missing")]
    MissingField(&'static str),
    /// An enum's variant that the type does not have.
    #[error("the variant {0:?} is not known")]
    UnknownVariant(String),
    /// The object is of another class.
    #[error("the object is of class {found:?}, not {expected:?}")]
    Class {
        /// The class that was asked for.
        expected: &'static str,
        /// The class that the bytes name.
        found: String,
    },
    /// A value that its type does not allow.
    #[error("{0}")]
    Invalid(&'static str),
    /// A value that its class's own validation refuses.
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

/// What kind of item comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An integer of either sign.
    Integer,
    /// A byte string.
    Bytes,
    /// A text.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A link.
    Link,
    /// False or true.
    Bool,
    /// Null.
    Null,
    /// A float.
    Float,
}

/// What stands before the binary CID of a link: tag 42, a byte string of 37 bytes, the zero.
const LINK_HEAD: &[u8] = &[0xd8, 0x2a, 0x58, 0x25, 0x00];

/// What is counted against [`MAX_TREES`].
pub(crate) const TREES: &str = "sets and maps held as trees (BTreeSet, BTreeMap)";

/// The order of map keys: shorter first, then bytewise.
pub(crate) fn canonical_order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `bytes`.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] if there are more than [`MAX_BLOCK_BYTES`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BLOCK_BYTES {
            return Err(DecodeError::TooLarge(bytes.len()));
        }
        Ok(Self::unbounded(bytes))
    }

    /// A decoder for what is made of several blocks and bounded elsewhere, such as a message.
    pub fn unbounded(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0, links: 0, trees: 0, owed: 0, recorder: None }
    }

    /// A decoder that tells of the nested objects that it reads.
    ///
    /// # Errors
    /// As [`Decoder::new`].
    pub(crate) fn recording(bytes: &'a [u8], recorder: &'a RefCell<Recorder>) -> Result<Self, DecodeError> {
        Ok(Self { recorder: Some(recorder), ..Self::new(bytes)? })
    }

    /// Who is told of nested objects, if anybody is.
    pub(crate) fn recorder(&self) -> Option<&'a RefCell<Recorder>> {
        self.recorder
    }

    /// How many links were read.
    pub(crate) fn links(&self) -> usize {
        self.links
    }

    /// The offset of the next item.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The bytes from `start` up to here.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// How many bytes are left: no list or map can have more items than that.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Ends decoding.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing(left)),
        }
    }

    /// What kind of item comes next; reads nothing.
    ///
    /// # Errors
    /// If the bytes end here, or begin an item that the format does not have.
    #[inline]
    pub fn peek(&self) -> Result<Kind, DecodeError> {
        let first = *self.bytes.get(self.at).ok_or(DecodeError::Truncated(self.at))?;
        Ok(match (first >> 5, first & 31) {
            (0 | 1, _) => Kind::Integer,
            (2, _) => Kind::Bytes,
            (3, _) => Kind::Text,
            (4, _) => Kind::List,
            (5, _) => Kind::Map,
            (6, _) => Kind::Link,
            (_, 20 | 21) => Kind::Bool,
            (_, 22) => Kind::Null,
            (_, 25..=27) => Kind::Float,
            _ => return Err(DecodeError::Simple(self.at)),
        })
    }

    /// Reads an integer.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn int(&mut self) -> Result<i128, DecodeError> {
        let at = self.at;
        if self.bytes.get(at).is_none_or(|first| first >> 5 > 1) {
            self.peek()?;
            return Err(DecodeError::Expected { expected: "an integer", at });
        }
        match self.head()? {
            (0, value) => Ok(i128::from(value)),
            (_, value) => i64::try_from(value).map(|value| i128::from(!value)).map_err(|_| DecodeError::Integer(at)),
        }
    }

    /// Reads an unsigned integer.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        self.typed(0, "an unsigned integer")
    }

    /// Reads a float.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn float(&mut self) -> Result<f64, DecodeError> {
        let at = self.at;
        match self.bytes.get(at).ok_or(DecodeError::Truncated(at))? {
            0xfb => {}
            0xf9 | 0xfa => return Err(DecodeError::Float(at)),
            _ => return Err(DecodeError::Expected { expected: "a float", at }),
        }
        self.begin();
        let mut raw = [0; 8];
        raw.copy_from_slice(self.take(8)?);
        let value = f64::from_be_bytes(raw);
        if !value.is_finite() || (value == 0.0 && value.is_sign_negative()) {
            return Err(DecodeError::Float(at));
        }
        Ok(value)
    }

    /// Reads a truth value.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        let at = self.at;
        let value = match self.bytes.get(at).ok_or(DecodeError::Truncated(at))? {
            0xf4 => false,
            0xf5 => true,
            _ => return Err(DecodeError::Expected { expected: "true or false", at }),
        };
        self.begin();
        Ok(value)
    }

    /// Reads null.
    ///
    /// # Errors
    /// If the next item is not null.
    pub fn null(&mut self) -> Result<(), DecodeError> {
        let at = self.at;
        match self.bytes.get(at).ok_or(DecodeError::Truncated(at))? {
            0xf6 => self.begin(),
            _ => return Err(DecodeError::Expected { expected: "null", at }),
        }
        Ok(())
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.typed(2, "a byte string")?;
        self.take_claimed(length)
    }

    /// Reads a byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// If the next item is not one.
    pub fn byte_array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N], DecodeError> {
        let at = self.at;
        self.bytes()?.try_into().map_err(|_| DecodeError::Expected { expected, at })
    }

    /// Reads a text.
    ///
    /// # Errors
    /// If the next item is not one, or not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        let at = self.at;
        let length = self.typed(3, "a text")?;
        std::str::from_utf8(self.take_claimed(length)?).map_err(|_| DecodeError::Utf8(at))
    }

    /// Reads a link.
    ///
    /// # Errors
    /// If the next item is not one, or its CID is of another kind than this format uses.
    pub fn link(&mut self) -> Result<Cid, DecodeError> {
        if let Some(rest) = self.bytes[self.at..].strip_prefix(LINK_HEAD)
            && let Some(cid) = rest.get(..Cid::BYTES)
            && let Ok(cid) = Cid::from_bytes(cid)
        {
            self.begin();
            self.at += LINK_HEAD.len() - 1 + Cid::BYTES;
            return self.count_link(cid);
        }
        self.other_link()
    }

    /// Says what is wrong with what is not a link in the one form that links have.
    #[cold]
    fn other_link(&mut self) -> Result<Cid, DecodeError> {
        let at = self.at;
        let tag = self.typed(6, "a link")?;
        if tag != 42 {
            return Err(DecodeError::Tag(at));
        }
        // The tag and its bytes are one item.
        self.owed += 1;
        let bytes = match self.peek()? {
            Kind::Bytes => self.bytes()?,
            _ => return Err(DecodeError::Tag(at)),
        };
        let cid = match bytes.split_first() {
            Some((0, cid)) => Cid::from_bytes(cid).map_err(|source| DecodeError::Link { at, source })?,
            _ => return Err(DecodeError::Tag(at)),
        };
        self.count_link(cid)
    }

    fn count_link(&mut self, cid: Cid) -> Result<Cid, DecodeError> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(DecodeError::TooManyLinks);
        }
        Ok(cid)
    }

    /// Begins a list and says how many items follow; [`leave`](Self::leave) ends it.
    ///
    /// # Errors
    /// If the next item is not a list, claims more items than there are bytes, or nests too deep.
    pub fn list(&mut self) -> Result<usize, DecodeError> {
        let count = self.typed(4, "a list")?;
        self.enter(count, 1)
    }

    /// Ends the innermost list or map.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Begins a map, whose keys have to be asked for one by one.
    ///
    /// # Errors
    /// If the next item is not a map, claims more entries than there are bytes, or nests too deep.
    pub fn map(&mut self) -> Result<MapDecoder<'a>, DecodeError> {
        let count = self.typed(5, "a map")?;
        Ok(MapDecoder { left: self.enter(count, 2)?, last: None })
    }

    /// Reads any value of a type that can decode itself.
    ///
    /// # Errors
    /// If the next item is not such a value.
    pub fn value<T: Decode>(&mut self) -> Result<T, DecodeError> {
        T::decode(self)
    }

    /// Reads over the next value, checking that it is canonical, and returns its bytes.
    ///
    /// # Errors
    /// If it is not canonical.
    pub fn skip(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = self.at;
        match self.peek()? {
            Kind::Integer => drop(self.int()?),
            Kind::Bytes => drop(self.bytes()?),
            Kind::Text => drop(self.text()?),
            Kind::Link => drop(self.link()?),
            Kind::Bool => drop(self.bool()?),
            Kind::Null => self.null()?,
            Kind::Float => drop(self.float()?),
            // Recursion is bounded: `enter` refuses more than MAX_DEPTH levels.
            Kind::List => {
                for _ in 0..self.list()? {
                    self.skip()?;
                }
                self.leave();
            }
            Kind::Map => {
                let mut map = self.map()?;
                while map.next_key(self)?.is_some() {
                    self.skip()?;
                }
            }
        }
        Ok(self.since(start))
    }

    /// Counts a set or map that is held as a tree and has this many items, however often trees nest.
    pub(crate) fn tree(&mut self, items: usize) -> Result<(), DecodeError> {
        self.trees += usize::from(items > 0);
        match self.trees {
            0..=MAX_TREES => Ok(()),
            count => Err(DecodeError::Bound { what: TREES, count, limit: MAX_TREES }),
        }
    }

    /// Opens a list or map of so many entries, each made of `items` items.
    fn enter(&mut self, count: u64, items: usize) -> Result<usize, DecodeError> {
        if self.depth >= MAX_DEPTH {
            return Err(DecodeError::TooDeep(self.at));
        }
        // Those of the lists around this one have to fit behind it as well: else each of 64 levels could claim all bytes.
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let owed = count.saturating_mul(items).saturating_add(self.owed);
        if owed > self.remaining() {
            return Err(DecodeError::Truncated(self.bytes.len()));
        }
        self.owed = owed;
        self.depth += 1;
        Ok(count)
    }

    /// Reads the first byte of an item, which is there.
    fn begin(&mut self) {
        self.at += 1;
        self.owed = self.owed.saturating_sub(1);
    }

    fn typed(&mut self, major: u8, expected: &'static str) -> Result<u64, DecodeError> {
        let at = self.at;
        let first = *self.bytes.get(at).ok_or(DecodeError::Truncated(at))?;
        if first >> 5 != major {
            return Err(DecodeError::Expected { expected, at });
        }
        Ok(self.head()?.1)
    }

    /// Reads a head of major type 0 to 6: the type and its shortest-form argument.
    fn head(&mut self) -> Result<(u8, u64), DecodeError> {
        let at = self.at;
        let first = *self.bytes.get(at).ok_or(DecodeError::Truncated(at))?;
        self.begin();
        let (argument, least) = match first & 31 {
            small @ 0..=23 => return Ok((first >> 5, u64::from(small))),
            24 => (u64::from(self.take(1)?[0]), 24),
            25 => (self.big_endian(2)?, 1 << 8),
            26 => (self.big_endian(4)?, 1 << 16),
            27 => (self.big_endian(8)?, 1 << 32),
            _ => return Err(DecodeError::Indefinite(at)),
        };
        if argument < least {
            return Err(DecodeError::NotShortest(at));
        }
        Ok((first >> 5, argument))
    }

    fn big_endian(&mut self, bytes: usize) -> Result<u64, DecodeError> {
        Ok(self.take(bytes)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn take_claimed(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        if length > self.remaining() {
            return Err(DecodeError::Truncated(self.bytes.len()));
        }
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        Ok(taken)
    }
}

/// The entries of a map that is being read: checks that keys are text and strictly ascending.
#[derive(Debug)]
pub struct MapDecoder<'a> {
    left: usize,
    last: Option<&'a str>,
}

impl<'a> MapDecoder<'a> {
    /// The next key, whose value has to be read next; `None` ends the map.
    ///
    /// # Errors
    /// If the key is not text, or not above the one before it.
    pub fn next_key(&mut self, decoder: &mut Decoder<'a>) -> Result<Option<&'a str>, DecodeError> {
        if self.left == 0 {
            decoder.leave();
            return Ok(None);
        }
        self.left -= 1;
        let at = decoder.position();
        if decoder.bytes.get(at).is_none_or(|first| first >> 5 != 3) {
            decoder.peek()?;
            return Err(DecodeError::KeyKind(at));
        }
        let key = decoder.text()?;
        if self.last.is_some_and(|last| canonical_order(last.as_bytes(), key.as_bytes()).is_ge()) {
            return Err(DecodeError::KeyOrder(at));
        }
        self.last = Some(key);
        Ok(Some(key))
    }

    /// How many entries are left.
    pub fn left(&self) -> usize {
        self.left
    }
}
