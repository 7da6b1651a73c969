//! Taking back what an op did to a list, as far as it still stands.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::class::OpContext;

use super::arrangement::{Arrangement, SHOWN};
use super::pieces::Item;
use super::records::EventKind;
use super::{List, ListEdit, ListMutation};
use crate::field::Field;

/// What puts elements back where they would be without an op.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The elements that go.
    pub(super) goes: BTreeSet<u32>,
    /// Those that come back or are moved, from front to back.
    pub(super) puts: Vec<Put>,
    /// The indexes of all those among them that are shown.
    displaced: BTreeSet<u32>,
}

/// An element that goes to where it was.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) element: u32,
    /// How many elements are shown before that slot.
    base: u32,
    /// What orders slots.
    place: u32,
}

/// What an element is put behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing: it comes first.
    Front,
    /// What has this index, and is not put elsewhere.
    Index(usize),
    /// What was put back before it.
    Last,
}

impl Plan {
    /// What each one is put behind, from front to back.
    pub(super) fn puts(&self) -> impl Iterator<Item = (u32, Behind)> {
        let mut last = 0;
        self.puts.iter().map(move |Put { element, base, .. }| {
            let stays = (0..*base).rev().find(|index| !self.displaced.contains(index));
            let after_last = std::mem::replace(&mut last, *base + 1);
            let behind = match stays {
                Some(index) if index + 2 > after_last => Behind::Index(index as usize),
                _ if after_last > 0 => Behind::Last,
                _ => Behind::Front,
            };
            (*element, behind)
        })
    }
}

/// Where an element would be without an op.
enum Without {
    In(u32),
    Nowhere,
}

impl Arrangement {
    /// What takes back the inserts, removes and moves of an op, whatever indexes they said. `was` names the slot in which an element was
    /// before the op; `returns` says whether what a mutation took out comes back.
    pub(super) fn plan(
        &self,
        op: &OpId,
        mutations: impl Iterator<Item = u32>,
        returns: impl Fn(u32) -> bool,
        was: impl Fn(u32) -> Option<u32>,
    ) -> Plan {
        let (mut plan, mut known) = (Plan::default(), BTreeSet::new());
        let events = mutations.flat_map(|index| self.written(op, index).collect::<Vec<_>>());
        for event in events.filter(|event| event.kind != EventKind::Write) {
            let element = self.slots[event.slot as usize].element;
            let returns = event.kind == EventKind::Take && returns(event.index);
            let Some(without) = self.without(op, element, returns, &was) else { continue };
            if !known.insert(element) {
                continue;
            }
            plan.displaced.extend(self.index(SHOWN, element));
            match without {
                Without::Nowhere => _ = plan.goes.insert(element),
                Without::In(slot) => {
                    let (base, place) = (self.shown_before(slot), self.place_of(slot));
                    plan.puts.push(Put { element, base, place });
                }
            }
        }
        plan.puts.sort_by_key(|put| put.place);
        plan
    }

    /// Where an element would be without an op that put it somewhere or took it out; none if that is where it is.
    fn without(&self, op: &OpId, element: u32, returns: bool, was: impl Fn(u32) -> Option<u32>) -> Option<Without> {
        let own = |slot: &u32| self.name(*slot).0 == *op;
        let others: Vec<u32> = self.standing(element).into_iter().filter(|slot| !own(slot)).collect();
        match self.visible(SHOWN, element) {
            None if returns => was(element).map(Without::In),
            None => None,
            // Others have put it in, too.
            Some(slot) if others.iter().any(|other| self.slots[*other as usize].birth) => {
                others.last().filter(|_| own(&slot)).map(|other| Without::In(*other))
            }
            Some(_) => Some(was(element).map_or(Without::Nowhere, Without::In)),
        }
    }
}

impl<F: Field> List<F> {
    /// What was written to elements that are there first, while they are where they are.
    pub(super) fn undo_in_turn(
        &self,
        mutations: &[(u32, &ListMutation<F::Mutation>)],
        op: &OpContext<'_>,
        before: &Self,
    ) -> Vec<ListMutation<F::Mutation>> {
        let was = |element| {
            let slot = before.arrangement.visible(SHOWN, before.named(&self.id(element))?)?;
            self.arrangement.named(before.arrangement.name(slot))
        };
        let plan = self.arrangement.plan(&op.id, mutations.iter().map(|(index, _)| *index), |_| true, was);
        let mut edit = ListEdit::new(self);
        for (element, inner) in self.writes(mutations, op) {
            // What goes keeps its content: it may come back.
            if !plan.goes.contains(&element) {
                self.undo_writes(&mut edit, element, &inner, op, before);
            }
        }
        self.carry_out(&plan, &mut edit);
        edit.into_recorded().mutations
    }

    fn carry_out(&self, plan: &Plan, edit: &mut ListEdit<'_, F>) {
        let item = |element: u32| self.arrangement.index(SHOWN, element).map(|index| Item::Base(index as usize));
        for element in &plan.goes {
            let now = item(*element).and_then(|item| edit.index_of_item(item));
            now.map(|now| edit.remove(now));
        }
        let mut last = None;
        for (element, behind) in plan.puts() {
            let behind = match behind {
                Behind::Front => None,
                Behind::Index(index) => Some(Item::Base(index)),
                Behind::Last => last,
            };
            let to = behind.and_then(|item| edit.index_of_item(item)).map_or(0, |now| now + 1);
            let shown = item(element);
            last = match shown.and_then(|item| edit.index_of_item(item)) {
                None => Some(edit.restore(to, self.id(element))),
                Some(now) => {
                    // Places are counted without the element itself.
                    edit.move_to(now, if to > now { to - 1 } else { to });
                    shown
                }
            };
        }
    }

    /// What an op wrote to each element.
    fn writes<'m>(
        &self,
        mutations: &[(u32, &'m ListMutation<F::Mutation>)],
        op: &OpContext<'_>,
    ) -> BTreeMap<u32, Vec<(u32, &'m F::Mutation)>> {
        let mut writes: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for (index, mutation) in mutations {
            if let ListMutation::At { inner, .. } = mutation
                && let Some(event) = self.arrangement.written(&op.id, *index).next()
            {
                let element = self.arrangement.slots[event.slot as usize].element;
                writes.entry(element).or_default().push((*index, inner));
            }
        }
        writes
    }

    fn undo_writes(
        &self,
        edit: &mut ListEdit<'_, F>,
        element: u32,
        inner: &[(u32, &F::Mutation)],
        op: &OpContext<'_>,
        before: &Self,
    ) {
        let (Some(now), Some(content)) = (self.arrangement.index(SHOWN, element), self.content(element)) else {
            return;
        };
        let earlier = before.named(&self.id(element)).and_then(|element| before.content(element));
        for inner in content.undo_all(inner, op, earlier.unwrap_or_else(|| before.blank())) {
            edit.write(now as usize, inner);
        }
    }
}
