//! Typing: many small edits of one author as one op.

use hhs_model::authority::Authority;
use hhs_model::class::{EditError, Replica};
use hhs_model::replay::{Policy, ShowError, UndoStack};
use hhs_model::{Author, OpId};

use super::Live;
use crate::store::{AppendError, StoreError};

impl<R: Replica> Live<R> {
    /// Sets when what is typed becomes an op; what is open goes by what held before.
    pub fn set_policy(&self, policy: Policy) {
        self.shared.lock().open.policy = policy;
    }

    /// Records an edit that shows at once and becomes an op later, together with others: once it is [due](Self::due_at) by the
    /// [policy](Self::set_policy), or before anything else is written or taken in on the replica. `now` is milliseconds since 1970,
    /// and what the op claims as its time is that of its first edit.
    ///
    /// Nothing of it is in the store or leaves it before: a crash loses it, and so does dropping the last handle. Nobody
    /// [seals](Self::seal) it by a timer but who calls this: an app sleeps until it is due. Changes are told at once, under an id that is
    /// no op's; those that are not read by the time the op is sealed name the op. If the op cannot be made durable, the opposite is
    /// told: then the edits are gone.
    ///
    /// `edit` is run once more, after a seal, where it names what is open, as a mark does on characters that were just typed.
    ///
    /// If the edit fills the op, or is itself to be an op (what acts on authority is), this returns once that is durable. It returns when
    /// the op is due that the edit has opened, `None` if it has opened none or that is sealed: then nobody has to be woken.
    ///
    /// # Errors
    /// If the author may not, a value cannot be saved, or the store fails. Then nothing was recorded. If what was typed cannot become an
    /// op, or not be made durable, [`seal`](Self::seal) says so.
    pub async fn type_in<F>(&self, author: &Author, now: u64, edit: F) -> Result<Option<u64>, AppendError>
    where
        F: Fn(&mut R::Edit<'_>),
    {
        self.check_here()?;
        let recorded = self.record(author, now, edit).await;
        // What was sealed for it, or by it, is nobody else's to wait for.
        self.store.drive_sealed(self.id).await;
        recorded
    }

    async fn record<F>(&self, author: &Author, now: u64, edit: F) -> Result<Option<u64>, AppendError>
    where
        F: Fn(&mut R::Edit<'_>),
    {
        let mut ground = self.store.ground(self.id, &*self.shared).await?;
        if self.shared.lock().open.has_to_go_before(&author.id()) {
            ground.seal(&*self.shared).await?;
        }
        let mut draft = self.shared.lock().draft(author, now, &edit)?;
        if self.shared.lock().open.is_named_in(&draft) {
            ground.seal(&*self.shared).await?;
            draft = self.shared.lock().draft(author, now, &edit)?;
        }
        if draft.is_empty() {
            return Ok(None);
        }
        // It was drafted on what is shown, which sealing does not change.
        if !self.shared.lock().open.takes(&draft) {
            ground.seal(&*self.shared).await?;
        }
        if draft.act.is_some() {
            return ground.write(author, now, draft).await.map(|_| None);
        }
        let show = |authority: &Authority, tips, seen| {
            let mut state = self.shared.lock();
            state.show_edit(author, now, draft, (authority, tips, seen))?;
            Ok::<_, ShowError>((state.open.due_at(), state.open.is_fresh()))
        };
        let (due, fresh) = ground.look(show).await??;
        if due.is_some_and(|due| due <= now) {
            ground.seal(&*self.shared).await?;
            return Ok(None);
        }
        Ok(due.filter(|_| fresh))
    }

    /// When what is being typed is to be [sealed](Self::seal), by the clock that edits came with; `None` if nothing is.
    pub fn due_at(&self) -> Option<u64> {
        self.shared.lock().open.due_at()
    }

    /// Makes an op of what is being typed, and waits until it is durable, with what was sealed before by itself; returns the last of
    /// these ops, `None` if there is none.
    ///
    /// # Errors
    /// If the store fails: what is still open stays so then. Or if something that was typed since this was called last could not
    /// become an op, or not be made durable: it is gone, which watchers are told.
    pub async fn seal(&self) -> Result<Option<OpId>, AppendError> {
        if self.due_at().is_some() {
            self.check_here()?;
            self.store.seal(self.id).await?;
        }
        let sealed = self.store.settle_sealed(&*self.shared).await;
        // What was open on other live replicas of this one was sealed too.
        self.store.drive_sealed(self.id).await;
        self.store.checkpoint_if_due(self.id).await;
        sealed
    }

    /// Takes note on a stack of the ops that became of what the author has typed since this, an undo or a redo was done last.
    /// To do before the stack takes note of an op that was written later in another way.
    pub fn note_typed(&self, stack: &mut UndoStack, author: &Author) {
        stack.wrote_all(self.shared.lock().open.typed.take(&author.id()));
    }

    /// Whether the replica is still here.
    pub(super) fn check_here(&self) -> Result<(), StoreError> {
        // It may be here again by now, but then with other handles.
        if self.shared.lock().feed.has_ended() { Err(StoreError::NoReplica(self.id)) } else { Ok(()) }
    }
}

impl From<ShowError> for AppendError {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::NotAllowed { author, capability } => Self::NotAllowed { author, capability },
            ShowError::Void(void) => Self::Edit(EditError::Void(void)),
            ShowError::Header(error) => Self::Edit(EditError::Encode(error)),
        }
    }
}
