//! The keystore: identities and their keys, kept in a storage.

use std::fmt;
use std::sync::Arc;

use hhs_model::{Author, Identity, IdentityId, PublicKey, Runtime, SecretKey, Signer as _};
use zeroize::Zeroizing;

use crate::error::{ChangeError, CreateError, OpenError, UnknownIdentity};
use crate::format::{Entry, Seal, Sealed, TooLarge, read_content};
use crate::passphrase::{NoMemory, Passphrase, Protection};
use crate::policy::Policy;
use crate::signer::Held;
use crate::storage::{Storage, StorageError};

/// Identities of somebody, with their keys, which never come out of it.
///
/// Every change is in the storage when its method returns; if it fails, the keystore is as it was. Two programs may have
/// the same one open: the change of whoever comes second is refused, and they open it again.
///
/// Whoever has the keys in memory can use them; they are erased when the keystore and all authors from it are dropped.
pub struct Keystore {
    storage: Arc<dyn Storage>,
    runtime: Arc<dyn Runtime>,
    seal: Seal,
    /// What is in the storage, as far as we know.
    stored: Zeroizing<Vec<u8>>,
    keys: Vec<Held>,
}

/// What a keystore says of an identity.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptIdentity {
    /// Its id.
    pub id: IdentityId,
    /// The identity.
    pub identity: Identity,
    /// When it came into the keystore: milliseconds since 1970-01-01T00:00Z by the clock of then.
    pub created: u64,
    /// What its key may sign.
    pub policy: Policy,
}

impl Keystore {
    /// Makes an empty keystore where nothing is.
    ///
    /// With a passphrase, it computes for as long as its cost says, on the thread that polls it.
    ///
    /// # Errors
    /// If something is there, or cannot be put there.
    pub async fn create(
        storage: impl Storage,
        protection: impl Into<Protection>,
        runtime: impl Runtime,
    ) -> Result<Self, CreateError> {
        let seal = Seal::new(&protection.into(), &runtime).map_err(|NoMemory| CreateError::Memory)?;
        let stored = empty(&seal, &runtime);
        storage.replace(None, &stored).await.map_err(|error| match error {
            StorageError::Changed(_) => CreateError::Taken,
            other => CreateError::Storage(other),
        })?;
        Ok(Self { storage: Arc::new(storage), runtime: Arc::new(runtime), seal, stored, keys: Vec::new() })
    }

    /// Opens the keystore that is there. One that is not encrypted opens with any passphrase, and without one.
    ///
    /// With a passphrase, it computes for as long as the keystore says, at most about two seconds, on the thread that
    /// polls it.
    ///
    /// # Errors
    /// If there is none, its passphrase is another one or is missing, or its bytes are not those of a keystore that this
    /// program can read.
    pub async fn open(
        storage: impl Storage,
        passphrase: Option<&Passphrase>,
        runtime: impl Runtime,
    ) -> Result<Self, OpenError> {
        let stored = storage.read().await.map_err(OpenError::Storage)?.ok_or(OpenError::Missing)?;
        let (content, seal) = Sealed::parse(&stored)?.open(passphrase)?;
        let keys = read_content(&content)?;
        Ok(Self { storage: Arc::new(storage), runtime: Arc::new(runtime), seal, stored, keys })
    }

