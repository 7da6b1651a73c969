//! Many writes, wherever they come, drawn together into the one delta that does what they do in all.

use std::ops::Range;

use super::delta::Edit;
use super::item::Item;
use super::tracker::BASE;
use super::tree::Tree;

/// Writes to a sequence, each relative to what those before it left.
#[derive(Debug, Clone)]
pub(crate) struct Composer {
    base_len: u32,
    /// Each: where, how many characters go, how many come.
    writes: Vec<[u32; 3]>,
}

/// A part of a delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// So many stay.
    Keep(u32),
    /// So many go.
    Delete(u32),
    /// These come, of all that the writes inserted.
    Insert(Range<u32>),
}

impl Composer {
    /// No writes yet, to a sequence of so many characters.
    pub(crate) fn new(base_len: u32) -> Self {
        Self { base_len, writes: Vec::new() }
    }

    /// Adds a write, which is within the sequence.
    pub(crate) fn push(&mut self, at: u32, deleted: u32, inserted: u32) {
        self.writes.push([at, deleted, inserted]);
    }

    /// What the writes do in all, from front to back, the end that stays left out.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = match self.writes[..] {
            [] => Vec::new(),
            [[at, deleted, inserted]] => vec![Part::Keep(at), Part::Delete(deleted), Part::Insert(0..inserted)],
            _ => self.tree().iter().filter_map(part_of).collect(),
        };
        parts.truncate(parts.iter().rposition(|part| !matches!(part, Part::Keep(_))).map_or(0, |last| last + 1));
        parts
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        if self.base_len > 0 {
            tree.insert_after(None, Item::new(BASE, self.base_len, 1));
        }
        let mut next = 0;
        for [at, deleted, inserted] in &self.writes {
            delete(&mut tree, *at, *deleted);
            if *inserted > 0 {
                insert(&mut tree, *at, next..next + inserted);
            }
            next += inserted;
        }
        tree
    }
}

/// Draws parts together into edits.
pub(crate) fn edits(parts: &[Part]) -> Vec<u8> {
    let mut delta = super::delta::DeltaWriter::default();
    for part in parts {
        delta.push(match part {
            Part::Keep(count) => Edit { skip: *count, delete: 0, insert: 0 },
            Part::Delete(count) => Edit { skip: 0, delete: *count, insert: 0 },
            Part::Insert(chars) => Edit { skip: 0, delete: 0, insert: chars.end - chars.start },
        });
    }
    delta.finish()
}

fn part_of(item: &Item) -> Option<Part> {
    match (item.start >= BASE, item.deleted == 0) {
        (true, true) => Some(Part::Keep(item.len)),
        (true, false) => Some(Part::Delete(item.len)),
        (false, true) => Some(Part::Insert(item.start..item.start + item.len)),
        (false, false) => None,
    }
}

fn delete(tree: &mut Tree, at: u32, mut count: u32) {
    while count > 0 {
        let Some((mut place, offset)) = tree.find(at, |sum| sum.seen) else { return };
        if offset > 0 {
            place = tree.split(place, offset);
        }
        let Item { start, len, .. } = *tree.item(place);
        if len > count {
            tree.split(place, count);
            (place, _) = tree.locate(start).expect("a run that was split is still there");
        }
        count -= len.min(count);
        tree.update(place, |item| item.deleted += 1);
    }
}

fn insert(tree: &mut Tree, at: u32, chars: Range<u32>) {
    let item = Item::new(chars.start, chars.end - chars.start, 1);
    let Some((place, offset)) = at.checked_sub(1).and_then(|before| tree.find(before, |sum| sum.seen)) else {
        tree.insert_after(None, item);
        return;
    };
    let left = *tree.item(place);
    if offset + 1 < left.len {
        tree.split(place, offset + 1);
        let place = tree.locate(left.start).map(|(place, _)| place);
        tree.insert_after(place, item);
    } else {
        tree.insert_after(Some(place), item);
    }
}
