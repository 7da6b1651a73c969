//! `Field`: what a type implements to be a field of a replica, and the order in which ops stand.

use std::collections::BTreeSet;

use hhs_model::OpId;
use hhs_model::authority::Holders;
use hhs_model::class::{Changes, EditError, LoadError, Loader, OpContext, Saver, Shape, Void};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::{Act, Capability};

/// A replicated type: the state that the mutations of a field stand for.
///
/// The state has to be a function of the *set* of effective ops. [`apply`](Self::apply) sees an op after its past, each op once,
/// and the mutations of one op in their order; every order of ops that respects this has to give the same state. An op that
/// becomes void later, or effective again, is not taken back here: the state is then made anew by whoever drives it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a replica",
    label = "not a replicated type",
    note = "wrap a plain value in `Register<…>`, a collection in `Set<…>`, `Map<…>` or `Log<…>`; their elements need `Encode` and `Decode`",
    note = "a struct of replicated fields becomes one by `#[derive(Field)]`"
)]
pub trait Field: Default + Send + Sync + 'static {
    /// Whether mutations mean positions in what their author saw, so that void ops have to be [shown](Self::shadow) too.
    const POSITIONAL: bool = false;
    /// Whether it wants to [observe](Self::observe) ops that do not write to it.
    const OBSERVES: bool = false;
    /// Whether it wants to know [who holds what](Self::authorise).
    const AUTHORISED: bool = true;

    /// One change, as it stands in the payload of an op. What decodes has a meaning: decoding is where it is refused.
    type Mutation: Encode + Decode + Send;
    /// What records an app's writes; for most types [`Edit`](crate::Edit).
    type Edit<'a>;

    /// Whether an op may say this, by what follows from its header and its payload alone. What is nested in the field is asked.
    ///
    /// # Errors
    /// Why it may not.
    fn accepts(_mutation: &Self::Mutation, _op: &OpContext<'_>) -> Result<(), Void> {
        Ok(())
    }

    /// Whether a write may become part of an op, as far as that can be said before there is an op; adds to `needs` what its author
    /// has to hold besides the right to write.
    ///
    /// # Errors
    /// Why it may not.
    fn check(_mutation: &Self::Mutation, _needs: &mut BTreeSet<Capability>) -> Result<(), EditError> {
        Ok(())
    }

    /// Applies a mutation, and reports what is different now.
    fn apply(&mut self, mutation: Self::Mutation, at: At<'_>, changes: &mut Changes);

    /// Takes note of a mutation of a void op: it has no effect, but others may have seen it when they wrote.
    fn shadow(&mut self, _mutation: Self::Mutation, _at: At<'_>) {}

    /// Takes note of an effective op, whatever it writes to, after its mutations.
    fn observe(&mut self, _op: &OpContext<'_>, _changes: &mut Changes) {}

    /// Takes note of who holds what now.
    fn authorise(&mut self, _holders: &Holders, _changes: &mut Changes) {}

    /// Begins to record writes.
    fn edit(&self) -> Self::Edit<'_>;

    /// What was recorded.
    fn finish(edit: Self::Edit<'_>) -> Recorded<Self::Mutation>;

    /// Mutations that take back what one of an earlier op did, as far as it still stands; `before` is the state that the op was
    /// written on, and `at` where the mutation stands. None if nothing of it stands.
    fn undo(&self, mutation: &Self::Mutation, at: At<'_>, before: &Self) -> Vec<Self::Mutation>;

    /// Mutations that take back what all those of an earlier op did, which are given with their places in the op; types whose
    /// mutations say indexes see to it that each fits what those before it leave.
    fn undo_all(&self, mutations: &[(u32, &Self::Mutation)], op: &OpContext<'_>, before: &Self) -> Vec<Self::Mutation> {
        let last_first = mutations.iter().rev();
        last_first.flat_map(|(index, mutation)| self.undo(mutation, At { op, index: *index }, before)).collect()
    }

    /// Puts mutations that follow each other in one op into fewer ones that do the same, where there are such.
    fn coalesce(mutations: Vec<Self::Mutation>) -> Vec<Self::Mutation> {
        mutations
    }

    /// Reports what is different in a newer state.
    fn diff(&self, newer: &Self, changes: &mut Changes);

    /// Says what the type is made of: its name, and of what is nested in it the same.
    fn shape(shape: &mut Shape) {
        shape.named::<Self>();
    }

    /// Writes the state.
    fn save(&self, saver: &mut Saver);

    /// Reads a state that was [saved](Self::save).
    ///
    /// # Errors
    /// If it is not what was saved.
    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError>;
}

/// What was recorded for a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<M> {
    /// In the order in which it was written.
    pub mutations: Vec<M>,
    /// What it does to authority; an op can act once.
    pub acts: Vec<Act>,
}

impl<M> Default for Recorded<M> {
    fn default() -> Self {
        Self { mutations: Vec::new(), acts: Vec::new() }
    }
}

impl<M> From<Vec<M>> for Recorded<M> {
    fn from(mutations: Vec<M>) -> Self {
        Self { mutations, acts: Vec::new() }
    }
}

/// Where a mutation stands.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The op that it is part of.
    pub op: &'a OpContext<'a>,
    /// Which of the op's mutations of this field of the replica it is, from 0; for what is nested in the field as well.
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

impl Position {
    /// Writes it into a checkpoint.
    pub fn save(&self, saver: &mut Saver) {
        saver.uint(self.height).op(&self.op).uint(self.index.into());
    }

    /// Reads it from a checkpoint.
    ///
    /// # Errors
    /// If it is not there.
    pub fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let (height, op, index) = (loader.uint()?, loader.op()?, loader.uint()?);
        let index = u32::try_from(index).map_err(|_| LoadError::Damaged("the place of a mutation"))?;
        Ok(Self { height, op, index })
    }

    /// The fewest bytes that one takes in a checkpoint.
    pub const SAVED_BYTES: usize = 34;
}
