//! Taking back what an op did to a text, as far as it still stands.

mod marks;

use std::ops::Range;

use hhs_model::class::OpContext;

use super::Text;
use super::mutation::{Edits, TextMutation};
use crate::field::At;
use crate::sequence::compose::{self, Part};
use crate::sequence::tracker::Tracker;

/// Characters that go, or that come back.
struct Piece {
    /// How many shown characters stand before it.
    at: u32,
    /// How many characters that ever were do.
    rank: u32,
    chars: Range<u32>,
    comes: bool,
}

/// What takes back the edits of an op, and the characters that come back with it.
struct Undone {
    edits: TextMutation,
    restored: Vec<Restored>,
}

/// Characters that are inserted again.
struct Restored {
    /// What they were.
    chars: Range<u32>,
    /// How many characters that ever were stand before the new ones.
    slot: u32,
    /// Which of the new characters the first one is.
    number: u32,
}

impl Text {
    /// Edits first, then the marks: of characters that come back, and of those that are there.
    pub(super) fn undo_in_turn(&self, mutations: &[(u32, &TextMutation)], op: &OpContext<'_>) -> Vec<TextMutation> {
        let ats = || mutations.iter().map(|(index, _)| At { op, index: *index });
        let undone =
            ats().find_map(|at| self.history.number_at(at.op.position, at.index)).and_then(|at| self.undo_edits(at));
        let (edits, restored) = undone.map(|Undone { edits, restored }| (edits, restored)).unzip();
        let marks = ats().flat_map(|at| self.undo_mark(at));
        let marks = marks.chain(self.marks_of_restored(&restored.unwrap_or_default(), op.id));
        edits.into_iter().chain(marks.map(Into::into)).collect()
    }

    /// Deletes what an op inserted and is still there, and inserts again what it alone deleted. An op's changes are taken back with
    /// the first of them, since the positions of what takes back the others would depend on that.
    fn undo_edits(&self, first: u32) -> Option<Undone> {
        let changes = self.history.changes_of(first);
        if self.history.is_void(first) {
            return None;
        }
        let (pieces, slots) = self.walked(|walk| {
            let mut pieces = self.pieces_of(changes, walk);
            pieces.sort_by_key(|piece| piece.rank);
            let slots = slots(&pieces, walk);
            (pieces, slots)
        });
        let (mut parts, mut text, mut end, mut inserted) = (Vec::new(), String::new(), 0, 0);
        let mut restored = Vec::new();
        for (Piece { at, chars, comes, .. }, slot) in pieces.into_iter().zip(slots) {
            let count = chars.end - chars.start;
            parts.push(Part::Keep(at - end));
            end = at;
            if comes {
                parts.push(Part::Insert(inserted..inserted + count));
                text.push_str(self.inserted.get(chars.clone()));
                restored.push(Restored { chars, slot, number: inserted });
                inserted += count;
            } else {
                parts.push(Part::Delete(count));
                end += count;
            }
        }
        let edits = Edits { bytes: compose::edits(&parts), text, inserted };
        (!edits.bytes.is_empty()).then(|| Undone { edits: edits.into(), restored })
    }

    fn pieces_of(&self, changes: Range<u32>, walk: &Tracker) -> Vec<Piece> {
        let own = self.history.chars_of(changes.start).start..self.history.chars_of(changes.end - 1).end;
        let piece = |chars: Range<u32>, comes: bool| {
            let (at, _) = walk.shown_at(chars.start)?;
            Some(Piece { at, rank: walk.rank(chars.start)?, chars, comes })
        };
        let gone = walk.runs(own.clone()).filter(|(_, item)| item.is_shown());
        let mut pieces: Vec<Piece> = gone.filter_map(|(run, _)| piece(run, false)).collect();
        for target in changes.flat_map(|number| walk.deleted_by(number)) {
            let alone = walk.runs(target.clone()).filter(|(_, item)| !item.void && item.erased == 1);
            let others = alone.filter(|(run, _)| !own.contains(&run.start));
            pieces.extend(others.filter_map(|(run, _)| piece(run, true)));
        }
        pieces
    }
}

/// How many characters that ever were stand before what comes for each piece: it comes behind the character before it that stays.
fn slots(pieces: &[Piece], walk: &Tracker) -> Vec<u32> {
    let (mut end, mut slot) = (0, 0);
    let slot_of = |piece: &Piece| {
        let Piece { at, chars, comes, .. } = piece;
        if *at > end {
            let before = walk.char_at(at - 1).and_then(|chars| walk.rank(chars.start));
            slot = before.map_or(0, |before| before + 1);
        }
        end = if *comes { *at } else { at + (chars.end - chars.start) };
        slot
    };
    pieces.iter().map(slot_of).collect()
}
