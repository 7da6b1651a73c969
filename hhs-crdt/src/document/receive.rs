//! Taking in ops of others, in any order, any number of times.

use std::collections::BTreeSet;

use hhs_model::OpId;
use hhs_model::class::Replica;
use hhs_model::op::Op;

use super::{Carried, Document, Keys, ReceiveError};

/// What became of ops that were handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Ops that are new here, each after its parents; those among them that had waited.
    pub added: Vec<OpId>,
    /// Ops that were here, or waited here, before.
    pub known: u64,
    /// How many ops wait now for ops that they stand on.
    pub waiting: usize,
    /// Ops that were not taken in.
    pub refused: Vec<(OpId, ReceiveError)>,
}

impl<R: Replica> Document<R> {
    /// Takes in ops. What is being [typed](Self::type_in) is sealed first: the new ops stand beside it, not below.
    ///
    /// An op that is refused takes nothing else with it but what stands on it. One that comes before its parents waits, within
    /// bounds.
    pub fn receive(&mut self, ops: impl IntoIterator<Item = Carried>) -> Received {
        // What cannot be written any more is lost here; `seal` says so to who asks.
        let _sealed = self.seal();
        let mut received = Received::default();
        for carried in ops {
            let id = carried.op.id();
            if self.history.position(&id).is_some() || self.parked.contains(&id) {
                received.known += 1;
                continue;
            }
            match self.check(&carried) {
                Ok(()) => self.take(carried, &mut received),
                Err(error) => self.refuse(id, error, &mut received),
            }
        }
        self.catch_up();
        received.waiting = self.parked.len();
        received
    }

    /// What can be said of an op without its past.
    fn check(&self, Carried { op, payload }: &Carried) -> Result<(), ReceiveError> {
        let header = op.header();
        if header.target != self.authority.founding().id() {
            return Err(ReceiveError::OtherReplica(header.target));
        }
        if !header.deps.is_empty() {
            return Err(ReceiveError::Dependencies);
        }
        if !op.is_payload(payload.as_deref()) {
            return Err(ReceiveError::Payload);
        }
        self.check_signature(op)
    }

    fn check_signature(&self, op: &Op) -> Result<(), ReceiveError> {
        let Keys::Known(keys) = &self.keys else { return Ok(()) };
        let author = op.header().author;
        let key = keys.get(&author).ok_or(ReceiveError::UnknownAuthor(author))?;
        hhs_model::identity::verify_batch(&[op.signed_message(*key)]).map_err(|_| ReceiveError::Signature)
    }

    /// Keeps an op, and those that waited for it; or lets it wait.
    fn take(&mut self, carried: Carried, received: &mut Received) {
        let mut ready = vec![carried];
        while let Some(carried) = ready.pop() {
            let (id, parents) = (carried.op.id(), &carried.op.header().parents);
            let missing: BTreeSet<OpId> =
                parents.iter().filter(|parent| self.history.position(parent).is_none()).copied().collect();
            if !missing.is_empty() {
                if !self.parked.park(carried, &missing) {
                    self.refuse(id, ReceiveError::TooManyWaiting, received);
                }
                continue;
            }
            match self.judge(carried) {
                Ok(()) => {
                    received.added.push(id);
                    ready.extend(self.parked.unpark(&id));
                }
                Err(error) => self.refuse(id, error, received),
            }
        }
    }

    fn judge(&mut self, carried: Carried) -> Result<(), ReceiveError> {
        let header = carried.op.header();
        let parents = self.history.positions(&header.parents).unwrap_or_default();
        let seen = self.seen_above(&parents);
        self.authority.judge(header, &seen)?;
        self.keep(carried, parents, seen);
        Ok(())
    }

    fn refuse(&mut self, id: OpId, error: ReceiveError, received: &mut Received) {
        received.refused.push((id, error));
        let given_up = self.parked.give_up(&id);
        received.refused.extend(given_up.into_iter().map(|above| (above, ReceiveError::OnRefused(id))));
    }
}
