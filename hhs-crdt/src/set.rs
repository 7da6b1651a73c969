//! `Set`: an observed-remove set in which adding wins.
//!
//! After "A comprehensive study of Convergent and Commutative Replicated Data Types" (Shapiro, Preguiça, Baquero,
//! Zawirski, 2011), specification 15, with ops as the unique tags, and with their past in the place of lists of observed tags.

mod mutation;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver, event_value};
use hhs_model::codec::{Decode, Encode};

pub use mutation::SetMutation;

use crate::added::AddedBy;
use crate::edit::Edit;
use crate::field::{At, Field, Recorded};

/// Elements that are in or not.
///
/// - State: an element is in the set if some op adds it that no op removes which has seen it.
/// - Mutations: [`SetMutation`]. Within one op they take effect in order: a remove takes back the op's own adds before it,
///   and an add after a remove stands.
/// - Concurrency: a remove takes away what its author had seen, so that an add it has not seen wins.
/// - Cost: memory in the elements, and in the adds of one that are concurrent with each other; nothing for what was removed.
///   Logarithmic time for each add and each remove; across forks, for each add that a remove takes away.
///
/// The order of `T` has to agree with its canonical bytes: equal elements have equal bytes.
#[derive(Debug, Clone)]
pub struct Set<T> {
    /// The elements that are in.
    elements: BTreeMap<T, AddedBy>,
}

/// By the elements: by which ops they are in is known by local positions only.
impl<T: PartialEq> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        self.elements.keys().eq(other.elements.keys())
    }
}

impl<T: Eq> Eq for Set<T> {}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { elements: BTreeMap::new() }
    }
}

impl<T: Ord> Set<T> {
    /// Whether an element is in.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.elements.contains_key(element)
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.elements.keys()
    }

    /// How many elements are in.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether no element is in.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}

impl<T: Ord + Encode + Decode + Clone + Send + Sync + 'static> Field for Set<T> {
    const AUTHORISED: bool = false;

    type Mutation = SetMutation<T>;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, mutation: SetMutation<T>, at: At<'_>, changes: &mut Changes) {
        match mutation {
            SetMutation::Add(value) => self.add(value, at, changes),
            SetMutation::Remove(value) => self.remove(&value, at, changes),
        }
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<SetMutation<T>> {
        edit.into_recorded()
    }

    fn undo(&self, mutation: &SetMutation<T>, at: At<'_>, before: &Self) -> Vec<SetMutation<T>> {
        match mutation {
            SetMutation::Add(value) => {
                let stands = self.elements.get(value).is_some_and(|adds| adds.contains(at.op.position));
                let undone = stands && !before.contains(value);
                undone.then(|| SetMutation::Remove(value.clone())).into_iter().collect()
            }
            SetMutation::Remove(value) => {
                let undone = before.contains(value) && !self.contains(value);
                undone.then(|| SetMutation::Add(value.clone())).into_iter().collect()
            }
        }
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        for value in self.iter().filter(|value| !newer.contains(*value)) {
            changes.report(|| Action::Removed { value: event_value(value) });
        }
        for value in newer.iter().filter(|value| !self.contains(*value)) {
            changes.report(|| Action::Added { value: event_value(value) });
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.elements.len() as u64);
        for (value, adds) in &self.elements {
            saver.value(value);
            adds.save(saver);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let count = loader.count(3)?;
        let elements = (0..count).map(|_| Ok((loader.value()?, AddedBy::load(loader)?)));
        Ok(Self { elements: elements.collect::<Result<_, LoadError>>()? })
    }
}

impl<T: Ord + Encode + Clone> Set<T> {
    fn add(&mut self, value: T, at: At<'_>, changes: &mut Changes) {
        match self.elements.entry(value) {
            Entry::Occupied(mut element) => element.get_mut().add(at.op),
            Entry::Vacant(element) => {
                changes.report(|| Action::Added { value: event_value(element.key()) });
                element.insert(AddedBy::default()).add(at.op);
            }
        }
    }

    fn remove(&mut self, value: &T, at: At<'_>, changes: &mut Changes) {
        let Some(adds) = self.elements.get_mut(value) else { return };
        adds.remove(at.op);
        if adds.is_none() {
            self.elements.remove(value);
            changes.report(|| Action::Removed { value: event_value(value) });
        }
    }
}

impl<T: Ord + Encode + Decode + Clone + Send + Sync + 'static> Edit<'_, Set<T>> {
    /// Puts an element in. If it is in already this is worth an op too: it then withstands removes that have not seen it.
    pub fn insert(&mut self, element: T) {
        self.record(SetMutation::Add(element));
    }

    /// Takes an element out, if it is in or was put in by this edit.
    pub fn remove(&mut self, element: &T) {
        // Without a look at what the edit has recorded, which would cost quadratic time: a remove too many is harmless.
        if self.state().contains(element) || !self.mutations().is_empty() {
            self.record(SetMutation::Remove(element.clone()));
        }
    }
}
