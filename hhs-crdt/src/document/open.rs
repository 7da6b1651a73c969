//! Typing in a document: edits show at once, and become one op together.

use hhs_model::authority::Seen;
use hhs_model::class::{Draft, Replica};
use hhs_model::identity::{Domain, SignError, Signature, Signer};
use hhs_model::replay::{Kept, Policy, Replay, Typing};
use hhs_model::{Author, OpId, PublicKey};

use super::write::Pen;
use super::{Document, SealError, WriteError};

/// An op that grows.
pub(super) struct Open<R: Replica> {
    typing: Typing<R>,
    author: Author,
    time: u64,
    /// The state before it.
    before: Vec<u8>,
    /// What it stands on, and what that has seen.
    parents: Vec<u64>,
    seen: Seen,
    /// The ids by which its edits were told.
    told: Vec<OpId>,
}

impl<R: Replica> Document<R> {
    /// Sets when what is typed becomes an op; what is open goes by what held before.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Records an edit that shows at once and becomes an op later, together with others: once it is [due](Self::due_at) by the
    /// [policy](Self::set_policy), or before anything else is written or taken in. `now` is also what the op claims as its time:
    /// that of its first edit.
    ///
    /// Changes name the edit by an id that is no op's; those that are not [taken](Self::take_changes) by the time the op is sealed
    /// name the op.
    ///
    /// # Errors
    /// If the author may not, or a value cannot be saved. Then nothing was recorded.
    pub fn type_in<F>(&mut self, author: &Author, now: u64, edit: F) -> Result<(), WriteError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        if self.open.as_ref().is_some_and(|open| open.author.id() != author.id()) {
            self.seal_first()?;
        }
        let draft = self.draft(edit)?;
        if draft.is_empty() {
            return Ok(());
        }
        self.replay.check(&draft, author.id(), now)?;
        // It was drafted on what is shown, which sealing does not change.
        if self.open.as_ref().is_some_and(|open| !open.typing.takes(&draft)) {
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
        self.open.as_ref()?.typing.due_at()
    }

    /// Makes an op of what is being typed; `None` if nothing is.
    ///
    /// # Errors
    /// If that cannot be signed, say. Then it is lost, and does not show any more.
    pub fn seal(&mut self) -> Result<Option<OpId>, SealError> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        match Replay::load(&open.before, &self.authority) {
            Ok(Some(before)) => self.replay = before,
            Ok(None) | Err(_) => {
                self.replay = Replay::new(&self.authority);
                self.apply_rest(false);
            }
        }
        let draft = open.typing.seal().map_err(WriteError::from)?;
        // Watchers know it already, by other names.
        let told = self.changes.take();
        let sealed = self.write_draft(&Pen::of(&open.author), open.time, draft);
        self.changes = told;
        let sealed = sealed?;
        if let (Some(id), Some(changes)) = (sealed, &mut self.changes) {
            let named = changes.iter_mut().filter(|change| open.told.contains(&change.op));
            named.for_each(|change| change.op = id);
        }
        Ok(sealed)
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
        let shown = self.show_on(&mut open, now, draft);
        self.open = (!open.typing.is_empty()).then_some(open);
        shown
    }

    fn show_on(&mut self, open: &mut Open<R>, now: u64, draft: Draft) -> Result<(), WriteError> {
        let number = open.told.len() as u64;
        let pen = Pen { author: open.author.id(), signer: &Provisional(number) };
        let carried = self.sign(&pen, now, draft.clone(), &open.parents)?;
        open.typing.add(draft, now)?;
        open.told.push(carried.op.id());
        let position = self.replay.applied();
        let on_last = [position.saturating_sub(1)];
        let kept = Kept {
            op: &carried.op,
            position,
            parents: if number == 0 { &open.parents } else { &on_last },
            seen: &open.seen,
            payload: carried.payload.as_deref(),
        };
        let mut changes = self.collector(carried.op.header(), carried.op.id());
        self.replay.apply(kept, &self.authority, &mut changes);
        self.collected(changes);
        Ok(())
    }

    fn begin(&mut self, author: &Author, now: u64) -> Result<Open<R>, WriteError> {
        let parents = self.heads_to_write_on(&Pen::of(author), now)?;
        Ok(Open {
            typing: Typing::new(self.policy.clone()),
            author: author.clone(),
            time: now,
            before: self.replay.save(),
            seen: self.seen_above(&parents),
            parents,
            told: Vec::new(),
        })
    }
}

/// Signs nothing, with a number that tells edits apart.
struct Provisional(u64);

impl Signer for Provisional {
    fn public_key(&self) -> PublicKey {
        super::write::Unsigned.public_key()
    }

    fn sign(&self, _domain: Domain, _message: &[u8]) -> Result<Signature, SignError> {
        let mut signature = [0; 64];
        signature[..8].copy_from_slice(&self.0.to_be_bytes());
        Ok(Signature(signature))
    }

    fn sign_tls13(&self, _content: &[u8]) -> Result<Signature, SignError> {
        Err(SignError::NotAHandshake)
    }
}
