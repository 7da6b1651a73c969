//! The mutations of a map in canonical bytes: `{"at": {"do": …, "key": …, "life": …}}`, `{"insert": {"key": …, "life": …}}`,
//! `{"remove": key}`.

use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// A change of a [`Map`](crate::Map).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapMutation<K, M> {
    /// The entry is in, and this changes in it.
    At {
        /// Whose entry.
        key: K,
        /// Which of the lives of the entry, from 0.
        life: u64,
        /// What changes.
        inner: M,
    },
    /// The entry is in, as it was left.
    Insert {
        /// Whose entry.
        key: K,
        /// Which of the lives of the entry, from 0.
        life: u64,
    },
    /// The entry is out as far as it is in by ops of this op's past, and by this op's own mutations before this one.
    Remove(K),
}

impl<K, M> MapMutation<K, M> {
    /// The key that it is about.
    pub fn key(&self) -> &K {
        match self {
            Self::At { key, .. } | Self::Insert { key, .. } | Self::Remove(key) => key,
        }
    }
}

impl<K: Encode, M: Encode> Encode for MapMutation<K, M> {
    fn encode(&self, encoder: &mut Encoder) {
        let entries = |life: &u64| 1 + usize::from(*life > 0);
        encoder.map(1);
        match self {
            Self::At { key, life, inner } => {
                encoder.key("at").map(1 + entries(life));
                encoder.key("do").value(inner);
                place(encoder, key, *life);
            }
            Self::Insert { key, life } => {
                encoder.key("insert").map(entries(life));
                place(encoder, key, *life);
            }
            Self::Remove(key) => drop(encoder.key("remove").value(key)),
        }
    }
}

fn place(encoder: &mut Encoder, key: &impl Encode, life: u64) {
    encoder.key("key").value(key);
    if life > 0 {
        encoder.key("life").value(&life);
    }
}

/// Closed, unlike structs of apps: an entry that is not known could be one that changes the meaning.
impl<K: Decode, M: Decode> Decode for MapMutation<K, M> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        const SHAPE: DecodeError = DecodeError::Invalid("a mutation of a map is none that there is");
        let mut map = decoder.map()?;
        if map.left() != 1 {
            return Err(SHAPE);
        }
        let mutation = match map.next_key(decoder)? {
            Some("at") => {
                let parts = Parts::decode(decoder)?;
                let (Some(inner), Some(key)) = (parts.inner, parts.key) else { return Err(SHAPE) };
                Self::At { key, life: parts.life, inner }
            }
            Some("insert") => match Parts::<K, M>::decode(decoder)? {
                Parts { inner: None, key: Some(key), life } => Self::Insert { key, life },
                _ => return Err(SHAPE),
            },
            Some("remove") => Self::Remove(decoder.value()?),
            _ => return Err(SHAPE),
        };
        map.next_key(decoder)?;
        Ok(mutation)
    }
}

struct Parts<K, M> {
    key: Option<K>,
    life: u64,
    inner: Option<M>,
}

impl<K: Decode, M: Decode> Parts<K, M> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut parts = Self { key: None, life: 0, inner: None };
        let mut map = decoder.map()?;
        while let Some(name) = map.next_key(decoder)? {
            match name {
                "do" => parts.inner = Some(decoder.value()?),
                "key" => parts.key = Some(decoder.value()?),
                "life" => match decoder.value()? {
                    0 => return Err(DecodeError::Invalid("the first life of an entry of a map is left out")),
                    life => parts.life = life,
                },
                _ => return Err(DecodeError::Invalid("a mutation of a map says what no map knows")),
            }
        }
        Ok(parts)
    }
}
