//! What a class of replicas implements: the meaning of ops, asked for by the store and given by `hhs-crdt`.

mod change;
mod checkpoint;
mod context;
mod filter;
mod shape;

use std::collections::BTreeSet;

pub use change::{Action, Change, Changes, PathSegment, event_value};
pub use checkpoint::{LoadError, Loader, Saver};
pub use context::{AllRights, NoRights, OpContext, Rights, Unseen};
pub use filter::{ActionKind, ChangeFilter};
pub use shape::Shape;

use crate::authority::Holders;
use crate::codec::EncodeError;
use crate::op::{Act, Capability};

/// A class of replicas: the state that a history of ops stands for, and how to write to it. Usually derived.
///
/// The state has to be a function of the *set* of ops: it sees them in some causal order, and every such order has to give
/// the same state. Whoever drives it hands it every op that is kept, once, after its past:
///
/// > [`decode`](Self::decode) the payload and ask whether the class [`accepts`](Self::accepts) it; if not, the op is void for good
/// > and the next call is `observe`. Otherwise [`apply`](Self::apply) it if the op is effective, [`shadow`](Self::shadow) it if authority has made it void. Then
/// > [`observe`](Self::observe) it, if it is effective. Where an op's verdict changes later, the state is made anew, from a
/// > checkpoint before that op. [`authorise`](Self::authorise) comes first of all, and after every op that changed who holds what.
pub trait Replica: Sized + Send + Sync + 'static {
    /// The name of the class, which a genesis names.
    const CLASS: &'static str;
    /// Whether ops mean positions in what their author saw: then [`OpContext::hidden`] has to be right, and void ops be shown.
    const POSITIONAL: bool;

    /// What records an app's writes, over the state they start from.
    type Edit<'a>;
    /// What a payload says.
    type Mutations: Send;

    /// Says what the class is made of: what a state that was [saved](Self::save) is one of. Its name, where nothing more is known.
    fn shape(shape: &mut Shape) {
        shape.named::<Self>();
    }

    /// The state before any op.
    fn new() -> Self;

    /// Reads a payload; without one there is nothing to read, and nothing to apply.
    ///
    /// # Errors
    /// Why the class cannot make sense of it.
    fn decode(payload: &[u8]) -> Result<Self::Mutations, Void>;

    /// Whether an op may say this, by what follows from its header and its payload alone.
    ///
    /// # Errors
    /// Why it may not.
    fn accepts(mutations: &Self::Mutations, op: &OpContext<'_>) -> Result<(), Void>;

    /// Applies what an effective op says; reports to `changes` what is different now.
    fn apply(&mut self, mutations: Self::Mutations, op: &OpContext<'_>, changes: &mut Changes);

    /// Takes note of what a void op says, which has no effect, but which others may have seen when they wrote.
    fn shadow(&mut self, mutations: Self::Mutations, op: &OpContext<'_>);

    /// Takes note that an effective op is there, whatever it says.
    fn observe(&mut self, op: &OpContext<'_>, changes: &mut Changes);

    /// Takes note of who holds what now.
    fn authorise(&mut self, holders: &Holders, changes: &mut Changes);

    /// Begins to record writes.
    fn edit(&self) -> Self::Edit<'_>;

    /// Turns recorded writes into what an op carries.
    ///
    /// # Errors
    /// If what was written cannot be saved.
    fn finish(edit: Self::Edit<'_>) -> Result<Draft, EditError>;

    /// What an op would carry that takes back, as far as it still stands, what an earlier op did; `before` is the state that it was written on. Empty if nothing of it stands.
    ///
    /// # Errors
    /// If that cannot be saved.
    fn undo(&self, mutations: &Self::Mutations, op: &OpContext<'_>, before: &Self) -> Result<Draft, EditError>;

    /// What one op carries that says all that these say, which were recorded one after the other, each on what those before it left.
    ///
    /// # Errors
    /// If it does not fit into one op.
    fn join(parts: Vec<Self::Mutations>) -> Result<Draft, EditError>;

    /// Reports what is different in a newer state.
    fn diff(&self, newer: &Self, changes: &mut Changes);

    /// Writes the state, all of it, to be [loaded](Self::load) by the same version of this program. Who holds what is left out.
    fn save(&self, saver: &mut Saver);

    /// Reads what was [saved](Self::save).
    ///
    /// # Errors
    /// If it is not what was saved. Whatever it is, nothing panics, and no more is allocated than the bytes account for.
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError>;
}

/// What an op will carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// What it does to authority.
    pub act: Option<Act>,
    /// What it does to the fields.
    pub payload: Option<Vec<u8>>,
    /// What its author has to hold for that, besides the right to write.
    pub needs: BTreeSet<Capability>,
}

impl Draft {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.act.is_none() && self.payload.is_none()
    }
}

impl From<Act> for Draft {
    fn from(act: Act) -> Self {
        Self { act: Some(act), ..Self::default() }
    }
}

/// Why the payload of an op has no effect although the op is kept. Its act, if it has one, counts all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    /// It is not one that the class understands.
    #[error("its payload means nothing to the class: {0}")]
    Payload(#[from] crate::codec::DecodeError),
    /// It says what the class does not accept.
    #[error("the class does not accept what it writes to `{field}`: {reason}")]
    NotAccepted {
        /// The field.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// It writes to a field for which its author would have to hold more.
    #[error("to write to `{field}` its author has to stand on a grant of `{capability}`")]
    Needs {
        /// The field.
        field: &'static str,
        /// What is missing.
        capability: &'static str,
    },
}

/// Why writes cannot become an op.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A value cannot be saved.
    #[error("this cannot be saved: {0}")]
    Encode(#[from] EncodeError),
    /// The class could not read it again.
    #[error("the class does not read what it wrote: {0}")]
    Void(#[from] Void),
    /// More than one act on authority in one op.
    #[error("one op can act on authority once: write one op for each act")]
    SeveralActs,
    /// The class does not accept what was written.
    #[error("the class does not accept what was written to `{field}`: {reason}")]
    NotAccepted {
        /// The field.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
}
