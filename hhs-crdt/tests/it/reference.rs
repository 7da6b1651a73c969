//! What a set of ops means, from scratch: sort everything, filter, and say nothing about arrival.

use std::collections::BTreeSet;

use hhs_crdt::Replica;
use hhs_model::codec::{Value, decode};
use hhs_model::op::Act;
use hhs_model::{IdentityId, OpId};

use crate::harness::{TestOp, founding, identity};
use crate::history::Room;

/// What can be read in a room.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) messages: Vec<(OpId, u32, IdentityId, u64, String)>,
    /// Capability and holder.
    pub(crate) roles: BTreeSet<(String, IdentityId)>,
}

impl Reading {
    /// What a replica shows.
    pub(crate) fn of(room: &Room) -> Self {
        let messages = room.messages.iter();
        let holders = |name: &'static str| room.members.holders(name).map(|holder| (name.to_owned(), *holder));
        Self {
            name: room.name.get().cloned(),
            tags: room.tags.iter().cloned().collect(),
            messages: messages
                .map(|entry| (entry.op, entry.index, entry.author, entry.time, entry.value.clone()))
                .collect(),
            roles: holders("write").chain(holders("grant")).chain(holders("paint")).collect(),
        }
    }

    /// What the definition gives.
    pub(crate) fn by_definition(ops: &[TestOp]) -> Self {
        // What an op grants it grants whatever its payload is.
        let roles = roles(ops);
        let all = ops;
        let mut ops: Vec<&TestOp> = ops.iter().filter(|op| is_understood(op)).collect();
        ops.sort_by_key(|op| (op.height, op.id()));
        Self { name: name(&ops), tags: tags(all, &ops), messages: messages(&ops), roles }
    }
}

/// Tests write garbage as what is no map, and no other payload that means nothing.
fn is_understood(op: &TestOp) -> bool {
    op.draft.payload.as_ref().is_none_or(|payload| matches!(decode(payload), Ok(Value::Map(_))))
}

fn mutations(op: &TestOp, field: &str) -> Vec<Value> {
    let Some(payload) = &op.draft.payload else { return Vec::new() };
    match decode(payload) {
        Ok(Value::Map(fields)) => fields.get(field).map(|list| list.to().expect("a list")).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn name(ops: &[&TestOp]) -> Option<String> {
    ops.iter().flat_map(|op| mutations(op, "name")).next_back().map(|value| value.to().expect("a text"))
}

fn messages(ops: &[&TestOp]) -> Vec<(OpId, u32, IdentityId, u64, String)> {
    let of_op = |op: &&TestOp| {
        let (id, author, time) = (op.id(), identity(op.author), op.time());
        let entries = (0..).zip(mutations(op, "messages"));
        entries.map(|(index, value)| (id, index, author, time, value.to().expect("a text"))).collect::<Vec<_>>()
    };
    ops.iter().flat_map(of_op).collect()
}

fn tags(all: &[TestOp], ops: &[&TestOp]) -> Vec<String> {
    // In an order that has every op after its past, and each op's mutations in theirs.
    let mut adds: Vec<(String, usize)> = Vec::new();
    for op in ops {
        let past = past(all, op);
        for mutation in mutations(op, "tags") {
            let Value::Map(mutation) = mutation else { panic!("a mutation of a set is a map") };
            if let Some(element) = mutation.get("add") {
                adds.push((element.to().expect("a text"), op.number));
            }
            if let Some(element) = mutation.get("remove") {
                let removed: String = element.to().expect("a text");
                adds.retain(|(element, add)| *element != removed || !past.contains(add));
            }
        }
    }
    adds.into_iter().map(|(element, _)| element).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The numbers of an op and of all below it.
fn past(ops: &[TestOp], op: &TestOp) -> BTreeSet<usize> {
    let (mut past, mut pending) = (BTreeSet::new(), vec![op.number]);
    while let Some(number) = pending.pop() {
        if past.insert(number) {
            pending.extend(ops.iter().filter(|op| op.number == number).flat_map(|op| &op.parents));
        }
    }
    past
}

fn roles(ops: &[TestOp]) -> BTreeSet<(String, IdentityId)> {
    let founding = founding(Room::CLASS);
    let given =
        founding.roles().iter().flat_map(|(name, holders)| holders.iter().map(|holder| (name.to_string(), *holder)));
    let granted = ops.iter().filter_map(|op| op.act()).flat_map(|act| {
        let Act::Grant { to, can } = act else { panic!("these histories only grant") };
        can.iter().map(|capability| (capability.to_string(), *to))
    });
    given.chain(granted).collect()
}
