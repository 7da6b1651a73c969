//! `MultiRegister`: a value of which concurrent versions are all kept.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver, event_value};
use hhs_model::codec::{Decode, Encode, Value};

use crate::added::Sweeps;
use crate::edit::Edit;
use crate::field::{At, Field, Position, Recorded};

/// A value that can be replaced, and that shows a conflict instead of settling it.
///
/// - State: every value that was set and that no later write has seen; of the writes of one op the last. In the order of their
///   [positions](Position).
/// - Mutation: the value itself.
/// - Concurrency: writes that have not seen each other all stay. A write replaces those that it has seen, and settles the conflict
///   if it has seen all.
/// - Cost: memory in the values that stand; each write takes logarithmic time in them, and for each that it replaces.
#[derive(Debug, Clone)]
pub struct MultiRegister<T> {
    values: BTreeMap<Position, T>,
    /// Where they were set, by local positions.
    places: BTreeMap<u64, Position>,
    standing: BTreeSet<u64>,
    sweeps: Sweeps,
}

/// By the values, and where they were set.
impl<T: PartialEq> PartialEq for MultiRegister<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<T: Eq> Eq for MultiRegister<T> {}

impl<T> Default for MultiRegister<T> {
    fn default() -> Self {
        let (values, places, standing) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { values, places, standing, sweeps: Sweeps::default() }
    }
}

impl<T> MultiRegister<T> {
    /// The values that stand, the one that [`get`](Self::get) shows last.
    pub fn get_all(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.values.values()
    }

    /// The value that a [`Register`](crate::Register) would show: one of those that stand, the same everywhere.
    pub fn get(&self) -> Option<&T> {
        self.get_all().next_back()
    }

    /// Whether more than one value stands.
    pub fn is_in_conflict(&self) -> bool {
        self.values.len() > 1
    }
}

impl<T: Encode> MultiRegister<T> {
    fn event_values(&self) -> Vec<Value> {
        self.get_all().map(event_value).collect()
    }
}

impl<T: Encode + Decode + Clone + Send + Sync + 'static> Field for MultiRegister<T> {
    const AUTHORISED: bool = false;

    type Mutation = T;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        let old = changes.is_watched().then(|| self.event_values());
        for seen in self.sweeps.take_seen(&mut self.standing, at.op) {
            self.places.remove(&seen).map(|position| self.values.remove(&position));
        }
        self.standing.insert(at.op.position);
        self.places.insert(at.op.position, at.position());
        self.values.insert(at.position(), value);
        if let Some(old) = old {
            changes.report(|| Action::Values { old, new: self.event_values() });
        }
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<T> {
        edit.into_recorded()
    }

    /// Sets what the register showed before: one value, of a conflict the one that [`MultiRegister::get`] gave.
    fn undo(&self, _value: &T, at: At<'_>, before: &Self) -> Vec<T> {
        let stands = self.values.contains_key(&at.position());
        before.get().filter(|_| stands).cloned().into_iter().collect()
    }

    /// The last one.
    fn coalesce(mutations: Vec<T>) -> Vec<T> {
        mutations.into_iter().next_back().into_iter().collect()
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        if !self.values.keys().eq(newer.values.keys()) {
            changes.report(|| Action::Values { old: self.event_values(), new: newer.event_values() });
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.places.len() as u64);
        for (local, position) in &self.places {
            saver.uint(*local);
            position.save(saver);
            if let Some(value) = self.values.get(position) {
                saver.value(value);
            }
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut register = Self::default();
        for _ in 0..loader.count(Position::SAVED_BYTES)? {
            let (local, position, value) = (loader.uint()?, Position::load(loader)?, loader.value()?);
            register.standing.insert(local);
            register.places.insert(local, position);
            register.values.insert(position, value);
        }
        Ok(register)
    }
}

impl<T: Encode + Decode + Clone + Send + Sync + 'static> Edit<'_, MultiRegister<T>> {
    /// Sets the value, in the place of all that stand. Of several calls on one edit the last counts, and the others are not written.
    pub fn set(&mut self, value: T) {
        self.mutations_mut().clear();
        self.record(value);
    }
}
