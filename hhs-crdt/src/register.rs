//! `Register`: one value, the latest.

use hhs_model::class::{Action, Changes, event_value};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::Founding;

use crate::edit::Edit;
use crate::field::{At, Field, Position};

/// One value that can be replaced.
///
/// - State: the value that was set at the greatest [position](Position): the causally latest; of concurrent ones that of
///   the greater height, then of the greater op id, and within one op the last. Never by a clock.
/// - Mutation: the value itself.
/// - Concurrency: writes that have not seen each other leave one winner, the same everywhere; the others are gone. A
///   write that has seen the winner replaces it.
/// - Cost: one value in memory; constant time for each write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register<T> {
    winner: Option<(Position, T)>,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self { winner: None }
    }
}

impl<T> Register<T> {
    /// The value, if any was set.
    pub fn get(&self) -> Option<&T> {
        self.winner.as_ref().map(|(_, value)| value)
    }

    /// Where the value was set.
    pub fn position(&self) -> Option<Position> {
        self.winner.as_ref().map(|(position, _)| *position)
    }
}

impl<T: Encode + Decode + Send + Sync + 'static> Field for Register<T> {
    type Mutation = T;

    fn new(_founding: &Founding) -> Self {
        Self::default()
    }

    fn apply(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        let position = at.position();
        if self.winner.as_ref().is_some_and(|(winner, _)| *winner > position) {
            return;
        }
        changes.report(|| Action::Set { old: self.get().map(event_value), new: event_value(&value) });
        self.winner = Some((position, value));
    }
}

impl<T: Encode + Decode + Send + Sync + 'static> Edit<'_, Register<T>> {
    /// Sets the value. Of several calls on one edit the last counts, and the others are not written.
    pub fn set(&mut self, value: T) {
        self.mutations_mut().clear();
        self.record(value);
    }
}
