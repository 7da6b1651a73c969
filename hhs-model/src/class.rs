//! What a class of replicas implements: the meaning of ops, asked for by the store and given by `hhs-crdt`.

mod change;

pub use change::{Action, Change, Changes, PathSegment, event_value};

use crate::codec::EncodeError;
use crate::id::{IdentityId, OpId};
use crate::op::{Act, Founding};

/// A class of replicas: the state that a history of ops stands for, and how to write to it. Usually derived.
///
/// The state has to be a function of the *set* of ops: [`apply`](Self::apply) sees them in some causal order, and every
/// such order has to give the same state.
pub trait Replica: Sized + Send + Sync + 'static {
    /// The name of the class, which a genesis names.
    const CLASS: &'static str;

    /// What records an app's writes, over the state they start from.
    type Edit<'a>;

    /// The state before any op.
    fn new(founding: &Founding) -> Self;

    /// Applies an op whose past has been applied; reports to `changes` what is different now.
    ///
    /// # Errors
    /// Why the class cannot make sense of the payload, which then changes nothing. The op's act counts all the same, and
    /// is reported: authority has judged it without asking the class.
    fn apply(&mut self, op: &OpContext<'_>, payload: Option<&[u8]>, changes: &mut Changes) -> Result<(), Void>;

    /// Begins to record writes.
    fn edit(&self) -> Self::Edit<'_>;

    /// Turns recorded writes into what an op carries.
    ///
    /// # Errors
    /// If what was written cannot be saved.
    fn finish(edit: Self::Edit<'_>) -> Result<Draft, EditError>;
}

/// The op that is being applied.
#[derive(Debug, Clone, Copy)]
pub struct OpContext<'a> {
    /// Its id.
    pub id: OpId,
    /// One more than the greatest height of its parents; 0 for an op without parents.
    pub height: u64,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970.
    pub time: u64,
    /// What it does to authority.
    pub act: Option<&'a Act>,
}

/// What an op will carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it does to authority.
    pub act: Option<Act>,
    /// What it does to the fields.
    pub payload: Option<Vec<u8>>,
}

impl Draft {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.act.is_none() && self.payload.is_none()
    }
}

/// Why the payload of an op has no effect although the op is kept. Its act, if it has one, counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// It is not one that the class understands.
    #[error("its payload means nothing to the class: {0}")]
    Payload(#[from] crate::codec::DecodeError),
}

/// Why writes cannot become an op.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A value cannot be saved.
    #[error("this cannot be saved: {0}")]
    Encode(#[from] EncodeError),
    /// More than one act on authority in one op.
    #[error("one op can grant to one identity only: write one op for each")]
    SeveralActs,
}
