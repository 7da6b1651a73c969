//! What may be written to a field, as the attributes of a class say.

use std::collections::BTreeSet;

use hhs_model::IdentityId;
use hhs_model::class::{EditError, OpContext, Void};
use hhs_model::op::Capability;

/// Says whether a mutation is accepted, or why not.
pub(crate) type Accept<M> = fn(&M) -> Result<(), &'static str>;

/// The same, for who knows the op.
pub(crate) type AcceptBy<M> = fn(&M, &OpContext<'_>) -> Result<(), &'static str>;

/// What has to hold for a mutation of a field; the derived code makes one for each field.
#[derive(Debug, Clone, Copy)]
pub struct Restrictions<M: 'static> {
    /// What it says.
    pub accept: Option<Accept<M>>,
    /// What it says, and who says it.
    pub accept_by: Option<AcceptBy<M>>,
    /// Who writes.
    pub writers: Option<fn(&IdentityId) -> bool>,
    /// What who writes has to hold.
    pub needs: Option<&'static str>,
}

impl<M> Restrictions<M> {
    /// Whether the author of an op may write to the field.
    ///
    /// # Errors
    /// Why not.
    pub fn accepts_author(&self, field: &'static str, op: &OpContext<'_>) -> Result<(), Void> {
        if self.writers.is_some_and(|writers| !writers(&op.author)) {
            return Err(Void::NotAccepted { field, reason: "its author is none of those who may write there" });
        }
        match self.needs {
            Some(capability) if !op.rights.holds(capability) => Err(Void::Needs { field, capability }),
            _ => Ok(()),
        }
    }

    /// Whether an op may say this of the field.
    ///
    /// # Errors
    /// Why not.
    pub fn accepts_mutation(&self, field: &'static str, mutation: &M, op: &OpContext<'_>) -> Result<(), Void> {
        let void = |reason| Void::NotAccepted { field, reason };
        self.accept.map_or(Ok(()), |accept| accept(mutation)).map_err(void)?;
        self.accept_by.map_or(Ok(()), |accept| accept(mutation, op)).map_err(void)
    }

    /// Whether this may become part of an op, as far as that follows from what is said; adds to `needs` what its author has to hold.
    ///
    /// # Errors
    /// If it may not.
    pub fn check(&self, field: &'static str, mutation: &M, needs: &mut BTreeSet<Capability>) -> Result<(), EditError> {
        if let Some(needed) = self.needs.filter(|needed| !needs.contains(*needed)) {
            let needed = needed
                .parse()
                .map_err(|_| EditError::NotAccepted { field, reason: "no capability has such a name" })?;
            needs.insert(needed);
        }
        self.accept.map_or(Ok(()), |accept| accept(mutation)).map_err(|reason| EditError::NotAccepted { field, reason })
    }
}

/// Accepts what is one of a few: `one_of(mutation.element(), &["red", "green"])`, in a function that a field names with
/// `accept`.
///
/// # Errors
/// If it is none of them.
pub fn one_of<T: PartialEq<U>, U>(value: &T, allowed: &[U]) -> Result<(), &'static str> {
    match allowed.iter().any(|other| value == other) {
        true => Ok(()),
        false => Err("the value is none of those that may stand there"),
    }
}
