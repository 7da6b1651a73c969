//! Typing in a document: edits show at once, and become one op together.

use hhs_model::class::{Draft, Replica};
use hhs_model::replay::{OpenOp, Policy, Replay, ShowError, UndoStack};
use hhs_model::{Author, OpId};

use super::write::Pen;
use super::{Document, SealError, WriteError};

impl<R: Replica> Document<R> {
    /// Sets when what is typed becomes an op; what is open goes by what held before.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Records an edit that shows at once and becomes an op later, together with others: once it is [due](Self::due_at) by the
    /// [policy](Self::set_policy), or before anything else is written or taken in. `now` is also what the op claims as its time:
    /// that of its first edit.
    ///
    /// `edit` is run once more, after a seal, where it names what is open, as a mark does on characters that were just typed.
    ///
    /// Changes name the edit by an id that is no op's; those that are not [taken](Self::take_changes) by the time the op is sealed
    /// name the op.
    ///
    /// # Errors
    /// If the author may not, or a value cannot be saved. Then nothing was recorded.
    pub fn type_in<F>(&mut self, author: &Author, now: u64, edit: F) -> Result<(), WriteError>
    where
        F: Fn(&mut R::Edit<'_>),
    {
        if self.open.as_ref().is_some_and(|open| open.author().id() != author.id()) {
            self.seal_first()?;
        }
        let mut draft = self.draft(&edit)?;
        if self.open.as_ref().is_some_and(|open| open.is_named_in(&draft)) {
            self.seal_first()?;
            draft = self.draft(&edit)?;
        }
        if draft.is_empty() {
            return Ok(());
        }
        self.replay.check(&draft, author.id(), now)?;
        // It was drafted on what is shown, which sealing does not change.
        if self.open.as_ref().is_some_and(|open| !open.typing().takes(&draft)) {
            self.seal_first()?;
        }
        if draft.act.is_some() {
            return self.write_draft(&Pen::of(author), now, draft).map(drop);
        }
        self.show(author, now, draft)?;
        match self.due_at().is_some_and(|due| due <= now) {
            true => self.seal_first().map(drop),
            false => Ok(()),
        }
    }

    /// When what is being typed is to be [sealed](Self::seal), by the clock that edits came with; `None` if nothing is.
    pub fn due_at(&self) -> Option<u64> {
        self.open.as_ref()?.typing().due_at()
    }

    /// Makes an op of what is being typed; `None` if nothing is.
    ///
    /// # Errors
    /// If that cannot be signed, say. Then it is lost, and does not show any more.
    pub fn seal(&mut self) -> Result<Option<OpId>, SealError> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        match open.base(&self.authority) {
            Ok(Some(base)) => self.replay = base,
            Ok(None) | Err(_) => {
                self.replay = Replay::new(&self.authority);
                self.apply_rest(false);
            }
        }
        let draft = open.close().map_err(WriteError::from)?;
        // Watchers know it already, by other names.
        let told = self.changes.take();
        let sealed = self.write_draft(&Pen::of(open.author()), open.time(), draft);
        self.changes = told;
        let sealed = sealed?;
        if let (Some(id), Some(changes)) = (sealed, &mut self.changes) {
            let named = changes.iter_mut().filter(|change| open.shown().contains(&change.op));
            named.for_each(|change| change.op = id);
        }
        self.typed.extend(sealed.map(|id| (open.author().id(), id)));
        Ok(sealed)
    }

    /// Takes note on a stack of the ops that became of what the author has typed since this, an undo or a redo was done last.
    /// To do before the stack takes note of an op that was written later in another way.
    pub fn note_typed(&mut self, stack: &mut UndoStack, author: &Author) {
        stack.wrote_all(self.typed.take(&author.id()));
    }

    pub(super) fn seal_first(&mut self) -> Result<Option<OpId>, WriteError> {
        self.seal().map_err(|error| WriteError::Seal(Box::new(error)))
    }

    /// Applies an edit as an op of its own, which is nowhere but in the state.
    fn show(&mut self, author: &Author, now: u64, draft: Draft) -> Result<(), WriteError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin(author, now)?,
        };
        let watched = self.changes.is_some();
        let shown = open.show(draft, now, &mut self.replay, &self.authority, watched);
        self.open = (!open.typing().is_empty()).then_some(open);
        self.collected(shown?);
        Ok(())
    }

    fn begin(&mut self, author: &Author, now: u64) -> Result<OpenOp<R>, WriteError> {
        let positions = self.heads_to_write_on(&Pen::of(author), now)?;
        let seen = self.seen_above(&positions);
        let parents = positions.iter().map(|position| (self.history.get(*position).op.id(), *position)).collect();
        Ok(OpenOp::new(self.policy.clone(), author, parents, seen, &self.replay))
    }
}

impl From<ShowError> for WriteError {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::NotAllowed { author, .. } => Self::NotAllowed { author },
            ShowError::Void(void) => Self::Void(void),
            ShowError::Header(error) => Self::Sign(error.into()),
        }
    }
}
