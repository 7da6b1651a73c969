//! Signatures that are good for one purpose only, checked by one rule: ZIP-215, singly and in batches.
//!
//! ZIP-215 is cofactored Ed25519 with `s` below the order. Under it, a batch is accepted exactly if each of its
//! signatures is; under the usual strict check it is not, and two honest peers could disagree about an op.

use std::fmt;

use ed25519_zebra::{Signature as ZebraSignature, VerificationKey, VerificationKeyBytes, batch};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use super::keys::PublicKey;
use crate::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

/// What a signature is for. One made for one domain never passes in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain(&'static str);

impl Domain {
    /// The header of an op, without its signature.
    pub const OP: Self = Self("op/v1");

    /// A domain of one's own.
    ///
    /// # Panics
    /// If the name is empty or has over 64 bytes: domains are constants of a program.
    pub const fn new(name: &'static str) -> Self {
        assert!(!name.is_empty() && name.len() <= 64, "a domain has 1 to 64 bytes");
        Self(name)
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.0
    }

    /// What is really signed: `"hhs-signature-v1"`, the domain's length in one byte, the domain, the message.
    pub fn bind(&self, message: &[u8]) -> Vec<u8> {
        let mut bound = Vec::with_capacity(PREFIX.len() + 1 + self.0.len() + message.len());
        bound.extend_from_slice(PREFIX);
        bound.push(self.0.len() as u8);
        bound.extend_from_slice(self.0.as_bytes());
        bound.extend_from_slice(message);
        bound
    }
}

const PREFIX: &[u8] = b"hhs-signature-v1";

/// An Ed25519 signature: 64 bytes, good or bad.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl Encode for Signature {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.bytes(&self.0);
    }
}

impl Decode for Signature {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.byte_array("a signature of 64 bytes").map(Self)
    }
}

/// A signature that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// Checks one signature.
///
/// # Errors
/// If it was not made by that key, for that domain, over that message.
pub fn verify(key: &PublicKey, domain: Domain, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    let key = VerificationKey::try_from(*key.as_bytes()).map_err(|_| SignatureError)?;
    let signature = ZebraSignature::from_bytes(&signature.0);
    key.verify(&signature, &domain.bind(message)).map_err(|_| SignatureError)
}

/// One signature of a batch, with the bytes that [`Domain::bind`] made.
#[derive(Debug, Clone)]
pub struct SignedMessage {
    /// Who is to have signed.
    pub key: PublicKey,
    /// The message, bound to its domain.
    pub bound: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Checks many signatures at once, at about half the cost of checking each.
///
/// # Errors
/// The index of the first one that does not hold.
pub fn verify_batch(messages: &[SignedMessage]) -> Result<(), usize> {
    let mut verifier = batch::Verifier::new();
    // The random coefficients are drawn from a hash of all that is checked: who writes the signatures cannot know them
    // beforehand, and the check needs no randomness from outside.
    let mut transcript = Sha256::new();
    let mut items = Vec::with_capacity(messages.len());
    for message in messages {
        transcript.update(message.key.as_bytes());
        transcript.update(message.signature.0);
        transcript.update((message.bound.len() as u64).to_be_bytes());
        transcript.update(&message.bound);
        let key = VerificationKeyBytes::from(*message.key.as_bytes());
        let item = batch::Item::from((key, ZebraSignature::from_bytes(&message.signature.0), &message.bound));
        verifier.queue(item.clone());
        items.push(item);
    }
    let coefficients = ChaCha20Rng::from_seed(transcript.finalize().into());
    if verifier.verify(coefficients).is_ok() {
        return Ok(());
    }
    match items.into_iter().position(|item| item.verify_single().is_err()) {
        Some(bad) => Err(bad),
        // Cannot be under ZIP-215; if it could, each signature's own check is the rule.
        None => Ok(()),
    }
}
