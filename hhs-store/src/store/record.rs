//! What the values in the backend look like.

use std::ops::Range;

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

/// Payloads of at most this many bytes stand in the record of their op. Too low: most ops take one entry more, to write
/// and to read. Too high: whatever looks through records reads payloads that it does not need.
pub(super) const MAX_INLINE_BYTES: usize = 1024;

/// An op with what its own past says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpRecord {
    pub(super) height: u64,
    pub(super) parents: Vec<u64>,
    pub(super) seen: Seen,
    pub(super) header: Vec<u8>,
    /// The payload, if it stands here and not under a key of its own.
    pub(super) payload: Option<Vec<u8>>,
}

impl OpRecord {
    /// The bytes of a record, whose parts need not be copied for it.
    pub(super) fn encode(height: u64, parents: &[u64], seen: &Seen, header: &[u8], payload: Option<&[u8]>) -> Vec<u8> {
        // What an op has seen has no bound of its own. A record that is too large is for the backend to refuse, as an error.
        let mut encoder = Encoder::with_limit(usize::MAX);
        encoder.list(4 + usize::from(payload.is_some())).uint(height);
        encoder.list(parents.len());
        for parent in parents {
            encoder.uint(*parent);
        }
        encoder.value(seen);
        encoder.bytes(header);
        payload.map(|payload| encoder.bytes(payload));
        encoder.finish().expect("numbers and byte strings are encodable at any size")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let read = |decoder: &mut Decoder<'_>| -> Result<Self, DecodeError> {
            let parts = read_parts(decoder)?;
            let (height, parents, seen) = (decoder.uint()?, decoder.value()?, decoder.value()?);
            let header = decoder.bytes()?.to_vec();
            let payload = parts.read_payload(decoder)?.map(<[u8]>::to_vec);
            Ok(Self { height, parents, seen, header, payload })
        };
        read(&mut Decoder::unbounded(bytes)).map_err(unreadable)
    }

    /// What reading a long history needs, without copies of the rest.
    pub(super) fn into_signed(mut bytes: Vec<u8>) -> Result<Signed, StoreError> {
        let Outline { header, payload, .. } = Outline::of(&bytes)?;
        let read = |decoder: &mut Decoder<'_>| {
            read_parts(decoder)?;
            Ok((decoder.uint()?, decoder.value()?, decoder.value()?))
        };
        let (height, parents, seen) = read(&mut Decoder::unbounded(&bytes)).map_err(unreadable)?;
        let payload = payload.map(|length| bytes[bytes.len() - length..].to_vec());
        bytes.truncate(header.end);
        bytes.drain(..header.start);
        Ok(Signed { height, parents, seen, header: bytes, payload })
    }

    /// The header, made of the record's own bytes.
    pub(super) fn into_header(mut bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let header = Outline::of(&bytes)?.header;
        bytes.truncate(header.end);
        bytes.drain(..header.start);
        Ok(bytes)
    }

    /// The header.
    pub(super) fn header_of(bytes: &[u8]) -> Result<&[u8], StoreError> {
        Ok(&bytes[Outline::of(bytes)?.header])
    }

    /// How many bytes of payload stand in a record, if it has one.
    pub(super) fn payload_bytes(bytes: &[u8]) -> Result<Option<usize>, StoreError> {
        Ok(Outline::of(bytes)?.payload)
    }

    /// Reads no more than the parents.
    pub(super) fn parents_of(bytes: &[u8]) -> Result<Vec<u64>, StoreError> {
        let read = |decoder: &mut Decoder<'_>| -> Result<Vec<u64>, DecodeError> {
            read_parts(decoder)?;
            decoder.uint()?;
            decoder.value()
        };
        read(&mut Decoder::unbounded(bytes)).map_err(unreadable)
    }
}

/// An op with what its own past says about it, the header being made of the record's own bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) height: u64,
    pub(super) parents: Vec<u64>,
    pub(super) seen: Seen,
    pub(super) header: Vec<u8>,
    /// The payload, if it stands in the record.
    pub(super) payload: Option<Vec<u8>>,
}

/// Where the parts of a record are, but for the lists, which nothing is allocated for.
struct Outline {
    header: Range<usize>,
    /// The length of the payload, which is the last part.
    payload: Option<usize>,
}

impl Outline {
    fn of(bytes: &[u8]) -> Result<Self, StoreError> {
        let read = |decoder: &mut Decoder<'_>| -> Result<Self, DecodeError> {
            let parts = read_parts(decoder)?;
            decoder.uint()?;
            for _ in ["parents", "seen"] {
                (0..decoder.list()?).try_for_each(|_| decoder.uint().map(drop))?;
                decoder.leave();
            }
            let length = decoder.bytes()?.len();
            let end = bytes.len() - decoder.remaining();
            let payload = parts.read_payload(decoder)?.map(<[u8]>::len);
            Ok(Self { header: end - length..end, payload })
        };
        read(&mut Decoder::unbounded(bytes)).map_err(unreadable)
    }
}

/// What a record has.
enum Parts {
    WithoutPayload,
    WithPayload,
}

impl Parts {
    /// Reads the payload, if there is one, and the end.
    fn read_payload<'a>(&self, decoder: &mut Decoder<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
        let payload = match self {
            Self::WithoutPayload => None,
            Self::WithPayload => Some(decoder.bytes()?),
        };
        decoder.clone().finish()?;
        Ok(payload)
    }
}

fn read_parts(decoder: &mut Decoder<'_>) -> Result<Parts, DecodeError> {
    match decoder.list()? {
        4 => Ok(Parts::WithoutPayload),
        5 => Ok(Parts::WithPayload),
        _ => Err(DecodeError::Invalid("a record has four parts, or five with a payload")),
    }
}

fn unreadable(_: DecodeError) -> StoreError {
    corrupted("the record of an op cannot be read")
}

#[cfg(test)]
mod tests;
