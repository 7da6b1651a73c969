//! What signs for an identity of a keystore: its key, within its policy.

use std::sync::{Arc, PoisonError, RwLock};

use hhs_model::identity::{Domain, KeyError, SignError};
use hhs_model::{Author, Identity, IdentityId, PublicKey, SecretKey, Signature, Signer};

use crate::policy::Policy;

/// An identity in a keystore. A clone shares the key.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) author: Author,
    /// Milliseconds since 1970-01-01T00:00Z by the clock of who put it in.
    pub(crate) created: u64,
    pub(crate) key: Arc<Guarded>,
}

/// A key that signs what its policy allows, shared by the keystore and the authors that came out of it.
pub(crate) struct Guarded {
    secret: SecretKey,
    /// `None` once it was removed: a change holds for those who sign already, too.
    policy: RwLock<Option<Policy>>,
}

impl Held {
    /// # Errors
    /// If the key is not that of the identity, or the identity has no canonical bytes.
    pub(crate) fn new(identity: Identity, seed: &[u8; 32], created: u64, policy: Policy) -> Result<Self, KeyError> {
        let key = Arc::new(Guarded { secret: SecretKey::from_seed(seed), policy: RwLock::new(Some(policy)) });
        Ok(Self { author: Author::new(identity, key.clone())?, created, key })
    }

    pub(crate) fn id(&self) -> IdentityId {
        self.author.id()
    }
}

impl Guarded {
    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// What it may sign; nothing once it was removed.
    pub(crate) fn policy(&self) -> Policy {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_else(Policy::nothing)
    }

    pub(crate) fn set_policy(&self, policy: Option<Policy>) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn judge(&self, allowed: impl FnOnce(&Policy) -> bool, refusal: SignError) -> Result<(), SignError> {
        match &*self.policy.read().unwrap_or_else(PoisonError::into_inner) {
            None => Err(SignError::Removed(self.public_key())),
            Some(policy) if allowed(policy) => Ok(()),
            Some(_) => Err(refusal),
        }
    }
}

impl Signer for Guarded {
    fn public_key(&self) -> PublicKey {
        self.secret.public_key()
    }

    fn sign(&self, domain: Domain, message: &[u8]) -> Result<Signature, SignError> {
        let refusal = SignError::Domain { key: self.public_key(), domain: domain.name() };
        self.judge(|policy| policy.allows(domain), refusal)?;
        self.secret.sign(domain, message)
    }

    fn sign_tls13(&self, content: &[u8]) -> Result<Signature, SignError> {
        self.judge(Policy::allows_handshakes, SignError::Handshake(self.public_key()))?;
        self.secret.sign_tls13(content)
    }
}
