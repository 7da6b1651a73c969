//! What can go wrong with a document.

use hhs_model::authority::Refusal;
use hhs_model::class::{EditError, Void};
use hhs_model::op::SignOpError;
use hhs_model::{IdentityId, OpId, ReplicaId};

/// Why an op was not taken in. Nobody else takes it either, but where it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// It is an op of another replica.
    #[error("the op is one of the replica {0}: hand it to a document of that")]
    OtherReplica(ReplicaId),
    /// Its payload is missing, or is not the one that it names.
    #[error("the op came without the payload that it names: hand over both together")]
    Payload,
    /// It depends on ops of other replicas, of which a document knows nothing.
    #[error("the op depends on ops of other replicas: keep this replica in a store")]
    Dependencies,
    /// Its author was not introduced; a document that knows them takes it.
    #[error("the author {0} is not known here: introduce them first")]
    UnknownAuthor(IdentityId),
    /// Its signature does not hold.
    #[error("the signature of the op does not hold")]
    Signature,
    /// Its author never had the right to write it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It stands on an op that was not taken in.
    #[error("the op stands on {0}, which was not taken in")]
    OnRefused(OpId),
    /// Too many ops wait for their parents; it can be handed over again.
    #[error("too many ops wait for ops that they stand on: hand over those first")]
    TooManyWaiting,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What was written cannot be saved.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The class could not read it again.
    #[error("the class does not read what it wrote: {0}")]
    Void(#[from] Void),
    /// The op cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignOpError),
    /// The author may not.
    #[error("{author} may not write this here: somebody who may has to grant it")]
    NotAllowed {
        /// Who wrote.
        author: IdentityId,
    },
    /// The author may write, but not act like that.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was being typed before could not be written.
    #[error("what was typed before could not be written: {0}")]
    Seal(#[source] Box<SealError>),
}

/// Why what was typed did not become an op. It is lost.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It cannot be put together, or the author may not write any more.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why a version cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// An op that it names is not here.
    #[error("the version names the op {0}, which is not here: fetch it first")]
    Unknown(OpId),
}
