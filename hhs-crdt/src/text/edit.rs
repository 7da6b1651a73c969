//! The writes to a text that an op is going to carry.
//!
//! What is written is kept as it comes, with typing and erasing in one place drawn together, and shows at once. In the end the writes
//! become one delta: what the op does in all. So what was written and erased again within one op is not in it.

use std::fmt;
use std::ops::Range;

use hhs_model::codec::Value;
use ropey::Rope;

use super::Text;
use super::cursor::{Bias, Cursor, Written};
use super::marks::{End, Expand, MAX_MARK_NAME_BYTES, MarkMutation};
use super::mutation::{Edits, Kind, TextMutation};
use super::snapshot::Snapshot;
use crate::field::Recorded;
use crate::sequence::compose::{Composer, Part};
use crate::sequence::delta::MAX_COUNT;

/// Records writes to a [`Text`]. Positions count code points in what the text reads with all that is recorded so far; those
/// beyond the end mean the end. For other units see [`snapshot`](Self::snapshot).
pub struct TextEdit<'a> {
    state: &'a Text,
    /// What it reads without `pending`.
    rope: Rope,
    /// What it read when the writes in `composer` began.
    writes: Composer,
    /// All that they insert.
    text: String,
    pending: Write,
    len: usize,
    mutations: Vec<TextMutation>,
    /// What the mutations so far do, each with how many characters those before it inserted.
    ended: Vec<(u32, Vec<Part>)>,
    /// How many characters they inserted.
    inserted: u32,
}

/// Characters that go or come in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Write {
    at: usize,
    deleted: usize,
    inserted: usize,
    /// Where in the text what is inserted begins.
    text: usize,
}

impl<'a> TextEdit<'a> {
    pub(super) fn new(state: &'a Text) -> Self {
        let rope = state.settle().rope.clone();
        let len = rope.len_chars();
        let (writes, text, pending) = (Composer::new(len as u32), String::new(), Write::default());
        Self { state, rope, writes, text, pending, len, mutations: Vec::new(), ended: Vec::new(), inserted: 0 }
    }

