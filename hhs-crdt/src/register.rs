//! `Register`: one value, the latest.

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver, event_value};
use hhs_model::codec::{Decode, Encode};

use crate::edit::Edit;
use crate::field::{At, Field, Position, Recorded};

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

impl<T: Encode + Decode + Clone + Send + Sync + 'static> Field for Register<T> {
    const AUTHORISED: bool = false;

    type Mutation = T;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        let position = at.position();
        if self.winner.as_ref().is_some_and(|(winner, _)| *winner > position) {
            return;
        }
        changes.report(|| Action::Set { old: self.get().map(event_value), new: Some(event_value(&value)) });
        self.winner = Some((position, value));
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<T> {
        edit.into_recorded()
    }

    fn undo(&self, _mutation: &T, at: At<'_>, before: &Self) -> Vec<T> {
        let stands = self.winner.as_ref().is_some_and(|(position, _)| *position == at.position());
        before.get().filter(|_| stands).cloned().into_iter().collect()
    }

    /// The last one.
    fn coalesce(mutations: Vec<T>) -> Vec<T> {
        mutations.into_iter().next_back().into_iter().collect()
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        if self.position() != newer.position() {
            changes.report(|| Action::Set { old: self.get().map(event_value), new: newer.get().map(event_value) });
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.winner.is_some().into());
        if let Some((position, value)) = &self.winner {
            position.save(saver);
            saver.value(value);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let winner = match loader.uint()? {
            0 => None,
            _ => Some((Position::load(loader)?, loader.value()?)),
        };
        Ok(Self { winner })
    }
}

impl<T: Encode + Decode + Clone + Send + Sync + 'static> Edit<'_, Register<T>> {
    /// Sets the value. Of several calls on one edit the last counts, and the others are not written.
    pub fn set(&mut self, value: T) {
        self.mutations_mut().clear();
        self.record(value);
    }
}
