//! The places of a list's elements, as every version of its history has them: a walk over the event graph.
//!
//! After "Collaborative Text Editing with Eg-walker" (Gentle, Kleppmann, 2024) with the order of "The Art of the Fugue"
//! (Weidner, Kleppmann, 2023). Ops say plain indexes. What these mean is found in the list as their author saw it, which is
//! kept beside the list as it is shown: to apply an op, what is not in its past is taken out of the former, and what is
//! missing put in. Every insert and every move makes a *slot* in one sequence of all slots; an element shows in its latest slot.
//!
//! Cost: logarithmic time for each mutation, and for each that lies between the version of the op before and an op's own.
//! Memory for all slots that there ever were.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::class::{Action, Changes, OpContext};
use hhs_model::history::SharedPositions;

use super::records::{Event, EventKind, Record, Status};
use super::siblings::{Siblings, Side};
use super::tree::{Tree, number};
use crate::field::Position;

/// Of the slots that the version has in its past: where the next one goes.
const KNOWN: usize = 0;
/// Of those where an element is in that version: what indexes count.
pub(super) const SEEN: usize = 1;
/// Of those where an element is shown.
pub(super) const SHOWN: usize = 2;

/// The slot before all others, in which no element is.
pub(super) const FRONT: u32 = 0;
pub(super) const NONE: u32 = u32::MAX;

/// How many concurrent inserts of one element a remove takes back: what bounds the work of a mutation. Nobody has that many
/// but on purpose; what is left shows again.
pub(super) const MAX_TAKEN: usize = 16;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Arrangement {
    /// The ops that wrote to the list, by their positions, ascending.
    pub(super) records: Vec<Record>,
    by_op: BTreeMap<OpId, u32>,
    pub(super) events: Vec<Event>,
    pub(super) slots: Vec<Slot>,
    pub(super) elements: Vec<Element>,
    tree: Tree,
    children: BTreeMap<(u32, Side), Siblings>,
    /// The version that is seen: its heads, and what is hidden in it.
    pub(super) version: Vec<u64>,
    pub(super) hidden: SharedPositions,
    /// Whether an element is there by the slot that it came by first: all later ones only put it in again. Otherwise each slot that
    /// makes it be there does so by itself.
    pub(super) rests_on_first: bool,
}

/// A place that an element has, or had.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    /// Of the op that made it.
    pub(super) record: u32,
    pub(super) index: u32,
    /// Which of the slots of the mutation it is.
    pub(super) number: u32,
    pub(super) element: u32,
    /// Whether it is what makes the element be there; otherwise it only says where.
    pub(super) birth: bool,
    /// In the tree of Fugue.
    pub(super) parent: u32,
    pub(super) side: Side,
    /// What followed it when it was made.
    pub(super) right: u32,
    /// How many slots that the version knows are its right children.
    known_right: u32,
    status: Status,
    views: [View; 2],
}

/// A slot as one of the two lists has it: the seen one, and the shown one.
#[derive(Debug, Clone, Copy, Default)]
struct View {
    placed: bool,
    taken: u32,
}

impl View {
    fn stands(self) -> bool {
        self.placed && self.taken == 0
    }
}

/// An element: where it is seen and shown.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// Its first slot.
    pub(super) first: u32,
    visible: [u32; 2],
    /// Once it has more than one slot: those that stand.
    many: [Option<Box<Standing>>; 2],
}

#[derive(Debug, Clone, Default)]
struct Standing {
    /// In the order of their positions.
    slots: BTreeSet<(Position, u32, u32)>,
    /// Of them, those that make the element be there.
    births: BTreeSet<(Position, u32, u32)>,
}

impl Standing {
    fn set(&mut self, key: (Position, u32, u32), birth: bool, stands: bool) {
        for (set, belongs) in [(&mut self.slots, true), (&mut self.births, birth)] {
            match stands && belongs {
                true => set.insert(key),
                false => set.remove(&key),
            };
        }
    }
}

