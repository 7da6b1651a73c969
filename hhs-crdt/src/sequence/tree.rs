//! The characters of a sequence in their order, gone ones among them: a B-tree of runs.
//!
//! Runs are never taken out, only split, so that nodes never have to be joined. Every node of the tree keeps sums of what is
//! below it: finding the n-th character that counts, how many count before a run, and the next run that meets a
//! condition take logarithmic time. A run is found by the number of any of its characters.

use std::collections::BTreeMap;
use std::ops::Range;

use super::item::{Item, Sum};

/// Runs of characters.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    leaves: Vec<Leaf>,
    inners: Vec<Inner>,
    root: u32,
    /// By the number of a run's first character, the leaf that it is in.
    index: BTreeMap<u32, u32>,
}

/// Where a run stands. Inserting and splitting make it void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    leaf: u32,
    slot: usize,
}

#[derive(Debug, Clone)]
struct Leaf {
    items: Vec<Item>,
    parent: u32,
    next: u32,
}

#[derive(Debug, Clone)]
struct Inner {
    /// Leaves at the lowest level, else inner nodes.
    children: Vec<u32>,
    sums: Vec<Sum>,
    parent: u32,
    lowest: bool,
}

const NONE: u32 = u32::MAX;
const LEAF_ITEMS: usize = 32;
const INNER_CHILDREN: usize = 16;

impl Default for Tree {
    fn default() -> Self {
        let leaf = Leaf { items: Vec::new(), parent: 0, next: NONE };
        let root = Inner { children: vec![0], sums: vec![Sum::EMPTY], parent: NONE, lowest: true };
        Self { leaves: vec![leaf], inners: vec![root], root: 0, index: BTreeMap::new() }
    }
}

impl Tree {
    /// Sums of all runs.
    pub(crate) fn total(&self) -> Sum {
        self.inners[self.root as usize].sum()
    }

    /// The run at a place.
    pub(crate) fn item(&self, place: Place) -> &Item {
        &self.leaves[place.leaf as usize].items[place.slot]
    }

    /// The first run.
    pub(crate) fn first(&self) -> Option<Place> {
        // The first leaf stays the first: splitting puts the new leaf behind.
        (!self.leaves[0].items.is_empty()).then_some(Place { leaf: 0, slot: 0 })
    }

    /// The run behind one.
    pub(crate) fn next(&self, place: Place) -> Option<Place> {
        let leaf = &self.leaves[place.leaf as usize];
        if place.slot + 1 < leaf.items.len() {
            return Some(Place { slot: place.slot + 1, ..place });
        }
        (leaf.next != NONE).then_some(Place { leaf: leaf.next, slot: 0 })
    }

    /// The run before one.
    pub(crate) fn previous(&self, place: Place) -> Option<Place> {
        self.search_back(place, |_| true)
    }

    /// The last run.
    pub(crate) fn last(&self) -> Option<Place> {
        self.descend(self.root, &|_: &Sum| true, true)
    }

