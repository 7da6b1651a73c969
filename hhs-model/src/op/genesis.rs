//! The genesis of a replica: the object whose hash is the replica's id.
//!
//! A root says itself who may write; random bytes tell it from every other. A child says only of which replica it is a
//! part, and where in it: whoever knows the parent knows the child's id, and two who make the same child make one.

use std::collections::BTreeSet;

use super::capability::{Capability, Roles};
use super::field_path::FieldPath;
use super::rule::Rules;
use crate::bounds::MAX_CLASS_BYTES;
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, encode};
use crate::id::{IdentityId, ReplicaId};
use crate::object::{CLASS_KEY, Nonce, Object, expect_class};

/// The beginning of a replica.
///
/// ```
/// use hhs_model::op::Genesis;
/// use hhs_model::{IdentityId, ReplicaId};
///
/// let ana = IdentityId::of(b"the bytes of Ana's identity");
/// let (_, room) = Genesis::with_founder("chat/v1/Room", [7; 16], ana).encoded()?;
/// // Everybody who knows the room knows the id of its list of guests.
/// let guests = Genesis::child(room, "guests".parse()?, "chat/v1/Guests");
/// assert_eq!(guests.encoded()?.1, ReplicaId::child(room, &"guests".parse()?, "chat/v1/Guests")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The class that says what ops mean.
    pub class: String,
    /// What makes the replica distinct, and who may write.
    pub origin: Origin,
}

/// Where a replica comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It stands by itself.
    Root {
        /// Makes replicas distinct that are equal otherwise.
        nonce: Nonce,
        /// Who holds what from the start.
        roles: Roles,
        /// What it takes to use a capability, where that is not to hold it.
        rules: Rules,
    },
    /// It is a part of another replica, whose root says who may write.
    Child {
        /// The replica that it is a part of, a root or a child itself.
        parent: ReplicaId,
        /// Its place there.
        path: FieldPath,
    },
}

/// Why a genesis cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A class name that is empty or too long.
    #[error("the class name has {0} bytes: it has to have 1 to {MAX_CLASS_BYTES}")]
    Class(usize),
    /// The genesis has no canonical bytes.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Genesis {
    /// A root by which `roles` hold.
    pub fn with_roles(class: &str, nonce: impl Into<Nonce>, roles: Roles) -> Self {
        Self { class: class.to_owned(), origin: Origin::Root { nonce: nonce.into(), roles, rules: Rules::new() } }
    }

    /// A root by which `roles` hold, and capabilities take what `rules` say.
    pub fn with_rules(class: &str, nonce: impl Into<Nonce>, roles: Roles, rules: Rules) -> Self {
        Self { class: class.to_owned(), origin: Origin::Root { nonce: nonce.into(), roles, rules } }
    }

    /// A root by which `writers` may write, and nobody else ever.
    pub fn with_writers(class: &str, nonce: impl Into<Nonce>, writers: BTreeSet<IdentityId>) -> Self {
        Self::with_roles(class, nonce, [(Capability::write(), writers)].into())
    }

    /// A root by which `founder` may write, and grant that right to others.
    pub fn with_founder(class: &str, nonce: impl Into<Nonce>, founder: IdentityId) -> Self {
        let founder = BTreeSet::from([founder]);
        let roles = [(Capability::write(), founder.clone()), (Capability::grant(), founder)];
        Self::with_roles(class, nonce, roles.into())
    }

    /// The child of a replica at a place in it. Who may write is what the root above it says.
    pub fn child(parent: ReplicaId, path: FieldPath, class: &str) -> Self {
        Self { class: class.to_owned(), origin: Origin::Child { parent, path } }
    }

    /// The parent, of a child.
    pub fn parent(&self) -> Option<ReplicaId> {
        match &self.origin {
            Origin::Root { .. } => None,
            Origin::Child { parent, .. } => Some(*parent),
        }
    }

    /// Who holds what by this genesis itself; nothing by that of a child.
    pub fn roles(&self) -> Option<&Roles> {
        match &self.origin {
            Origin::Root { roles, .. } => Some(roles),
            Origin::Child { .. } => None,
        }
    }

    /// The rules of this genesis itself; none of that of a child.
    pub fn rules(&self) -> Option<&Rules> {
        match &self.origin {
            Origin::Root { rules, .. } => Some(rules),
            Origin::Child { .. } => None,
        }
    }

    /// Every identity that this genesis names: everybody who holds anything by it, and whom its rules name.
    pub fn holders(&self) -> BTreeSet<IdentityId> {
        let mut holders = self.roles().map(Roles::holders).unwrap_or_default();
        holders.extend(self.rules().map(Rules::identities).unwrap_or_default());
        holders
    }

    /// Canonical bytes, and the id of the replica.
    ///
    /// # Errors
    /// If the class name or a list exceeds its bound.
    pub fn encoded(&self) -> Result<(Vec<u8>, ReplicaId), GenesisError> {
        if self.class.is_empty() || self.class.len() > MAX_CLASS_BYTES {
            return Err(GenesisError::Class(self.class.len()));
        }
        let bytes = encode(self)?;
        let id = ReplicaId::of(&bytes);
        Ok((bytes, id))
    }
}

