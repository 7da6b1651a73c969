//! The order of a ledger's entries: firm cuts one behind the other, and fork choice between them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;

use super::cuts::{Cuts, EMPTY};
use super::number;

/// What fork choice asks of an op with entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    pub(super) id: OpId,
    /// How many entries it has.
    pub(super) weight: u64,
    /// The cut that it knew.
    pub(super) below: u32,
}

/// The ops of an order, and the firm cuts that it begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) ops: Vec<u32>,
    /// Each with how many ops stand in it and before it.
    pub(super) blocks: Vec<(u32, usize)>,
}

impl Order {
    /// How many ops stand in firm cuts.
    pub(super) fn settled(&self) -> usize {
        self.blocks.last().map_or(0, |(_, end)| *end)
    }

    /// The order now; what it has in common with `old` at the start is not made again.
    pub(super) fn new(
        old: Self,
        cuts: &Cuts,
        firm: &BTreeSet<(u32, u32)>,
        count: usize,
        op: &dyn Fn(u32) -> Weighed,
    ) -> Self {
        let firm = sorted(cuts, firm, op);
        let same = old.blocks.iter().zip(&firm).take_while(|((old, _), new)| old == *new).count();
        let mut order = old;
        order.blocks.truncate(same);
        order.ops.truncate(order.settled());
        let mut placed = vec![false; count];
        order.ops.iter().for_each(|op| placed[*op as usize] = true);
        for cut in &firm[same..] {
            order.extend(block(cuts, *cut, &placed, op), &mut placed, cuts, op);
            order.blocks.push((*cut, order.ops.len()));
        }
        let rest = (0..number(count)).filter(|op| !placed[*op as usize]).collect();
        order.extend(rest, &mut placed, cuts, op);
        order
    }

    fn extend(&mut self, block: Vec<u32>, placed: &mut [bool], cuts: &Cuts, op: &dyn Fn(u32) -> Weighed) {
        let chosen = fork_choice(block, cuts, op);
        chosen.iter().for_each(|op| placed[*op as usize] = true);
        self.ops.extend(chosen);
    }
}

/// The smaller before the larger, so that one that lies in another comes first.
fn sorted(cuts: &Cuts, firm: &BTreeSet<(u32, u32)>, op: &dyn Fn(u32) -> Weighed) -> Vec<u32> {
    let ids = |cut: u32| {
        let mut ids: Vec<OpId> = cuts.get(cut).ends.iter().map(|end| op(*end).id).collect();
        ids.sort_unstable();
        ids
    };
    let mut sorted: Vec<(u32, u32)> = firm.iter().copied().collect();
    // Of the same size are only those of which every writer has vouched for both, beside each other.
    for same in sorted.chunk_by_mut(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        same.sort_by_cached_key(|(_, cut)| ids(*cut));
    }
    sorted.into_iter().map(|(_, cut)| cut).collect()
}

/// What is in a cut and has no place yet, ascending.
fn block(cuts: &Cuts, cut: u32, placed: &[bool], op: &dyn Fn(u32) -> Weighed) -> Vec<u32> {
    let (mut found, mut pending, mut seen) = (BTreeSet::new(), vec![cut], BTreeSet::from([EMPTY, cut]));
    while let Some(next) = pending.pop() {
        for end in cuts.get(next).ends.iter().filter(|end| !placed[**end as usize]) {
            let below = op(*end).below;
            if found.insert(*end) && seen.insert(below) {
                pending.push(below);
            }
        }
    }
    found.into_iter().collect()
}

/// From the heads downward the branch with the longer chain of entries first, of equally long ones that of the lesser op id;
/// each op after everything below it.
pub(super) fn fork_choice(block: Vec<u32>, cuts: &Cuts, op: &dyn Fn(u32) -> Weighed) -> Vec<u32> {
    let place = |op: &u32| block.binary_search(op).ok();
    // Ops are numbered after what is below them.
    let (mut chains, mut below_chains) = (Vec::with_capacity(block.len()), BTreeMap::new());
    let mut is_head = vec![true; block.len()];
    for number in &block {
        let Weighed { weight, below, .. } = op(*number);
        let longest: u64 = *below_chains.entry(below).or_insert_with(|| {
            let ends = cuts.get(below).ends.iter().filter_map(place);
            ends.inspect(|end| is_head[*end] = false).map(|end| chains[end]).max().unwrap_or(0)
        });
        chains.push(longest + weight);
    }
    let heaviest_last = |mut places: Vec<usize>| {
        places.sort_by_key(|place| Reverse((Reverse(chains[*place]), op(block[*place]).id)));
        places
    };
    let heads = (0..block.len()).filter(|place| is_head[*place]).collect();
    let mut pending: Vec<(usize, bool)> = heaviest_last(heads).into_iter().map(|head| (head, false)).collect();
    let (mut order, mut entered, mut opened) =
        (Vec::with_capacity(block.len()), vec![false; block.len()], BTreeSet::new());
    while let Some((place_of, is_left)) = pending.pop() {
        if is_left {
            order.push(block[place_of]);
            continue;
        }
        if std::mem::replace(&mut entered[place_of], true) {
            continue;
        }
        pending.push((place_of, true));
        let below = op(block[place_of]).below;
        if opened.insert(below) {
            let ends = cuts.get(below).ends.iter().filter_map(place).collect();
            pending.extend(heaviest_last(ends).into_iter().map(|end| (end, false)));
        }
    }
    order
}