impl Default for Arrangement {
    fn default() -> Self {
        let front = Slot {
            record: NONE,
            index: 0,
            number: 0,
            element: NONE,
            birth: false,
            parent: FRONT,
            side: Side::Right,
            right: NONE,
            known_right: 0,
            status: Status::Absent,
            views: [View::default(); 2],
        };
        let mut tree = Tree::new();
        let begin = tree.insert_after(None);
        let middle = tree.insert_after(Some(begin));
        tree.insert_after(Some(middle));
        Self {
            records: Vec::new(),
            by_op: BTreeMap::new(),
            events: Vec::new(),
            slots: vec![front],
            elements: Vec::new(),
            tree,
            children: BTreeMap::new(),
            version: Vec::new(),
            hidden: SharedPositions::EMPTY,
            rests_on_first: false,
        }
    }
}

/// What is asked and done while an op is applied.
impl Arrangement {
    /// Makes the list that an op's author saw the one that is seen. The op's own earlier mutations are in it.
    pub(super) fn enter(&mut self, op: &OpContext<'_>, effective: bool) {
        if self.records.last().is_some_and(|record| record.position >= op.position) {
            return;
        }
        self.check_out(op);
        self.by_op.insert(op.id, number(self.records.len()));
        let events = number(self.events.len());
        let (position, height, id) = (op.position, op.height, op.id);
        self.records.push(Record { position, height, id, effective, status: Status::Effective, events });
        self.version = vec![op.position];
    }

    /// How many elements are seen or shown.
    pub(super) fn len(&self, measure: usize) -> u32 {
        self.tree.count(measure)
    }

    /// The element with this index.
    pub(super) fn element(&self, measure: usize, index: u32) -> Option<u32> {
        let slot = self.tree.find(measure, index)? / 3;
        Some(self.slots[slot as usize].element)
    }

    /// The elements that are shown, from an index on.
    pub(super) fn iter(&self, from: u32) -> impl ExactSizeIterator<Item = u32> {
        self.tree.iter(SHOWN, from).map(|token| self.slots[token as usize / 3].element)
    }

    /// The index of an element, if it is seen or shown.
    pub(super) fn index(&self, measure: usize, element: u32) -> Option<u32> {
        let slot = self.visible(measure, element)?;
        Some(self.tree.rank(middle(slot), measure))
    }

    /// How many elements are shown before a slot.
    pub(super) fn shown_before(&self, slot: u32) -> u32 {
        self.tree.rank(middle(slot), SHOWN)
    }

    /// Where a slot stands among all that there ever were, and more: what orders slots.
    pub(super) fn place_of(&self, slot: u32) -> u32 {
        self.tree.place(middle(slot))
    }

    /// The slots of an element that stand in what is shown, by their positions.
    pub(super) fn standing(&self, element: u32) -> Vec<u32> {
        match &self.elements[element as usize].many[SHOWN - SEEN] {
            None => self.visible(SHOWN, element).into_iter().collect(),
            Some(standing) => standing.slots.iter().map(|(_, _, slot)| *slot).collect(),
        }
    }

    /// The slot in which an element is seen or shown.
    pub(super) fn visible(&self, measure: usize, element: u32) -> Option<u32> {
        let slot = self.elements[element as usize].visible[measure - SEEN];
        (slot != NONE).then_some(slot)
    }

    /// The slot behind which an insert at an index goes.
    pub(super) fn left_of(&self, index: u64) -> u32 {
        let index = u32::try_from(index).unwrap_or(NONE).min(self.len(SEEN));
        match index.checked_sub(1) {
            None => FRONT,
            Some(before) => self.tree.find(SEEN, before).map_or(FRONT, |token| token / 3),
        }
    }

    /// The slot behind which an element goes that is to have this index once it is taken out where it is.
    pub(super) fn left_without(&self, element: u32, index: u64) -> u32 {
        match self.index(SEEN, element) {
            Some(here) if index > u64::from(here) => self.left_of(index.saturating_add(1)),
            _ => self.left_of(index),
        }
    }

    /// A new element.
    pub(super) fn add(&mut self) -> u32 {
        self.elements.push(Element { first: NONE, visible: [NONE; 2], many: [None, None] });
        number(self.elements.len() - 1)
    }

