//! Who wrote to a field, and when.

use super::{Kept, Voided, writes};
use crate::id::{IdentityId, OpId};

/// An op that wrote to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrote {
    /// The op.
    pub op: OpId,
    /// One more than the greatest height of its parents.
    pub height: u64,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970.
    pub time: u64,
    /// In what way it has no effect now, if it has none.
    pub void: Option<Voided>,
}

impl Wrote {
    /// What is known of an op, if it wrote to a field.
    pub fn of(kept: &Kept<'_>, height: u64, void: Option<Voided>, field: &str) -> Option<Self> {
        kept.payload.filter(|payload| writes(payload, field))?;
        let header = kept.op.header();
        Some(Self { op: kept.op.id(), height, author: header.author, time: header.time, void })
    }

    /// Puts ops that wrote into an order that is the same everywhere, and in which causes come first.
    pub fn sort(wrote: &mut [Self]) {
        wrote.sort_unstable_by_key(|wrote| (wrote.height, wrote.op));
    }
}
