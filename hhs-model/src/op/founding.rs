//! What is known of a replica before any op: its genesis, joined with the roles and rules of the root above it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::capability::Roles;
use super::field_path::FieldPath;
use super::genesis::{Genesis, GenesisError, Origin};
use super::rule::{Rule, Rules};
use crate::bounds::MAX_CHILD_LEVELS;
use crate::id::ReplicaId;

/// What holds in a replica before any op.
///
/// A child says nothing of authority itself: the roles and rules of its root hold in it, and so do grants in its root. Its
/// founding can therefore be had only by
/// way of its parent's, which is what bounds how deep children stand.
///
/// ```
/// use hhs_model::IdentityId;
/// use hhs_model::op::{Founding, Genesis};
///
/// let ana = IdentityId::of(b"the bytes of Ana's identity");
/// let room = Founding::root(Genesis::with_founder("chat/v1/Room", [7; 16], ana))?;
/// let guests = room.child(Genesis::child(room.id(), "guests".parse()?, "chat/v1/Guests"))?;
/// assert!(guests.roles().holds(&ana, "write"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    id: ReplicaId,
    class: String,
    place: Option<(ReplicaId, FieldPath)>,
    level: usize,
    root: ReplicaId,
    roles: Arc<Roles>,
    rules: Arc<Rules>,
}

/// Why a genesis founds nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoundingError {
    /// The genesis of a child was taken for that of a root.
    #[error("the replica is a child of {0}: found it by way of its parent")]
    NotARoot(ReplicaId),
    /// The genesis is not that of a child of this replica.
    #[error("the replica is not a child of {0}: found it by way of its own parent, or as a root if it has none")]
    OtherParent(ReplicaId),
    /// Too many replicas above it.
    #[error("the replica is more than {MAX_CHILD_LEVELS} levels below its root: make it a child of one further up")]
    TooDeep,
    /// The genesis has no canonical bytes.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

impl Founding {
    /// The founding of a root.
    ///
    /// # Errors
    /// If the genesis is that of a child, or has no canonical bytes.
    pub fn root(genesis: Genesis) -> Result<Self, FoundingError> {
        let (_, id) = genesis.encoded()?;
        match genesis.origin {
            Origin::Root { roles, rules, .. } => {
                let (roles, rules) = (Arc::new(roles), Arc::new(rules));
                Ok(Self { id, class: genesis.class, place: None, level: 0, root: id, roles, rules })
            }
            Origin::Child { parent, .. } => Err(FoundingError::NotARoot(parent)),
        }
    }

    /// The founding of a child of this replica.
    ///
    /// # Errors
    /// If the genesis is not that of a child of this replica, or has no canonical bytes, or the child would stand more than
    /// [`MAX_CHILD_LEVELS`] levels below the root.
    pub fn child(&self, genesis: Genesis) -> Result<Self, FoundingError> {
        let (_, id) = genesis.encoded()?;
        let path = match genesis.origin {
            Origin::Child { parent, path } if parent == self.id => path,
            _ => return Err(FoundingError::OtherParent(self.id)),
        };
        if self.level >= MAX_CHILD_LEVELS {
            return Err(FoundingError::TooDeep);
        }
        let (place, level) = (Some((self.id, path)), self.level + 1);
        Ok(Self { id, class: genesis.class, place, level, ..self.clone() })
    }

    /// The replica.
    pub fn id(&self) -> ReplicaId {
        self.id
    }

    /// The class that says what ops mean.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Of a child: its parent, and its place there.
    pub fn place(&self) -> Option<(ReplicaId, &FieldPath)> {
        self.place.as_ref().map(|(parent, path)| (*parent, path))
    }

    /// How many replicas stand above it.
    pub fn level(&self) -> usize {
        self.level
    }

    /// Who holds what from the start: the roles of the root.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// What it takes to use a capability: the rules of the root.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The rule of a capability. One that the genesis has none for takes to be held.
    pub fn rule(&self, capability: &str) -> Option<&Rule> {
        self.rules.get(capability)
    }

    /// The root above it, or itself.
    pub fn root_id(&self) -> ReplicaId {
        self.root
    }

    /// The replicas whose ops give or withdraw authority here: for a child its root, and those that the rules ask about. Those
    /// have such replicas in turn.
    pub fn sources(&self) -> BTreeSet<ReplicaId> {
        let mut sources = self.rules.sources();
        sources.extend((self.root != self.id).then_some(self.root));
        sources
    }
}
