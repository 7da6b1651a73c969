//! `Set`: an observed-remove set in which adding wins.
//!
//! After "A comprehensive study of Convergent and Commutative Replicated Data Types" (Shapiro, Preguiça, Baquero,
//! Zawirski, 2011), specification 15, with op ids as the unique tags.

mod mutation;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::class::{Action, Changes, event_value};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::Founding;

pub use mutation::SetMutation;

use crate::edit::Edit;
use crate::field::{At, Field};

/// Elements that are in or not.
///
/// - State: an op *adds* an element if the last of its mutations of that element is an add. An op *removes* the adds that
///   its removes of that element list. An element is in the set if some op adds it that no op removes.
/// - Mutations: [`SetMutation`]. Within one op they take effect in order: a remove takes back the op's own adds before it
///   without listing them, and an add after a remove stands.
/// - Concurrency: a remove takes away what its author had seen, so that an add it has not seen wins. A remove that lists
///   what is not in its past (which no honest writer makes) counts all the same, whichever of the two arrives first.
/// - Cost: memory in the elements, the adds that stand and the adds ever removed; logarithmic time for each add and for
///   each add that a remove lists. An element that stands by more adds than an op can have
///   [links](hhs_model::bounds::MAX_LINKS) cannot be removed by one op.
///
/// The order of `T` has to agree with its canonical bytes: equal elements have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T> {
    /// The elements, each with the ops by which it is in; none is empty.
    elements: BTreeMap<T, BTreeSet<OpId>>,
    /// Every op whose add of an element was ever removed, whether it was seen here or not.
    removed: BTreeMap<T, BTreeSet<OpId>>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { elements: BTreeMap::new(), removed: BTreeMap::new() }
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
    type Mutation = SetMutation<T>;

    fn new(_founding: &Founding) -> Self {
        Self::default()
    }

    fn apply(&mut self, mutation: SetMutation<T>, at: At<'_>, changes: &mut Changes) {
        match mutation {
            SetMutation::Add(value) => self.add(value, at.op.id, changes),
            SetMutation::Remove { value, seen } => self.remove(value, seen, at.op.id, changes),
        }
    }
}

impl<T: Ord + Encode + Clone> Set<T> {
    fn add(&mut self, value: T, op: OpId, changes: &mut Changes) {
        if self.removed.get(&value).is_some_and(|removed| removed.contains(&op)) {
            return;
        }
        if let Some(adds) = self.elements.get_mut(&value) {
            adds.insert(op);
            return;
        }
        changes.report(|| Action::Added { value: event_value(&value) });
        self.elements.insert(value, BTreeSet::from([op]));
    }

    fn remove(&mut self, value: T, seen: BTreeSet<OpId>, op: OpId, changes: &mut Changes) {
        if let Some(adds) = self.elements.get_mut(&value) {
            // The op's own adds before this remove: not to be remembered as removed, since it may add again.
            adds.remove(&op);
            for add in &seen {
                adds.remove(add);
            }
            if adds.is_empty() {
                self.elements.remove(&value);
                changes.report(|| Action::Removed { value: event_value(&value) });
            }
        }
        if !seen.is_empty() {
            self.removed.entry(value).or_default().extend(seen);
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
        let seen = self.state().elements.get(element).cloned().unwrap_or_default();
        // Without a look at what the edit has recorded, which would cost quadratic time: a remove too many is harmless.
        if !seen.is_empty() || !self.mutations().is_empty() {
            self.record(SetMutation::Remove { value: element.clone(), seen });
        }
    }
}
