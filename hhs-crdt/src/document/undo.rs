//! Undo and redo in a document.

use hhs_model::class::{Draft, Replica};
use hhs_model::replay::UndoStack;
use hhs_model::{Author, OpId};

use super::{Document, WriteError};

impl<R: Replica> Document<R> {
    /// Takes back what the author wrote last of what is on the stack and still stands, by a new op; returns its id, `None` if
    /// nothing is left to undo. What is being [typed](Self::type_in) is sealed first, and the stack takes note of what was typed: that
    /// is what is undone.
    ///
    /// # Errors
    /// If the author may not write, or it cannot be saved.
    pub fn undo(&mut self, stack: &mut UndoStack, author: &Author, time: u64) -> Result<Option<OpId>, WriteError> {
        self.seal_first()?;
        self.note_typed(stack, author);
        while let Some(op) = stack.next_undo() {
            if let Some(by) = self.take_back(op, author, time)? {
                stack.undone(by);
                return Ok(Some(by));
            }
            stack.skip_undo();
        }
        Ok(None)
    }

    /// Takes back what was undone last, by a new op; returns its id, `None` if there is nothing to redo.
    ///
    /// # Errors
    /// If the author may not write, or it cannot be saved.
    pub fn redo(&mut self, stack: &mut UndoStack, author: &Author, time: u64) -> Result<Option<OpId>, WriteError> {
        self.seal_first()?;
        self.note_typed(stack, author);
        while let Some(op) = stack.next_redo() {
            if let Some(by) = self.take_back(op, author, time)? {
                stack.redone(by);
                return Ok(Some(by));
            }
            stack.skip_redo();
        }
        Ok(None)
    }

    /// What an op would carry that takes back what still stands of an earlier one. Empty if nothing does.
    ///
    /// # Errors
    /// If it cannot be saved.
    pub fn undo_draft(&self, op: &OpId) -> Result<Draft, WriteError> {
        let Some(position) = self.history.position(op).filter(|_| self.void(op).is_none()) else {
            return Ok(Draft::default());
        };
        let kept = self.history.kept(position);
        let before = self.state_at(kept.parents);
        Ok(self.replay.undo(&kept, &before, &self.authority)?)
    }

    fn take_back(&mut self, op: OpId, author: &Author, time: u64) -> Result<Option<OpId>, WriteError> {
        let draft = self.undo_draft(&op)?;
        self.put(author, time, draft)
    }
}
