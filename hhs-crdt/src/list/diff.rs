//! What is different between two states of a list, as changes that lead from one to the other when they are followed in turn.

use hhs_model::class::{Action, Changes, PathSegment};

use super::List;
use super::arrangement::SHOWN;
use super::tree::Tree;
use crate::field::Field;

/// The only measure of the working list: what stands in it now.
const HERE: usize = 0;

impl<F: Field> List<F> {
    pub(super) fn report(&self, newer: &Self, changes: &mut Changes) {
        if !changes.is_watched() {
            return;
        }
        let now = |element| newer.arrangement.index(SHOWN, newer.named(&self.id(element))?);
        let stands: Vec<Option<u32>> = self.arrangement.iter(0).map(now).collect();
        let is_new = |element: &u32| self.index_of(&newer.id(*element)).is_none();
        let new: Vec<u32> = newer.indexes(is_new);
        for step in steps(&stands, &new) {
            changes.report(|| step);
        }
        for (old, now) in self.iter().zip(stands) {
            if let Some((now, content)) = now.and_then(|now| Some((now, newer.get(now as usize)?))) {
                changes.within(PathSegment::Index(now.into()), |changes| old.diff(content, changes));
            }
        }
        for now in new {
            if let Some(content) = newer.get(now as usize) {
                changes.within(PathSegment::Index(now.into()), |changes| self.blank().diff(content, changes));
            }
        }
    }

    /// Where elements are shown of which something holds.
    fn indexes(&self, holds: impl Fn(&u32) -> bool) -> Vec<u32> {
        (0..).zip(self.arrangement.iter(0)).filter(|(_, element)| holds(element)).map(|(index, _)| index).collect()
    }
}

/// Removes from the end, then moves and inserts from the front. `stands` says of what was there where it is now, and `new`
/// where what was not there is, ascending.
pub(super) fn steps(stands: &[Option<u32>], new: &[u32]) -> Vec<Action> {
    let mut steps = Vec::new();
    for (at, _) in stands.iter().enumerate().rev().filter(|(_, now)| now.is_none()) {
        extend_removed(&mut steps, at as u64);
    }
    let kept: Vec<u32> = stands.iter().flatten().copied().collect();
    moves(&kept, &mut steps);
    for at in new {
        extend_inserted(&mut steps, (*at).into());
    }
    steps
}

fn extend_removed(steps: &mut Vec<Action>, place: u64) {
    match steps.last_mut() {
        Some(Action::ListRemoved { at, count }) if *at == place + 1 => {
            *at = place;
            *count += 1;
        }
        _ => steps.push(Action::ListRemoved { at: place, count: 1 }),
    }
}

fn extend_inserted(steps: &mut Vec<Action>, place: u64) {
    match steps.last_mut() {
        Some(Action::ListInserted { at, count }) if *at + *count == place => *count += 1,
        _ => steps.push(Action::ListInserted { at: place, count: 1 }),
    }
}

/// Moves that bring what was kept into its new order: all but a longest row that is in order already. `kept` is in the old
/// order, each with its new place; the working list is a sequence in which a moved element gets a second token.
fn moves(kept: &[u32], steps: &mut Vec<Action>) {
    let stays = longest_row(kept);
    if stays.iter().all(|stays| *stays) {
        return;
    }
    let mut list = Tree::new();
    let mut tokens = Vec::with_capacity(kept.len());
    for _ in kept {
        let token = list.insert_after(tokens.last().copied());
        list.set(token, HERE, true);
        tokens.push(token);
    }
    let mut by_new: Vec<usize> = (0..kept.len()).collect();
    by_new.sort_unstable_by_key(|at| kept[*at]);
    let mut before = None;
    for at in by_new {
        if !stays[at] {
            let from = list.rank(tokens[at], HERE);
            list.set(tokens[at], HERE, false);
            tokens[at] = list.insert_after(before);
            let to = list.rank(tokens[at], HERE);
            list.set(tokens[at], HERE, true);
            if from != to {
                steps.push(Action::Moved { from: from.into(), to: to.into() });
            }
        }
        before = Some(tokens[at]);
    }
}

/// Marks a longest ascending row of numbers, none of which occurs twice.
fn longest_row(numbers: &[u32]) -> Vec<bool> {
    // For each length, the row of that length with the least end: where it ends; and for each number, what is before it.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::with_capacity(numbers.len()));
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut marked = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        marked[at] = true;
        next = before[at];
    }
    marked
}
