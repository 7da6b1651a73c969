//! What a list is by definition: from all ops with their pasts, nothing kept between them.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::{ListMutation, Replica, UniqueListMutation};
use hhs_model::OpId;

use super::Lists;
use crate::harness::{TestOp, op_id};

/// What two kinds of list have in common: a new element, or one that is there or was, goes somewhere; an element goes.
pub(crate) enum Step {
    /// Elements by their keys, the first one with this index among the others.
    Put {
        at: u64,
        keys: Vec<String>,
        birth: bool,
    },
    Take {
        at: u64,
    },
    Move {
        from: u64,
        to: u64,
    },
    Restore {
        at: u64,
        key: String,
    },
    /// Writes to the element that is seen there.
    Write {
        at: u64,
    },
}

/// What a list is.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The keys of what is shown.
    pub(crate) keys: Vec<String>,
    /// To which key each mutation wrote that writes to an element, by op and index.
    pub(crate) written: BTreeMap<(usize, u32), String>,
}

struct Slot {
    key: String,
    birth: bool,
    op: usize,
    index: u32,
    number: u32,
    right: Option<usize>,
    children: [Vec<usize>; 2],
}

/// A slot was taken back by an op.
struct Taken {
    slot: usize,
    op: usize,
}

#[derive(Default)]
struct Sequence {
    slots: Vec<Slot>,
    top: Vec<usize>,
    taken: Vec<Taken>,
}

impl Sequence {
    /// All slots, in their order.
    fn order(&self) -> Vec<usize> {
        let mut order = Vec::new();
        self.top.iter().for_each(|slot| self.visit(*slot, &mut order));
        order
    }

    fn visit(&self, slot: usize, order: &mut Vec<usize>) {
        self.slots[slot].children[0].iter().for_each(|child| self.visit(*child, order));
        order.push(slot);
        self.slots[slot].children[1].iter().for_each(|child| self.visit(*child, order));
    }

    /// The restored slots of what only void ops inserted: it stays away, though somebody restores it.
    fn absent(&self, restored: &[usize], is_void: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let of_void = |slot: &&usize| {
            let key = &self.slots[**slot].key;
            self.slots.iter().find(|slot| slot.key == *key).is_some_and(|first| is_void(first.op))
        };
        restored.iter().filter(of_void).copied().collect()
    }

    /// Slots where elements are, as `counts` has it which ops count.
    fn visible(&self, heights: &[u64], absent: &BTreeSet<usize>, counts: impl Fn(usize) -> bool) -> Vec<usize> {
        let gone = |slot: usize| self.taken.iter().any(|taken| taken.slot == slot && counts(taken.op));
        let stands = |slot: &usize| counts(self.slots[*slot].op) && !gone(*slot) && !absent.contains(slot);
        let place = |slot: &usize| {
            let Slot { op, index, number, .. } = self.slots[*slot];
            (heights[op], op_id(op), index, number)
        };
        let of = |key: String| (0..self.slots.len()).filter(move |slot| self.slots[*slot].key == key).filter(stands);
        let shown = |slot: &usize| {
            let key = || self.slots[*slot].key.clone();
            of(key()).any(|slot| self.slots[slot].birth) && of(key()).max_by_key(place) == Some(*slot)
        };
        self.order().into_iter().filter(|slot| stands(slot) && shown(slot)).collect()
    }

    /// What stands before this index among what is seen of other keys.
    fn without(&self, seen: &[usize], key: &str, to: u64) -> Option<usize> {
        let others: Vec<usize> = seen.iter().copied().filter(|slot| self.slots[*slot].key != key).collect();
        let to = usize::try_from(to).unwrap_or(usize::MAX).min(others.len());
        to.checked_sub(1).map(|before| others[before])
    }

    fn put(
        &mut self,
        left: Option<usize>,
        key: String,
        birth: bool,
        op: usize,
        index: u32,
        past: &BTreeSet<usize>,
    ) -> usize {
        let order = self.order();
        let known = |slot: &usize| past.contains(&self.slots[*slot].op);
        let behind = left.map_or(0, |left| order.iter().position(|slot| *slot == left).expect("it is there") + 1);
        let right = order[behind..].iter().copied().find(|slot| known(slot));
        let children = |parent: Option<usize>| parent.map_or(&self.top, |parent| &self.slots[parent].children[1]);
        let beside = !children(left).iter().any(known);
        let mine = self.slots.iter().filter(|slot| slot.op == op && slot.index == index).count();
        let new = Slot { key, birth, op, index, number: mine as u32, right, children: Default::default() };
        let place = |slot: Option<usize>| {
            slot.map_or(usize::MAX, |slot| order.iter().position(|other| *other == slot).expect("it is there"))
        };
        let rank = |slot: &Slot| {
            let by_right = if beside { usize::MAX - place(slot.right) } else { 0 };
            (by_right, op_id(slot.op), slot.index, slot.number)
        };
        let siblings = match (beside, right) {
            (true, _) => children(left),
            (false, right) => &self.slots[right.expect("a child is known")].children[0],
        };
        let at = siblings.iter().filter(|slot| rank(&self.slots[**slot]) < rank(&new)).count();
        let id = self.slots.len();
        self.slots.push(new);
        let siblings = match (beside, left, right) {
            (true, None, _) => &mut self.top,
            (true, Some(left), _) => &mut self.slots[left].children[1],
            (false, _, right) => &mut self.slots[right.expect("a child is known")].children[0],
        };
        siblings.insert(at, id);
        id
    }
}