    /// The state that the writes start from.
    pub fn state(&self) -> &'a Text {
        self.state
    }

    /// How many code points the text has now.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the text reads now, and its positions in other units.
    pub fn snapshot(&self) -> Snapshot {
        let mut rope = self.rope.clone();
        self.pending.write(&mut rope, &self.text);
        Snapshot { rope }
    }

    /// Inserts text at a position.
    pub fn insert(&mut self, position: usize, text: &str) {
        let at = position.min(self.len);
        let count = if text.len() == 1 { 1 } else { text.chars().count() };
        if count == 0 || self.len + count > MAX_COUNT as usize {
            return;
        }
        let pending = &mut self.pending;
        // At a deletion what comes stands where what went stood.
        let typing = at == pending.at + pending.inserted && (pending.inserted > 0 || pending.deleted > 0);
        if !typing {
            self.flush();
            self.pending = Write { at, deleted: 0, inserted: 0, text: self.text.len() };
        }
        self.pending.inserted += count;
        self.text.push_str(text);
        self.len += count;
    }

    /// Deletes the code points of a range.
    pub fn delete(&mut self, range: Range<usize>) {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        let mut count = end - start;
        if count == 0 {
            return;
        }
        self.len -= count;
        let Write { at, inserted, .. } = self.pending;
        // What has just been typed goes first.
        if inserted > 0 && end == at + inserted {
            let back = count.min(inserted);
            self.pending.inserted -= back;
            self.untype(back);
            count -= back;
        }
        let pending = &mut self.pending;
        let touches = pending.deleted > 0 || pending.inserted > 0;
        if count == 0 {
        } else if touches && pending.inserted == 0 && (start == pending.at || start + count == pending.at) {
            *pending = Write { at: start, deleted: pending.deleted + count, ..*pending };
        } else {
            self.flush();
            self.pending = Write { at: start, deleted: count, inserted: 0, text: self.text.len() };
        }
    }

    /// Puts text in the place of the code points of a range.
    pub fn replace(&mut self, range: Range<usize>, text: &str) {
        let start = range.start.min(range.end);
        self.delete(range);
        self.insert(start, text);
    }

    /// Deletes so many code points at a position, and inserts text there.
    pub fn splice(&mut self, position: usize, delete: usize, text: &str) {
        self.replace(position..position.saturating_add(delete), text);
    }

    /// Adds text at the end.
    pub fn push_str(&mut self, text: &str) {
        self.insert(self.len, text);
    }

    /// Marks the code points of a range with a value under a name, such as `true` under `bold`; without a value, takes marks of that
    /// name away. `expand` says whether what is inserted at the ends later is marked too. Names have at most
    /// [`MAX_MARK_NAME_BYTES`] bytes; longer ones are cut off.
    pub fn mark(&mut self, range: Range<usize>, name: &str, value: Option<Value>, expand: Expand) {
        self.end_writes();
        let end = range.end.min(self.len);
        if range.start >= end {
            return;
        }
        let (start, behind) = expand.biases();
        let (from, to) = (self.end_at(range.start, start), self.end_at(end, behind));
        let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= MAX_MARK_NAME_BYTES;
        let name = name.char_indices().take_while(fits).map(|(_, char)| char).collect();
        let value = value.filter(|value| !value.is_null());
        self.mutations.push(MarkMutation { from, to, name, value }.into());
    }

    pub(super) fn finish(mut self) -> Recorded<TextMutation> {
        self.end_writes();
        if let [TextMutation(Kind::Edits(edits))] = &self.mutations[..] {
            let written = Written { edits: edits.clone(), rope: self.rope };
            self.state.remembered(|memo| memo.written = Some(written));
        }
        self.mutations.into()
    }

    /// Takes back the last characters that were typed.
    fn untype(&mut self, count: usize) {
        let at = self.text.char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at);
        self.text.truncate(at);
    }

    fn flush(&mut self) {
        let Write { at, deleted, inserted, .. } = self.pending;
        if deleted > 0 || inserted > 0 {
            self.pending.write(&mut self.rope, &self.text);
            self.writes.push(at as u32, deleted as u32, inserted as u32);
        }
        self.pending = Write::default();
    }

    /// Makes a mutation of the writes so far.
    fn end_writes(&mut self) {
        self.flush();
        let writes = std::mem::replace(&mut self.writes, Composer::new(self.len as u32));
        let text = std::mem::take(&mut self.text);
        let (edits, parts) = Edits::compose(&writes, &text);
        if let Some(edits) = edits {
            self.ended.push((self.inserted, parts));
            self.inserted += edits.inserted;
            self.mutations.push(edits.into());
        }
    }

    /// A cursor at a position; there is nothing pending.
    fn end_at(&self, position: usize, bias: Bias) -> End {
        let at = match bias {
            Bias::Before => Some(position).filter(|at| *at < self.len),
            Bias::Behind => position.checked_sub(1),
        };
        let Some(mut at) = at.map(|at| at as u32) else { return End::At(Cursor { char: None, bias }) };
        for (first, parts) in self.ended.iter().rev() {
            match origin(parts, at) {
                Origin::Inserted(number) => return End::Own { number: first + number, bias },
                Origin::Before(before) => at = before,
            }
        }
        let position = at as usize + usize::from(bias == Bias::Behind);
        End::At(self.state.cursor_at(position, bias))
    }
}

/// Where a character comes from.
enum Origin {
    /// From what was there, where it stood in that place.
    Before(u32),
    /// It is one of those that were inserted.
    Inserted(u32),
}

/// Where the character at a place comes from, given what was done from front to back.
fn origin(parts: &[Part], at: u32) -> Origin {
    let (mut old, mut new, mut inserted) = (0, 0, 0);
    for part in parts {
        match part {
            Part::Keep(count) if at < new + count => break,
            Part::Keep(count) => (old, new) = (old + count, new + count),
            Part::Delete(count) => old += count,
            Part::Insert(chars) => {
                let count = chars.end - chars.start;
                if at < new + count {
                    return Origin::Inserted(inserted + at - new);
                }
                (new, inserted) = (new + count, inserted + count);
            }
        }
    }
    Origin::Before(old + at - new)
}

impl Write {
    fn write(&self, rope: &mut Rope, text: &str) {
        if self.deleted > 0 {
            rope.remove(self.at..self.at + self.deleted);
        }
        if self.inserted > 0 {
            rope.insert(self.at, &text[self.text..]);
        }
    }
}

impl fmt::Display for TextEdit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.snapshot(), f)
    }
}

impl fmt::Debug for TextEdit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextEdit")
            .field("len", &self.len)
            .field("mutations", &self.mutations.len())
            .finish_non_exhaustive()
    }
}
