//! Why a keystore is not made, not opened or not changed.

use hhs_model::IdentityId;
use hhs_model::identity::KeyError;

use crate::format::{MAX_KEYS, MAX_KEYSTORE_BYTES};
use crate::passphrase::CostError;
use crate::storage::StorageError;

/// Why a keystore is not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something is there already.
    #[error("there is something where the keystore was to be made: open it, or choose another place")]
    Taken,
    /// The passphrase cannot be turned into a key here.
    #[error("there is no memory for the passphrase's key: choose a lower cost")]
    Memory,
    /// The storage failed.
    #[error(transparent)]
    Storage(StorageError),
}

/// Why a keystore is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("there is no keystore: make one, or restore it from a copy")]
    Missing,
    /// Something else is there.
    #[error("this is not a keystore: look whether the place is the right one")]
    Foreign,
    /// A later version of the format.
    #[error(
        "the keystore has version {0}, and this program reads version 1: use the program that wrote it, or a newer one"
    )]
    Newer(u16),
    /// The bytes are not those that were written.
    #[error("the keystore is damaged ({0}): restore it from a copy")]
    Damaged(&'static str),
    /// It asks for more work than a keystore may ask for.
    #[error("the keystore is not opened, because somebody made it to wear this machine out: {0}")]
    Cost(#[from] CostError),
    /// It is encrypted.
    #[error("the keystore is encrypted: give its passphrase")]
    NeedsPassphrase,
    /// The passphrase is another one.
    #[error("the passphrase is wrong: try again")]
    WrongPassphrase,
    /// The passphrase cannot be turned into a key here.
    #[error("there is no memory for the passphrase's key: close other programs, or use a machine that has more")]
    Memory,
    /// The storage failed.
    #[error(transparent)]
    Storage(StorageError),
}

/// Why a keystore is not changed. It is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The identity is in it.
    #[error("the keystore has the identity {0} already")]
    Exists(IdentityId),
    /// The identity is not in it.
    #[error(transparent)]
    Unknown(#[from] UnknownIdentity),
    /// The key is not that of the identity, or the identity has no canonical bytes.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Too many identities.
    #[error("a keystore has at most {MAX_KEYS} identities: remove one, or make another keystore")]
    TooMany,
    /// Too many bytes.
    #[error("a keystore has at most {MAX_KEYSTORE_BYTES} bytes: remove an identity, or make another keystore")]
    TooLarge,
    /// The passphrase cannot be turned into a key here.
    #[error("there is no memory for the passphrase's key: choose a lower cost")]
    Memory,
    /// The storage failed, or somebody else has written.
    #[error(transparent)]
    Storage(StorageError),
}

/// An identity that a keystore does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keystore has no identity {0}: choose one of those that it lists")]
pub struct UnknownIdentity(pub IdentityId);