    /// Whether a passphrase protects it where it lies.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.seal, Seal::Encrypted { .. })
    }

    /// All identities, in the order in which they came.
    pub fn identities(&self) -> Vec<KeptIdentity> {
        let kept = |held: &Held| KeptIdentity {
            id: held.id(),
            identity: held.author.identity().clone(),
            created: held.created,
            policy: held.key.policy(),
        };
        self.keys.iter().map(kept).collect()
    }

    /// Somebody who can write: signs what the policy of that moment allows, as long as the identity is kept.
    ///
    /// # Errors
    /// If it is not in the keystore.
    pub fn author(&self, id: IdentityId) -> Result<Author, UnknownIdentity> {
        Ok(self.held(id)?.author.clone())
    }

    /// Makes somebody new, whom people know by a name.
    ///
    /// # Errors
    /// If the name is too long, the keystore is full, or the storage fails.
    pub async fn generate(&mut self, name: &str, policy: Policy) -> Result<IdentityId, ChangeError> {
        self.generate_as(|key| Identity::named(key, name), policy).await
    }

    /// Makes somebody new, with what they say of themselves.
    ///
    /// # Errors
    /// If the identity has no canonical bytes or another key, the keystore is full, or the storage fails.
    pub async fn generate_as(
        &mut self,
        identity: impl FnOnce(PublicKey) -> Identity,
        policy: Policy,
    ) -> Result<IdentityId, ChangeError> {
        let mut seed = Zeroizing::new([0; 32]);
        self.runtime.fill_random(&mut *seed);
        let key = SecretKey::from_seed(&seed).public_key();
        self.import(identity(key), &seed, policy).await
    }

    /// Takes in somebody whose key was made elsewhere.
    ///
    /// # Errors
    /// If the key is not that of the identity, it is here already, the keystore is full, or the storage fails.
    pub async fn import(
        &mut self,
        identity: Identity,
        seed: &[u8; 32],
        policy: Policy,
    ) -> Result<IdentityId, ChangeError> {
        let held = Held::new(identity, seed, self.runtime.wall_clock_ms(), policy)?;
        let id = held.id();
        if self.held(id).is_ok() {
            return Err(ChangeError::Exists(id));
        }
        let mut keys = self.keys.clone();
        keys.push(held);
        self.write(entries(&keys)).await?;
        self.keys = keys;
        Ok(id)
    }

    /// Changes what a key may sign, for authors that came out before as well.
    ///
    /// # Errors
    /// If the identity is not here, or the storage fails.
    pub async fn set_policy(&mut self, id: IdentityId, policy: Policy) -> Result<(), ChangeError> {
        let key = self.held(id)?.key.clone();
        let mut entries = entries(&self.keys);
        for entry in entries.iter_mut().filter(|entry| entry.held.id() == id) {
            entry.policy = policy.clone();
        }
        self.write(entries).await?;
        key.set_policy(Some(policy));
        Ok(())
    }

    /// Forgets an identity and its key. Authors that came out before sign nothing any more. There is no way back.
    ///
    /// # Errors
    /// If the identity is not here, or the storage fails.
    pub async fn remove(&mut self, id: IdentityId) -> Result<(), ChangeError> {
        let at = self.keys.iter().position(|held| held.id() == id).ok_or(UnknownIdentity(id))?;
        let mut keys = self.keys.clone();
        let removed = keys.remove(at);
        self.write(entries(&keys)).await?;
        self.keys = keys;
        removed.key.set_policy(None);
        Ok(())
    }

    /// Protects it otherwise: under another passphrase, or not at all. Copies of the file that were made before open as
    /// before.
    ///
    /// # Errors
    /// If the storage fails.
    pub async fn protect(&mut self, protection: impl Into<Protection>) -> Result<(), ChangeError> {
        let seal = Seal::new(&protection.into(), &*self.runtime).map_err(|NoMemory| ChangeError::Memory)?;
        self.stored = self.written(&seal, entries(&self.keys)).await?;
        self.seal = seal;
        Ok(())
    }

    fn held(&self, id: IdentityId) -> Result<&Held, UnknownIdentity> {
        self.keys.iter().find(|held| held.id() == id).ok_or(UnknownIdentity(id))
    }

    async fn write(&mut self, entries: Vec<Entry>) -> Result<(), ChangeError> {
        self.stored = self.written(&self.seal, entries).await?;
        Ok(())
    }

    /// Puts entries into the storage; returns its bytes.
    async fn written(&self, seal: &Seal, entries: Vec<Entry>) -> Result<Zeroizing<Vec<u8>>, ChangeError> {
        let bytes = seal.close(&entries, &*self.runtime).map_err(|error| match error {
            TooLarge::Keys => ChangeError::TooMany,
            TooLarge::Bytes => ChangeError::TooLarge,
        })?;
        self.storage.replace(Some(&self.stored), &bytes).await.map_err(ChangeError::Storage)?;
        Ok(bytes)
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<IdentityId> = self.keys.iter().map(Held::id).collect();
        f.debug_struct("Keystore").field("encrypted", &self.is_encrypted()).field("identities", &ids).finish()
    }
}

fn entries(keys: &[Held]) -> Vec<Entry> {
    keys.iter().map(|held| Entry { held: held.clone(), policy: held.key.policy() }).collect()
}

fn empty(seal: &Seal, runtime: &dyn Runtime) -> Zeroizing<Vec<u8>> {
    seal.close(&[], runtime).expect("a keystore without identities is small")
}
