//! Our identity as TLS sees it: a raw public key, and a signer whose secret stays where it is.

use std::fmt;
use std::sync::Arc;

use hhs_model::{PublicKey, Signer};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::sign::{CertifiedKey, Signer as TlsSigner, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

/// What the `SubjectPublicKeyInfo` of every Ed25519 key begins with (RFC 8410); the 32 bytes of the key follow.
///
/// `SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING (no unused bits) }`
pub(super) const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An identity that signs handshakes.
#[derive(Clone)]
pub(super) struct IdentityKey(Arc<dyn Signer>);

impl IdentityKey {
    pub(super) fn new(signer: Arc<dyn Signer>) -> Self {
        Self(signer)
    }

    /// The identity as rustls wants it: with a raw public key in the place of a certificate.
    pub(super) fn certified(self) -> CertifiedKey {
        let spki = CertificateDer::from(spki(&self.0.public_key()));
        CertifiedKey::new(vec![spki], Arc::new(self))
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdentityKey").field(&self.0.public_key()).finish()
    }
}

impl SigningKey for IdentityKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn TlsSigner>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn TlsSigner>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(spki(&self.0.public_key()).into())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl TlsSigner for IdentityKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.0.sign_tls13(message).map_err(|refusal| Error::General(refusal.to_string()))?;
        Ok(signature.0.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// The `SubjectPublicKeyInfo` of a key.
pub(super) fn spki(key: &PublicKey) -> Vec<u8> {
    [&SPKI_PREFIX[..], key.as_bytes()].concat()
}
