//! Typing: many small edits of one author as one op, under one signature. Pure: no clock, the time comes in.
//!
//! An app that writes an op for each key that is pressed pays a signature, a header and a durable commit for each. So edits are
//! collected in one *open* op, which is *sealed*, that is signed and kept, once it is [due](Typing::due_at) or something else has to
//! come first.
//!
//! Who drives it, a document in memory or a live replica on a store, holds to this:
//!
//! > Each edit is drafted on a state that shows those before it, and [shown](OpenOp::show): applied to the state as an op of
//! > its own, at the end of the history, unsigned, with an id that is nobody's, on top of the edit before it. To seal, the state goes
//! > back to [what it was](OpenOp::base) when the op was opened, the edits are [joined](OpenOp::close), and the one op of that is written on the
//! > heads of that time. Before an op of anybody else is applied, and before anything else is written, what is open is sealed: the
//! > author had not seen it.
//!
//! Nothing of an open op is kept or leaves the device; a crash loses what was typed since the last seal, so that
//! [`Policy::max_time`] bounds what can be lost.

use std::collections::BTreeSet;

use crate::bounds::MAX_BLOCK_BYTES;
use crate::class::{Draft, EditError, Replica, Void};
use crate::op::Capability;

/// When what is being typed becomes an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Edits in one op. Too low: many signatures and headers; too high: others see much at once. 1,000: beyond it the header is little
    /// beside the payload.
    pub max_edits: usize,
    /// Bytes of payload, a single edit may exceed it. Too low and too high as above. 64 KiB.
    pub max_bytes: usize,
    /// Milliseconds from the first edit on. Too low: many ops; too high: others wait, and a crash loses as much. 2,000.
    pub max_time: u64,
    /// Milliseconds without an edit. Too low: an op for every word; too high: others wait for the end of a sentence. 400.
    pub pause: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_edits: 1_000, max_bytes: 64 << 10, max_time: 2_000, pause: 400 }
    }
}

/// The edits that an open op will carry. Empty: no op is open.
pub struct Typing<R: Replica> {
    policy: Policy,
    parts: Vec<R::Mutations>,
    needs: BTreeSet<Capability>,
    bytes: usize,
    /// When the first and the last edit came.
    first: u64,
    last: u64,
}

impl<R: Replica> Typing<R> {
    /// Nothing is open.
    pub fn new(policy: Policy) -> Self {
        Self { policy, parts: Vec::new(), needs: BTreeSet::new(), bytes: 0, first: 0, last: 0 }
    }

    /// Whether no op is open.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many edits the open op has.
    pub fn edits(&self) -> usize {
        self.parts.len()
    }

    /// Whether a draft can be added to what is open; if not, that is to be sealed first. What acts on authority is an op by itself.
    pub fn takes(&self, draft: &Draft) -> bool {
        let bytes = draft.payload.as_ref().map_or(0, Vec::len);
        draft.act.is_none() && (self.is_empty() || self.bytes + bytes <= self.policy.max_bytes.min(MAX_BLOCK_BYTES / 2))
    }

    /// Adds an edit at `now`, milliseconds of any clock.
    ///
    /// # Errors
    /// If the class cannot read it again: the op would be void. Then it was not added.
    ///
    /// # Panics
    /// If it is not one that it [takes](Self::takes).
    pub fn add(&mut self, draft: Draft, now: u64) -> Result<(), Void> {
        assert!(self.takes(&draft), "the draft can be added");
        let Some(payload) = &draft.payload else { return Ok(()) };
        let part = R::decode(payload)?;
        if self.is_empty() {
            self.first = now;
        }
        self.last = now;
        self.bytes += payload.len();
        self.parts.push(part);
        self.needs.extend(draft.needs);
        Ok(())
    }

    /// When the open op has to be sealed at the latest: now if that is past; `None` if none is open.
    pub fn due_at(&self) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        let full = self.parts.len() >= self.policy.max_edits || self.bytes >= self.policy.max_bytes;
        let due = self.first.saturating_add(self.policy.max_time).min(self.last.saturating_add(self.policy.pause));
        Some(if full { self.first } else { due })
    }

    /// Whether the open op is to be sealed.
    pub fn is_due(&self, now: u64) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    /// What the op carries; nothing is open then. Empty if nothing was.
    ///
    /// # Errors
    /// If it cannot be put together. Then it is lost.
    pub fn seal(&mut self) -> Result<Draft, EditError> {
        let parts = std::mem::take(&mut self.parts);
        let needs = std::mem::take(&mut self.needs);
        self.bytes = 0;
        let draft = R::join(parts)?;
        Ok(Draft { needs, ..draft })
    }
}

impl<R: Replica> std::fmt::Debug for Typing<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typing").field("edits", &self.parts.len()).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}
