//! Writing ops of one's own.

use hhs_model::authority::Seen;
use hhs_model::bounds::MAX_PARENTS;
use hhs_model::class::{Draft, Replica};
use hhs_model::identity::{Domain, SignError, Signature, Signer};
use hhs_model::op::{Act, Capability, Header, Op, PayloadRef};
use hhs_model::{Author, IdentityId, OpId, PublicKey};

use super::{Carried, Document, WriteError};

impl<R: Replica> Document<R> {
    /// Writes one op with all that `edit` records, and returns its id; `None` if nothing was recorded. `time` is what the op
    /// claims: milliseconds since 1970. What is being [typed](Self::type_in) becomes an op before it.
    ///
    /// # Errors
    /// If the author may not, or a value cannot be saved. Then nothing was written.
    pub fn write<F>(&mut self, author: &Author, time: u64, edit: F) -> Result<Option<OpId>, WriteError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        self.seal_first()?;
        let draft = self.draft(edit)?;
        self.write_draft(&Pen::of(author), time, draft)
    }

    /// The same without a signature: for documents that [trust](Self::trusting), and no others take it.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn write_unsigned<F>(&mut self, author: IdentityId, time: u64, edit: F) -> Result<Option<OpId>, WriteError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        self.seal_first()?;
        let draft = self.draft(edit)?;
        self.write_draft(&Pen { author, signer: &Unsigned }, time, draft)
    }

    /// Writes one op of this draft, which was made on the state as it is; `None` if it does nothing.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn put(&mut self, author: &Author, time: u64, draft: Draft) -> Result<Option<OpId>, WriteError> {
        self.seal_first()?;
        self.write_draft(&Pen::of(author), time, draft)
    }

    pub(super) fn draft(&self, edit: impl FnOnce(&mut R::Edit<'_>)) -> Result<Draft, WriteError> {
        let mut recorded = self.replay.state().edit();
        edit(&mut recorded);
        Ok(R::finish(recorded)?)
    }

    pub(super) fn write_draft(&mut self, pen: &Pen<'_>, time: u64, draft: Draft) -> Result<Option<OpId>, WriteError> {
        if draft.is_empty() {
            return Ok(None);
        }
        self.replay.check(&draft, pen.author, time)?;
        let heads = self.heads_to_write_on(pen, time)?;
        let carried = self.sign(pen, time, draft, &heads)?;
        let id = carried.op.id();
        self.add(carried, heads);
        Ok(Some(id))
    }

    /// The heads, joined by further ops until they are no more than one op may stand on.
    pub(super) fn heads_to_write_on(&mut self, pen: &Pen<'_>, time: u64) -> Result<Vec<u64>, WriteError> {
        loop {
            let heads = self.tips.of(&self.history, &self.replay);
            if heads.len() <= MAX_PARENTS {
                return Ok(heads);
            }
            self.merge(pen, time, &heads)?;
        }
    }

    /// Joins as many heads as one op may, one of which has to have seen what its author stands on.
    fn merge(&mut self, pen: &Pen<'_>, time: u64, heads: &[u64]) -> Result<(), WriteError> {
        let stands = |head: &u64| {
            let seen = self.seen_above(&[*head]);
            self.authority.standing(&pen.author, &[Capability::WRITE], &seen).is_some()
        };
        let first = heads.iter().copied().find(stands).ok_or(WriteError::NotAllowed { author: pen.author })?;
        let others = heads.iter().copied().filter(|head| *head != first);
        let parents: Vec<u64> = [first].into_iter().chain(others).take(MAX_PARENTS).collect();
        let carried = self.sign(pen, time, Draft::default(), &parents)?;
        self.add(carried, parents);
        Ok(())
    }

    /// Makes an op on top of these.
    pub(super) fn sign(&self, pen: &Pen<'_>, time: u64, draft: Draft, parents: &[u64]) -> Result<Carried, WriteError> {
        let Draft { act, payload, needs } = draft;
        let seen = self.seen_above(parents);
        let grants = self.grants(pen.author, act.as_ref(), &needs, &seen)?;
        let header = Header {
            target: self.authority.founding().id(),
            parents: self.history.ids(parents).heads.into_iter().collect(),
            deps: Vec::new(),
            grants,
            act,
            author: pen.author,
            time,
            payload: payload.as_deref().map(PayloadRef::to),
        };
        self.authority.judge(&header, &seen)?;
        Ok(Carried { op: Op::sign(header, pen.signer)?, payload })
    }

    fn grants(
        &self,
        author: IdentityId,
        act: Option<&Act>,
        needs: &std::collections::BTreeSet<Capability>,
        seen: &Seen,
    ) -> Result<Vec<OpId>, WriteError> {
        let standing = match act {
            Some(Act::Renounce { .. }) => self.authority.standing_for(&author, act, seen),
            _ => {
                let mut wanted = self.authority.needs(act);
                wanted.extend(needs.iter().map(Capability::as_str));
                self.authority.standing(&author, &wanted, seen)
            }
        };
        standing.ok_or(WriteError::NotAllowed { author })
    }

    fn add(&mut self, carried: Carried, parents: Vec<u64>) {
        let seen = self.seen_above(&parents);
        self.keep(carried, parents, seen);
        self.catch_up();
    }

    /// What an op on top of these has seen of authority.
    pub(super) fn seen_above(&self, parents: &[u64]) -> Seen {
        let above = |position: &u64| {
            let held = self.history.get(*position);
            match self.authority.number_of(&held.op.id()) {
                Some(number) => Seen::act(number),
                None => held.seen.clone(),
            }
        };
        let seen: Vec<Seen> = parents.iter().map(above).collect();
        self.authority.join(&seen)
    }
}

/// Who writes, and what signs.
pub(super) struct Pen<'a> {
    pub(super) author: IdentityId,
    pub(super) signer: &'a dyn Signer,
}

impl<'a> Pen<'a> {
    pub(super) fn of(author: &'a Author) -> Self {
        Self { author: author.id(), signer: &**author.signer() }
    }
}

/// Signs nothing.
#[derive(Debug)]
pub(super) struct Unsigned;

impl Signer for Unsigned {
    fn public_key(&self) -> PublicKey {
        hhs_model::SecretKey::from_seed(&[0; 32]).public_key()
    }

    fn sign(&self, _domain: Domain, _message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature([0; 64]))
    }

    fn sign_tls13(&self, _content: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature([0; 64]))
    }
}
