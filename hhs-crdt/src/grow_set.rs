//! `GrowSet`: elements that are only ever added.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver, event_value};
use hhs_model::codec::{Decode, Encode};

use crate::edit::Edit;
use crate::field::{At, Field, Recorded};

/// Elements that are in for good.
///
/// - State: every element that an op has added.
/// - Mutation: the element itself.
/// - Concurrency: nothing is lost, and nothing can be taken out; only if the op that added an element is void it is gone.
/// - Cost: memory in the elements; logarithmic time for each add.
///
/// The order of `T` has to agree with its canonical bytes: equal elements have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowSet<T> {
    elements: BTreeSet<T>,
}

impl<T> Default for GrowSet<T> {
    fn default() -> Self {
        Self { elements: BTreeSet::new() }
    }
}

impl<T: Ord> GrowSet<T> {
    /// Whether an element is in.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.elements.contains(element)
    }

    /// The elements, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.elements.iter()
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

impl<T: Ord + Encode + Decode + Send + Sync + 'static> Field for GrowSet<T> {
    const AUTHORISED: bool = false;

    type Mutation = T;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, element: T, _at: At<'_>, changes: &mut Changes) {
        if changes.is_watched() && !self.elements.contains(&element) {
            changes.report(|| Action::Added { value: event_value(&element) });
        }
        self.elements.insert(element);
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<T> {
        edit.into_recorded()
    }

    /// Nothing: what is in stays in.
    fn undo(&self, _element: &T, _at: At<'_>, _before: &Self) -> Vec<T> {
        Vec::new()
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        for element in self.elements.difference(&newer.elements) {
            changes.report(|| Action::Removed { value: event_value(element) });
        }
        for element in newer.elements.difference(&self.elements) {
            changes.report(|| Action::Added { value: event_value(element) });
        }
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.elements.len() as u64);
        for element in &self.elements {
            saver.value(element);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let count = loader.count(2)?;
        let elements = (0..count).map(|_| loader.value());
        Ok(Self { elements: elements.collect::<Result<_, _>>()? })
    }
}

impl<T: Ord + Encode + Decode + Send + Sync + 'static> Edit<'_, GrowSet<T>> {
    /// Puts an element in. If it is in already nothing is written.
    pub fn insert(&mut self, element: T) {
        if !self.state().contains(&element) {
            self.record(element);
        }
    }
}
