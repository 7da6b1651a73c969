//! The history of one sequence: its changes in an order in which each stands after those that its author had seen.
//!
//! Changes are numbered from 0 as they come to be here, and so are the characters that they insert. Both numbers are local; what
//! stands for a character everywhere is its op and its number within that.

use std::collections::BTreeMap;
use std::ops::Range;

use hhs_model::class::OpContext;
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::{IdentityId, OpId};

use super::delta::{Edits, MAX_COUNT};
use super::tracker::Tracker;
use crate::field::At;

/// The changes of a sequence.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) changes: Vec<Change>,
    /// Which stands on which, by their numbers.
    pub(crate) graph: Graph,
    /// The edits of all changes.
    pub(crate) edits: Vec<u8>,
    /// Characters inserted by all changes.
    pub(crate) chars: u32,
    /// Changes that authors did not see although they are in the past of theirs, where there are any.
    pub(crate) hidden: BTreeMap<u32, SharedPositions>,
    /// Changes that are void.
    pub(crate) void: SharedPositions,
    pub(crate) authors: Vec<IdentityId>,
    pub(super) author_numbers: BTreeMap<IdentityId, u32>,
    /// Changes that saw all that was shown when they came, and were seen so by all that came later: from where what is
    /// concurrent can be replayed. Ascending ranges.
    pub(super) settled: Vec<Range<u32>>,
    pub(super) translated: Translated,
}

/// What was hidden from the author of the last op, as positions and as changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Translated {
    positions: SharedPositions,
    changes: SharedPositions,
}

/// One mutation of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The op that it is part of.
    pub(crate) op: OpId,
    pub(crate) author: u32,
    /// Which of the op's mutations of the field it is.
    pub(crate) index: u32,
    /// Of the op.
    pub(crate) position: u64,
    /// The number of its first character.
    pub(crate) chars: u32,
    /// Which character of the op that is.
    pub(crate) first: u32,
    /// Where its edits begin.
    pub(crate) edits: usize,
}

/// How a new change relates to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its author saw what was shown, and its positions mean just that.
    Direct,
    /// Its author saw something else.
    Apart,
}

impl History {
    pub(crate) fn len(&self) -> u32 {
        self.changes.len() as u32
    }

    /// Adds the change that an op makes; says how it stands to what is shown.
    pub(crate) fn push(&mut self, at: At<'_>, void: bool, edits: &[u8], inserted: u32) -> Standing {
        let op = at.op;
        let number = self.len();
        let parents = self.parents_of(op);
        let hidden = self.hidden_from(op);
        self.graph.push(&parents);
        let standing = self.stand(number, &hidden);
        let again = self.changes.last().filter(|last| last.op == op.id);
        let first = again.map_or(0, |last| last.first + (self.chars - last.chars));
        let author = self.author_number(op.author);
        let change = Change {
            op: op.id,
            author,
            index: at.index,
            position: op.position,
            chars: self.chars,
            first,
            edits: self.edits.len(),
        };
        self.changes.push(change);
        self.edits.extend_from_slice(edits);
        self.chars = self.chars.saturating_add(inserted).min(MAX_CHARS);
        if !hidden.is_empty() {
            self.hidden.insert(number, hidden);
        }
        if void {
            self.void.flip(one(number));
        }
        standing
    }

    /// Whether the author of the newest change saw what is shown; keeps `settled` right.
    fn stand(&mut self, number: u32, hidden: &SharedPositions) -> Standing {
        let node = u64::from(number);
        let differs = self.void.unite(hidden).map(|first| first as u32);
        let seen_all = self.graph.has_seen_all(node);
        let floor = if seen_all { Some(node) } else { self.graph.floor(node) };
        let end = floor.map_or(0, |floor| floor as u32 + 1).min(differs.unwrap_or(u32::MAX));
        while let Some(last) = self.settled.last_mut() {
            last.end = last.end.min(end);
            if last.start < last.end {
                break;
            }
            self.settled.pop();
        }
        if seen_all && differs.is_none() {
            push_range(&mut self.settled, number..number + 1);
            return Standing::Direct;
        }
        Standing::Apart
    }

    /// Whether a change's author saw what is shown without the changes from it on, all of which have seen it.
    pub(crate) fn is_settled(&self, number: u32) -> bool {
        is_in(&self.settled, number)
    }

    /// The first settled change behind one.
    pub(crate) fn settled_behind(&self, number: u32) -> Option<u32> {
        let at = self.settled.partition_point(|range| range.end <= number + 1);
        self.settled.get(at).map(|range| range.start.max(number + 1))
    }

    /// The newest settled change before one.
    pub(crate) fn settled_before(&self, number: u32) -> Option<u32> {
        let at = self.settled.partition_point(|range| range.start < number);
        let range = &self.settled[at.checked_sub(1)?];
        Some(range.end.min(number) - 1)
    }

    /// Whether a walk can go on to the newest change, and is nearer to it than one that would begin behind `settled`.
    pub(crate) fn serves(&self, walk: &Tracker, settled: Option<u32>) -> bool {
        match walk.base().checked_sub(1) {
            None => true,
            Some(base) => is_in(&self.settled, base) && settled.is_none_or(|settled| walk.next() > settled),
        }
    }

