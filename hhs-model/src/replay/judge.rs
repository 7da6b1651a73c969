//! By whose eyes a replay judges ops, and what it asks of authority.

use crate::authority::{Authority, Seen, Standing, Vantage};
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
    seen: Seen,
    /// What is seen from there, once somebody has asked; nothing if nobody has withdrawn anything there.
    vantage: Option<Option<Box<Vantage>>>,
}

/// What an op stands on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stand<'a> {
    pub(super) grants: &'a [OpId],
    /// Where the authority knows it.
    pub(super) position: u64,
    /// Its id, if it acts on authority.
    pub(super) act: Option<OpId>,
}

impl<'a> From<Stand<'a>> for Standing<'a> {
    fn from(Stand { grants, position, act }: Stand<'a>) -> Self {
        Self { grants, position, act }
    }
}

impl View {
    pub(super) fn past(seen: Seen) -> Self {
        Self::Past(Past { seen, vantage: None })
    }

    pub(super) fn is_void(&mut self, authority: &Authority, stand: Stand<'_>) -> bool {
        match self {
            Self::All => authority.verdict(stand.into()).is_void(),
            Self::Past(past) => past.vantage(authority).is_some_and(|past| past.is_void(authority, stand.into())),
        }
    }

    /// Whether all that a group of ops stands on stands: then none of them is void, but for acts.
    pub(super) fn all_stand(&mut self, authority: &Authority, grants: &[OpId]) -> bool {
        match self {
            Self::All => authority.all_stand(grants),
            Self::Past(past) => past.vantage(authority).is_none_or(|past| past.all_stand(authority, grants)),
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
    fn vantage(&mut self, authority: &Authority) -> Option<&Vantage> {
        let Self { seen, vantage } = self;
        // More can have become known of what cuts keep while a version is read.
        if vantage.as_ref().and_then(Option::as_deref).is_some_and(|vantage| vantage.is_outdated(authority)) {
            *vantage = None;
        }
        let look = || authority.withdraws(seen).then(|| Box::new(Vantage::new(authority, seen)));
        vantage.get_or_insert_with(look).as_deref()
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
