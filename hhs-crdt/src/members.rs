//! `Members`: who may do what, as a field that apps can read and write.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::IdentityId;
use hhs_model::class::{Action, Changes, OpContext};
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};
use hhs_model::op::{Act, Capability, Founding};

use crate::edit::Edit;
use crate::field::{At, Field};

/// The identities that may write, and everything else that identities may do.
///
/// - State: what the genesis gives, for a child that of its root, and what the ops grant. It shows what is decided elsewhere: which ops are kept follows
///   from their headers alone, with this field or without.
/// - Mutations: none. Grants stand in the headers of ops, where everybody can check them without the class.
/// - Concurrency: grants are only ever added; of several to one identity the union holds.
/// - Cost: memory in the identities; logarithmic time for each grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Who holds each capability; by the capability's name.
    holders: BTreeMap<String, BTreeSet<IdentityId>>,
}

impl Members {
    /// Whether an identity may write.
    pub fn contains(&self, identity: &IdentityId) -> bool {
        self.can(identity, Capability::WRITE)
    }

    /// Whether an identity holds a capability.
    pub fn can(&self, identity: &IdentityId, capability: &str) -> bool {
        self.holders.get(capability).is_some_and(|holders| holders.contains(identity))
    }

    /// Everybody who may write, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &IdentityId> {
        self.holders(Capability::WRITE)
    }

    /// Everybody who holds a capability, ascending.
    pub fn holders(&self, capability: &str) -> impl DoubleEndedIterator<Item = &IdentityId> + use<'_> {
        self.holders.get(capability).into_iter().flatten()
    }

    /// How many may write.
    pub fn len(&self) -> usize {
        self.holders.get(Capability::WRITE).map_or(0, BTreeSet::len)
    }

    /// Whether nobody may write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Field for Members {
    type Mutation = NoMutation;

    fn new(founding: &Founding) -> Self {
        let roles = founding.roles().iter();
        Self { holders: roles.map(|(name, holders)| (name.as_str().to_owned(), holders.clone())).collect() }
    }

    fn apply(&mut self, mutation: NoMutation, _at: At<'_>, _changes: &mut Changes) {
        match mutation {}
    }

    fn act(&mut self, _op: &OpContext<'_>, act: &Act, changes: &mut Changes) {
        let Act::Grant { to, can } = act;
        let mut more = false;
        for capability in can {
            more |= self.holders.entry(capability.as_str().to_owned()).or_default().insert(*to);
        }
        if more {
            changes.report(|| Action::Granted { to: *to });
        }
    }
}

impl Edit<'_, Members> {
    /// Lets an identity write, and admit others. One op can grant to one identity only.
    pub fn grant(&mut self, to: IdentityId) {
        self.grant_capabilities(to, [Capability::write(), Capability::grant()]);
    }

    /// Grants an identity capabilities, which the author has to hold besides [`Capability::GRANT`]. One op can grant to
    /// one identity only; what an edit grants to the same one is granted together.
    pub fn grant_capabilities(&mut self, to: IdentityId, capabilities: impl IntoIterator<Item = Capability>) {
        let mut capabilities = capabilities.into_iter().peekable();
        if capabilities.peek().is_none() {
            return;
        }
        // An edit of more than one identity cannot be finished, so that only the last needs a look.
        match self.acts_mut().last_mut() {
            Some(Act::Grant { to: before, can }) if *before == to => can.extend(capabilities),
            _ => self.acts_mut().push(Act::Grant { to, can: capabilities.collect() }),
        }
    }
}

/// The mutation of a field that has none: no value, and nothing decodes to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMutation {}

impl Encode for NoMutation {
    fn encode(&self, _encoder: &mut Encoder) {
        match *self {}
    }
}

impl Decode for NoMutation {
    fn decode(_decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Err(DecodeError::Invalid("a payload writes a field that no payload can write"))
    }
}