    /// The changes that a new one stands on.
    fn parents_of(&self, op: &OpContext<'_>) -> Vec<u64> {
        if self.changes.last().is_some_and(|last| last.op == op.id) {
            return vec![u64::from(self.len()) - 1];
        }
        if op.graph.has_seen_all(op.position) {
            return self.graph.heads().to_vec();
        }
        let parents = op.graph.parents(op.position);
        let own: Option<Vec<u64>> = parents.as_slice().iter().map(|parent| self.last_at(*parent)).collect();
        if let Some(own) = own {
            return self.graph.heads_of(&own);
        }
        // Down from the heads to what the op has seen.
        let mut pending = std::collections::BTreeSet::from_iter(self.graph.heads().iter().copied());
        let mut seen = Vec::new();
        while let Some(next) = pending.pop_last() {
            match op.has_seen(self.changes[next as usize].position) {
                true => seen.push(next),
                false => pending.extend(self.graph.parents(next).as_slice()),
            }
        }
        self.graph.heads_of(&seen)
    }

    /// The last change of the op at a position.
    fn last_at(&self, position: u64) -> Option<u64> {
        let at = self.changes.partition_point(|change| change.position <= position);
        let last = at.checked_sub(1)?;
        (self.changes[last].position == position).then_some(last as u64)
    }

    /// The changes that were hidden from an op's author, of those that it stands above.
    fn hidden_from(&mut self, op: &OpContext<'_>) -> SharedPositions {
        self.translate(op.hidden);
        let all = &self.translated.changes;
        let mut hidden = all.clone();
        if !all.is_empty() && !op.graph.has_seen_all(op.position) {
            for unseen in op.unseen().ranges() {
                all.ranges_within(self.numbers_of(unseen)).for_each(|range| hidden.flip(range));
            }
        }
        hidden
    }

    /// Finds the changes at hidden positions, where these differ from those of the op before.
    fn translate(&mut self, positions: &SharedPositions) {
        for range in self.translated.positions.differing(positions) {
            let changes = self.numbers_of(&range);
            self.translated.changes.flip(changes);
        }
        self.translated.positions = positions.clone();
    }

    /// The changes at some positions.
    fn numbers_of(&self, positions: &Range<u64>) -> Range<u64> {
        let number = |position: u64| self.changes.partition_point(|change| change.position < position) as u64;
        number(positions.start)..number(positions.end)
    }

    pub(super) fn author_number(&mut self, author: IdentityId) -> u32 {
        *self.author_numbers.entry(author).or_insert_with(|| {
            self.authors.push(author);
            self.authors.len() as u32 - 1
        })
    }

    /// What a change edits.
    pub(crate) fn edits_of(&self, number: u32) -> Edits<'_> {
        let at = number as usize;
        let end = self.changes.get(at + 1).map_or(self.edits.len(), |next| next.edits);
        Edits::new(&self.edits[self.changes[at].edits..end])
    }

    /// The characters that a change inserts.
    pub(crate) fn chars_of(&self, number: u32) -> Range<u32> {
        let at = number as usize;
        self.changes[at].chars..self.changes.get(at + 1).map_or(self.chars, |next| next.chars)
    }

    /// The change that inserted a character.
    pub(crate) fn change_of(&self, char: u32) -> &Change {
        &self.changes[self.number_of(char) as usize]
    }

    /// The number of the change that inserted a character.
    pub(crate) fn number_of(&self, char: u32) -> u32 {
        (self.changes.partition_point(|change| change.chars <= char) - 1) as u32
    }

    pub(crate) fn is_void(&self, number: u32) -> bool {
        self.void.contains(number.into())
    }

    /// What was hidden from the author of a change.
    pub(crate) fn hidden_of(&self, number: u32) -> &SharedPositions {
        self.hidden.get(&number).unwrap_or(&SharedPositions::EMPTY)
    }

    /// The number of a character of an op, whose first change is given.
    pub(crate) fn char_of(&self, first: u32, number: u32) -> Option<u32> {
        let of_op = &self.changes[first as usize..];
        let of_op = &of_op[..of_op.partition_point(|change| change.position == of_op[0].position)];
        let at = of_op.partition_point(|change| change.first <= number).checked_sub(1)?;
        let char = of_op[at].chars.checked_add(number - of_op[at].first)?;
        self.chars_of(first + at as u32).contains(&char).then_some(char)
    }

    /// The number of the change that a mutation of an op made.
    pub(crate) fn number_at(&self, position: u64, index: u32) -> Option<u32> {
        let at = self.changes.partition_point(|change| (change.position, change.index) < (position, index));
        let found = self.changes.get(at).is_some_and(|change| (change.position, change.index) == (position, index));
        found.then_some(at as u32)
    }

    /// The changes from one on that the same op makes.
    pub(crate) fn changes_of(&self, first: u32) -> Range<u32> {
        let position = self.changes[first as usize].position;
        first..self.changes.partition_point(|change| change.position <= position) as u32
    }

    pub(crate) fn author_of(&self, change: &Change) -> IdentityId {
        self.authors[change.author as usize]
    }
}

/// More than memory holds; characters beyond are not there.
pub(crate) const MAX_CHARS: u32 = MAX_COUNT;

/// Whether ascending ranges hold a number.
fn is_in(ranges: &[Range<u32>], number: u32) -> bool {
    let at = ranges.partition_point(|range| range.end <= number);
    ranges.get(at).is_some_and(|range| range.start <= number)
}

/// Adds a range behind others.
fn push_range(ranges: &mut Vec<Range<u32>>, range: Range<u32>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

fn one(number: u32) -> Range<u64> {
    number.into()..u64::from(number) + 1
}
