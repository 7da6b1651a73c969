//! By whose eyes a replay judges ops, and what it asks of authority.

use std::collections::BTreeMap;

use crate::authority::{Authority, Seen, Standing};
use crate::class::{Changes, Replica, Rights};
use crate::id::OpId;
use crate::op::Header;

/// By whose eyes ops are judged.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// By everything that is known here, which grows.
    All,
    /// By the acts that somebody has seen, which are what they are.
    Past(Past),
}

/// The acts that somebody has seen.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) seen: Seen,
    /// For groups of ops by what they stand on: whether all of that stands in this past.
    stands: BTreeMap<u32, bool>,
}

/// What an op stands on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand<'a> {
    /// The number of the group of ops that stand on the same.
    pub(super) group: u32,
    pub(super) grants: &'a [OpId],
    /// Where the authority knows it.
    pub(super) position: u64,
    /// Its id, if it acts on authority.
    pub(super) act: Option<OpId>,
}

impl<'a> From<Stand<'a>> for Standing<'a> {
    fn from(Stand { grants, position, act, .. }: Stand<'a>) -> Self {
        Self { grants, position, act }
    }
}

impl View {
    pub(super) fn past(seen: Seen) -> Self {
        Self::Past(Past::new(seen))
    }

    pub(super) fn is_void(&mut self, authority: &Authority, stand: Stand<'_>) -> bool {
        match self {
            Self::All => authority.verdict(stand.into()).is_void(),
            Self::Past(past) => past.is_void(authority, stand),
        }
    }

    /// Whether all that a group of ops stands on stands: then none of them is void, but for acts.
    pub(super) fn all_stand(&mut self, authority: &Authority, group: u32, grants: &[OpId]) -> bool {
        match self {
            Self::All => authority.all_stand(grants),
            Self::Past(past) => past.all_stand(authority, group, grants),
        }
    }

    pub(super) fn authorise<R: Replica>(&self, authority: &Authority, state: &mut R, changes: &mut Changes) {
        match self {
            Self::All => state.authorise(authority.holders(), changes),
            Self::Past(past) => state.authorise(&authority.holders_for(&past.seen), changes),
        }
    }
}

impl Past {
    pub(super) fn new(seen: Seen) -> Self {
        Self { seen, stands: BTreeMap::new() }
    }

    pub(super) fn is_void(&mut self, authority: &Authority, stand: Stand<'_>) -> bool {
        if stand.act.is_none() && self.all_stand(authority, stand.group, stand.grants) {
            return false;
        }
        authority.is_void_for(stand.into(), &self.seen)
    }

    pub(super) fn all_stand(&mut self, authority: &Authority, group: u32, grants: &[OpId]) -> bool {
        let seen = &self.seen;
        *self.stands.entry(group).or_insert_with(|| authority.all_stand_for(grants, seen))
    }
}

/// What the author of an op may do.
pub(super) fn rights<'a>(authority: &'a Authority, header: &'a Header) -> impl Rights + 'a {
    Held { authority, header }
}

struct Held<'a> {
    authority: &'a Authority,
    header: &'a Header,
}

impl Rights for Held<'_> {
    fn holds(&self, capability: &str) -> bool {
        self.authority.holds(self.header, capability)
    }
}