    /// The runs in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        std::iter::successors(self.first(), |place| self.next(*place)).map(|place| self.item(place))
    }

    /// Where a character stands: its run, and its place in the run.
    pub(crate) fn locate(&self, number: u32) -> Option<(Place, u32)> {
        let (_, leaf) = self.index.range(..=number).next_back()?;
        self.locate_in(*leaf, number)
    }

    fn locate_in(&self, leaf: u32, number: u32) -> Option<(Place, u32)> {
        let items = &self.leaves[leaf as usize].items;
        let slot = items.iter().position(|item| item.start <= number && number - item.start < item.len)?;
        Some((Place { leaf, slot }, number - items[slot].start))
    }

    /// Where the `nth` character stands, from 0, of those that `count` counts.
    pub(crate) fn find(&self, mut nth: u32, count: impl Fn(&Sum) -> u32) -> Option<(Place, u32)> {
        let mut at = self.root;
        let leaf = loop {
            let inner = &self.inners[at as usize];
            let slot = inner.sums.iter().position(|sum| {
                let here = count(sum);
                let found = nth < here;
                nth -= if found { 0 } else { here };
                found
            })?;
            at = inner.children[slot];
            if inner.lowest {
                break at;
            }
        };
        for (slot, item) in self.leaves[leaf as usize].items.iter().enumerate() {
            let here = count(&item.sum());
            if nth < here {
                return Some((Place { leaf, slot }, nth));
            }
            nth -= here;
        }
        None
    }

    /// How many characters before a run `count` counts.
    pub(crate) fn before(&self, place: Place, count: impl Fn(&Sum) -> u32) -> u32 {
        let leaf = &self.leaves[place.leaf as usize];
        let mut sum: u32 = leaf.items[..place.slot].iter().map(|item| count(&item.sum())).sum();
        let (mut child, mut parent) = (place.leaf, leaf.parent);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            sum += inner.sums[..inner.slot_of(child)].iter().map(&count).sum::<u32>();
            (child, parent) = (parent, inner.parent);
        }
        sum
    }

    /// The first run behind `from`, or from the start, for which `stop` holds; it has to hold for the sum of some runs if it
    /// holds for one of them.
    pub(crate) fn search(&self, from: Option<Place>, stop: impl Fn(&Sum) -> bool) -> Option<Place> {
        let Some(from) = from else { return self.descend(self.root, &stop, false) };
        let leaf = &self.leaves[from.leaf as usize];
        let behind = leaf.items.iter().enumerate().skip(from.slot + 1);
        if let Some((slot, _)) = behind.into_iter().find(|(_, item)| stop(&item.sum())) {
            return Some(Place { slot, ..from });
        }
        let (mut child, mut parent) = (from.leaf, leaf.parent);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            let behind = inner.slot_of(child) + 1;
            if let Some(slot) = inner.sums[behind..].iter().position(&stop) {
                return self.descend_to(inner, behind + slot, &stop, false);
            }
            (child, parent) = (parent, inner.parent);
        }
        None
    }

    /// The last run before `from` for which `stop` holds, as in [`search`](Self::search).
    pub(crate) fn search_back(&self, from: Place, stop: impl Fn(&Sum) -> bool) -> Option<Place> {
        let leaf = &self.leaves[from.leaf as usize];
        if let Some(slot) = leaf.items[..from.slot].iter().rposition(|item| stop(&item.sum())) {
            return Some(Place { slot, ..from });
        }
        let (mut child, mut parent) = (from.leaf, leaf.parent);
        while parent != NONE {
            let inner = &self.inners[parent as usize];
            if let Some(slot) = inner.sums[..inner.slot_of(child)].iter().rposition(&stop) {
                return self.descend_to(inner, slot, &stop, true);
            }
            (child, parent) = (parent, inner.parent);
        }
        None
    }

    /// Puts a run behind another one, or first.
    pub(crate) fn insert_after(&mut self, place: Option<Place>, item: Item) -> Place {
        let place = match place {
            Some(place) => Place { slot: place.slot + 1, ..place },
            None => Place { leaf: 0, slot: 0 },
        };
        self.insert(place, item)
    }

    /// Splits a run so that what follows `offset` characters is one of its own, and returns where that stands.
    pub(crate) fn split(&mut self, place: Place, offset: u32) -> Place {
        let item = &mut self.leaves[place.leaf as usize].items[place.slot];
        let behind = item.split_off(offset);
        self.insert_after(Some(place), behind)
    }

    /// Changes a run, though not which characters it holds.
    pub(crate) fn update(&mut self, place: Place, change: impl FnOnce(&mut Item)) {
        let item = &mut self.leaves[place.leaf as usize].items[place.slot];
        let before = item.sum();
        change(item);
        let after = item.sum();
        if before.top != after.top {
            return self.refresh(place.leaf);
        }
        if before == after {
            return;
        }
        let (mut child, mut parent) = (place.leaf, self.leaves[place.leaf as usize].parent);
        while parent != NONE {
            let inner = &mut self.inners[parent as usize];
            let slot = inner.slot_of(child);
            inner.sums[slot].replace(&before, &after);
            (child, parent) = (parent, inner.parent);
        }
    }

    /// Changes the runs that hold some characters, all of whose runs hold no others.
    pub(crate) fn update_all(&mut self, numbers: Range<u32>, mut change: impl FnMut(&mut Item)) {
        let mut number = numbers.start;
        while number < numbers.end {
            let Some((place, _)) = self.locate(number) else { return };
            let item = self.item(place);
            number = item.start + item.len;
            self.update(place, &mut change);
        }
    }

    fn insert(&mut self, place: Place, item: Item) -> Place {
        let place = match self.leaves[place.leaf as usize].items.len() < LEAF_ITEMS {
            true => place,
            false => self.split_leaf(place),
        };
        self.index.insert(item.start, place.leaf);
        self.leaves[place.leaf as usize].items.insert(place.slot, item);
        self.refresh(place.leaf);
        place
    }

    /// Moves the upper half of a full leaf to a new one; says where a place in it is now.
    fn split_leaf(&mut self, place: Place) -> Place {
        let new = self.leaves.len() as u32;
        let leaf = &mut self.leaves[place.leaf as usize];
        // What is written in order leaves full leaves behind.
        let at = if place.slot == leaf.items.len() && leaf.next == NONE { LEAF_ITEMS - 2 } else { LEAF_ITEMS / 2 };
        let mut items = Vec::with_capacity(LEAF_ITEMS);
        items.extend(leaf.items.drain(at..));
        let (next, parent) = (leaf.next, leaf.parent);
        leaf.next = new;
        for item in &items {
            self.index.insert(item.start, new);
        }
        let sum = items.iter().fold(Sum::EMPTY, |sum, item| sum.plus(&item.sum()));
        self.leaves.push(Leaf { items, parent, next });
        self.refresh(place.leaf);
        self.add_child(parent, place.leaf, new, sum);
        if place.slot <= at { place } else { Place { leaf: new, slot: place.slot - at } }
    }

    /// Puts a child behind another one.
    fn add_child(&mut self, mut parent: u32, mut child: u32, mut new: u32, mut sum: Sum) {
        loop {
            let inner = &mut self.inners[parent as usize];
            let slot = inner.slot_of(child) + 1;
            inner.children.insert(slot, new);
            inner.sums.insert(slot, sum);
            let lowest = inner.lowest;
            self.adopt(parent, &[new], lowest);
            if self.inners[parent as usize].children.len() <= INNER_CHILDREN {
                return self.refresh_inner(parent);
            }
            (child, new) = (parent, self.split_inner(parent));
            sum = self.inners[new as usize].sum();
            let left = self.inners[child as usize].sum();
            parent = self.inners[child as usize].parent;
            if parent == NONE {
                let root = Inner { children: vec![child, new], sums: vec![left, sum], parent: NONE, lowest: false };
                self.root = self.inners.len() as u32;
                self.inners.push(root);
                return self.adopt(self.root, &[child, new], false);
            }
            let above = &mut self.inners[parent as usize];
            let slot = above.slot_of(child);
            above.sums[slot] = left;
        }
    }

    fn split_inner(&mut self, at: u32) -> u32 {
        let new = self.inners.len() as u32;
        let inner = &mut self.inners[at as usize];
        let half = inner.children.len() / 2;
        let (children, sums) = (inner.children.split_off(half), inner.sums.split_off(half));
        let (parent, lowest) = (inner.parent, inner.lowest);
        self.inners.push(Inner { children: children.clone(), sums, parent, lowest });
        self.adopt(new, &children, lowest);
        new
    }

    fn adopt(&mut self, parent: u32, children: &[u32], lowest: bool) {
        for child in children {
            match lowest {
                true => self.leaves[*child as usize].parent = parent,
                false => self.inners[*child as usize].parent = parent,
            }
        }
    }

    /// Sums up a leaf, and what is above it.
    fn refresh(&mut self, leaf: u32) {
        let Leaf { items, parent, .. } = &self.leaves[leaf as usize];
        let sum = items.iter().fold(Sum::EMPTY, |sum, item| sum.plus(&item.sum()));
        let parent = *parent;
        let inner = &mut self.inners[parent as usize];
        let slot = inner.slot_of(leaf);
        inner.sums[slot] = sum;
        self.refresh_inner(parent);
    }

    fn refresh_inner(&mut self, mut at: u32) {
        loop {
            let inner = &self.inners[at as usize];
            let (sum, parent) = (inner.sum(), inner.parent);
            if parent == NONE {
                return;
            }
            let above = &mut self.inners[parent as usize];
            let slot = above.slot_of(at);
            above.sums[slot] = sum;
            at = parent;
        }
    }

    fn descend(&self, at: u32, stop: &impl Fn(&Sum) -> bool, last: bool) -> Option<Place> {
        let inner = &self.inners[at as usize];
        let slot = match last {
            true => inner.sums.iter().rposition(stop),
            false => inner.sums.iter().position(stop),
        }?;
        self.descend_to(inner, slot, stop, last)
    }

    fn descend_to<'a>(
        &'a self,
        mut inner: &'a Inner,
        mut slot: usize,
        stop: &impl Fn(&Sum) -> bool,
        last: bool,
    ) -> Option<Place> {
        while !inner.lowest {
            inner = &self.inners[inner.children[slot] as usize];
            slot = match last {
                true => inner.sums.iter().rposition(stop),
                false => inner.sums.iter().position(stop),
            }?;
        }
        let leaf = inner.children[slot];
        let items = &self.leaves[leaf as usize].items;
        let slot = match last {
            true => items.iter().rposition(|item| stop(&item.sum())),
            false => items.iter().position(|item| stop(&item.sum())),
        }?;
        Some(Place { leaf, slot })
    }
}

impl Inner {
    fn sum(&self) -> Sum {
        self.sums.iter().fold(Sum::EMPTY, |sum, other| sum.plus(other))
    }

    fn slot_of(&self, child: u32) -> usize {
        self.children.iter().position(|other| *other == child).expect("a node is among the children of its parent")
    }
}
