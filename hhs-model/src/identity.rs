//! Identities and signatures: who says something, and for which purpose.

mod keys;
mod signature;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bounds::MAX_IDENTITY_BYTES;
use crate::codec::unknown::UnknownEntries;
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, Unknown, Value, decode, encode};
use crate::id::IdentityId;
use crate::object::{CLASS_KEY, Object, expect_class};

pub use keys::{KeyError, PublicKey, SecretKey, SignError, Signer};
pub use signature::{Domain, Signature, SignatureError, SignedMessage, verify, verify_batch};

#[cfg(test)]
mod tests;

/// A public key and immutable information about its holder.
///
/// It is self-contained: there are no links in it, so that whoever has it needs nothing else to know whom it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// What the holder's signatures are checked with.
    pub key: PublicKey,
    /// Free information; apps agree on keys. `"name"` is a text that people know the holder by.
    pub info: BTreeMap<String, Value>,
    /// What later versions may add: without it, an identity that was read would be written with another id.
    unknown: Unknown,
}

impl Identity {
    /// The identity of a key.
    pub fn new(key: PublicKey, info: BTreeMap<String, Value>) -> Self {
        Self { key, info, unknown: Unknown::default() }
    }

    /// An identity that people know by a name.
    pub fn named(key: PublicKey, name: &str) -> Self {
        Self::new(key, BTreeMap::from([("name".to_owned(), Value::Text(name.to_owned()))]))
    }

    /// The name in its information, if it has one.
    pub fn name(&self) -> Option<&str> {
        match self.info.get("name") {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        }
    }

    /// Canonical bytes and id.
    ///
    /// # Errors
    /// If the information has no canonical form or holds links, or all together exceeds [`MAX_IDENTITY_BYTES`].
    pub fn encoded(&self) -> Result<(Vec<u8>, IdentityId), EncodeError> {
        let bytes = encode(self)?;
        let id = IdentityId::of(&bytes);
        Ok((bytes, id))
    }

    /// Reads an identity.
    ///
    /// # Errors
    /// If the bytes are not those of an identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        // Before anything is decoded, which `decode` cannot look at.
        check_size(bytes.len())?;
        decode(bytes)
    }
}

impl Object for Identity {
    const CLASS: &'static str = "hhs/v1/Identity";
}

// By hand, as the bound on its bytes cannot be derived.
impl Encode for Identity {
    fn encode(&self, encoder: &mut Encoder) {
        let (start, links) = (encoder.position(), encoder.links());
        let mut rest = UnknownEntries::new(&self.unknown);
        encoder.map(3 + rest.count());
        encoder.key(CLASS_KEY).text(Self::CLASS);
        rest.write_before("key", encoder);
        encoder.key("key").value(&self.key);
        rest.write_before("info", encoder);
        encoder.key("info").value(&self.info);
        rest.write_all(encoder);
        if encoder.links() != links {
            encoder.fail(EncodeError::Validation(LINKS.to_owned()));
        }
        let count = encoder.since(start).len();
        if count > MAX_IDENTITY_BYTES {
            encoder.fail(EncodeError::Bound { what: BYTES, count, limit: MAX_IDENTITY_BYTES });
        }
    }
}

impl Decode for Identity {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (start, links) = (decoder.position(), decoder.links());
        let mut map = decoder.map()?;
        expect_class(&mut map, decoder, Self::CLASS)?;
        let (mut key, mut info, mut unknown) = (None, None, Unknown::default());
        while let Some(field) = map.next_key(decoder)? {
            match field {
                "key" => key = Some(decoder.value()?),
                "info" => info = Some(decoder.value()?),
                _ => unknown.read(field, &map, decoder)?,
            }
        }
        check_size(decoder.since(start).len())?;
        if decoder.links() != links {
            return Err(DecodeError::Invalid(LINKS));
        }
        Ok(Self {
            key: key.ok_or(DecodeError::MissingField("key"))?,
            info: info.ok_or(DecodeError::MissingField("info"))?,
            unknown,
        })
    }
}

const BYTES: &str = "bytes of an identity";
const LINKS: &str = "an identity holds no links: link to the identity from elsewhere instead";

fn check_size(count: usize) -> Result<(), DecodeError> {
    match count {
        0..=MAX_IDENTITY_BYTES => Ok(()),
        _ => Err(DecodeError::Bound { what: BYTES, count, limit: MAX_IDENTITY_BYTES }),
    }
}

/// Somebody who can write here: an identity, its id, and what signs for it.
#[derive(Clone)]
pub struct Author {
    identity: Arc<Identity>,
    bytes: Arc<[u8]>,
    id: IdentityId,
    signer: Arc<dyn Signer>,
}

impl Author {
    /// Joins an identity and what signs for it.
    ///
    /// # Errors
    /// [`KeyError::Mismatch`] if the signer has another key, [`KeyError::Encode`] if the identity has no canonical bytes.
    pub fn new(identity: Identity, signer: Arc<dyn Signer>) -> Result<Self, KeyError> {
        if identity.key != signer.public_key() {
            return Err(KeyError::Mismatch);
        }
        let (bytes, id) = identity.encoded()?;
        Ok(Self { identity: Arc::new(identity), bytes: bytes.into(), id, signer })
    }

    /// Somebody new, whom people know by a name, with a key of `seed`, which has to be random and secret.
    ///
    /// # Errors
    /// [`KeyError::Encode`] if the name makes the identity larger than it may be.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SecretKey::from_seed(seed);
        Self::new(Identity::named(key.public_key(), name), Arc::new(key))
    }

    /// The identity.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The identity's canonical bytes.
    pub fn identity_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The identity's id.
    pub fn id(&self) -> IdentityId {
        self.id
    }

    /// What signs for it.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Author").field("id", &self.id).finish_non_exhaustive()
    }
}
