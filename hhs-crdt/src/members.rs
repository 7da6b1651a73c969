//! `Members`: who may do what, as a field that apps can read and write.

use hhs_model::IdentityId;
use hhs_model::authority::Holders;
use hhs_model::class::{Changes, LoadError, Loader, Saver};
use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};
use hhs_model::op::{Act, Capability};

use crate::edit::Edit;
use crate::field::{At, Field, Recorded};

/// The identities that may write, and everything else that identities may do.
///
/// - State: what the genesis gives, for a child that of its root, and what the ops grant. It shows what is decided elsewhere: which ops are kept follows
///   from their headers alone, with this field or without.
/// - Mutations: none. Grants stand in the headers of ops, where everybody can check them without the class.
/// - Concurrency: of several grants to one identity the union holds, as far as they stand.
/// - Cost: memory in the identities, and time in them whenever it changes who holds what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    holders: Holders,
}

impl Members {
    /// Whether an identity may write.
    pub fn contains(&self, identity: &IdentityId) -> bool {
        self.can(identity, Capability::WRITE)
    }

    /// Whether an identity holds a capability.
    pub fn can(&self, identity: &IdentityId, capability: &str) -> bool {
        self.holders.holds(identity, capability)
    }

    /// Everybody who may write, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &IdentityId> {
        self.holders(Capability::WRITE)
    }

    /// Everybody who holds a capability, ascending.
    pub fn holders(&self, capability: &str) -> impl DoubleEndedIterator<Item = &IdentityId> + use<'_> {
        self.holders.of(capability)
    }

    /// How many may write.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether nobody may write.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl Field for Members {
    type Mutation = NoMutation;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, mutation: NoMutation, _at: At<'_>, _changes: &mut Changes) {
        match mutation {}
    }

    fn authorise(&mut self, holders: &Holders, changes: &mut Changes) {
        let before = std::mem::replace(&mut self.holders, holders.clone());
        if changes.is_watched() {
            before.diff(holders, changes);
        }
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<NoMutation> {
        edit.into_recorded()
    }

    fn undo(&self, mutation: &NoMutation, _at: At<'_>, _before: &Self) -> Vec<NoMutation> {
        match *mutation {}
    }

    /// Nothing: what is different is reported when it is [authorised](Self::authorise).
    fn diff(&self, _newer: &Self, _changes: &mut Changes) {}

    fn save(&self, _saver: &mut Saver) {}

    fn load(_loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Ok(Self::default())
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
