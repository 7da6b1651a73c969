//! Ed25519 keys: the public half as a checked type, the secret half as something that can only sign.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use super::signature::{Domain, Signature};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};

/// An Ed25519 public key: 32 bytes that are a point of the curve and not one of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are no point of the curve.
    #[error("the public key is not a point of the curve")]
    NotAPoint,
    /// The point is of small order: signatures by it prove nothing.
    #[error("the public key is of small order: signatures by it would prove nothing")]
    SmallOrder,
    /// The identity names another key than the signer has.
    #[error("the identity is for another key than the one that is to sign for it")]
    Mismatch,
    /// The identity has no canonical bytes.
    #[error("the identity cannot be encoded: {0}")]
    Encode(#[from] EncodeError),
}

/// Why something is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key's policy does not name the domain.
    #[error("the key {key:?} may not sign for {domain:?}: allow that in its policy, or use another key")]
    Domain {
        /// The key.
        key: PublicKey,
        /// The domain's name.
        domain: &'static str,
    },
    /// The key's policy excludes handshakes.
    #[error("the key {0:?} may not prove itself to peers: allow handshakes in its policy, or use another key")]
    Handshake(PublicKey),
    /// What is to be signed without a domain is no handshake.
    #[error("only the transcript of a TLS 1.3 handshake is signed without a domain: name the domain")]
    NotAHandshake,
    /// The key is no longer kept.
    #[error("the key {0:?} was removed from its keystore: open the identity again, or use another one")]
    Removed(PublicKey),
}

impl PublicKey {
    /// Checks 32 bytes.
    ///
    /// # Errors
    /// If they are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(*bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Encode for PublicKey {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.0);
    }
}

impl Decode for PublicKey {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let bytes = decoder.byte_array("a public key of 32 bytes")?;
        Self::from_bytes(&bytes).map_err(|error| match error {
            KeyError::SmallOrder => DecodeError::Invalid("the public key is of small order"),
            _ => DecodeError::Invalid("the public key is not a point of the curve"),
        })
    }
}

/// What signs for an identity. The key behind it may live anywhere; it never comes out.
pub trait Signer: Send + Sync {
    /// The key that signatures are checked with.
    fn public_key(&self) -> PublicKey;

    /// Signs `message` for one purpose.
    ///
    /// # Errors
    /// If the key may not sign for that purpose, or is gone.
    fn sign(&self, domain: Domain, message: &[u8]) -> Result<Signature, SignError>;

    /// Signs the transcript of a TLS 1.3 handshake (RFC 8446 §4.4.3), to prove the identity to a peer.
    ///
    /// # Errors
    /// [`SignError::NotAHandshake`] if `content` is anything else: whatever else is signed has a [`Domain`], and none of
    /// those begins as these contents do. As [`Signer::sign`] otherwise.
    fn sign_tls13(&self, content: &[u8]) -> Result<Signature, SignError>;
}

/// An Ed25519 secret key in memory, erased when dropped.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a 32-byte seed, which has to be random and secret.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for keeping it.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public_key())
    }
}

/// What the signed content of every TLS 1.3 handshake begins with.
const TLS13_PREFIXES: [&[u8]; 2] = [b"TLS 1.3, server CertificateVerify\0", b"TLS 1.3, client CertificateVerify\0"];

impl Signer for SecretKey {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, domain: Domain, message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature(self.0.sign(&domain.bind(message)).to_bytes()))
    }

    fn sign_tls13(&self, content: &[u8]) -> Result<Signature, SignError> {
        let (padding, rest) = content.split_at_checked(64).ok_or(SignError::NotAHandshake)?;
        let is_tls =
            padding.iter().all(|byte| *byte == 0x20) && TLS13_PREFIXES.iter().any(|prefix| rest.starts_with(prefix));
        is_tls.then(|| Signature(self.0.sign(content).to_bytes())).ok_or(SignError::NotAHandshake)
    }
}
