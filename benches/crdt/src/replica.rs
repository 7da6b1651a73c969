//! Histories of ops without signatures, and the state that is kept up with them.

use bench_harness::Outcome;
use hhs_crdt::Replica;
use hhs_model::authority::{Authority, Seen};
use hhs_model::class::{Changes, Draft};
use hhs_model::op::{Founding, Genesis, Header, Op, PayloadRef};
use hhs_model::replay::{Kept, Replay};
use hhs_model::{IdentityId, OpId, Signature};

/// An op as it is kept, with the places of its parents.
pub(crate) struct Held {
    pub(crate) op: Op,
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) parents: Vec<u64>,
}

/// Ops of one replica, parents first.
pub(crate) struct History {
    pub(crate) authority: Authority,
    pub(crate) held: Vec<Held>,
}

impl History {
    /// Of a replica of the class `R` that the writer 0 has founded.
    pub(crate) fn new<R: Replica>() -> Outcome<Self> {
        let founding = Founding::root(Genesis::with_founder(R::CLASS, [0; 16], writer(0)))?;
        Ok(Self { authority: Authority::new(founding), held: Vec::new() })
    }

    /// Adds an op on top of others, by their places; its place.
    pub(crate) fn push(&mut self, number: u64, parents: &[u64], draft: Draft) -> Outcome<u64> {
        self.push_by_grants(number, parents, Vec::new(), draft)
    }

    /// The same by somebody who stands on grants.
    pub(crate) fn push_by_grants(
        &mut self,
        number: u64,
        parents: &[u64],
        grants: Vec<OpId>,
        draft: Draft,
    ) -> Outcome<u64> {
        let header = Header { grants, ..self.header(writer(number), parents, &draft) };
        let op = Op::with_signature(header, Signature([0; 64]))?;
        self.held.push(Held { op, payload: draft.payload, parents: parents.to_vec() });
        Ok(self.held.len() as u64 - 1)
    }

    /// The header of an op on top of others.
    fn header(&self, author: IdentityId, parents: &[u64], draft: &Draft) -> Header {
        let mut ids: Vec<OpId> = parents.iter().map(|parent| self.held[*parent as usize].op.id()).collect();
        ids.sort_unstable();
        Header {
            target: self.authority.founding().id(),
            parents: ids,
            deps: Vec::new(),
            grants: Vec::new(),
            act: draft.act.clone(),
            author,
            time: 0,
            payload: draft.payload.as_deref().map(PayloadRef::to),
        }
    }

    /// Applies all ops to the empty state.
    pub(crate) fn replay<R: Replica>(&self) -> Replay<R> {
        let mut replay = Replay::new(&self.authority);
        self.catch_up(&mut replay);
        replay
    }

    /// Applies the ops that the state lacks.
    pub(crate) fn catch_up<R: Replica>(&self, replay: &mut Replay<R>) {
        let seen = Seen::default();
        let first = replay.applied();
        for (position, held) in (first..).zip(&self.held[first as usize..]) {
            let Held { op, payload, parents } = held;
            let kept = Kept { op, position, parents, seen: &seen, payload: payload.as_deref() };
            replay.apply(kept, &self.authority, &mut Changes::unwatched());
        }
    }
}

/// One of many identities.
pub(crate) fn writer(number: u64) -> IdentityId {
    IdentityId::of(&number.to_le_bytes())
}

/// The parents of each op where two branches of five hundred ops meet every thousand ops: what two devices do that are
/// online now and then.
pub(crate) fn parents(position: u64) -> Vec<u64> {
    let (round, place) = (position / MEETING, position % MEETING);
    let before = (round * MEETING).checked_sub(1);
    let half = (MEETING - 1) / 2;
    match place {
        0 => before.into_iter().collect(),
        _ if place == half => before.into_iter().collect(),
        _ if place == MEETING - 1 => vec![round * MEETING + half - 1, position - 1],
        _ => vec![position - 1],
    }
}

const MEETING: u64 = 1000;
