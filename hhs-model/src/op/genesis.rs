//! The genesis of a replica: the object whose hash is the replica's id.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::order::ascending;
use crate::bounds::{MAX_CAPABILITY_BYTES, MAX_CLASS_BYTES, MAX_ROLES, MAX_WRITERS};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder, encode};
use crate::id::{IdentityId, ReplicaId};
use crate::object::{CLASS_KEY, Object, expect_class};

/// The name of something that one may be allowed to do in a replica.
///
/// Two names mean something to everybody, with the class or without: [`Capability::WRITE`], without which no op is kept,
/// and [`Capability::GRANT`], with which one may grant what one holds. Others are for classes to ask about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(String);

/// A name that no capability can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot name a capability: it has to be 1 to {MAX_CAPABILITY_BYTES} bytes of a-z, 0-9, '-', '/' and '.'")]
pub struct CapabilityError(String);

impl Capability {
    /// The name of the right to write ops.
    pub const WRITE: &'static str = "write";
    /// The name of the right to grant others what one holds.
    pub const GRANT: &'static str = "grant";

    /// The right to write ops.
    pub fn write() -> Self {
        Self(Self::WRITE.to_owned())
    }

    /// The right to grant others what one holds.
    pub fn grant() -> Self {
        Self(Self::GRANT.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Capability {
    type Err = CapabilityError;

    fn from_str(name: &str) -> Result<Self, CapabilityError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/.".contains(&byte);
        if (1..=MAX_CAPABILITY_BYTES).contains(&name.len()) && name.bytes().all(plain) {
            Ok(Self(name.to_owned()))
        } else {
            Err(CapabilityError(name.chars().take(MAX_CAPABILITY_BYTES).collect()))
        }
    }
}

/// Capabilities are ordered as their names are.
impl Borrow<str> for Capability {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Encode for Capability {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.text(&self.0);
    }
}

impl Decode for Capability {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.text()?.parse().map_err(|_| DecodeError::Invalid("a capability has a name that none can have"))
    }
}

/// The beginning of a replica: its class, and who holds what from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The class that says what ops mean.
    pub class: String,
    /// Random bytes that make replicas distinct which are equal otherwise.
    pub nonce: [u8; 16],
    /// Who holds each capability from the start. This authority ranks first and cannot be withdrawn.
    pub roles: BTreeMap<Capability, BTreeSet<IdentityId>>,
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
    /// A genesis by which `writers` may write, and nobody else ever.
    pub fn with_writers(class: &str, nonce: [u8; 16], writers: BTreeSet<IdentityId>) -> Self {
        Self { class: class.to_owned(), nonce, roles: BTreeMap::from([(Capability::write(), writers)]) }
    }

    /// A genesis by which `founder` may write, and grant that right to others.
    pub fn with_founder(class: &str, nonce: [u8; 16], founder: IdentityId) -> Self {
        let mut genesis = Self::with_writers(class, nonce, BTreeSet::from([founder]));
        genesis.roles.insert(Capability::grant(), BTreeSet::from([founder]));
        genesis
    }

    /// Whether `identity` holds `capability` from the start.
    pub fn holds(&self, identity: &IdentityId, capability: &str) -> bool {
        self.roles.get(capability).is_some_and(|holders| holders.contains(identity))
    }

    /// Everybody who holds anything from the start.
    pub fn holders(&self) -> BTreeSet<IdentityId> {
        self.roles.values().flatten().copied().collect()
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

impl Object for Genesis {
    const CLASS: &'static str = "hhs/v1/Genesis";
}

impl Encode for Genesis {
    fn encode(&self, encoder: &mut Encoder) {
        let holders: usize = self.roles.values().map(BTreeSet::len).sum();
        if holders > MAX_WRITERS {
            let what = "holders in a genesis";
            encoder.fail(EncodeError::Bound { what, count: holders, limit: MAX_WRITERS });
        }
        if self.roles.len() > MAX_ROLES {
            encoder.fail(EncodeError::Bound { what: ROLES, count: self.roles.len(), limit: MAX_ROLES });
        }
        let roles: BTreeMap<String, Vec<IdentityId>> =
            self.roles.iter().map(|(name, holders)| (name.0.clone(), holders.iter().copied().collect())).collect();
        encoder.map(4);
        encoder.key(CLASS_KEY).text(Self::CLASS);
        encoder.key("class").text(&self.class);
        encoder.key("nonce").bytes(&self.nonce);
        encoder.key("roles").value(&roles);
    }
}

impl Decode for Genesis {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        expect_class(&mut map, decoder, Self::CLASS)?;
        let (mut class, mut nonce, mut roles) = (None, None, None);
        while let Some(field) = map.next_key(decoder)? {
            match field {
                "class" => class = Some(class_name(decoder)?),
                "nonce" => nonce = Some(decoder.byte_array("a nonce of 16 bytes")?),
                "roles" => roles = Some(decode_roles(decoder)?),
                _ => return Err(DecodeError::Invalid("a genesis has a field that is not known")),
            }
        }
        Ok(Self {
            class: class.ok_or(DecodeError::MissingField("class"))?,
            nonce: nonce.ok_or(DecodeError::MissingField("nonce"))?,
            roles: roles.ok_or(DecodeError::MissingField("roles"))?,
        })
    }
}

const ROLES: &str = "roles in a genesis";

fn class_name(decoder: &mut Decoder<'_>) -> Result<String, DecodeError> {
    match decoder.text()? {
        class if (1..=MAX_CLASS_BYTES).contains(&class.len()) => Ok(class.to_owned()),
        class => Err(DecodeError::Bound { what: "bytes of a class name", count: class.len(), limit: MAX_CLASS_BYTES }),
    }
}

fn decode_roles(decoder: &mut Decoder<'_>) -> Result<BTreeMap<Capability, BTreeSet<IdentityId>>, DecodeError> {
    let mut map = decoder.map()?;
    if map.left() > MAX_ROLES {
        return Err(DecodeError::Bound { what: ROLES, count: map.left(), limit: MAX_ROLES });
    }
    let mut roles = BTreeMap::new();
    let mut left = MAX_WRITERS;
    while let Some(name) = map.next_key(decoder)? {
        let name = name.parse().map_err(|_| DecodeError::Invalid("a capability has a name that none can have"))?;
        let holders: Vec<IdentityId> = ascending(decoder, "holders in a genesis", left)?;
        left -= holders.len();
        roles.insert(name, holders.into_iter().collect());
    }
    Ok(roles)
}
