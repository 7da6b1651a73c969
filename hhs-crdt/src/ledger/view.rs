//! What the machine of a ledger makes of its entries in their order.

use super::order::Order;
use super::{Machine, Rejection, Written};

/// States that are kept on the way, so that not all has to be gone through again when the order changes: at most this many,
/// closer to each other towards the end.
const KEPT: usize = 24;

/// The entries in an order, with what came of each.
#[derive(Debug)]
pub(super) struct View<M: Machine> {
    pub(super) order: Order,
    /// For each op of the order, how many entries stand before it.
    pub(super) starts: Vec<usize>,
    /// For each entry in the order.
    pub(super) outcomes: Vec<Option<Rejection>>,
    pub(super) state: M::State,
    /// The state behind the ops that are settled.
    pub(super) settled: M::State,
    /// States before some ops of the order, ascending.
    kept: Vec<(usize, M::State)>,
}

impl<M: Machine> View<M> {
    pub(super) fn new() -> Self {
        Self {
            order: Order::default(),
            starts: Vec::new(),
            outcomes: Vec::new(),
            state: M::start(),
            settled: M::start(),
            kept: vec![(0, M::start())],
        }
    }

    /// How many entries are settled.
    pub(super) fn settled_count(&self) -> usize {
        self.starts.get(self.order.settled()).copied().unwrap_or(self.outcomes.len())
    }

    /// The number of the first entry that stands elsewhere in an order than in this one, if that has one there.
    pub(super) fn first_difference(&self, order: &Order, written: &[Written<M::Entry>]) -> Option<usize> {
        self.starts.get(self.same(order, written)).copied()
    }

    /// How many ops stand where they stood, with as many entries as they had.
    fn same(&self, order: &Order, written: &[Written<M::Entry>]) -> usize {
        let end = self.outcomes.len();
        let ends = self.starts.iter().skip(1).chain([&end]);
        let sizes = self.starts.iter().zip(ends).map(|(start, end)| end - start);
        let both = self.order.ops.iter().zip(&order.ops).zip(sizes);
        both.take_while(|((a, b), size)| a == b && written[**a as usize].entries.len() == *size).count()
    }

    /// Goes over to another order; what they have in common at the start is kept.
    pub(super) fn go_over(&mut self, order: Order, written: &[Written<M::Entry>]) {
        let same = self.same(&order, written);
        let settled_before = self.order.settled();
        if same < self.order.ops.len() {
            self.go_back(same);
        }
        let resume = self.starts.len();
        self.order = order;
        for place in resume..self.order.ops.len() {
            self.fold(place, written);
        }
        let settled = self.order.settled();
        let (from, mut state) = match settled_before <= settled.min(same) {
            true => (settled_before, self.settled.clone()),
            false => self.kept_before(settled).clone(),
        };
        for place in from..settled {
            for (_, entry) in &written[self.order.ops[place] as usize].entries {
                let _outcome = M::apply(&mut state, entry, &written[self.order.ops[place] as usize].author);
            }
        }
        self.settled = state;
    }

    /// More of the order is settled, which stays as it is; each cut with how many ops stand in it and before it.
    pub(super) fn settle(&mut self, blocks: impl Iterator<Item = (u32, usize)>, written: &[Written<M::Entry>]) {
        let before = self.order.settled();
        self.order.blocks.extend(blocks);
        for op in &self.order.ops[before..self.order.settled()] {
            let op = &written[*op as usize];
            for (_, entry) in &op.entries {
                let _outcome = M::apply(&mut self.settled, entry, &op.author);
            }
        }
    }

    /// An op that stands behind all others has one more entry, its first or another.
    pub(super) fn append(&mut self, op: u32, written: &[Written<M::Entry>]) {
        if self.order.ops.last() == Some(&op) {
            let op = &written[op as usize];
            if let Some((_, entry)) = op.entries.last() {
                self.outcomes.push(M::apply(&mut self.state, entry, &op.author).err());
            }
        } else {
            self.order.ops.push(op);
            self.fold(self.order.ops.len() - 1, written);
        }
    }

    fn fold(&mut self, place: usize, written: &[Written<M::Entry>]) {
        self.keep(place);
        let op = &written[self.order.ops[place] as usize];
        self.starts.push(self.outcomes.len());
        for (_, entry) in &op.entries {
            self.outcomes.push(M::apply(&mut self.state, entry, &op.author).err());
        }
    }

    /// Back to the last state that is kept at or before an op of the order.
    fn go_back(&mut self, place: usize) {
        let (place, state) = self.kept_before(place).clone();
        self.kept.retain(|(kept, _)| *kept <= place);
        self.outcomes.truncate(self.starts.get(place).copied().unwrap_or(self.outcomes.len()));
        self.starts.truncate(place);
        self.state = state;
    }

    fn kept_before(&self, place: usize) -> &(usize, M::State) {
        let behind = self.kept.partition_point(|(kept, _)| *kept <= place);
        &self.kept[behind - 1]
    }

    fn keep(&mut self, place: usize) {
        if self.kept.last().is_none_or(|(kept, _)| kept + 32 <= place) {
            self.kept.push((place, self.state.clone()));
        }
        if self.kept.len() > KEPT {
            // The one whose neighbours are closest, measured by how far they are from the end. The first one stays.
            let waste = |at: &usize| {
                let gap = self.kept[at + 1].0 - self.kept[at - 1].0;
                (gap * 1024 / (place + 32 - self.kept[*at].0), *at)
            };
            if let Some(at) = (1..self.kept.len() - 1).min_by_key(waste) {
                self.kept.remove(at);
            }
        }
    }
}
