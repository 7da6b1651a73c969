//! What the values in the backend look like.

use hhs_model::authority::Seen;
use hhs_model::codec::{DecodeError, Decoder, Encoder};

use super::{StoreError, corrupted};

/// Where something with an id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the objects.
    Object(u64),
    /// Among the ops of a replica.
    Op { replica: u32, position: u64 },
    /// The genesis of a replica, which is also an object.
    Genesis { replica: u32, object: u64 },
}

impl Place {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let (kind, replica, number) = match self {
            Self::Object(number) => (0, 0, number),
            Self::Op { replica, position } => (1, replica, position),
            Self::Genesis { replica, object } => (2, replica, object),
        };
        let mut bytes = Vec::with_capacity(13);
        bytes.push(kind);
        bytes.extend_from_slice(&u32::to_be_bytes(replica));
        bytes.extend_from_slice(&u64::to_be_bytes(number));
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes: &[u8; 13] =
            bytes.try_into().map_err(|_| corrupted("the place of an object has the wrong length"))?;
        let [kind, r0, r1, r2, r3, rest @ ..] = *bytes;
        let (replica, number) = (u32::from_be_bytes([r0, r1, r2, r3]), u64::from_be_bytes(rest));
        match kind {
            0 => Ok(Self::Object(number)),
            1 => Ok(Self::Op { replica, position: number }),
            2 => Ok(Self::Genesis { replica, object: number }),
            _ => Err(corrupted("the place of an object is of a kind that does not exist")),
        }
    }
}

/// An op with what its own past says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpRecord {
    pub(super) height: u64,
    pub(super) parents: Vec<u64>,
    pub(super) seen: Seen,
    pub(super) header: Vec<u8>,
}

impl OpRecord {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // What an op has seen has no bound of its own. A record that is too large is for the backend to refuse, as an error.
        let mut encoder = Encoder::with_limit(usize::MAX);
        encoder.list(4).uint(self.height);
        encoder.value(&self.parents);
        encoder.value(&self.seen.0);
        encoder.bytes(&self.header);
        encoder.finish().expect("numbers and byte strings are encodable at any size")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let read = |decoder: &mut Decoder<'_>| -> Result<Self, DecodeError> {
            let (height, parents) = Self::read_links(decoder)?;
            let seen = Seen(decoder.value()?);
            let header = decoder.bytes()?.to_vec();
            decoder.clone().finish()?;
            Ok(Self { height, parents, seen, header })
        };
        read(&mut Decoder::unbounded(bytes)).map_err(|_| corrupted("the record of an op cannot be read"))
    }

    /// The height, and the header made of the record's own bytes: what reading a long history needs, without copies.
    pub(super) fn into_header(mut bytes: Vec<u8>) -> Result<(u64, Vec<u8>), StoreError> {
        let read = |decoder: &mut Decoder<'_>| -> Result<(u64, usize), DecodeError> {
            let (height, _) = Self::read_links(decoder)?;
            let _: Vec<u32> = decoder.value()?;
            let header = decoder.bytes()?.len();
            decoder.clone().finish()?;
            Ok((height, header))
        };
        let read = read(&mut Decoder::unbounded(&bytes));
        let (height, header) = read.map_err(|_| corrupted("the record of an op cannot be read"))?;
        // It is the last part.
        bytes.drain(..bytes.len() - header);
        Ok((height, bytes))
    }

    /// Reads no more than the parents.
    pub(super) fn parents_of(bytes: &[u8]) -> Result<Vec<u64>, StoreError> {
        let links = Self::read_links(&mut Decoder::unbounded(bytes));
        links.map(|(_, parents)| parents).map_err(|_| corrupted("the record of an op cannot be read"))
    }

    fn read_links(decoder: &mut Decoder<'_>) -> Result<(u64, Vec<u64>), DecodeError> {
        let items = decoder.list()?;
        if items != 4 {
            return Err(DecodeError::Invalid("a record has four parts"));
        }
        Ok((decoder.uint()?, decoder.value()?))
    }
}

#[cfg(test)]
mod tests;
