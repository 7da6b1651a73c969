//! What one may be allowed to do in a replica, and who holds it from the start.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::order::ascending;
use crate::bounds::{MAX_CAPABILITY_BYTES, MAX_ROLES, MAX_WRITERS};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};
use crate::id::IdentityId;

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

/// Who holds each capability from the start. This authority ranks first and cannot be withdrawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<Capability, BTreeSet<IdentityId>>);

impl Roles {
    /// Nobody holds anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets who holds a capability.
    pub fn insert(&mut self, capability: Capability, holders: BTreeSet<IdentityId>) -> &mut Self {
        self.0.insert(capability, holders);
        self
    }

    /// Whether `identity` holds `capability`.
    pub fn holds(&self, identity: &IdentityId, capability: &str) -> bool {
        self.0.get(capability).is_some_and(|holders| holders.contains(identity))
    }

    /// Everybody who holds anything.
    pub fn holders(&self) -> BTreeSet<IdentityId> {
        self.0.values().flatten().copied().collect()
    }

    /// Each capability with its holders, by its name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Capability, &BTreeSet<IdentityId>)> {
        self.0.iter()
    }

    /// How many capabilities there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Capability, BTreeSet<IdentityId>)> for Roles {
    fn from_iter<I: IntoIterator<Item = (Capability, BTreeSet<IdentityId>)>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

impl<const N: usize> From<[(Capability, BTreeSet<IdentityId>); N]> for Roles {
    fn from(roles: [(Capability, BTreeSet<IdentityId>); N]) -> Self {
        Self(roles.into())
    }
}

impl Encode for Roles {
    fn encode(&self, encoder: &mut Encoder) {
        let holders: usize = self.0.values().map(BTreeSet::len).sum();
        if holders > MAX_WRITERS {
            encoder.fail(EncodeError::Bound { what: HOLDERS, count: holders, limit: MAX_WRITERS });
        }
        if self.0.len() > MAX_ROLES {
            encoder.fail(EncodeError::Bound { what: ROLES, count: self.0.len(), limit: MAX_ROLES });
        }
        let roles: BTreeMap<String, Vec<IdentityId>> =
            self.0.iter().map(|(name, holders)| (name.0.clone(), holders.iter().copied().collect())).collect();
        encoder.value(&roles);
    }
}

impl Decode for Roles {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        if map.left() > MAX_ROLES {
            return Err(DecodeError::Bound { what: ROLES, count: map.left(), limit: MAX_ROLES });
        }
        let mut roles = BTreeMap::new();
        let mut left = MAX_WRITERS;
        while let Some(name) = map.next_key(decoder)? {
            let name = name.parse().map_err(|_| DecodeError::Invalid("a capability has a name that none can have"))?;
            let holders: Vec<IdentityId> = ascending(decoder, HOLDERS, left)?;
            left -= holders.len();
            roles.insert(name, holders.into_iter().collect());
        }
        Ok(Self(roles))
    }
}

const ROLES: &str = "roles in a genesis";
const HOLDERS: &str = "holders in a genesis";
