//! The mutations of a text in canonical bytes: `{"text": …, "edits": …}` and `{"mark": {…}}`.

use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

use super::marks::MarkMutation;
use crate::sequence::delta;

/// A change of a [`Text`](super::Text).
#[derive(Debug, Clone, PartialEq)]
pub struct TextMutation(pub(super) Kind);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Edits(Edits),
    Mark(MarkMutation),
}

/// Edits, from front to back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edits {
    /// As [`delta`] has them.
    pub(super) bytes: Vec<u8>,
    /// All that they insert, one behind the other.
    pub(super) text: String,
    /// How many characters that is.
    pub(super) inserted: u32,
}

impl From<Edits> for TextMutation {
    fn from(edits: Edits) -> Self {
        Self(Kind::Edits(edits))
    }
}

impl From<MarkMutation> for TextMutation {
    fn from(mark: MarkMutation) -> Self {
        Self(Kind::Mark(mark))
    }
}

impl Encode for TextMutation {
    fn encode(&self, encoder: &mut Encoder) {
        match &self.0 {
            Kind::Edits(edits) => {
                encoder.map(2);
                encoder.key("text").text(&edits.text);
                encoder.key("edits").bytes(&edits.bytes);
            }
            Kind::Mark(mark) => {
                encoder.map(1);
                encoder.key("mark").value(mark);
            }
        }
    }
}

/// Closed: an entry that is not known could be one that changes the meaning.
impl Decode for TextMutation {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError = DecodeError::Invalid("a mutation of a text is neither edits nor a mark");
        let mut map = decoder.map()?;
        let kind = match (map.left(), map.next_key(decoder)?) {
            (2, Some("text")) => {
                let text: String = decoder.value()?;
                if map.next_key(decoder)? != Some("edits") {
                    return Err(SHAPE);
                }
                let bytes = decoder.bytes()?.to_vec();
                let inserted = delta::check(&bytes)?;
                if text.chars().count() != inserted as usize {
                    return Err(DecodeError::Invalid("the edits of a text insert more or less than there is"));
                }
                Kind::Edits(Edits { bytes, text, inserted })
            }
            (1, Some("mark")) => Kind::Mark(decoder.value()?),
            _ => return Err(SHAPE),
        };
        map.next_key(decoder)?;
        Ok(Self(kind))
    }
}