impl ReplicaId {
    /// The id of a replica's child of this class at this place: known to everybody who knows the parent.
    ///
    /// # Errors
    /// If the class name exceeds its bound.
    pub fn child(parent: Self, path: &FieldPath, class: &str) -> Result<Self, GenesisError> {
        Ok(Genesis::child(parent, path.clone(), class).encoded()?.1)
    }
}

impl Object for Genesis {
    const CLASS: &'static str = "hhs/v1/Genesis";
}

impl Encode for Genesis {
    fn encode(&self, encoder: &mut Encoder) {
        let rules = self.rules().is_some_and(|rules| !rules.is_empty());
        encoder.map(4 + usize::from(rules));
        encoder.key(CLASS_KEY).text(Self::CLASS);
        match &self.origin {
            Origin::Root { nonce, roles, rules } => {
                encoder.key("class").text(&self.class);
                encoder.key("nonce").value(nonce);
                encoder.key("roles").value(roles);
                if !rules.is_empty() {
                    encoder.key("rules").value(rules);
                }
            }
            Origin::Child { parent, path } => {
                encoder.key("path").value(path);
                encoder.key("class").text(&self.class);
                encoder.key("parent").value(parent);
            }
        }
    }
}

impl Decode for Genesis {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        expect_class(&mut map, decoder, Self::CLASS)?;
        let (mut class, mut nonce, mut roles, mut rules, mut path, mut parent) = (None, None, None, None, None, None);
        while let Some(field) = map.next_key(decoder)? {
            match field {
                "class" => class = Some(class_name(decoder)?),
                "nonce" => nonce = Some(decoder.value()?),
                "roles" => roles = Some(decoder.value()?),
                "rules" => rules = Some(decoder.value()?),
                "path" => path = Some(decoder.value()?),
                "parent" => parent = Some(decoder.value()?),
                _ => return Err(DecodeError::Invalid("a genesis has a field that is not known")),
            }
        }
        let origin = match (nonce, roles, parent, path) {
            (None, None, Some(_), Some(_)) if rules.is_some() => {
                return Err(DecodeError::Invalid("a genesis is that of a child, and has rules"));
            }
            (None, None, Some(parent), Some(path)) => Origin::Child { parent, path },
            (None, None, Some(_), None) => return Err(DecodeError::MissingField("path")),
            (None, None, None, Some(_)) => return Err(DecodeError::MissingField("parent")),
            (Some(nonce), Some(roles), None, None) => Origin::Root { nonce, roles, rules: rules.unwrap_or_default() },
            (None, _, None, None) => return Err(DecodeError::MissingField("nonce")),
            (Some(_), None, None, None) => return Err(DecodeError::MissingField("roles")),
            _ => return Err(DecodeError::Invalid("a genesis is that of a root and that of a child")),
        };
        Ok(Self { class: class.ok_or(DecodeError::MissingField("class"))?, origin })
    }
}

fn class_name(decoder: &mut Decoder<'_>) -> Result<String, DecodeError> {
    let class = decoder.text()?;
    match class.len() {
        0 => Err(DecodeError::Invalid("a class has a name of one byte at least")),
        1..=MAX_CLASS_BYTES => Ok(class.to_owned()),
        count => Err(DecodeError::Bound { what: "bytes of a class name", count, limit: MAX_CLASS_BYTES }),
    }
}
