//! Taking back what an op did to a text, as far as it still stands.

use std::ops::Range;

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

impl Text {
    /// Deletes what an op inserted and is still there, and inserts again what it alone deleted. An op's changes are taken back with
    /// the first of them, since the positions of what takes back the others would depend on that.
    pub(super) fn undo_edits(&self, at: At<'_>) -> Option<TextMutation> {
        let first = self.history.number_at(at.op.position, at.index)?;
        let changes = self.history.changes_of(first);
        if self.history.is_void(first) || first.checked_sub(1).is_some_and(|before| self.history.is_part(before, first))
        {
            return None;
        }
        let mut pieces = self.walked(|walk| self.pieces_of(changes, walk));
        pieces.sort_by_key(|piece| piece.rank);
        let (mut parts, mut text, mut end, mut inserted) = (Vec::new(), String::new(), 0, 0);
        for Piece { at, chars, comes, .. } in pieces {
            let count = chars.end - chars.start;
            parts.push(Part::Keep(at - end));
            end = at;
            if comes {
                parts.push(Part::Insert(inserted..inserted + count));
                text.push_str(self.inserted.get(chars));
                inserted += count;
            } else {
                parts.push(Part::Delete(count));
                end += count;
            }
        }
        let edits = Edits { bytes: compose::edits(&parts), text, inserted };
        (!edits.bytes.is_empty()).then(|| edits.into())
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
