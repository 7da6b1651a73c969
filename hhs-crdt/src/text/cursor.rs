//! Places in a text that stay where they are while others write, and who wrote what.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::PoisonError;

use hhs_model::{IdentityId, OpId};
use ropey::Rope;

use super::Text;
use super::mutation::Edits;
use crate::sequence::tracker::Tracker;

/// A place in a text, by the character that it stands beside. It can be said to others, and means the same to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The character; none for the end of the text, or for its start if the cursor stands behind it.
    pub char: Option<CharId>,
    /// On which side of it.
    pub bias: Bias,
}

/// What stands for a character everywhere and for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CharId {
    /// The op that inserted it.
    pub op: OpId,
    /// Which of the characters that the op inserts into this text, from 0.
    pub number: u32,
}

/// On which side of its character a cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bias {
    /// Before it: what is inserted there comes before the cursor.
    Before,
    /// Behind it: what is inserted there comes behind the cursor.
    Behind,
}

/// Characters that one op inserted, and that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    /// Where they stand.
    pub range: Range<usize>,
    /// The op.
    pub op: OpId,
    /// Who wrote it.
    pub author: IdentityId,
}

/// What is kept to answer questions about characters that are not numbered by where they stand.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// How far the walk along history has come.
    pub(super) walk: Option<Box<Tracker>>,
    /// How many characters were shown once each change was.
    pub(super) lens: Vec<u32>,
    /// The first change of each op.
    pub(super) ops: BTreeMap<OpId, u32>,
    /// How many changes are in `ops`.
    pub(super) indexed: u32,
    pub(super) written: Option<Written>,
}

/// Edits that were just written, and what the text reads with them, so that who applies them next need not find it out again.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) edits: Edits,
    pub(super) rope: Rope,
}

impl Text {
    /// A cursor at a position: behind the character before it, or before the one behind it.
    pub fn cursor_at(&self, position: usize, bias: Bias) -> Cursor {
        let position = position.min(self.len()) as u32;
        let at = match bias {
            Bias::Before => Some(position),
            Bias::Behind => position.checked_sub(1),
        };
        Cursor { char: at.and_then(|at| self.walked(|walk| self.char_id(walk.char_at(at)?.start))), bias }
    }

    /// Where a cursor stands now. Where its character is gone, that is where it stood. `None` if the op that inserted the character
    /// is not here.
    pub fn position_of(&self, cursor: &Cursor) -> Option<usize> {
        let Some(id) = cursor.char else {
            return Some(if cursor.bias == Bias::Before { self.len() } else { 0 });
        };
        let (before, shown) = self.place_of(id)?;
        Some(before + usize::from(shown && cursor.bias == Bias::Behind))
    }

    /// Who wrote the characters of a range.
    pub fn blame(&self, range: Range<usize>) -> Vec<Blame> {
        let range = self.clamp(range);
        let mut blame: Vec<Blame> = Vec::new();
        self.walked(|walk| {
            let mut at = range.start;
            while let Some(chars) = walk.char_at(at as u32).filter(|_| at < range.end) {
                let change = self.history.change_of(chars.start);
                let end = range.end.min(at + chars.len());
                match blame.last_mut() {
                    Some(last) if last.op == change.op => last.range.end = end,
                    _ => blame.push(Blame { range: at..end, op: change.op, author: self.history.author_of(change) }),
                }
                at = end;
            }
        });
        blame
    }

    /// How many shown characters stand before one, and whether it is shown itself.
    pub(super) fn place_of(&self, id: CharId) -> Option<(usize, bool)> {
        let char = self.number_of(id)?;
        self.walked(|walk| walk.shown_at(char)).map(|(before, shown)| (before as usize, shown))
    }

    /// How many characters that ever were stand before one.
    pub(super) fn rank_of(&self, id: CharId) -> Option<u32> {
        let char = self.number_of(id)?;
        self.walked(|walk| walk.rank(char))
    }

    /// The local number of a character.
    fn number_of(&self, id: CharId) -> Option<u32> {
        self.remembered(|memo| {
            self.index(memo);
            self.history.char_of(*memo.ops.get(&id.op)?, id.number)
        })
    }

    fn char_id(&self, char: u32) -> Option<CharId> {
        let change = self.history.change_of(char);
        Some(CharId { op: change.op, number: change.first + (char - change.chars) })
    }

    /// Asks the walk along the whole history. What is not shown yet is first put together: the walk says only once what each change does.
    pub(super) fn walked<T>(&self, ask: impl FnOnce(&Tracker) -> T) -> T {
        self.settle();
        self.remembered(|memo| ask(self.walk(memo)))
    }

    pub(super) fn remembered<T>(&self, ask: impl FnOnce(&mut Memo) -> T) -> T {
        ask(&mut self.memo.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Walks to the end of history, from its start or from where the walk has come.
    fn walk<'a>(&self, memo: &'a mut Memo) -> &'a Tracker {
        if memo.walk.as_ref().is_some_and(|walk| walk.base() > 0) {
            memo.walk = None;
        }
        let walk = memo.walk.get_or_insert_default();
        if walk.next() < self.history.len() {
            walk.take_up_to(&self.history, self.history.len(), |_, _| {});
        }
        walk
    }

    fn index(&self, memo: &mut Memo) {
        for number in memo.indexed..self.history.len() {
            memo.ops.entry(self.history.changes[number as usize].op).or_insert(number);
        }
        memo.indexed = self.history.len();
    }
}
