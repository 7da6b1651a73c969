//! Taking back marks, and giving characters that come back those that they had.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hhs_model::OpId;
use hhs_model::codec::Value;

use super::Restored;
use crate::field::At;
use crate::text::Text;
use crate::text::cursor::{Bias, Cursor};
use crate::text::marks::{End, Mark, MarkMutation};

/// A place between characters: how many that ever were stand before it; of two such, the one that stays behind the former comes first.
type Slot = (u32, bool);

/// A mark, and where it ends.
struct Slots<'a> {
    mark: &'a Mark,
    from: Slot,
    to: Slot,
}

/// The value under each name that somebody has marked something with.
type Values = BTreeMap<String, Option<Value>>;

impl Text {
    /// What marks the characters on which a mark counts as they would be marked without its op. Where a later mark of the name counts,
    /// nothing has to be done.
    pub(super) fn undo_mark(&self, at: At<'_>) -> Vec<MarkMutation> {
        let Some(mark) = self.marks.get(&at.position()) else { return Vec::new() };
        let Some(range) = self.place(mark) else { return Vec::new() };
        let of_name = self.marks.values().filter(|other| other.name == mark.name);
        let placed = of_name.filter_map(|other| Some((self.place(other)?, other)));
        let placed: Vec<(Range<usize>, &Mark)> = placed.filter(|(other, _)| meet(other, &range)).collect();
        let mut ends = BTreeMap::from([(range.start, mark.from), (range.end, mark.to)]);
        for (other, by) in &placed {
            ends.entry(other.start).or_insert(by.from);
            ends.entry(other.end).or_insert(by.to);
        }
        let mut undone: Vec<(usize, MarkMutation)> = Vec::new();
        let ends: Vec<(&usize, &Cursor)> = ends.range(range.start..=range.end).collect();
        for pair in ends.windows(2) {
            let [(start, from), (end, to)] = pair else { continue };
            let here = || placed.iter().filter(|(range, _)| range.contains(*start)).map(|(_, mark)| *mark);
            if here().map(|mark| mark.position).max() != Some(mark.position) {
                continue;
            }
            let value = here().rfind(|other| other.position.op != at.op.id).and_then(|other| other.value.clone());
            match undone.last_mut() {
                Some((last, again)) if *last == **start && again.value == value => {
                    (*last, again.to) = (**end, End::At(**to));
                }
                _ => {
                    let (from, to, name) = (End::At(**from), End::At(**to), mark.name.clone());
                    undone.push((**end, MarkMutation { from, to, name, value }));
                }
            }
        }
        undone.into_iter().map(|(_, mark)| mark).collect()
    }

    /// What gives characters that come back the marks that they would have had they never been gone, and had the op never been.
    pub(super) fn marks_of_restored(&self, restored: &[Restored], op: OpId) -> Vec<MarkMutation> {
        if restored.is_empty() || self.marks.is_empty() {
            return Vec::new();
        }
        let marks: Vec<Slots<'_>> = self.marks.values().filter_map(|mark| self.slots_of(mark)).collect();
        // What the op marked is marked otherwise by what takes it back.
        let own = marks.iter().filter(|slots| slots.mark.position.op == op).map(|slots| &slots.mark.name);
        let own: BTreeSet<&String> = own.collect();
        let others = || marks.iter().filter(|slots| slots.mark.position.op != op);
        let mut again = Vec::new();
        for Restored { chars, slot, number } in restored {
            let got = values(others(), |slots| slots.from <= (*slot, false) && (*slot, false) < slots.to);
            let Some(rank) = self.walked(|walk| walk.rank(chars.start)) else { continue };
            let all = rank..rank + chars.len() as u32;
            let ends = others().flat_map(|slots| [slots.from.0, slots.to.0]).filter(|end| all.contains(end));
            let ends: BTreeSet<u32> = ends.chain([all.start, all.end]).collect();
            for (start, end) in ends.iter().zip(ends.iter().skip(1)) {
                let had = values(others(), |slots| slots.from.0 <= *start && *start < slots.to.0);
                let names = had.keys().chain(got.keys()).chain(own.iter().copied()).collect::<BTreeSet<_>>();
                for name in names {
                    let value = had.get(name).cloned().flatten();
                    if value != got.get(name).cloned().flatten() || own.contains(name) {
                        let (first, last) = (number + start - rank, number + end - rank - 1);
                        let from = End::Own { number: first, bias: Bias::Before };
                        let to = End::Own { number: last, bias: Bias::Behind };
                        again.push(MarkMutation { from, to, name: name.clone(), value });
                    }
                }
            }
        }
        again
    }

    fn slots_of<'a>(&self, mark: &'a Mark) -> Option<Slots<'a>> {
        Some(Slots { mark, from: self.slot_of(&mark.from)?, to: self.slot_of(&mark.to)? })
    }

    fn slot_of(&self, cursor: &Cursor) -> Option<Slot> {
        let slot = match (cursor.char, cursor.bias) {
            (None, Bias::Behind) => 0,
            (None, Bias::Before) => u32::MAX,
            (Some(id), Bias::Behind) => self.rank_of(id)? + 1,
            (Some(id), Bias::Before) => self.rank_of(id)?,
        };
        Some((slot, cursor.bias == Bias::Before))
    }
}

/// What the latest of these marks of each name says, of those that `cover` a place.
fn values<'s, 'm: 's>(marks: impl Iterator<Item = &'s Slots<'m>>, cover: impl Fn(&Slots<'m>) -> bool) -> Values {
    // They come in the order of their positions.
    marks.filter(|slots| cover(slots)).map(|slots| (slots.mark.name.clone(), slots.mark.value.clone())).collect()
}

fn meet(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
