//! An op that grows while somebody types: what it stands on, and how its edits show before it is one.

use std::collections::BTreeSet;

use super::{Kept, Policy, Replay, Typing};
use crate::authority::{Authority, Seen};
use crate::bounds::MAX_PARENTS;
use crate::class::{Changes, Draft, EditError, LoadError, Replica, Void};
use crate::codec::EncodeError;
use crate::id::{Hash, IdentityId, OpId};
use crate::identity::{Author, Signature};
use crate::op::{Capability, Header, Op, PayloadRef};

/// An open op: the edits that it will carry, and what they stand on.
pub struct OpenOp<R: Replica> {
    typing: Typing<R>,
    author: Author,
    time: u64,
    parents: Vec<(OpId, u64)>,
    seen: Seen,
    /// The state before it, saved, and how many ops that has.
    base: Vec<u8>,
    position: u64,
    /// The ids by which its edits were told.
    shown: Vec<OpId>,
    /// The same, to look for them in what is written.
    named: BTreeSet<OpId>,
}

/// Why an edit cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// The author may not write this.
    #[error("{author} may not {capability} here: ask a member who may grant to grant it")]
    NotAllowed {
        /// Who typed.
        author: IdentityId,
        /// What they may not.
        capability: String,
    },
    /// The class could not read it again.
    #[error("the class does not read what it wrote: {0}")]
    Void(#[from] Void),
    /// It makes no header.
    #[error(transparent)]
    Header(#[from] EncodeError),
}

impl<R: Replica> OpenOp<R> {
    /// Opens an op on top of `parents`, each with its position, which have seen `seen` and are the heads of what the replay
    /// shows. Saves the state.
    pub fn new(policy: Policy, author: &Author, parents: Vec<(OpId, u64)>, seen: Seen, replay: &Replay<R>) -> Self {
        Self {
            typing: Typing::new(policy),
            author: author.clone(),
            time: 0,
            parents,
            seen,
            base: replay.save(),
            position: replay.applied(),
            shown: Vec::new(),
            named: BTreeSet::new(),
        }
    }

    /// Who types.
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// What the op will claim as its time: that of its first edit.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// The edits.
    pub fn typing(&self) -> &Typing<R> {
        &self.typing
    }

    /// What it stands on, each with its position.
    pub fn parents(&self) -> &[(OpId, u64)] {
        &self.parents
    }

    /// The ids by which its edits were told, in their order: they are no op's.
    pub fn shown(&self) -> &[OpId] {
        &self.shown
    }

    /// Whether an edit names one of those before it, as a mark does that stands on characters which were just typed. Such a
    /// name holds until the op is sealed and no longer: the edit has to be drafted anew after that.
    pub fn is_named_in(&self, draft: &Draft) -> bool {
        let payload = draft.payload.as_deref().unwrap_or_default();
        let named = |bytes: &[u8]| bytes.try_into().is_ok_and(|bytes| self.named.contains(&OpId(Hash(bytes))));
        payload.windows(32).any(named)
    }

    /// How many ops there are below it.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The state before it, [saved](Replay::save).
    pub fn saved(&self) -> &[u8] {
        &self.base
    }

    /// The state before it; `None` if an op in it is judged otherwise by now.
    ///
    /// # Errors
    /// If it cannot be read again, which a class is to blame for.
    pub fn base(&self, authority: &Authority) -> Result<Option<Replay<R>>, LoadError> {
        Replay::load(&self.base, authority)
    }

    /// Adds an edit and applies it to what the replay shows: the state before the op, with the edits before this one. What it
    /// changes is told under an id that is no op's.
    ///
    /// # Errors
    /// If it cannot be shown. Then nothing has changed.
    ///
    /// # Panics
    /// If the edits do not [take](Typing::takes) it.
    pub fn show(
        &mut self,
        draft: Draft,
        now: u64,
        replay: &mut Replay<R>,
        authority: &Authority,
        watched: bool,
    ) -> Result<Changes, ShowError> {
        let number = self.shown.len() as u64;
        let op = Op::with_signature(self.header(&draft, now, authority)?, unsigned(number))?;
        let payload = draft.payload.clone();
        self.typing.add(draft, now)?;
        if number == 0 {
            self.time = now;
        }
        self.shown.push(op.id());
        self.named.insert(op.id());
        let position = replay.applied();
        let parents: Vec<u64> = match number {
            0 => self.parents.iter().map(|(_, position)| *position).collect(),
            _ => vec![position - 1],
        };
        let mut changes = if watched { Changes::of(op.id(), op.header().author) } else { Changes::unwatched() };
        let kept = Kept { op: &op, position, parents: &parents, seen: &self.seen, payload: payload.as_deref() };
        replay.apply(kept, authority, &mut changes);
        Ok(changes)
    }

    /// Joins the edits to what the op carries. It is to be written on its parents.
    ///
    /// # Errors
    /// If they cannot be put together. Then they are lost.
    pub fn close(&mut self) -> Result<Draft, EditError> {
        self.typing.seal()
    }

    fn header(&self, draft: &Draft, now: u64, authority: &Authority) -> Result<Header, ShowError> {
        let author = self.author.id();
        let mut needed = authority.needs(None);
        needed.extend(draft.needs.iter().map(Capability::as_str));
        let grants = authority.standing(&author, &needed, &self.seen).ok_or_else(|| {
            let missing = needed.iter().find(|one| authority.standing(&author, &[one], &self.seen).is_none());
            ShowError::NotAllowed { author, capability: missing.copied().unwrap_or(Capability::WRITE).to_owned() }
        })?;
        // Where there are more, the op will stand on ops that merge them.
        let parents: BTreeSet<OpId> = self.parents.iter().map(|(id, _)| *id).collect();
        Ok(Header {
            target: authority.founding().id(),
            parents: parents.into_iter().take(MAX_PARENTS).collect(),
            deps: Vec::new(),
            grants,
            act: None,
            author,
            time: now,
            payload: draft.payload.as_deref().map(PayloadRef::to),
        })
    }
}

impl<R: Replica> std::fmt::Debug for OpenOp<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOp")
            .field("author", &self.author.id())
            .field("typing", &self.typing)
            .finish_non_exhaustive()
    }
}

/// In place of a signature: a number that tells edits apart.
fn unsigned(number: u64) -> Signature {
    let mut signature = [0; 64];
    signature[..8].copy_from_slice(&number.to_be_bytes());
    Signature(signature)
}
