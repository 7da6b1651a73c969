//! Ids: the SHA-256 of canonical bytes, written as a CIDv1.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

/// That of the bytes. Maps by ids compare more than they do anything else, and eight bytes nearly always decide.
impl Ord for Hash {
    fn cmp(&self, other: &Self) -> Ordering {
        let first = |hash: &Self| hash.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        first(self).cmp(&first(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Hash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// How the bytes behind a [`Cid`] are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// Any bytes (multicodec `raw`, 0x55).
    Raw,
    /// Canonical DAG-CBOR (multicodec `dag-cbor`, 0x71).
    DagCbor,
}

/// A content id: CIDv1, multihash `sha2-256`, codec `dag-cbor` or `raw`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    /// How the bytes are to be read.
    pub codec: Codec,
    /// The hash of the bytes.
    pub hash: Hash,
}

/// Why something is not a CID of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidError {
    /// The binary form is not 36 bytes long.
    #[error("a CID of this format has {expected} bytes, not {found}", expected = Cid::BYTES)]
    Length {
        /// How many bytes there are.
        found: usize,
    },
    /// Not version 1, codec `dag-cbor` or `raw`, multihash `sha2-256`.
    #[error("not a CIDv1 of codec dag-cbor or raw with a sha2-256 hash")]
    Kind,
    /// A text that is not multibase base32 in lower case.
    #[error("not a CID in text form: it begins with 'b' and has lower-case base32 digits, 59 characters in all")]
    Text,
}

impl Cid {
    /// Bytes of the binary form.
    pub const BYTES: usize = 36;

    /// The id of canonical bytes.
    pub fn of_object(bytes: &[u8]) -> Self {
        Self { codec: Codec::DagCbor, hash: Hash::of(bytes) }
    }

    /// The binary form: version, codec, hash function, hash length, hash.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let codec = match self.codec {
            Codec::Raw => 0x55,
            Codec::DagCbor => 0x71,
        };
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&[0x01, codec, 0x12, 0x20]);
        bytes[4..].copy_from_slice(&self.hash.0);
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// If it is not that of a CID of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().map_err(|_| CidError::Length { found: bytes.len() })?;
        let (prefix, hash) = bytes.split_at(4);
        let codec = match prefix {
            [0x01, 0x55, 0x12, 0x20] => Codec::Raw,
            [0x01, 0x71, 0x12, 0x20] => Codec::DagCbor,
            _ => return Err(CidError::Kind),
        };
        let mut raw = [0; 32];
        raw.copy_from_slice(hash);
        Ok(Self { codec, hash: Hash(raw) })
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", BASE32_NOPAD.encode(&self.to_bytes()).to_ascii_lowercase())
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        let digits = text.strip_prefix('b').ok_or(CidError::Text)?;
        // Checked first: decoding allocates for whatever length is given.
        if digits.len() != 58 {
            return Err(CidError::Text);
        }
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(CidError::Text);
        }
        let upper = digits.to_ascii_uppercase();
        let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| CidError::Text)?;
        Self::from_bytes(&bytes)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Hash);

        impl $name {
            /// The id of canonical bytes.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Hash::of(bytes))
            }

            /// The id as a CID.
            pub fn cid(&self) -> Cid {
                Cid { codec: Codec::DagCbor, hash: self.0 }
            }

            /// The bare hash.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.cid(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = CidError;

            fn from_str(text: &str) -> Result<Self, CidError> {
                match text.parse::<Cid>()? {
                    Cid { codec: Codec::DagCbor, hash } => Ok(Self(hash)),
                    Cid { codec: Codec::Raw, .. } => Err(CidError::Kind),
                }
            }
        }

        impl Encode for $name {
            fn encode(&self, encoder: &mut Encoder) {
                encoder.link(&self.cid());
            }
        }

        impl Decode for $name {
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let at = decoder.position();
                match decoder.link()? {
                    Cid { codec: Codec::DagCbor, hash } => Ok(Self(hash)),
                    Cid { codec: Codec::Raw, .. } => Err(DecodeError::Expected { expected: "a link to an object", at }),
                }
            }
        }
    )* };
}

macro_rules! object_ids {
    ($($name:ident)*) => { $(
        impl From<$name> for ObjectId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )* };
}
object_ids!(OpId ReplicaId IdentityId PayloadId);

ids! {
    /// The id of any object.
    ObjectId;
    /// The id of an op: the hash of its header, signature included.
    OpId;
    /// The id of a replica: the hash of its genesis.
    ReplicaId;
    /// The id of an identity.
    IdentityId;
    /// The id of the payload of an op.
    PayloadId;
}
