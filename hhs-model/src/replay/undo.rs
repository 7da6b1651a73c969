//! Undo and redo for one author, as new ops. Pure: it holds ids, and says which op to take back next.
//!
//! To undo is to write an op that takes back what an earlier op of one's own did, as far as it still stands; what others have
//! written meanwhile stands as well. That op can be taken back itself: this is what redo is. A stack like this is the app's own,
//! for as long as it likes; nothing of it is replicated.

use std::collections::VecDeque;

use crate::id::{IdentityId, OpId};

/// What one author can undo and redo.
///
/// > [`next_undo`](Self::next_undo) says which op to take back. Who drives it makes the draft by
/// > [`Replay::undo`](super::Replay::undo), on the state as it is, with the state at the op's parents as `before`. If the op is void or
/// > the draft empty, nothing of it stands: [`skip_undo`](Self::skip_undo), and ask again. Otherwise the draft is
/// > written, and [`undone`](Self::undone) takes its id. The same for redo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoStack {
    done: Vec<OpId>,
    undone: Vec<OpId>,
}

impl UndoStack {
    /// Nothing was written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of an op that the author has written, but to undo or redo. What was undone before cannot be redone then. One that
    /// it has taken note of already, and that is still to be undone, changes nothing.
    pub fn wrote(&mut self, op: OpId) {
        if self.done.contains(&op) {
            return;
        }
        self.undone.clear();
        self.push(op);
    }

    /// Takes note of several, in the order in which they were written.
    pub fn wrote_all(&mut self, ops: impl IntoIterator<Item = OpId>) {
        ops.into_iter().for_each(|op| self.wrote(op));
    }

    /// The op to take back, to undo.
    pub fn next_undo(&self) -> Option<OpId> {
        self.done.last().copied()
    }

    /// The op to take back, to redo.
    pub fn next_redo(&self) -> Option<OpId> {
        self.undone.last().copied()
    }

    /// The next op to undo was taken back by this one.
    pub fn undone(&mut self, by: OpId) {
        if self.done.pop().is_some() {
            self.undone.push(by);
        }
    }

    /// The next op to redo was taken back by this one.
    pub fn redone(&mut self, by: OpId) {
        if self.undone.pop().is_some() {
            self.push(by);
        }
    }

    /// Nothing stands of the next op to undo.
    pub fn skip_undo(&mut self) {
        self.done.pop();
    }

    /// Nothing stands of the next op to redo.
    pub fn skip_redo(&mut self) {
        self.undone.pop();
    }

    fn push(&mut self, op: OpId) {
        if self.done.len() == MAX_STEPS {
            self.done.remove(0);
        }
        self.done.push(op);
    }
}

/// The ops that became of what was typed, until the undo stacks of those who typed take note of them: ops are sealed when it is
/// time, and nobody asks for their ids then.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// The oldest first.
    ops: VecDeque<(IdentityId, OpId)>,
}

impl Typed {
    /// The ops of an author, the oldest first, each once.
    pub fn take(&mut self, author: &IdentityId) -> Vec<OpId> {
        let (taken, left) = std::mem::take(&mut self.ops).into_iter().partition(|(by, _)| by == author);
        self.ops = left;
        let taken: VecDeque<(IdentityId, OpId)> = taken;
        taken.into_iter().map(|(_, op)| op).collect()
    }
}

impl Extend<(IdentityId, OpId)> for Typed {
    fn extend<I: IntoIterator<Item = (IdentityId, OpId)>>(&mut self, ops: I) {
        self.ops.extend(ops);
        while self.ops.len() > MAX_STEPS {
            self.ops.pop_front();
        }
    }
}

/// Steps that can be undone. Too low: users miss some; too high: memory, 32 bytes each.
const MAX_STEPS: usize = 10_000;
