//! Why the store refuses or fails, one enum for each thing one can ask of it.

use hhs_model::authority::Refusal;
use hhs_model::bounds::MAX_ALL_SOURCES;
use hhs_model::class::EditError;
use hhs_model::codec::{DecodeError, EncodeError};
use hhs_model::identity::SignError;
use hhs_model::object::LoadError;
use hhs_model::op::{FoundingError, GenesisError, OpError, SignOpError};
use hhs_model::registry::ReadError;
use hhs_model::{IdentityId, ObjectId, OpId, ReplicaId};

use crate::backend::BackendError;

/// Why reading, saving or opening failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// There is no such replica here.
    #[error("the replica {0} is not in this store: synchronise it first")]
    NoReplica(ReplicaId),
    /// What was to be saved into is not empty.
    #[error("the new store is not empty: give a place where nothing is yet")]
    NotEmpty,
    /// There is no such op here.
    #[error("the op {0} is not in this store: synchronise its replica first")]
    NoOp(OpId),
    /// An object links to what is not here.
    #[error("the object {id} links at {path:?} to {missing}, which is neither here nor saved with it: save that first")]
    Dangling {
        /// The object.
        id: ObjectId,
        /// What is missing.
        missing: ObjectId,
        /// Where the link stands.
        path: String,
    },
    /// There is no such object here.
    #[error("the object {0} is not in this store: it never came, or was deleted")]
    Gone(ObjectId),
    /// An object cannot be read as one of the class that was asked for.
    #[error("the object {id} cannot be read: {error}")]
    Read {
        /// The object.
        id: ObjectId,
        /// Why.
        error: Box<ReadError>,
    },
    /// An object cannot be read with all that is nested in it.
    #[error("the object {id} cannot be read with what is nested in it: {error}")]
    Load {
        /// The object.
        id: ObjectId,
        /// Why.
        error: Box<LoadError>,
    },
    /// A replica is of another class than asked for.
    #[error("the replica {id} is of class {found:?}, not {expected:?}")]
    Class {
        /// The replica.
        id: ReplicaId,
        /// The class in its genesis.
        found: String,
        /// The class asked for.
        expected: &'static str,
    },
    /// An object is not valid.
    #[error("the object is refused: {0}")]
    Object(#[from] DecodeError),
    /// A value has no canonical bytes.
    #[error("this cannot be saved: {0}")]
    Encode(#[from] EncodeError),
    /// A genesis has no canonical bytes.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A genesis founds no replica.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// A replica is a child of one that is not here.
    #[error("the replica {child} is a child of {parent}, which is not in this store: synchronise that one first")]
    NoParent {
        /// The child.
        child: ReplicaId,
        /// What is missing.
        parent: ReplicaId,
    },
    /// More replicas give it authority than may.
    #[error("more than {MAX_ALL_SOURCES} replicas give authority to {0}: nobody takes such a replica")]
    Sources(ReplicaId),
    /// An object links to an identity that is not here.
    #[error("the identity {0} is not in this store and did not come along")]
    NoIdentity(IdentityId),
    /// Bytes do not have the id that was asked for.
    #[error("expected the object {expected}, but the bytes are those of {found}")]
    WrongId {
        /// The id asked for.
        expected: ObjectId,
        /// The id of the bytes.
        found: ObjectId,
    },
}

/// Why a local write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The author may not do this.
    #[error("{author} may not {capability} here: ask a member who may grant to grant it")]
    NotAllowed {
        /// Who wanted to write.
        author: IdentityId,
        /// What they may not.
        capability: String,
    },
    /// What the author does to authority cannot be done, by them or at all.
    #[error("this cannot be done here: {reason}")]
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// Whoever leaves has written in too many replicas to keep all of that with one op.
    #[error(
        "what was written by this grant stands in more replicas than leaving can keep: ask who granted it to revoke it instead"
    )]
    Scattered,
    /// The edit cannot become an op.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The author's key may not sign ops, or is gone.
    #[error(transparent)]
    Sign(SignError),
    /// What was typed stood on a write that has failed.
    #[error("what was typed stood on a write that has failed, and is gone with it: let it be typed again")]
    Lost,
}

impl From<SignOpError> for AppendError {
    fn from(error: SignOpError) -> Self {
        match error {
            SignOpError::Encode(error) => Self::Store(error.into()),
            SignOpError::Sign(error) => Self::Sign(error),
        }
    }
}

/// Why nothing of a bundle of ops was kept. Each says whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The store failed; the sender is not to blame.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An op is not one.
    #[error("an op header is refused: {0}")]
    Op(#[from] OpError),
    /// An identity is not one.
    #[error("an identity is refused: {0}")]
    Identity(#[from] DecodeError),
    /// An op of another replica.
    #[error("the op {op} is of the replica {found}, which was not asked for")]
    Target {
        /// The op.
        op: OpId,
        /// Its replica.
        found: ReplicaId,
    },
    /// A payload is not the one that its header names.
    #[error("the payload of the op {0} is not the one that its header names")]
    Payload(OpId),
    /// A signature does not hold.
    #[error("the signature of the op {0} does not hold")]
    Signature(OpId),
    /// An op depends on what is no op with an act, or not of a replica that gives authority to its own.
    #[error("the op {op} depends on {dep}, which is no act of a replica that gives authority to its own")]
    Dependency {
        /// The op.
        op: OpId,
        /// What it depends on.
        dep: OpId,
    },
    /// An op depends on an act of another replica that is not here; it may come later.
    #[error(
        "the op {op} depends on {missing}, which is not here yet: synchronise the replicas that give it authority first"
    )]
    MissingDependency {
        /// The op.
        op: OpId,
        /// What is missing.
        missing: OpId,
    },
    /// A replica that gives authority is not here, so that nobody can tell yet whether the author had a right to the op.
    #[error("the op {op} may stand on what is said in {missing}, which is not here: synchronise that replica first")]
    MissingSource {
        /// The op.
        op: OpId,
        /// The replica.
        missing: ReplicaId,
    },
    /// A parent is neither here nor earlier in the bundle, or is no op of this replica.
    #[error("the op {op} builds on {missing}, which did not come before it")]
    Incomplete {
        /// The op.
        op: OpId,
        /// What is missing.
        missing: OpId,
    },
    /// An identity that an op names is neither here nor in the bundle.
    #[error("the op {op} names the identity {missing}, which did not come along")]
    NoIdentity {
        /// The op.
        op: OpId,
        /// The identity.
        missing: IdentityId,
    },
    /// The op has no effect, as its author was removed before, and more such ops are here than are kept.
    #[error("the op {op} is one too many that {author} wrote in vain: it is kept once it has effect again")]
    Withheld {
        /// The op.
        op: OpId,
        /// Who wrote it.
        author: IdentityId,
    },
    /// The author had no right to write the op.
    #[error("the op {op} is refused: {reason}")]
    Refused {
        /// The op.
        op: OpId,
        /// Why.
        reason: Refusal,
    },
}

impl IngestError {
    /// Whether whoever sent the bundle did what no honest peer does.
    pub fn blames_sender(&self) -> bool {
        !matches!(
            self,
            Self::Store(_) | Self::Withheld { .. } | Self::MissingDependency { .. } | Self::MissingSource { .. }
        )
    }
}

impl From<BackendError> for IngestError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

impl From<BackendError> for AppendError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}