    /// Makes a slot for an element behind another slot, for the op that was [entered](Self::enter).
    pub(super) fn place(&mut self, left: u32, element: u32, birth: bool, index: u32, shown: bool) -> u32 {
        let from = self.tree.rank(middle(left), KNOWN) + u32::from(self.tree.has(middle(left), KNOWN));
        let right = self.tree.find(KNOWN, from).map_or(NONE, |token| token / 3);
        let beside = self.slots[left as usize].known_right == 0 || right == NONE;
        let (parent, side) = if beside { (left, Side::Right) } else { (right, Side::Left) };
        let slots = self.events.iter().rev().take_while(|event| event.index == index);
        let record = number(self.records.len() - 1);
        let mine = number(self.events.len()) - self.records[record as usize].events;
        let slots = slots.take(mine as usize).filter(|event| event.kind == EventKind::Place);
        // Those of one mutation stand at the end, the last of them first.
        let number_in = slots.map(|event| self.slots[event.slot as usize].number + 1).next().unwrap_or(0);
        let views = [View::default(); 2];
        let status = Status::Absent;
        let slot = Slot {
            record,
            index,
            number: number_in,
            element,
            birth,
            parent,
            side,
            right,
            known_right: 0,
            status,
            views,
        };
        let slot = self.integrate(slot);
        self.happen(Event { index, slot, kind: EventKind::Place }, shown);
        slot
    }

    /// Takes back what makes an element be there in the version that is seen.
    pub(super) fn take(&mut self, element: u32, index: u32) {
        let standing = match &self.elements[element as usize].many[0] {
            None => self.visible(SEEN, element).into_iter().collect(),
            Some(standing) => {
                standing.births.iter().rev().map(|(_, _, slot)| *slot).take(MAX_TAKEN).collect::<Vec<_>>()
            }
        };
        for slot in standing {
            self.happen(Event { index, slot, kind: EventKind::Take }, true);
        }
    }

    /// Takes note that the content of an element is written to where it is seen.
    pub(super) fn touch(&mut self, element: u32, index: u32) {
        if let Some(slot) = self.visible(SEEN, element) {
            self.happen(Event { index, slot, kind: EventKind::Write }, true);
        }
    }

    fn happen(&mut self, event: Event, shown: bool) {
        self.events.push(event);
        self.note(event, Status::Absent, Status::Effective);
        if shown && self.records.last().is_some_and(|record| record.effective) {
            self.show(event);
        }
    }

    fn check_out(&mut self, op: &OpContext<'_>) {
        let parents = op.graph.parents(op.position);
        let (gone, come) = op.graph.difference(&self.version, parents.as_slice());
        for range in gone.ranges() {
            self.records_in(range).for_each(|record| self.set_status(record, Status::Absent));
        }
        for range in come.ranges() {
            self.records_in(range).for_each(|record| {
                let hidden = op.hidden.contains(self.records[record].position);
                self.set_status(record, if hidden { Status::Hidden } else { Status::Effective });
            });
        }
        for range in self.hidden.differing(op.hidden) {
            self.records_in(&range).for_each(|record| {
                let hidden = op.hidden.contains(self.records[record].position);
                if self.records[record].status != Status::Absent {
                    self.set_status(record, if hidden { Status::Hidden } else { Status::Effective });
                }
            });
        }
        self.hidden = op.hidden.clone();
    }

    fn records_in(&self, range: &std::ops::Range<u64>) -> std::ops::Range<usize> {
        let first = self.records.partition_point(|record| record.position < range.start);
        let end = self.records.partition_point(|record| record.position < range.end);
        first..end.max(first)
    }

    fn set_status(&mut self, record: usize, to: Status) {
        let from = std::mem::replace(&mut self.records[record].status, to);
        if from != to {
            for event in self.events_of(record) {
                self.note(self.events[event], from, to);
            }
        }
    }

    /// The events of an op.
    pub(super) fn events_of(&self, record: usize) -> std::ops::Range<usize> {
        let end = self.records.get(record + 1).map_or(self.events.len(), |next| next.events as usize);
        self.records[record].events as usize..end
    }

    /// What an event does to what is seen when its op changes its status.
    pub(super) fn note(&mut self, event: Event, from: Status, to: Status) {
        let counts = [from, to].map(|status| status == Status::Effective);
        let slot = &mut self.slots[event.slot as usize];
        let view = &mut slot.views[0];
        let stood = view.stands();
        match event.kind {
            EventKind::Place => {
                slot.status = to;
                view.placed = counts[1];
                let (known, parent, side) = (to != Status::Absent, slot.parent, slot.side);
                if known != (from != Status::Absent) {
                    self.tree.set(middle(event.slot), KNOWN, known);
                    if side == Side::Right {
                        let children = &mut self.slots[parent as usize].known_right;
                        *children = if known { *children + 1 } else { *children - 1 };
                    }
                }
            }
            EventKind::Take if counts[1] && !counts[0] => view.taken += 1,
            EventKind::Take if counts[0] && !counts[1] => view.taken -= 1,
            EventKind::Take | EventKind::Write => {}
        }
        self.refresh(event.slot, 0, stood);
        if event.kind == EventKind::Place && (from == Status::Hidden) != (to == Status::Hidden) {
            self.look_again(event.slot);
        }
    }

