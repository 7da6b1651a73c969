//! `Text`: characters that several people write at once.

mod cursor;
mod edit;
mod inserted;
mod marks;
mod merge;
mod mutation;
mod save;
mod snapshot;
mod undo;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Mutex, OnceLock};

use hhs_model::class::{Action, Changes, LoadError, Loader, OpContext, Saver};

pub use cursor::{Bias, Blame, CharId, Cursor};
pub use edit::TextEdit;
pub use marks::{Expand, MAX_MARK_NAME_BYTES, Span};
pub use mutation::TextMutation;
pub use snapshot::Snapshot;

use crate::field::{At, Field, Position, Recorded};
use crate::sequence::history::History;
use cursor::Memo;
use inserted::Inserted;
use marks::{Mark, Splice};
use mutation::Kind;

/// Characters that several people write at once.
///
/// - State: the characters that were inserted by an effective op and deleted by none, in one order. It dereferences to a [`Snapshot`] of
///   them. Positions count code points.
/// - Mutation: edits from front to back, whose positions mean what the op's author saw: what was inserted and not deleted in the
///   op's past, void ops left out as judged from there.
/// - Concurrency: nothing that somebody else has not seen is deleted. What is inserted concurrently at one place stands one
///   behind the other, by op id, never mixed. What a void op inserted is gone, and what it deleted is back.
/// - Cost: an op whose author saw what is shown costs logarithmic time for each edit; others cost that for each edit that
///   is concurrent with them. Memory in all that was ever inserted, some bytes for each edit and some hundred for each op.
pub struct Text {
    /// What it reads; empty while there are changes that it has not been put together with.
    shown: OnceLock<Snapshot>,
    /// What it read before those.
    before: Snapshot,
    /// The first of those.
    done: u32,
    history: History,
    inserted: Inserted,
    marks: BTreeMap<Position, Mark>,
    memo: Mutex<Memo>,
}

impl Deref for Text {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        self.settle()
    }
}

impl Text {
    /// What it reads now, to keep.
    pub fn snapshot(&self) -> Snapshot {
        self.settle().clone()
    }
}

impl Field for Text {
    const POSITIONAL: bool = true;
    type Mutation = TextMutation;
    type Edit<'a> = TextEdit<'a>;

    fn apply(&mut self, mutation: TextMutation, at: At<'_>, changes: &mut Changes) {
        match mutation.0 {
            Kind::Edits(edits) => {
                self.merge(&edits, at, changes);
                self.report_inserted(at, changes);
            }
            Kind::Mark(mark) => self.add_mark(mark, at, changes),
        }
    }

    fn shadow(&mut self, mutation: TextMutation, at: At<'_>) {
        match mutation.0 {
            Kind::Edits(edits) => self.note_void(&edits, at),
            Kind::Mark(_) => {}
        }
    }

    fn edit(&self) -> TextEdit<'_> {
        TextEdit::new(self)
    }

    fn finish(edit: TextEdit<'_>) -> Recorded<TextMutation> {
        edit.finish()
    }

    fn undo(&self, mutation: &TextMutation, at: At<'_>, before: &Self) -> Vec<TextMutation> {
        self.undo_all(&[(at.index, mutation)], at.op, before)
    }

    fn undo_all(&self, mutations: &[(u32, &TextMutation)], op: &OpContext<'_>, _before: &Self) -> Vec<TextMutation> {
        self.undo_in_turn(mutations, op)
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        if !changes.is_watched() {
            return;
        }
        let same = self.chars().zip(newer.chars()).take_while(|(a, b)| a == b).count();
        let (old, new) = (self.len() - same, newer.len() - same);
        let behind = self.rope.chars_at(self.len()).reversed().zip(newer.rope.chars_at(newer.len()).reversed());
        let behind = behind.take(old.min(new)).take_while(|(a, b)| a == b).count();
        if old + new > 2 * behind {
            let inserted = newer.slice(same..newer.len() - behind);
            changes.report(|| Action::Edited { at: same as u64, deleted: (old - behind) as u64, inserted });
        }
        let place = Splice { at: same, deleted: old - behind, inserted: new - behind };
        self.diff_marks(newer, &place, changes);
    }

    fn save(&self, saver: &mut Saver) {
        self.save_all(saver);
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Self::load_all(loader)
    }
}

impl Default for Text {
    fn default() -> Self {
        Self {
            shown: Snapshot::default().into(),
            before: Snapshot::default(),
            done: 0,
            history: History::default(),
            inserted: Inserted::default(),
            marks: BTreeMap::new(),
            memo: Mutex::default(),
        }
    }
}

impl Clone for Text {
    /// What was built to answer questions is left behind, and built again when it is needed.
    fn clone(&self) -> Self {
        let Self { shown, before, done, history, inserted, marks, memo: _ } = self;
        let memo = Memo { lens: self.remembered(|memo| memo.lens.clone()), ..Memo::default() };
        Self {
            shown: shown.clone(),
            before: before.clone(),
            done: *done,
            history: history.clone(),
            inserted: inserted.clone(),
            marks: marks.clone(),
            memo: memo.into(),
        }
    }
}

/// Texts are equal that read the same and have the same marks.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.settle() == other.settle() && self.marks == other.marks
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.settle(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("shown", self.settle())
            .field("changes", &self.history.len())
            .finish_non_exhaustive()
    }
}
