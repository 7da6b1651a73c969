//! The mutations of a list in canonical bytes.

use hhs_model::OpId;
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder, MapDecoder};

/// A change of a [`List`](crate::List). Indexes count from 0 in the list as its author saw it, with the earlier mutations of the
/// same op; one behind the end means the end where something is put in, and nothing elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListMutation<M> {
    /// New elements stand there, each with one mutation of its content.
    Insert {
        /// The index of the first.
        at: u64,
        /// Their contents; at least one.
        items: Vec<M>,
    },
    /// A new element stands there, as empty as its type begins.
    InsertEmpty {
        /// Its index.
        at: u64,
    },
    /// The element is gone.
    Remove {
        /// Its index.
        at: u64,
    },
    /// The element stands elsewhere.
    Move {
        /// Its index.
        from: u64,
        /// Its index afterwards.
        to: u64,
    },
    /// A removed element is back, with all that is in it.
    Restore {
        /// Its index.
        at: u64,
        /// Which one.
        element: ElementId,
    },
    /// A mutation of the element's content.
    At {
        /// Its index.
        index: u64,
        /// The mutation.
        inner: M,
    },
}

/// An element of a list, wherever it stands: the same everywhere, and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementId {
    /// The op that inserted it.
    pub op: OpId,
    /// Which of the op's mutations of the field.
    pub index: u32,
    /// Which of the elements that the mutation inserted.
    pub number: u32,
}

impl ElementId {
    pub(crate) fn name(self) -> (OpId, u32, u32) {
        (self.op, self.index, self.number)
    }
}

impl From<(OpId, u32, u32)> for ElementId {
    fn from((op, index, number): (OpId, u32, u32)) -> Self {
        Self { op, index, number }
    }
}

impl<M: Encode> Encode for ListMutation<M> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(1);
        match self {
            Self::Insert { at, items } => {
                encoder.key("insert").map(2).key("at").uint(*at).key("items").value(items);
            }
            Self::InsertEmpty { at } => {
                encoder.key("insert").map(1).key("at").uint(*at);
            }
            Self::Remove { at } => {
                encoder.key("remove").uint(*at);
            }
            Self::Move { from, to } => {
                encoder.key("move").map(2).key("to").uint(*to).key("from").uint(*from);
            }
            Self::Restore { at, element } => {
                encoder.key("restore").map(2).key("at").uint(*at).key("element").value(element);
            }
            Self::At { index, inner } => {
                encoder.key("at").map(2).key("do").value(inner).key("index").uint(*index);
            }
        }
    }
}

/// Closed: an entry that is not known could be one that changes the meaning.
impl<M: Decode> Decode for ListMutation<M> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut outer = Fields::open(decoder)?;
        let mutation = match outer.map.next_key(decoder)? {
            Some("insert") => {
                let mut map = Fields::open(decoder)?;
                let at = map.value(decoder, "at")?;
                if map.map.left() == 0 {
                    map.close(decoder)?;
                    Self::InsertEmpty { at }
                } else {
                    let items: Vec<M> = map.value(decoder, "items")?;
                    if items.is_empty() {
                        return Err(DecodeError::Invalid("a mutation of a list inserts nothing"));
                    }
                    map.close(decoder)?;
                    Self::Insert { at, items }
                }
            }
            Some("remove") => Self::Remove { at: decoder.uint()? },
            Some("move") => {
                let mut map = Fields::open(decoder)?;
                let (to, from) = (map.value(decoder, "to")?, map.value(decoder, "from")?);
                map.close(decoder)?;
                Self::Move { from, to }
            }
            Some("restore") => {
                let mut map = Fields::open(decoder)?;
                let (at, element) = (map.value(decoder, "at")?, map.value(decoder, "element")?);
                map.close(decoder)?;
                Self::Restore { at, element }
            }
            Some("at") => {
                let mut map = Fields::open(decoder)?;
                let (inner, index) = (map.value(decoder, "do")?, map.value(decoder, "index")?);
                map.close(decoder)?;
                Self::At { index, inner }
            }
            _ => return Err(SHAPE),
        };
        outer.close(decoder)?;
        Ok(mutation)
    }
}

/// As a list of three: the id of the op as a byte string, as it is no link that leads to an object; and two numbers.
impl Encode for ElementId {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.list(3).bytes(self.op.as_bytes()).uint(self.index.into()).uint(self.number.into());
    }
}

impl Decode for ElementId {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if decoder.list()? != 3 {
            return Err(SHAPE);
        }
        let op = OpId(hhs_model::Hash(decoder.byte_array("the id of an op")?));
        let mut number = || u32::try_from(decoder.uint()?).map_err(|_| SHAPE);
        let (index, number) = (number()?, number()?);
        decoder.leave();
        Ok(Self { op, index, number })
    }
}

const SHAPE: DecodeError = DecodeError::Invalid("a mutation of a list is not one of those that there are");

/// The entries of a closed map.
pub(super) struct Fields<'a> {
    map: MapDecoder<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn open(decoder: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Ok(Self { map: decoder.map()? })
    }

    pub(super) fn key(&mut self, decoder: &mut Decoder<'a>) -> Result<Option<&'a str>, DecodeError> {
        self.map.next_key(decoder)
    }

    pub(super) fn value<T: Decode>(&mut self, decoder: &mut Decoder<'a>, key: &str) -> Result<T, DecodeError> {
        match self.map.next_key(decoder)? {
            Some(found) if found == key => decoder.value(),
            _ => Err(SHAPE),
        }
    }

    pub(super) fn close(mut self, decoder: &mut Decoder<'a>) -> Result<(), DecodeError> {
        match self.map.next_key(decoder)? {
            None => Ok(()),
            Some(_) => Err(SHAPE),
        }
    }
}