    /// What an effective event does to what is shown.
    pub(super) fn show(&mut self, event: Event) {
        let view = &mut self.slots[event.slot as usize].views[1];
        let stood = view.stands();
        match event.kind {
            EventKind::Place => view.placed = true,
            EventKind::Take => view.taken += 1,
            EventKind::Write => {}
        }
        self.refresh(event.slot, 1, stood);
    }

    /// Finds out where an element is, one of its slots having changed.
    fn refresh(&mut self, slot: u32, view: usize, stood: bool) {
        let Slot { element, birth, ref views, .. } = self.slots[slot as usize];
        let stands = views[view].stands();
        if stood == stands {
            return;
        }
        let key = self.key(slot);
        if let Some(standing) = &mut self.elements[element as usize].many[view] {
            standing.set(key, birth, stands);
        }
        let alone = if stands { slot } else { NONE };
        let visible = self.uppermost(element, view).unwrap_or(alone);
        self.set_visible(element, view, visible);
    }

    /// The slot in which an element of several slots is, or that it is nowhere. Whatever puts an element in again is nothing to who
    /// does not see that it ever was: in what is shown it was left out from the start.
    fn uppermost(&self, element: u32, view: usize) -> Option<u32> {
        let Element { first, many, .. } = &self.elements[element as usize];
        let standing = many[view].as_deref()?;
        let is_unknown = view == 0 && self.rests_on_first && self.slots[*first as usize].status == Status::Hidden;
        let slot = standing.slots.last().filter(|_| !standing.births.is_empty() && !is_unknown);
        Some(slot.map_or(NONE, |(_, _, slot)| *slot))
    }

    /// The slot by which an element came to be has come to be hidden, or is no more.
    fn look_again(&mut self, slot: u32) {
        let element = self.slots[slot as usize].element;
        if self.elements[element as usize].first == slot
            && let Some(visible) = self.uppermost(element, 0)
        {
            self.set_visible(element, 0, visible);
        }
    }

    fn set_visible(&mut self, element: u32, view: usize, visible: u32) {
        let before = std::mem::replace(&mut self.elements[element as usize].visible[view], visible);
        for (slot, on) in [(before, false), (visible, true)] {
            if slot != NONE {
                self.tree.set(middle(slot), SEEN + view, on);
            }
        }
    }

    fn key(&self, slot: u32) -> (Position, u32, u32) {
        let Slot { record, index, number, .. } = self.slots[slot as usize];
        let Record { height, id, .. } = self.records[record as usize];
        (Position { height, op: id, index }, number, slot)
    }
}

impl Arrangement {
    /// Reports where an element is now that was elsewhere, or not there.
    pub(super) fn report(&self, element: u32, before: Option<u32>, changes: &mut Changes) {
        if !changes.is_watched() {
            return;
        }
        match (before, self.index(SHOWN, element)) {
            (Some(from), Some(to)) if from != to => {
                changes.report(|| Action::Moved { from: from.into(), to: to.into() });
            }
            (Some(at), None) => changes.report(|| Action::ListRemoved { at: at.into(), count: 1 }),
            (None, Some(at)) => changes.report(|| Action::ListInserted { at: at.into(), count: 1 }),
            _ => {}
        }
    }
}

/// The order of all slots.
impl Arrangement {
    /// Puts a slot where the tree of Fugue has it, in which the order of inserts among concurrent ones plays no part: children
    /// on the left of their parent by their ids; on the right by what followed them, the last first, then by their ids.
    pub(super) fn integrate(&mut self, slot: Slot) -> u32 {
        let new = number(self.slots.len());
        let (parent, side, element) = (slot.parent, slot.side, slot.element);
        self.slots.push(slot);
        let siblings = self.children.get(&(parent, side));
        let gap = siblings.map(|siblings| siblings.gap(|other| self.order(other, new, side))).unwrap_or_default();
        let behind = match (gap.before, side) {
            (Some(sibling), _) => end(sibling),
            (None, Side::Left) => begin(parent),
            (None, Side::Right) => middle(parent),
        };
        let begin = self.tree.insert_after(Some(behind));
        let middle = self.tree.insert_after(Some(begin));
        self.tree.insert_after(Some(middle));
        self.children.entry((parent, side)).or_default().insert(new, gap);
        self.join(new, element);
        new
    }

