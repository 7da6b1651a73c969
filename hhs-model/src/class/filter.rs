//! Filters of change events: which of them somebody wants to hear of, as a value.

use std::collections::BTreeSet;

use super::change::{Action, Change, PathSegment};
use crate::id::IdentityId;

/// Which changes to hear of. Each method narrows it down; what is not said does not matter.
///
/// A filter is a pure value, so that it goes with whatever carries changes: a loop over a stream, `changes.retain(|change|
/// filter.matches(change))`, or a list of filters for several subscribers at once.
///
/// ```
/// use hhs_model::class::{Action, ActionKind, Change, ChangeFilter, PathSegment};
/// use hhs_model::{IdentityId, OpId};
///
/// let ana = IdentityId::of(b"Ana");
/// let path = vec![PathSegment::Field("tasks"), PathSegment::Key("milk".into()), PathSegment::Field("votes")];
/// let change = Change { op: OpId::of(b"an op"), author: ana, path, action: Action::Counted { old: 0, new: 1 } };
///
/// let tasks = ChangeFilter::under([PathSegment::Field("tasks")]);
/// assert!(tasks.matches(&change));
/// assert!(tasks.clone().by([ana]).of([ActionKind::Counted]).matches(&change));
/// assert!(!tasks.shallow().matches(&change), "it is a change in an element, not of the map itself");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangeFilter {
    path: Vec<PathSegment>,
    deepest: Option<usize>,
    kinds: Option<BTreeSet<ActionKind>>,
    authors: Option<BTreeSet<IdentityId>>,
}

impl ChangeFilter {
    /// Every change.
    pub fn all() -> Self {
        Self::default()
    }

    /// Changes at a path and everything inside it: of elements of a collection too.
    pub fn under(path: impl IntoIterator<Item = PathSegment>) -> Self {
        Self { path: path.into_iter().collect(), ..Self::default() }
    }

    /// Only changes at the path itself: which elements a collection has, and not what happens in them.
    #[must_use]
    pub fn shallow(self) -> Self {
        self.to_depth(0)
    }

    /// Only changes at most so many steps further down than the path.
    #[must_use]
    pub fn to_depth(mut self, steps: usize) -> Self {
        self.deepest = Some(self.path.len() + steps);
        self
    }

    /// Only changes of these kinds.
    #[must_use]
    pub fn of(mut self, kinds: impl IntoIterator<Item = ActionKind>) -> Self {
        self.kinds = Some(kinds.into_iter().collect());
        self
    }

    /// Only changes by these authors.
    #[must_use]
    pub fn by(mut self, authors: impl IntoIterator<Item = IdentityId>) -> Self {
        self.authors = Some(authors.into_iter().collect());
        self
    }

    /// Whether it lets a change through.
    pub fn matches(&self, change: &Change) -> bool {
        change.path.starts_with(&self.path)
            && self.deepest.is_none_or(|deepest| change.path.len() <= deepest)
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&change.action.kind()))
            && self.authors.as_ref().is_none_or(|authors| authors.contains(&change.author))
    }
}

/// What an [`Action`] is, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// [`Action::Set`].
    Set,
    /// [`Action::Values`].
    Values,
    /// [`Action::Counted`].
    Counted,
    /// [`Action::Inserted`].
    Inserted,
    /// [`Action::Withdrawn`].
    Withdrawn,
    /// [`Action::Added`].
    Added,
    /// [`Action::Removed`].
    Removed,
    /// [`Action::ListInserted`].
    ListInserted,
    /// [`Action::ListRemoved`].
    ListRemoved,
    /// [`Action::Moved`].
    Moved,
    /// [`Action::Edited`].
    Edited,
    /// [`Action::Marked`].
    Marked,
    /// [`Action::Granted`].
    Granted,
    /// [`Action::Revoked`].
    Revoked,
    /// [`Action::Reordered`].
    Reordered,
    /// [`Action::Settled`].
    Settled,
}

impl Action {
    /// What it is, without its content.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Set { .. } => ActionKind::Set,
            Self::Values { .. } => ActionKind::Values,
            Self::Counted { .. } => ActionKind::Counted,
            Self::Inserted { .. } => ActionKind::Inserted,
            Self::Withdrawn { .. } => ActionKind::Withdrawn,
            Self::Added { .. } => ActionKind::Added,
            Self::Removed { .. } => ActionKind::Removed,
            Self::ListInserted { .. } => ActionKind::ListInserted,
            Self::ListRemoved { .. } => ActionKind::ListRemoved,
            Self::Moved { .. } => ActionKind::Moved,
            Self::Edited { .. } => ActionKind::Edited,
            Self::Marked { .. } => ActionKind::Marked,
            Self::Granted { .. } => ActionKind::Granted,
            Self::Revoked { .. } => ActionKind::Revoked,
            Self::Reordered { .. } => ActionKind::Reordered,
            Self::Settled { .. } => ActionKind::Settled,
        }
    }
}