/// What ops make of a list of which some are void, by definition.
pub(crate) fn run(ops: &[TestOp], voids: &BTreeSet<usize>, steps: impl Fn(&TestOp) -> Vec<(u32, Step)>) -> Read {
    let by_number: BTreeMap<usize, &TestOp> = ops.iter().map(|op| (op.number, op)).collect();
    let heights: Vec<u64> = (0..=by_number.keys().max().copied().unwrap_or(0))
        .map(|number| by_number.get(&number).map_or(0, |op| op.height))
        .collect();
    let (mut list, mut written, mut restored) = (Sequence::default(), BTreeMap::new(), Vec::new());
    for op in by_number.values() {
        let mut past = BTreeSet::from([op.number]);
        let mut pending: Vec<usize> = op.parents.iter().copied().collect();
        while let Some(next) = pending.pop() {
            if past.insert(next) {
                pending.extend(&by_number[&next].parents);
            }
        }
        let hidden: BTreeSet<usize> = past
            .iter()
            .filter(|other| **other != op.number)
            .flat_map(|other| &by_number[other].voids)
            .copied()
            .collect();
        for (index, step) in steps(op) {
            let counts = |other: usize| other == op.number || past.contains(&other) && !hidden.contains(&other);
            let absent = list.absent(&restored, |other| hidden.contains(&other));
            let seen = list.visible(&heights, &absent, counts);
            let at = |index: u64| usize::try_from(index).ok().and_then(|index| seen.get(index)).copied();
            let births = |key: &str, list: &Sequence| -> Vec<usize> {
                let gone = |slot: usize| list.taken.iter().any(|taken| taken.slot == slot && counts(taken.op));
                let all = (0..list.slots.len()).filter(|slot| list.slots[*slot].key == key && list.slots[*slot].birth);
                all.filter(|slot| counts(list.slots[*slot].op) && !gone(*slot)).collect()
            };
            match step {
                Step::Put { at, keys, birth } => {
                    let mut left = None;
                    for key in keys {
                        let behind = left.or_else(|| list.without(&seen, &key, at));
                        for slot in births(&key, &list) {
                            list.taken.push(Taken { slot, op: op.number });
                        }
                        left = Some(list.put(behind, key, birth, op.number, index, &past));
                    }
                }
                Step::Take { at: index } => {
                    let Some(slot) = at(index) else { continue };
                    let key = list.slots[slot].key.clone();
                    for slot in births(&key, &list) {
                        list.taken.push(Taken { slot, op: op.number });
                    }
                }
                Step::Move { from, to } => {
                    let Some(slot) = at(from) else { continue };
                    let key = list.slots[slot].key.clone();
                    let behind = list.without(&seen, &key, to);
                    list.put(behind, key, false, op.number, index, &past);
                }
                Step::Write { at: place } => {
                    if let Some(slot) = at(place) {
                        written.insert((op.number, index), list.slots[slot].key.clone());
                    }
                }
                Step::Restore { at, key } => {
                    if !seen.iter().any(|slot| list.slots[*slot].key == key) {
                        let behind = list.without(&seen, &key, at);
                        restored.push(list.put(behind, key, true, op.number, index, &past));
                    }
                }
            }
        }
    }
    let absent = list.absent(&restored, |op| voids.contains(&op));
    let shown = list.visible(&heights, &absent, |op| !voids.contains(&op));
    Read { keys: shown.into_iter().map(|slot| list.slots[slot].key.clone()).collect(), written }
}

/// What a mutation of a list does, an element being known by the op, the mutation and the number in it that it came by.
pub(crate) fn step<M>(op: OpId, index: u32, mutation: &ListMutation<M>) -> Step {
    let key = |number: usize| format!("{op}/{index}/{number}");
    match mutation {
        ListMutation::Insert { at, items } => {
            Step::Put { at: *at, keys: (0..items.len()).map(key).collect(), birth: true }
        }
        ListMutation::InsertEmpty { at } => Step::Put { at: *at, keys: vec![key(0)], birth: true },
        ListMutation::Remove { at } => Step::Take { at: *at },
        ListMutation::Move { from, to } => Step::Move { from: *from, to: *to },
        ListMutation::Restore { at, element } => {
            Step::Restore { at: *at, key: format!("{}/{}/{}", element.op, element.index, element.number) }
        }
        ListMutation::At { index, .. } => Step::Write { at: *index },
    }
}

fn voids(ops: &[TestOp]) -> BTreeSet<usize> {
    ops.iter().flat_map(|op| &op.voids).copied().collect()
}

fn decode(op: &TestOp) -> <Lists as Replica>::Mutations {
    op.draft.payload.as_ref().and_then(|payload| Lists::decode(payload).ok()).unwrap_or_default()
}

/// The names of the elements of `words`.
pub(super) fn words(ops: &[TestOp]) -> Vec<String> {
    let steps =
        |op: &TestOp| (0_u32..).zip(decode(op).0).map(|(index, says)| (index, step(op.id(), index, &says))).collect();
    run(ops, &voids(ops), steps).keys
}

/// The values of `names`.
pub(super) fn names(ops: &[TestOp]) -> Vec<String> {
    run(ops, &voids(ops), |op| {
        let steps = (0_u32..).zip(decode(op).1).map(|(index, mutation)| match mutation {
            UniqueListMutation::Insert { at, items } => (index, Step::Put { at, keys: items, birth: true }),
            UniqueListMutation::Remove { at } => (index, Step::Take { at }),
        });
        steps.collect()
    })
    .keys
}
