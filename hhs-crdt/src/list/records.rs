//! What the ops that wrote to a list have done in it, in the order in which they came.

use hhs_model::OpId;

/// An op that wrote to the list.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) position: u64,
    pub(super) height: u64,
    pub(super) id: OpId,
    pub(super) effective: bool,
    pub(super) status: Status,
    /// Its first event; those of an op follow each other.
    pub(super) events: u32,
}

/// How an op stands in the version that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Absent,
    /// In its past, and without effect in it.
    Hidden,
    Effective,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    /// Of the mutation.
    pub(super) index: u32,
    pub(super) slot: u32,
    pub(super) kind: EventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    /// The slot is made.
    Place,
    /// The slot is taken back.
    Take,
    /// What stands in the slot is written to.
    Write,
}
