//! Undo and redo on a live replica, as new ops.

use hhs_model::authority::Authority;
use hhs_model::class::Replica;
use hhs_model::replay::UndoStack;
use hhs_model::{Author, Frontier, OpId};

use super::Live;
use crate::store::AppendError;

impl<R: Replica> Live<R> {
    /// Takes back what the author wrote last of what is on the stack and still stands, by a new op; returns its id, `None` if
    /// nothing is left to undo. What is being [typed](Self::type_in) is sealed first, and the stack takes note of what was typed: each op
    /// that became of it is a step.
    ///
    /// # Errors
    /// If the author may not write, it cannot be saved, what was typed could not be written, or the store fails.
    pub async fn undo(&self, stack: &mut UndoStack, author: &Author, time: u64) -> Result<Option<OpId>, AppendError> {
        self.seal().await?;
        self.note_typed(stack, author);
        while let Some(op) = stack.next_undo() {
            if let Some(by) = self.take_back(op, author, time).await? {
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
    /// As [`undo`](Self::undo).
    pub async fn redo(&self, stack: &mut UndoStack, author: &Author, time: u64) -> Result<Option<OpId>, AppendError> {
        self.seal().await?;
        self.note_typed(stack, author);
        while let Some(op) = stack.next_redo() {
            if let Some(by) = self.take_back(op, author, time).await? {
                stack.redone(by);
                return Ok(Some(by));
            }
            stack.skip_redo();
        }
        Ok(None)
    }

    /// Writes an op that takes back what still stands of an earlier one; none if nothing does, or if it is not here.
    async fn take_back(&self, op: OpId, author: &Author, time: u64) -> Result<Option<OpId>, AppendError> {
        let Some(position) = self.store.positions(self.id, &[op]).await?.remove(&op) else { return Ok(None) };
        let Some(stored) = self.store.op_at(self.id, position).await? else { return Ok(None) };
        let parents: Frontier = stored.op.header().parents.iter().copied().collect();
        let before = self.at(&parents).await?;
        self.append(author, time, |authority: &Authority| {
            let state = self.shared.lock();
            let draft = state.replay.undo(&stored.kept(), &before, authority)?;
            state.replay.check(&draft, author.id(), time)?;
            Ok((!draft.is_empty()).then_some(draft))
        })
        .await
    }
}
