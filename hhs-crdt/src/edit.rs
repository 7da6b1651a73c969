//! `Edit`: the writes to one field that an op is going to carry.

use std::fmt;
use std::ops::Deref;

use hhs_model::op::Act;

use crate::field::{Field, Recorded};

/// Records writes to a field. Each type of field adds its own methods.
///
/// It dereferences to the field's state, which stays as it was when the edit began: what is recorded shows only once the
/// op is applied.
pub struct Edit<'a, F: Field> {
    state: &'a F,
    mutations: Vec<F::Mutation>,
    acts: Vec<Act>,
}

impl<'a, F: Field> Edit<'a, F> {
    /// Begins to record writes to a field in this state.
    pub fn new(state: &'a F) -> Self {
        Self { state, mutations: Vec::new(), acts: Vec::new() }
    }

    /// The state that the writes start from.
    pub fn state(&self) -> &'a F {
        self.state
    }

    /// Records a mutation.
    pub fn record(&mut self, mutation: F::Mutation) {
        self.mutations.push(mutation);
    }

    /// What is recorded, in order.
    pub fn mutations(&self) -> &[F::Mutation] {
        &self.mutations
    }

    /// What is recorded, for writers that replace earlier writes of the same edit.
    pub fn mutations_mut(&mut self) -> &mut Vec<F::Mutation> {
        &mut self.mutations
    }

    /// What is recorded, the edit being over.
    pub fn into_recorded(self) -> Recorded<F::Mutation> {
        Recorded { mutations: self.mutations, acts: self.acts }
    }

    /// Acts on authority that are recorded; an op can carry one.
    pub fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Acts on authority, for writers that replace or record them.
    pub fn acts_mut(&mut self) -> &mut Vec<Act> {
        &mut self.acts
    }
}

impl<F: Field> Deref for Edit<'_, F> {
    type Target = F;

    fn deref(&self) -> &F {
        self.state
    }
}

impl<F: Field> fmt::Debug for Edit<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit").field("mutations", &self.mutations.len()).field("acts", &self.acts).finish()
    }
}
