//! Writes to a list, by indexes in what the edit has made of it so far.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use hhs_model::codec::{Decode, Encode};

use super::pieces::{Item, Pieces};
use super::{ElementId, List, ListMutation};
use crate::field::{Field, Recorded};
use crate::register::Register;

/// Records writes to a [`List`]. Indexes count in the list as the edit has made it so far; it dereferences to the list as it was
/// when the edit began.
pub struct ListEdit<'a, F: Field> {
    state: &'a List<F>,
    mutations: Vec<ListMutation<F::Mutation>>,
    pieces: Pieces,
    fresh: usize,
    /// Elements that are written to. Their writes are recorded at the end.
    open: BTreeMap<Item, F::Edit<'a>>,
}

impl<'a, F: Field> ListEdit<'a, F> {
    pub(super) fn new(state: &'a List<F>) -> Self {
        let pieces = Pieces::new(state.len());
        Self { state, mutations: Vec::new(), pieces, fresh: 0, open: BTreeMap::new() }
    }

    /// How many elements there are now.
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    /// Inserts an element, as empty as its type begins, and writes to it. An index beyond the end means the end.
    pub fn insert_with<T>(&mut self, index: usize, write: impl FnOnce(&mut F::Edit<'a>) -> T) -> T {
        let index = index.min(self.count());
        self.mutations.push(ListMutation::InsertEmpty { at: index as u64 });
        let item = self.put(index);
        write(self.open.entry(item).or_insert_with(|| self.state.blank().edit()))
    }

    /// Appends an element and writes to it.
    pub fn push_with<T>(&mut self, write: impl FnOnce(&mut F::Edit<'a>) -> T) -> T {
        self.insert_with(self.count(), write)
    }

    /// Writes to an element; none, and nothing is written, if there is none with this index.
    pub fn at<T>(&mut self, index: usize, write: impl FnOnce(&mut F::Edit<'a>) -> T) -> Option<T> {
        let item = self.pieces.get(index)?;
        let state = self.state;
        let edit = self.open.entry(item).or_insert_with(|| match item {
            Item::Base(index) => state.get(index).unwrap_or_else(|| state.blank()).edit(),
            Item::Fresh(_) => state.blank().edit(),
        });
        Some(write(edit))
    }

    /// Removes an element; whether there was one.
    pub fn remove(&mut self, index: usize) -> bool {
        let Some(item) = self.pieces.remove(index) else { return false };
        self.open.remove(&item);
        self.mutations.push(ListMutation::Remove { at: index as u64 });
        true
    }

    /// Moves an element, so that it stands at `to` afterwards, or at the end if that is beyond; whether there was one.
    pub fn move_to(&mut self, from: usize, to: usize) -> bool {
        let to = to.min(self.count().saturating_sub(1));
        let Some(item) = self.pieces.get(from) else { return false };
        if from != to {
            self.pieces.remove(from);
            self.pieces.insert(to, item);
            self.mutations.push(ListMutation::Move { from: from as u64, to: to as u64 });
        }
        true
    }

    /// Puts back an element that was removed; as long as it is not there, which the state does not have to know.
    pub(super) fn restore(&mut self, index: usize, element: ElementId) -> Item {
        let index = index.min(self.count());
        let item = self.put(index);
        self.mutations.push(ListMutation::Restore { at: index as u64, element });
        item
    }

    /// Records mutations of an element as they are.
    pub(super) fn write(&mut self, index: usize, inner: F::Mutation) {
        self.mutations.push(ListMutation::At { index: index as u64, inner });
    }

    /// Where an item stands now.
    pub(super) fn index_of_item(&self, item: Item) -> Option<usize> {
        self.pieces.index_of(item)
    }

    fn put(&mut self, index: usize) -> Item {
        let item = Item::Fresh(self.fresh);
        self.fresh += 1;
        self.pieces.insert(index, item);
        item
    }

    fn insert_item(&mut self, index: usize, item: F::Mutation) {
        let index = index.min(self.count());
        self.put(index);
        let place = index as u64;
        match self.mutations.last_mut() {
            Some(ListMutation::Insert { at, items }) if *at + items.len() as u64 == place => items.push(item),
            _ => self.mutations.push(ListMutation::Insert { at: place, items: vec![item] }),
        }
    }

    pub(super) fn into_recorded(self) -> Recorded<ListMutation<F::Mutation>> {
        let Self { mut mutations, pieces, open, .. } = self;
        let mut acts = Vec::new();
        for (item, edit) in open {
            let Some(index) = pieces.index_of(item) else { continue };
            let recorded = F::finish(edit);
            let inner = recorded.mutations.into_iter();
            mutations.extend(inner.map(|inner| ListMutation::At { index: index as u64, inner }));
            acts.extend(recorded.acts);
        }
        Recorded { mutations, acts }
    }
}

/// Lists of plain values.
impl<T: Encode + Decode + Clone + Send + Sync + 'static> ListEdit<'_, Register<T>> {
    /// Inserts a value; at the end, if the index is beyond.
    pub fn insert(&mut self, index: usize, value: T) {
        self.insert_item(index, value);
    }

    /// Appends a value.
    pub fn push(&mut self, value: T) {
        self.insert_item(self.count(), value);
    }

    /// Replaces the value of an element; whether there is one.
    pub fn set(&mut self, index: usize, value: T) -> bool {
        self.at(index, |element| element.set(value)).is_some()
    }
}

impl<T: Encode + Decode + Clone + Send + Sync + 'static> List<Register<T>> {
    /// The values, in their order. Of elements that have none, which only lists as others write them have, it says none.
    pub fn values(&self) -> impl ExactSizeIterator<Item = Option<&T>> {
        self.iter().map(Register::get)
    }
}

impl<F: Field> Deref for ListEdit<'_, F> {
    type Target = List<F>;

    fn deref(&self) -> &List<F> {
        self.state
    }
}

impl<F: Field> fmt::Debug for ListEdit<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListEdit").field("mutations", &self.mutations.len()).field("open", &self.open.len()).finish()
    }
}
