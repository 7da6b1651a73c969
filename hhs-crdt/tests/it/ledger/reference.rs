//! What a ledger is by definition: from all ops with their pasts, nothing kept between them.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::Replica;
use hhs_model::op::Act;
use hhs_model::{IdentityId, OpId};

use super::Purse;
use crate::harness::{TestOp, identity, op_id};

type Ops = BTreeSet<usize>;

/// What a ledger shows: entries with whether they have an effect, how many are settled, and the number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) entries: Vec<(OpId, i64, bool)>,
    pub(super) settled: usize,
    pub(super) state: u64,
    pub(super) settled_state: u64,
}

struct Definition {
    entries: BTreeMap<usize, Vec<i64>>,
    /// The ops with entries in the past of each op, itself too.
    known: BTreeMap<usize, Ops>,
}

impl Definition {
    /// Whether everything in `whole` that is not in the cut is above all of it.
    fn clean(&self, cut: &Ops, whole: &Ops) -> bool {
        cut.is_subset(whole) && whole.difference(cut).all(|op| cut.is_subset(&self.known[op]))
    }

    fn strict(&self, op: usize) -> Ops {
        self.known[&op].iter().copied().filter(|other| *other != op).collect()
    }

    fn longest(&self, op: usize, block: &Ops) -> usize {
        let below = self.strict(op).into_iter().filter(|other| block.contains(other));
        self.entries[&op].len() + below.map(|other| self.longest(other, block)).max().unwrap_or(0)
    }

    fn fork_choice(&self, heads: &Ops, block: &Ops, order: &mut Vec<usize>) {
        let maximal = |op: &&usize| !heads.iter().any(|other| self.strict(*other).contains(op));
        let mut heads: Vec<usize> = heads.iter().filter(maximal).copied().collect();
        heads.sort_by_key(|op| (std::cmp::Reverse(self.longest(*op, block)), op_id(*op)));
        for op in heads {
            if !order.contains(&op) {
                let below = self.strict(op).intersection(block).copied().collect();
                self.fork_choice(&below, block, order);
                order.push(op);
            }
        }
    }
}

pub(super) fn shown(ops: &[TestOp]) -> Shown {
    let voids: Ops = ops.iter().flat_map(|op| &op.voids).copied().collect();
    let mut definition = Definition { entries: BTreeMap::new(), known: BTreeMap::new() };
    let by_number: BTreeMap<usize, &TestOp> = ops.iter().map(|op| (op.number, op)).collect();
    for op in by_number.values() {
        let payload = op.draft.payload.as_ref().map(|payload| Purse::decode(payload).expect("it means something").0);
        let entries = payload.unwrap_or_default();
        let mut known: Ops = op.parents.iter().flat_map(|parent| definition.known[parent].clone()).collect();
        if !entries.is_empty() && !voids.contains(&op.number) {
            known.insert(op.number);
            definition.entries.insert(op.number, entries);
        }
        definition.known.insert(op.number, known);
    }
    let effective = || by_number.values().filter(|op| !voids.contains(&op.number));
    let granted = |op: &TestOp| match op.act() {
        Some(Act::Grant { to, can, .. }) if can.iter().any(|can| can.as_str() == "write") => Some(*to),
        _ => None,
    };
    let mut writers = BTreeSet::from([identity(0)]);
    writers.extend(effective().filter_map(|op| granted(op)));
    let vouches = |writer: &IdentityId, cut: &Ops| {
        let mut theirs = effective().filter(|op| identity(op.author) == *writer);
        theirs.any(|op| definition.clean(cut, &definition.known[&op.number]))
    };
    let cuts = definition.known.values().cloned().chain(definition.entries.keys().map(|op| definition.strict(*op)));
    let firm = cuts.filter(|cut| !cut.is_empty() && writers.iter().all(|writer| vouches(writer, cut)));
    let is_end = |op: &usize, cut: &Ops| !cut.iter().any(|other| definition.strict(*other).contains(op));
    let ids = |cut: &Ops| cut.iter().filter(|op| is_end(op, cut)).map(|op| op_id(*op)).collect::<BTreeSet<_>>();
    let mut firm: Vec<Ops> = firm.collect::<BTreeSet<_>>().into_iter().collect();
    firm.sort_by_key(|cut| (cut.len(), ids(cut)));
    let (mut order, mut settled) = (Vec::new(), 0);
    for cut in firm {
        let block: Ops = cut.into_iter().filter(|op| !order.contains(op)).collect();
        definition.fork_choice(&block, &block, &mut order);
        settled = order.len();
    }
    let rest: Ops = definition.entries.keys().copied().filter(|op| !order.contains(op)).collect();
    definition.fork_choice(&rest, &rest, &mut order);
    run(&definition, &order, settled)
}

fn run(definition: &Definition, order: &[usize], settled: usize) -> Shown {
    let mut shown = Shown { entries: Vec::new(), settled: 0, state: 0, settled_state: 0 };
    for (place, op) in order.iter().enumerate() {
        for amount in &definition.entries[op] {
            let sum = shown.state.checked_add_signed(*amount);
            shown.state = sum.unwrap_or(shown.state);
            shown.entries.push((op_id(*op), *amount, sum.is_some()));
        }
        if place < settled {
            shown.settled = shown.entries.len();
            shown.settled_state = shown.state;
        }
    }
    shown
}
