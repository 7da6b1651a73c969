//! Typing in a space, which is sealed by the clock of its node; undo and redo.

use std::sync::Arc;
use std::time::Duration;

use hhs_crdt::{Replica, UndoStack};
use hhs_model::{OpId, Runtime};
use hhs_store::{AppendError, Live};

use crate::space::Space;

impl<R: Replica> Space<R> {
    /// Records an edit that shows at once, here, and becomes an op together with others: after a pause, or when it is full or old, as
    /// [`Live::set_policy`] says; and before anything else is written or comes in. Returns before it is durable: a crash loses it.
    ///
    /// `edit` is run once more, after a seal, where it names what is open, as a mark does on characters that were just typed.
    ///
    /// If it cannot be made durable, the opposite is told to who follows the [changes](Self::changes).
    ///
    /// # Errors
    /// If we may not write here, a value cannot be saved, or the store fails. Then nothing was recorded.
    pub async fn type_in<F>(&self, edit: F) -> Result<(), AppendError>
    where
        F: Fn(&mut R::Edit<'_>),
    {
        let inner = &self.node().inner;
        let opened = self.live().type_in(&inner.author, inner.runtime.wall_clock_ms(), edit).await?;
        if opened.is_some() {
            let (live, runtime) = (self.live().clone(), inner.runtime.clone());
            inner.runtime.spawn(Box::pin(seal_when_due(live, runtime)));
        }
        Ok(())
    }

    /// Makes an op of what is being typed, and waits until it is durable; `None` if nothing is.
    ///
    /// # Errors
    /// If it cannot be made one, or something that was typed before could not.
    pub async fn seal(&self) -> Result<Option<OpId>, AppendError> {
        self.live().seal().await
    }

    /// Takes back what we wrote last of what is on the stack and still stands, by a new op; `None` if nothing is left. What is typed
    /// the stack takes note of by itself; of other ops it has to be [told](UndoStack::wrote).
    ///
    /// # Errors
    /// If we may not write here, or the store fails.
    pub async fn undo(&self, stack: &mut UndoStack) -> Result<Option<OpId>, AppendError> {
        let inner = &self.node().inner;
        self.live().undo(stack, &inner.author, inner.runtime.wall_clock_ms()).await
    }

    /// Takes back what was undone last, by a new op; `None` if there is nothing to redo.
    ///
    /// # Errors
    /// As [`undo`](Self::undo).
    pub async fn redo(&self, stack: &mut UndoStack) -> Result<Option<OpId>, AppendError> {
        let inner = &self.node().inner;
        self.live().redo(stack, &inner.author, inner.runtime.wall_clock_ms()).await
    }
}

/// Waits until an op that is open is due, as often as that is put off, and seals it.
async fn seal_when_due<R: Replica>(live: Live<R>, runtime: Arc<dyn Runtime>) {
    while let Some(due) = live.due_at() {
        let left = due.saturating_sub(runtime.wall_clock_ms());
        if left > 0 {
            // The clock may be set back meanwhile.
            runtime.sleep(Duration::from_millis(left.min(LONGEST_SLEEP))).await;
            continue;
        }
        if let Err(error) = live.seal().await {
            tracing::warn!(%error, "what was typed could not be kept");
            return;
        }
    }
}

/// Milliseconds. Too low: work for nothing; too high: what is typed waits long where the clock was set back.
const LONGEST_SLEEP: u64 = 2_000;