    fn order(&self, a: u32, b: u32, side: Side) -> Ordering {
        let id = |slot: u32| {
            let slot = &self.slots[slot as usize];
            (self.records[slot.record as usize].id, slot.index, slot.number)
        };
        let [right_a, right_b] = [a, b].map(|slot| self.slots[slot as usize].right);
        let by_right = || match (right_a, right_b) {
            (NONE, NONE) => Ordering::Equal,
            (NONE, _) => Ordering::Less,
            (_, NONE) => Ordering::Greater,
            (a, b) if a == b => Ordering::Equal,
            (a, b) => self.tree.place(middle(b)).cmp(&self.tree.place(middle(a))),
        };
        match side {
            Side::Left => id(a).cmp(&id(b)),
            Side::Right => by_right().then_with(|| id(a).cmp(&id(b))),
        }
    }

    /// Makes a slot one of an element's.
    fn join(&mut self, slot: u32, element: u32) {
        let first = self.elements[element as usize].first;
        if first == NONE {
            self.elements[element as usize].first = slot;
            return;
        }
        for view in 0..2 {
            if self.elements[element as usize].many[view].is_none() {
                let mut standing = Standing::default();
                if self.slots[first as usize].views[view].stands() {
                    standing.set(self.key(first), self.slots[first as usize].birth, true);
                }
                self.elements[element as usize].many[view] = Some(Box::new(standing));
            }
        }
    }
}

/// Names that last.
impl Arrangement {
    /// The op that made a slot, the mutation, and which of its slots it is.
    pub(super) fn name(&self, slot: u32) -> (OpId, u32, u32) {
        let Slot { record, index, number, .. } = self.slots[slot as usize];
        (self.records[record as usize].id, index, number)
    }

    /// The position of the op that made a slot.
    pub(super) fn position_of(&self, slot: u32) -> u64 {
        self.records[self.slots[slot as usize].record as usize].position
    }

    /// The slot of this name.
    pub(super) fn named(&self, (op, index, number): (OpId, u32, u32)) -> Option<u32> {
        let placed = self.written(&op, index).filter(|event| event.kind == EventKind::Place);
        let mut slots = placed.map(|event| event.slot);
        slots.find(|slot| self.slots[*slot as usize].number == number)
    }

    /// What a mutation did.
    pub(super) fn written(&self, op: &OpId, index: u32) -> impl Iterator<Item = Event> + use<'_> {
        let range = self.by_op.get(op).map_or(0..0, |record| self.events_of(*record as usize));
        let events = &self.events[range];
        let first = events.partition_point(|event| event.index < index);
        events[first..].iter().copied().take_while(move |event| event.index == index)
    }

    /// Takes in a record that was saved.
    pub(super) fn restore(&mut self, record: Record) {
        self.by_op.insert(record.id, number(self.records.len()));
        self.records.push(record);
    }
}

impl Slot {
    /// A slot that was saved, in no list so far.
    pub(super) fn saved(name: (u32, u32, u32), element: u32, birth: bool, parent: u32, side: Side, right: u32) -> Self {
        let (record, index, number) = name;
        let (status, views) = (Status::Absent, [View::default(); 2]);
        Self { record, index, number, element, birth, parent, side, right, known_right: 0, status, views }
    }

    /// Whether it is one of what is shown, or was until it was taken back.
    pub(super) fn was_shown(&self) -> bool {
        self.views[1].placed
    }
}

impl Element {
    pub(super) fn is_shown(&self) -> bool {
        self.visible[SHOWN - SEEN] != NONE
    }
}

/// A slot has three tokens: what lies below it on its left stands between the first two, on its right between the last two.
fn begin(slot: u32) -> u32 {
    slot * 3
}

fn middle(slot: u32) -> u32 {
    slot * 3 + 1
}

fn end(slot: u32) -> u32 {
    slot * 3 + 2
}
