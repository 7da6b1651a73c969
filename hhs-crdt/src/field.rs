//! `Field`: what a type implements to be a field of a replica, and the order in which ops stand.

use hhs_model::OpId;
use hhs_model::class::{Changes, OpContext};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::{Act, Founding};

/// A replicated type: the state that the mutations of a field stand for.
///
/// The state has to be a function of the *set* of ops. [`apply`](Self::apply) sees an op after its past, each op once,
/// and the mutations of one op in their order; every order of ops that respects this has to give the same state. An op
/// may claim to have seen what is not in its past: liars too must not make replicas differ.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a replica",
    label = "not a replicated type",
    note = "wrap a plain value in `Register<…>`, a collection in `Set<…>` or `Log<…>`; their elements need `Encode` and `Decode`"
)]
pub trait Field: Sized + Send + Sync + 'static {
    /// One change, as it stands in the payload of an op. What decodes has a meaning: decoding is where it is refused.
    type Mutation: Encode + Decode;

    /// The state before any op.
    fn new(founding: &Founding) -> Self;

    /// Applies a mutation, and reports what is different now.
    fn apply(&mut self, mutation: Self::Mutation, at: At<'_>, changes: &mut Changes);

    /// Takes note of what an op does to authority, before its mutations are applied; and also where the rest of the op is
    /// void, so that a field shows every grant that counts.
    fn act(&mut self, _op: &OpContext<'_>, _act: &Act, _changes: &mut Changes) {}
}

/// Where a mutation stands.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The op that it is part of.
    pub op: &'a OpContext<'a>,
    /// Which of the op's mutations of this field it is, from 0.
    pub index: u32,
}

impl At<'_> {
    /// The place of the mutation in the order of all mutations of a field.
    pub fn position(&self) -> Position {
        Position { height: self.op.height, op: self.op.id, index: self.index }
    }
}

/// A place in a total order of mutations that is the same everywhere and extends the causal order: by height, then by
/// op id, then by index within the op. No clock has a part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The height of the op: it is above the heights of everything in its past.
    pub height: u64,
    /// The op.
    pub op: OpId,
    /// Which of the op's mutations of the field, from 0.
    pub index: u32,
}
