//! A document from scratch: verdicts by the definition, for every op those that its author came to, and the ops in a row.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::{Carried, Replica};
use hhs_model::OpId;
use hhs_model::authority::Holders;
use hhs_model::authority::definition::Definition;
use hhs_model::class::{Changes, NoRights, OpContext, Unseen};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::op::{Act, Op};

use super::{Everything, founding};

/// The state that ops give, which come after their parents.
pub(super) fn state(ops: &[Carried]) -> Everything {
    let by_id: BTreeMap<OpId, &Op> = ops.iter().map(|carried| (carried.op.id(), &carried.op)).collect();
    let definition = Definition::new(by_id.values().copied());
    let mut state = Everything::new();
    state.authorise(&Holders::from_roles(founding(Everything::CLASS).roles()), &mut Changes::unwatched());
    let (mut graph, mut positions, mut heights) = (Graph::new(), BTreeMap::new(), BTreeMap::new());
    for Carried { op, payload } in ops {
        let (id, header) = (op.id(), op.header());
        let parents: Vec<u64> = header.parents.iter().map(|parent| positions[parent]).collect();
        let height = header.parents.iter().map(|parent| heights[parent] + 1_u64).max().unwrap_or(0);
        let position = graph.push(&parents);
        positions.insert(id, position);
        heights.insert(id, height);
        let hidden: SharedPositions = hidden(&by_id, &id).iter().map(|id| positions[id]).collect();
        let context = OpContext {
            id,
            position,
            height,
            author: header.author,
            time: header.time,
            act: header.act.as_ref(),
            graph: &graph,
            hidden: &hidden,
            rights: &NoRights,
            unseen: Unseen::default(),
        };
        let void = definition.verdict(&id).is_some();
        if let Some(payload) = payload {
            let mutations = Everything::decode(payload).expect("it means something");
            match void {
                true => state.shadow(mutations, &context),
                false => state.apply(mutations, &context, &mut Changes::unwatched()),
            }
        }
        if !void {
            state.observe(&context, &mut Changes::unwatched());
        }
    }
    state.authorise(&holders(&by_id, &definition), &mut Changes::unwatched());
    state
}

/// What is void as judged from the past of an op alone.
fn hidden(ops: &BTreeMap<OpId, &Op>, id: &OpId) -> BTreeSet<OpId> {
    let past: Vec<&Op> = past(ops, id).iter().filter(|past| *past != id).map(|past| ops[past]).collect();
    if !past.iter().any(|op| op.header().act.as_ref().is_some_and(Act::withdraws)) {
        return BTreeSet::new();
    }
    let definition = Definition::new(past.iter().copied());
    past.iter().map(|op| op.id()).filter(|id| definition.verdict(id).is_some()).collect()
}

/// An op and everything below it.
pub(super) fn past(ops: &BTreeMap<OpId, &Op>, id: &OpId) -> BTreeSet<OpId> {
    let (mut past, mut pending) = (BTreeSet::new(), vec![*id]);
    while let Some(next) = pending.pop() {
        if past.insert(next) {
            pending.extend(&ops[&next].header().parents);
        }
    }
    past
}

/// Who holds what: by the genesis, and by grants that count and that nothing that counts withdraws.
fn holders(ops: &BTreeMap<OpId, &Op>, definition: &Definition<'_>) -> Holders {
    let counting = || ops.iter().filter(|(id, _)| definition.verdict(id).is_none());
    let withdraws = |grant: &OpId| {
        counting().any(|(_, op)| match &op.header().act {
            Some(Act::Revoke { grants, .. }) => grants.contains(grant),
            Some(Act::Renounce { grant: own, .. }) => own == grant,
            _ => false,
        })
    };
    let mut holders = Holders::from_roles(founding(Everything::CLASS).roles());
    for (_, op) in counting().filter(|(id, _)| !withdraws(id)) {
        if let Some(Act::Grant { to, can }) = &op.header().act {
            can.iter().for_each(|can| _ = holders.insert(can.clone(), *to));
        }
    }
    holders
}
