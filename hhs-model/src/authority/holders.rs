//! Who holds what now.

use std::collections::{BTreeMap, BTreeSet};

use crate::class::{Action, Changes};
use crate::id::IdentityId;
use crate::op::{Capability, Roles};

/// Who holds each capability, by roles or by grants that stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders(BTreeMap<Capability, BTreeSet<IdentityId>>);

impl Holders {
    /// What roles alone give.
    pub fn from_roles(roles: &Roles) -> Self {
        Self(roles.iter().map(|(capability, holders)| (capability.clone(), holders.clone())).collect())
    }

    /// Takes note that somebody holds something; whether that is new.
    pub fn insert(&mut self, capability: Capability, identity: IdentityId) -> bool {
        self.0.entry(capability).or_default().insert(identity)
    }

    /// Takes note that somebody holds something no more.
    pub(super) fn remove(&mut self, capability: &str, identity: &IdentityId) {
        if let Some(holders) = self.0.get_mut(capability) {
            holders.remove(identity);
            if holders.is_empty() {
                self.0.remove(capability);
            }
        }
    }

    /// Whether an identity holds a capability.
    pub fn holds(&self, identity: &IdentityId, capability: &str) -> bool {
        self.0.get(capability).is_some_and(|holders| holders.contains(identity))
    }

    /// Everybody who holds a capability, ascending.
    pub fn of(&self, capability: &str) -> impl DoubleEndedIterator<Item = &IdentityId> + use<'_> {
        self.0.get(capability).into_iter().flatten()
    }

    /// Reports who holds more in `newer`, and who less.
    pub fn diff(&self, newer: &Self, changes: &mut Changes) {
        let everybody: BTreeSet<IdentityId> = self.0.values().chain(newer.0.values()).flatten().copied().collect();
        for identity in everybody {
            let more = |a: &Self, b: &Self| {
                b.0.keys().any(|name| b.holds(&identity, name.as_str()) && !a.holds(&identity, name.as_str()))
            };
            if more(newer, self) {
                changes.report(|| Action::Revoked { from: identity });
            }
            if more(self, newer) {
                changes.report(|| Action::Granted { to: identity });
            }
        }
    }

    /// Each capability with its holders, by its name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Capability, &BTreeSet<IdentityId>)> {
        self.0.iter()
    }
}
