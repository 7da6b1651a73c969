//! How the edits of an op come to be shown.

use std::sync::PoisonError;

use hhs_model::class::{Action, Changes};

use ropey::Rope;

use super::Text;
use super::cursor::{Memo, Written};
use super::inserted::Inserted;
use super::mutation::Edits;
use super::snapshot::Snapshot;
use crate::field::At;
use crate::sequence::compose::{self, Composer, Part};
use crate::sequence::delta::{self, Edit};
use crate::sequence::history::{MAX_CHARS, Standing};
use crate::sequence::tracker::{Effect, Tracker};

impl Text {
    /// Takes in the edits of an effective op. If nobody follows the changes, and the text has to be put together from branches, that is
    /// left for when it is read: then all that has come can be taken branch by branch.
    pub(super) fn merge(&mut self, edits: &Edits, at: At<'_>, changes: &mut Changes) {
        if changes.is_watched() {
            self.settle();
        }
        let written = self.written().filter(|written| !changes.is_watched() && written.edits == *edits);
        let Some(standing) = self.push(edits, at, false) else { return };
        match self.shown.get_mut() {
            Some(shown) if standing == Standing::Direct => {
                match written {
                    Some(written) => shown.rope = written.rope,
                    None => edit_directly(&mut shown.rope, delta::Edits::new(&edits.bytes), &edits.text, changes),
                }
                self.note_len();
            }
            Some(_) => {
                self.before = self.shown.take().unwrap_or_default();
                self.done = self.history.len() - 1;
                if changes.is_watched() {
                    let shown = self.put_together(changes);
                    self.shown = shown.into();
                }
            }
            None => {}
        }
    }

    pub(super) fn note_void(&mut self, edits: &Edits, at: At<'_>) {
        self.written();
        if self.push(edits, at, true).is_some() && self.shown.get().is_some() {
            self.note_len();
        }
    }

    /// What is shown, put together if it has to be.
    pub(super) fn settle(&self) -> &Snapshot {
        self.shown.get_or_init(|| self.put_together(&mut Changes::unwatched()))
    }

    /// Takes edits into history; none if that would be more than it can hold.
    fn push(&mut self, edits: &Edits, at: At<'_>, void: bool) -> Option<Standing> {
        if self.history.chars + edits.inserted > MAX_CHARS {
            return None;
        }
        self.inserted.push(&edits.text);
        Some(self.history.push(at, void, &edits.bytes, edits.inserted))
    }

    /// What was written last. It is on top of what is shown, and no longer once anything else comes.
    fn written(&mut self) -> Option<Written> {
        self.memo.get_mut().unwrap_or_else(PoisonError::into_inner).written.take()
    }

    fn note_len(&mut self) {
        let len = self.shown.get().map_or(0, |shown| shown.len() as u32);
        let memo = self.memo.get_mut().unwrap_or_else(PoisonError::into_inner);
        memo.lens.resize(self.history.len() as usize, len);
    }

    /// Does to what was shown before what the changes since then do.
    fn put_together(&self, changes: &mut Changes) -> Snapshot {
        let (history, mut rope, mut at) = (&self.history, self.before.rope.clone(), self.done);
        self.remembered(|memo| {
            while at < history.len() {
                let end = if history.is_settled(at) {
                    if !history.is_void(at) {
                        let inserted = self.inserted.get(history.chars_of(at));
                        edit_directly(&mut rope, history.edits_of(at), inserted, changes);
                    }
                    at + 1
                } else {
                    let end = history.settled_behind(at).unwrap_or(history.len());
                    self.walk_on(memo, at, end, &mut rope, changes);
                    end
                };
                memo.lens.resize(end as usize, rope.len_chars() as u32);
                at = end;
            }
        });
        Snapshot { rope }
    }

    /// Walks along changes and what is concurrent with them, and does to what is shown what they do.
    fn walk_on(&self, memo: &mut Memo, start: u32, end: u32, rope: &mut Rope, changes: &mut Changes) {
        let history = &self.history;
        let settled = history.settled_before(start);
        let mut walk =
            match memo.walk.take() {
                Some(walk) if history.serves(&walk, settled) => walk,
                _ => Box::new(settled.map_or_else(Tracker::new, |settled| {
                    Tracker::behind(history, settled, memo.lens[settled as usize])
                })),
            };
        if walk.next() < start {
            walk.take_up_to(history, start, |_, _| {});
        }
        walk.take_up_to(history, end, |_, effects| {
            for effect in effects {
                self.show(effect, rope, changes);
            }
        });
        memo.walk = Some(walk);
    }

    fn show(&self, effect: Effect, rope: &mut Rope, changes: &mut Changes) {
        // Of a checkpoint that is not what was saved, anything can come.
        let len = rope.len_chars();
        let (at, deleted, inserted) = match effect {
            Effect::Insert { at, chars } => (at, 0, self.inserted.get(chars)),
            Effect::Delete { at, count } => (at, count, ""),
        };
        let at = len.min(at as usize);
        let deleted = (len - at).min(deleted as usize);
        rope.remove(at..at + deleted);
        rope.insert(at, inserted);
        changes.report(|| Action::Edited { at: at as u64, deleted: deleted as u64, inserted: inserted.into() });
    }
}

/// Edits what is shown, which is what the author saw; `text` is all that is inserted.
fn edit_directly(rope: &mut Rope, edits: delta::Edits<'_>, mut text: &str, changes: &mut Changes) {
    let (ascii, mut at) = (text.is_ascii(), 0);
    for Edit { skip, delete, insert } in edits {
        let len = rope.len_chars();
        at = len.min(at + skip as usize);
        let deleted = (len - at).min(delete as usize);
        let end = if ascii { insert as usize } else { byte_of(text, insert as usize) };
        let (inserted, rest) = text.split_at(end);
        text = rest;
        if deleted > 0 {
            rope.remove(at..at + deleted);
        }
        if insert > 0 {
            rope.insert(at, inserted);
        }
        if deleted > 0 || insert > 0 {
            let report = || Action::Edited { at: at as u64, deleted: deleted as u64, inserted: inserted.into() };
            changes.report(report);
        }
        at += insert as usize;
    }
}

impl Edits {
    /// What writes do in all, `text` being all that they insert, and the parts of that; none if it is nothing.
    pub(super) fn compose(writes: &Composer, text: &str) -> (Option<Self>, Vec<Part>) {
        let parts = writes.parts();
        let mut all = Inserted::default();
        all.push(text);
        let mut composed = Self { bytes: compose::edits(&parts), text: String::with_capacity(text.len()), inserted: 0 };
        for part in &parts {
            if let Part::Insert(chars) = part {
                composed.inserted += chars.end - chars.start;
                composed.text.push_str(all.get(chars.clone()));
            }
        }
        (Some(composed).filter(|composed| !composed.bytes.is_empty()), parts)
    }
}

fn byte_of(text: &str, char: usize) -> usize {
    text.char_indices().nth(char).map_or(text.len(), |(at, _)| at)
}
