//! A ledger as a field: how entries, ops and writers come in.

use hhs_model::authority::Holders;
use hhs_model::class::{Action, Changes, LoadError, Loader, OpContext, Saver, event_value};
use hhs_model::op::Capability;

use super::{Ledger, Machine, Order, View, Weighed, Written, number};
use crate::edit::Edit;
use crate::field::{At, Field, Recorded};

impl<M: Machine> Field for Ledger<M> {
    const OBSERVES: bool = true;

    type Mutation = M::Entry;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, entry: M::Entry, at: At<'_>, changes: &mut Changes) {
        self.listen(changes);
        changes.report(|| Action::Inserted { value: event_value(&entry) });
        self.enter(entry, at);
        let last = number(self.written.len() - 1);
        if self.has_all(self.cuts.known(at.op.position)) {
            // It stands behind all others.
            if let Some(view) = self.view.get_mut() {
                view.append(last, &self.written);
            }
        } else {
            self.reorder(changes);
        }
    }

    fn observe(&mut self, op: &OpContext<'_>, changes: &mut Changes) {
        if self.written.is_empty() {
            return;
        }
        self.listen(changes);
        self.cuts.look(op.graph, op.position + 1, &self.positions);
        let known = self.cuts.known(op.position);
        let is_new_writer = !self.cuts.authors.contains_key(&op.author) && self.writers.contains(&op.author);
        let firm = self.cuts.vouch(op.author, known);
        if is_new_writer {
            self.ask_writers(changes);
        } else if !firm.is_empty() {
            self.settle(firm, known, changes);
        }
    }

    fn authorise(&mut self, holders: &Holders, changes: &mut Changes) {
        if !self.writers.iter().eq(holders.of(Capability::WRITE)) {
            self.listen(changes);
            self.writers = holders.of(Capability::WRITE).copied().collect();
            self.ask_writers(changes);
        }
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<M::Entry> {
        edit.into_recorded()
    }

    /// Nothing: what was entered stays. What takes it back is an entry that the machine has for that.
    fn undo(&self, _mutation: &M::Entry, _at: At<'_>, _before: &Self) -> Vec<M::Entry> {
        Vec::new()
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        if changes.is_watched() {
            self.report(newer, changes);
        }
    }

    fn save(&self, saver: &mut Saver) {
        self.save_all(saver);
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        Self::load_all(loader)
    }
}

impl<M: Machine> Ledger<M> {
    /// Who listens wants to know what is different: what there is now has to be known for that.
    fn listen(&self, changes: &Changes) {
        if changes.is_watched() {
            self.view();
        }
    }

    fn enter(&mut self, entry: M::Entry, at: At<'_>) {
        let op = at.op;
        if self.positions.last() == Some(&op.position) {
            self.written
                .iter_mut()
                .next_back()
                .into_iter()
                .for_each(|last| last.entries.push((at.index, entry.clone())));
            return;
        }
        self.cuts.look(op.graph, op.position, &self.positions);
        let below = self.cuts.below(op.graph, op.position, &self.positions);
        let cut = self.cuts.with(below, number(self.written.len()));
        self.cuts.set_known(cut);
        self.positions.push(op.position);
        let entries = vec![(at.index, entry)];
        self.written.push(Written { id: op.id, author: op.author, time: op.time, entries, below });
    }

    /// Whether all entries that there are lie in a cut.
    fn has_all(&self, cut: u32) -> bool {
        self.cuts.get(cut).size as usize == self.written.len()
    }

    /// Everybody has vouched for more cuts, all of which are clean in the known one.
    fn settle(&mut self, mut firm: Vec<u32>, known: u32, changes: &mut Changes) {
        let mut sized: Vec<(u32, u32)> = firm.drain(..).map(|cut| (self.cuts.get(cut).size, cut)).collect();
        sized.sort_unstable();
        self.firm.extend(&sized);
        let Some(view) = self.view.get_mut() else { return };
        let has_all = self.cuts.get(known).size as usize == self.written.len();
        if !has_all || sized[0].0 as usize <= view.order.settled() {
            return self.reorder(changes);
        }
        // Clean cuts in all that there is: fork choice has put them one behind the other already.
        view.settle(sized.into_iter().map(|(size, cut)| (cut, size as usize)), &self.written);
        let count = view.settled_count() as u64;
        changes.report(|| Action::Settled { count });
    }

    /// Finds out anew for which cuts everybody has vouched who may write.
    fn ask_writers(&mut self, changes: &mut Changes) {
        let firm = self.cuts.set_writers(self.writers.iter());
        let firm = firm.into_iter().map(|cut| (self.cuts.get(cut).size, cut)).collect();
        if self.firm != firm {
            self.firm = firm;
            self.reorder(changes);
        }
    }

    /// The order may be another one: it is made again when somebody asks, or now if somebody listens.
    fn reorder(&mut self, changes: &mut Changes) {
        let Some(view) = self.view.take() else { return };
        if !changes.is_watched() {
            self.stale = Some(view).into();
            return;
        }
        let order = self.new_order(&view);
        let (from, settled) = (view.first_difference(&order, &self.written), view.settled_count());
        let mut view = view;
        view.go_over(order, &self.written);
        if let Some(from) = from {
            changes.report(|| Action::Reordered { from: from as u64 });
        }
        if view.settled_count() != settled {
            changes.report(|| Action::Settled { count: view.settled_count() as u64 });
        }
        self.view = view.into();
    }

    pub(super) fn new_order(&self, view: &View<M>) -> Order {
        let weighed = |op: u32| {
            let op = &self.written[op as usize];
            Weighed { id: op.id, weight: op.entries.len() as u64, below: op.below }
        };
        Order::new(view.order.clone(), &self.cuts, &self.firm, self.written.len(), &weighed)
    }

    fn report(&self, newer: &Self, changes: &mut Changes) {
        let key = |ledger: &Self| ledger.iter().map(|entry| (entry.op, entry.index)).collect::<Vec<_>>();
        let (old, new) = (key(self), key(newer));
        let sorted = |keys: &[_]| keys.iter().copied().collect::<std::collections::BTreeSet<_>>();
        let (in_old, in_new) = (sorted(&old), sorted(&new));
        for entry in self.iter().filter(|entry| !in_new.contains(&(entry.op, entry.index))) {
            changes.report(|| Action::Withdrawn { value: event_value(entry.value) });
        }
        for entry in newer.iter().filter(|entry| !in_old.contains(&(entry.op, entry.index))) {
            changes.report(|| Action::Inserted { value: event_value(entry.value) });
        }
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        if same < old.len() {
            changes.report(|| Action::Reordered { from: same as u64 });
        }
        if self.settled_len() != newer.settled_len() {
            changes.report(|| Action::Settled { count: newer.settled_len() as u64 });
        }
    }
}
