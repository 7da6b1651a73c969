//! Ops that came before their parents.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;

use super::Carried;

/// What waits, within bounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Parked {
    waiting: BTreeMap<OpId, (Carried, usize)>,
    /// By the parent that is missing: who waits for it.
    by_parent: BTreeMap<OpId, BTreeSet<OpId>>,
    bytes: usize,
}

impl Parked {
    pub(super) fn contains(&self, op: &OpId) -> bool {
        self.waiting.contains_key(op)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Lets an op wait; whether there is room.
    pub(super) fn park(&mut self, carried: Carried, missing: &BTreeSet<OpId>) -> bool {
        let bytes = carried.op.bytes().len() + carried.payload.as_ref().map_or(0, Vec::len);
        if self.waiting.len() == MAX_PARKED_OPS || self.bytes + bytes > MAX_PARKED_BYTES {
            return false;
        }
        let id = carried.op.id();
        for parent in missing {
            self.by_parent.entry(*parent).or_default().insert(id);
        }
        self.bytes += bytes;
        self.waiting.insert(id, (carried, missing.len()));
        true
    }

    /// Ops that waited for nothing but this one.
    pub(super) fn unpark(&mut self, parent: &OpId) -> Vec<Carried> {
        let mut ready = Vec::new();
        for id in self.by_parent.remove(parent).into_iter().flatten() {
            let Some((_, left)) = self.waiting.get_mut(&id) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.extend(self.remove(&id));
            }
        }
        ready
    }

    /// Gives up what waited for an op that was refused, and what waited for that.
    pub(super) fn give_up(&mut self, parent: &OpId) -> Vec<OpId> {
        let (mut left, mut given_up) = (vec![*parent], Vec::new());
        while let Some(parent) = left.pop() {
            for id in self.by_parent.remove(&parent).into_iter().flatten() {
                if self.remove(&id).is_some() {
                    given_up.push(id);
                    left.push(id);
                }
            }
        }
        given_up
    }

    fn remove(&mut self, id: &OpId) -> Option<Carried> {
        let (carried, _) = self.waiting.remove(id)?;
        self.bytes -= carried.op.bytes().len() + carried.payload.as_ref().map_or(0, Vec::len);
        Some(carried)
    }
}

/// Ops that wait. Too low: batches that overtake each other are asked for twice; too high: memory that anybody can claim.
const MAX_PARKED_OPS: usize = 65_536;
/// Bytes of those.
const MAX_PARKED_BYTES: usize = 64 << 20;
