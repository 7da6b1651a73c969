//! The ops that a document holds, in the order in which they came to be kept.

use std::collections::BTreeMap;

use hhs_model::authority::Seen;
use hhs_model::history::Graph;
use hhs_model::op::Op;
use hhs_model::replay::Kept;
use hhs_model::{Frontier, OpId};

use super::Carried;

/// The ops of a replica, by position.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    held: Vec<Held>,
    positions: BTreeMap<OpId, u64>,
    graph: Graph,
}

#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) op: Op,
    pub(super) payload: Option<Vec<u8>>,
    parents: Vec<u64>,
    pub(super) seen: Seen,
}

impl History {
    pub(super) fn push(&mut self, carried: Carried, parents: Vec<u64>, seen: Seen) -> u64 {
        let position = self.graph.push(&parents);
        self.positions.insert(carried.op.id(), position);
        self.held.push(Held { op: carried.op, payload: carried.payload, parents, seen });
        position
    }

    /// The ops and their payloads, parents first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Op, Option<&[u8]>)> {
        self.held.iter().map(|held| (&held.op, held.payload.as_deref()))
    }

    pub(super) fn len(&self) -> u64 {
        self.graph.len()
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn position(&self, op: &OpId) -> Option<u64> {
        self.positions.get(op).copied()
    }

    /// The positions of ops, or the first of them that is not here.
    pub(super) fn positions<'a>(&self, ops: impl IntoIterator<Item = &'a OpId>) -> Result<Vec<u64>, OpId> {
        ops.into_iter().map(|op| self.position(op).ok_or(*op)).collect()
    }

    /// The op at a position that there is.
    pub(super) fn get(&self, position: u64) -> &Held {
        &self.held[position as usize]
    }

    pub(super) fn kept(&self, position: u64) -> Kept<'_> {
        let Held { op, payload, parents, seen } = self.get(position);
        Kept { op, position, parents, seen, payload: payload.as_deref() }
    }

    pub(super) fn ids(&self, positions: &[u64]) -> Frontier {
        positions.iter().map(|position| self.get(*position).op.id()).collect()
    }
}
