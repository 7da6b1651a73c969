//! `List`: elements in an order that several writers change at once.

mod arrangement;
mod diff;
mod edit;
mod field;
mod mutation;
mod pieces;
mod records;
mod save;
mod siblings;
#[cfg(test)]
mod tests;
mod tree;
mod undo;
mod unique;

use std::fmt;
use std::sync::OnceLock;

use hhs_model::authority::Holders;

use arrangement::{Arrangement, SHOWN};
pub use edit::ListEdit;
pub use mutation::{ElementId, ListMutation};
pub(crate) use tree::number;
pub use unique::{UniqueList, UniqueListEdit, UniqueListMutation};

use crate::field::Field;

/// Elements in an order. Each element is a field of its own: a [`Register`](crate::Register) where it is a plain value, or a map,
/// a text, another list.
///
/// - State: the elements that effective ops inserted and no effective op removed, each at the place of its last move.
/// - Mutations: [`ListMutation`]. Indexes mean the list as their author saw it: what ops in the op's past did, those left out that
///   were void in the author's eyes.
/// - Concurrency: elements that are inserted at one place at once stand one run behind the other, never mixed (the order is that
///   of FugueMax: Weidner and Kleppmann, "The Art of the Fugue", 2023). Of several moves of an element the one at the greatest
///   [position](crate::Position) decides where it stands; it stands in one place. Removing wins over moving and over writing to the
///   element. What was written to an element goes along when it is moved. What a void op inserted is gone, what it removed is
///   back, what it moved is where it was, and the indexes in ops that were written on top of it still mean what their authors saw.
/// - Cost: some 200 bytes for each element and for each move beside the content, and for what was removed as well;
///   logarithmic time for each mutation, and once more for each mutation that lies between the version of the op that was
///   applied before and the op's own: where long branches arrive in turns, each turn costs the length of both.
pub struct List<F> {
    arrangement: Arrangement,
    /// By the numbers of the elements; those that only void ops inserted have none.
    contents: Vec<Option<F>>,
    /// An element before any op, for edits of new ones; made when it is needed first.
    blank: OnceLock<Box<F>>,
    /// Who holds what, for elements that come later.
    holders: Option<Box<Holders>>,
}

impl<F> Default for List<F> {
    fn default() -> Self {
        let mut arrangement = Arrangement::default();
        arrangement.rests_on_first = true;
        Self { arrangement, contents: Vec::new(), blank: OnceLock::new(), holders: None }
    }
}

impl<F> List<F> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.arrangement.len(SHOWN) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element with this index.
    pub fn get(&self, index: usize) -> Option<&F> {
        self.content(self.element(index)?)
    }

    /// The elements, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &F> {
        self.iter_from(0)
    }

    /// The elements from an index on, in their order; those before it cost nothing.
    pub fn iter_from(&self, index: usize) -> impl ExactSizeIterator<Item = &F> {
        let from = u32::try_from(index).unwrap_or(u32::MAX);
        self.arrangement.iter(from).map(|element| self.shown(element))
    }

    /// A name for the element with this index that stays the same when it is moved, and everywhere.
    pub fn id_at(&self, index: usize) -> Option<ElementId> {
        Some(self.id(self.element(index)?))
    }

    /// Where an element stands now; none if it is not in the list.
    pub fn index_of(&self, id: &ElementId) -> Option<usize> {
        let element = self.named(id)?;
        Some(self.arrangement.index(SHOWN, element)? as usize)
    }

    fn element(&self, index: usize) -> Option<u32> {
        self.arrangement.element(SHOWN, u32::try_from(index).ok()?)
    }

    fn shown(&self, element: u32) -> &F {
        self.content(element).expect("what is shown has a content")
    }

    fn content(&self, element: u32) -> Option<&F> {
        self.contents[element as usize].as_ref()
    }

    fn id(&self, element: u32) -> ElementId {
        self.arrangement.name(self.arrangement.elements[element as usize].first).into()
    }

    /// The element of this name, be it shown or not.
    fn named(&self, id: &ElementId) -> Option<u32> {
        let slot = self.arrangement.named(id.name())?;
        let element = self.arrangement.slots[slot as usize].element;
        (self.arrangement.elements[element as usize].first == slot).then_some(element)
    }
}

impl<F: Field> List<F> {
    fn blank(&self) -> &F {
        self.blank.get_or_init(Box::default)
    }
}

impl<F: Clone> Clone for List<F> {
    fn clone(&self) -> Self {
        let Self { arrangement, contents, blank: _, holders } = self;
        let (arrangement, contents, holders) = (arrangement.clone(), contents.clone(), holders.clone());
        Self { arrangement, contents, blank: OnceLock::new(), holders }
    }
}

impl<F: PartialEq> PartialEq for List<F> {
    /// Whether they show the same elements with the same content.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && (0..self.len()).all(|index| self.id_at(index) == other.id_at(index))
            && self.iter().eq(other.iter())
    }
}

impl<F: Eq> Eq for List<F> {}

impl<F: fmt::Debug> fmt::Debug for List<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
