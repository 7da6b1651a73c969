//! The walk along the history of a sequence: puts itself into the place of each change's author, and says what the change does
//! to what is shown.
//!
//! Of each character it knows whether it is in the past that it looks from, whether the author saw it, and whether it is
//! shown. To look from elsewhere, the changes that are only in one of the two pasts are taken out and put in
//! (`retreat` and `advance` in the paper). A walk begins at the start of history, or at a change that everything after it has
//! seen: what was shown then is one run of characters without a history, the *base*.
//!
//! An edit takes logarithmic time for each run that it touches; to look from elsewhere takes that for each edit that
//! is only on one side. What a hostile author can make dear is deletions of the same many runs, over and over.

use std::collections::BTreeMap;
use std::ops::Range;

use hhs_model::OpId;
use hhs_model::history::SharedPositions;

use super::delta::Edit;
use super::history::History;
use super::item::{Item, Sum};
use super::tree::{Place, Tree};

/// The characters of a sequence as a change's author saw them, and as they are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracker {
    tree: Tree,
    /// The first change that is not in the base.
    base: u32,
    /// The next change to take in.
    next: u32,
    /// The change whose past, itself included, it looks from.
    version: Vec<u64>,
    hidden: SharedPositions,
    /// The changes taken in, from the base on.
    states: Vec<State>,
    /// What changes delete.
    targets: Vec<Range<u32>>,
    /// Characters that are the right child of the one whose number is one less.
    chained: Bits,
    /// All other children: by their parent and side, and the op that inserted them.
    children: BTreeMap<(u64, OpId), u32>,
}

#[derive(Debug, Clone, Default)]
struct State {
    known: bool,
    hidden: bool,
    /// Where its targets are.
    targets: Range<usize>,
}

/// What a change does to what is shown, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Insert { at: u32, chars: Range<u32> },
    Delete { at: u32, count: u32 },
}

/// Numbers from here on are characters of the base.
pub(crate) const BASE: u32 = 1 << 31;
/// Stands for what is before all characters.
const ROOT: u32 = u32::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Where a new character goes.
struct Spot {
    parent: u32,
    side: Side,
    depth: u32,
    top: u32,
    /// What it stands behind.
    behind: Option<Place>,
}

impl Tracker {
    /// A walk from the start.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A walk that begins behind a settled change, at which `shown` characters were shown.
    pub(crate) fn behind(history: &History, settled: u32, shown: u32) -> Self {
        let (base, version) = (settled + 1, vec![u64::from(settled)]);
        let hidden = history.hidden_of(settled).clone();
        let mut walk = Self { base, next: base, version, hidden, ..Self::default() };
        if shown > 0 {
            walk.tree.insert_after(None, Item::new(BASE, shown, 1));
        }
        walk
    }

    /// The first change that is not in the base.
    pub(crate) fn base(&self) -> u32 {
        self.base
    }

    /// The next change to take in.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Takes in the changes up to `end`, and lets `done` know of each with what it does to what is shown. It keeps to a branch as long
    /// as there is one to keep to, since to look from elsewhere is what costs.
    pub(crate) fn take_up_to(&mut self, history: &History, end: u32, mut done: impl FnMut(u32, Vec<Effect>)) {
        if self.next + 1 == end {
            done(self.next, self.take(history, self.next));
        } else {
            for number in history.graph.branch_by_branch(self.next.into()..end.into()) {
                done(number as u32, self.take(history, number as u32));
            }
        }
        self.next = self.next.max(end);
    }

    fn take(&mut self, history: &History, number: u32) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.look_from(history, history.graph.parents(u64::from(number)).as_slice());
        self.hide(history, history.hidden_of(number));
        let void = history.is_void(number);
        let at_state = (number - self.base) as usize;
        if self.states.len() <= at_state {
            self.states.resize(at_state + 1, State::default());
        }
        let targets = self.targets.len();
        let op = history.changes[number as usize].op;
        let mut chars = history.chars_of(number);
        let mut at = 0;
        for Edit { skip, delete, insert } in history.edits_of(number) {
            at = self.tree.total().seen.min(at + skip);
            self.delete(at, delete, void, targets, &mut effects);
            let end = chars.end.min(chars.start + insert);
            let inserted = chars.start..end;
            at += inserted.end - inserted.start;
            chars.start = end;
            if !inserted.is_empty() {
                self.insert(history, op, at - (inserted.end - inserted.start), inserted, void, &mut effects);
            }
        }
        self.states[at_state] = State { known: true, hidden: false, targets: targets..self.targets.len() };
        self.version = vec![u64::from(number)];
        effects
    }

    /// Puts itself where some changes are the newest that are known.
    fn look_from(&mut self, history: &History, version: &[u64]) {
        if self.version == version {
            return;
        }
        let (out, into) = history.graph.difference(&self.version, version);
        for number in out.iter() {
            self.set_known(history, number as u32, false);
        }
        for number in into.iter() {
            self.set_known(history, number as u32, true);
        }
    }

    fn hide(&mut self, history: &History, hidden: &SharedPositions) {
        for number in self.hidden.differing(hidden).into_iter().flatten() {
            self.set_hidden(history, number as u32, hidden.contains(number));
        }
        self.hidden = hidden.clone();
    }

    fn set_known(&mut self, history: &History, number: u32, known: bool) {
        let Some(at) = self.state_of(number) else { return };
        let state = &mut self.states[at];
        state.known = known;
        let deletes = !state.hidden;
        self.tree.update_all(history.chars_of(number), |item| item.absent = !known);
        if deletes {
            self.count_deletions(at, known);
        }
    }

    fn set_hidden(&mut self, history: &History, number: u32, hidden: bool) {
        let Some(at) = self.state_of(number) else { return };
        let state = &mut self.states[at];
        state.hidden = hidden;
        let deletes = state.known;
        self.tree.update_all(history.chars_of(number), |item| item.hidden = hidden);
        if deletes {
            self.count_deletions(at, !hidden);
        }
    }

    /// Where the state of a change is; none for those in the base and those still to come.
    fn state_of(&self, number: u32) -> Option<usize> {
        let at = number.checked_sub(self.base)? as usize;
        (at < self.states.len()).then_some(at)
    }

    fn count_deletions(&mut self, at: usize, more: bool) {
        for target in self.states[at].targets.clone() {
            self.tree.update_all(self.targets[target].clone(), |item| match more {
                true => item.deleted += 1,
                false => item.deleted -= 1,
            });
        }
    }

    /// Deletes; the targets of the change begin at `targets`.
    fn delete(&mut self, at: u32, mut count: u32, void: bool, targets: usize, effects: &mut Vec<Effect>) {
        while count > 0 {
            let Some((mut place, offset)) = self.tree.find(at, |sum| sum.seen) else { return };
            if offset > 0 {
                place = self.tree.split(place, offset);
            }
            let item = *self.tree.item(place);
            if item.len > count {
                self.tree.split(place, count);
                (place, _) = self.tree.locate(item.start).expect("a run that was split is still there");
            }
            let item = *self.tree.item(place);
            count -= item.len;
            if !void && item.is_shown() {
                push_delete(effects, self.tree.before(place, |sum| sum.shown), item.len);
            }
            self.tree.update(place, |item| {
                item.deleted += 1;
                item.erased += u32::from(!void);
            });
            let own = targets < self.targets.len();
            match self.targets.last_mut() {
                Some(last) if own && last.end == item.start => last.end += item.len,
                _ => self.targets.push(item.start..item.start + item.len),
            }
        }
    }

    fn insert(
        &mut self,
        history: &History,
        op: OpId,
        at: u32,
        chars: Range<u32>,
        void: bool,
        effects: &mut Vec<Effect>,
    ) {
        let spot = self.spot(history, op, at);
        let chained = spot.side == Side::Right && spot.parent.checked_add(1) == Some(chars.start) && spot.parent < BASE;
        match chained {
            true => self.chained.set(chars.clone()),
            false => {
                self.chained.set(chars.start + 1..chars.end);
                self.children.insert((child_key(spot.parent, spot.side), op), chars.start);
            }
        }
        let item = Item { top: spot.top, void, ..Item::new(chars.start, chars.end - chars.start, spot.depth) };
        let place = self.tree.insert_after(spot.behind, item);
        if !void {
            effects.push(Effect::Insert { at: self.tree.before(place, |sum| sum.shown), chars });
        }
    }

    /// Finds where a character goes that an op inserts at a place in what its author saw.
    fn spot(&mut self, history: &History, op: OpId, at: u32) -> Spot {
        let left = at.checked_sub(1).and_then(|before| self.tree.find(before, |sum| sum.seen));
        let Some((place, offset)) = left else { return self.spot_behind(history, op, None, ROOT, 0) };
        let item = *self.tree.item(place);
        let (parent, depth) = (item.start + offset, item.depth + offset);
        if offset + 1 == item.len {
            return self.spot_behind(history, op, Some(place), parent, depth);
        }
        // Amid a run: before the next character of it, of which it is the only left child.
        let right = self.tree.split(place, offset + 1);
        self.tree.update(right, |item| item.top = item.depth + 1);
        let behind = self.tree.locate(parent).map(|(place, _)| place);
        Spot { parent: parent + 1, side: Side::Left, depth: depth + 2, top: depth + 1, behind }
    }

    /// The same, behind the last character of a run.
    fn spot_behind(&mut self, history: &History, op: OpId, left: Option<Place>, parent: u32, depth: u32) -> Spot {
        let next = match left {
            Some(place) => self.tree.next(place),
            None => self.tree.first(),
        };
        // Most often what is next decides.
        let decides = |sum: &Sum| sum.known > 0 || sum.top <= depth;
        let right = match next {
            Some(next) if decides(&self.tree.item(next).sum()) => Some(next),
            _ => self.tree.search(left, decides),
        };
        match right {
            Some(right) if self.tree.item(right).top > depth => {
                self.spot_before(history, op, left, right, next == Some(right))
            }
            _ => {
                let alone = right == next;
                let sibling = if alone { None } else { self.sibling(history, op, parent, Side::Right) };
                let behind = sibling.map_or(left, |sibling| self.end_of(sibling));
                Spot { parent, side: Side::Right, depth: depth + 1, top: depth + 1, behind }
            }
        }
    }

    /// The same, as a left child of the first character of the run `right`.
    fn spot_before(&mut self, history: &History, op: OpId, left: Option<Place>, right: Place, alone: bool) -> Spot {
        let Item { start: parent, depth, top, .. } = *self.tree.item(right);
        let sibling = if alone { None } else { self.sibling(history, op, parent, Side::Left) };
        let mut spot = Spot { parent, side: Side::Left, depth: depth + 1, top: depth + 1, behind: left };
        if let Some(sibling) = sibling {
            spot.behind = self.end_of(sibling);
            return spot;
        }
        // It becomes the first of the subtree; what was first is not any more.
        let first = match top <= depth {
            true => Some(right),
            false => self.tree.search_back(right, |sum| sum.top <= depth),
        };
        let first = first.expect("a subtree has a first character");
        spot.top = self.tree.item(first).top;
        spot.behind = self.tree.previous(first);
        self.tree.update(first, |item| item.top = depth + 1);
        spot
    }

    /// The sibling that a new child of an op stands behind.
    fn sibling(&self, history: &History, op: OpId, parent: u32, side: Side) -> Option<u32> {
        let key = child_key(parent, side);
        let before = self.children.range(..(key, op)).next_back();
        let listed = before.filter(|((of, _), _)| *of == key).map(|((_, id), child)| (*id, *child));
        let chained =
            Some(parent).filter(|parent| side == Side::Right && *parent < BASE && self.chained.contains(parent + 1));
        let chained = chained.map(|parent| (history.change_of(parent + 1).op, parent + 1)).filter(|(id, _)| *id < op);
        listed.into_iter().chain(chained).max().map(|(_, child)| child)
    }

    /// The last run of a character's subtree.
    fn end_of(&self, char: u32) -> Option<Place> {
        let (place, offset) = self.tree.locate(char)?;
        let depth = self.tree.item(place).depth + offset;
        match self.tree.search(Some(place), |sum| sum.top <= depth) {
            Some(behind) => self.tree.previous(behind),
            None => self.tree.last(),
        }
    }

    /// How many shown characters stand before a character, and whether it is shown itself.
    pub(crate) fn shown_at(&self, char: u32) -> Option<(u32, bool)> {
        let (place, offset) = self.tree.locate(char)?;
        let shown = self.tree.item(place).is_shown();
        let before = self.tree.before(place, |sum| sum.shown);
        Some((before + if shown { offset } else { 0 }, shown))
    }

    /// The shown character at a place, and how many of the run behind it are shown with it.
    pub(crate) fn char_at(&self, at: u32) -> Option<Range<u32>> {
        let (place, offset) = self.tree.find(at, |sum| sum.shown)?;
        let item = self.tree.item(place);
        Some(item.start + offset..item.start + item.len)
    }

    /// How many characters that ever were stand before one.
    pub(crate) fn rank(&self, char: u32) -> Option<u32> {
        let (place, offset) = self.tree.locate(char)?;
        Some(self.tree.before(place, |sum| sum.all) + offset)
    }

    /// What a change deletes.
    pub(crate) fn deleted_by(&self, number: u32) -> &[Range<u32>] {
        self.state_of(number).map_or(&[], |at| &self.targets[self.states[at].targets.clone()])
    }

    /// The runs that hold some characters.
    pub(crate) fn runs(&self, chars: Range<u32>) -> impl Iterator<Item = (Range<u32>, &Item)> {
        let mut at = chars.start;
        std::iter::from_fn(move || {
            let (place, _) = (at < chars.end).then(|| self.tree.locate(at)).flatten()?;
            let item = self.tree.item(place);
            let run = at..chars.end.min(item.start + item.len);
            at = run.end;
            Some((run, item))
        })
    }
}

fn push_delete(effects: &mut Vec<Effect>, at: u32, count: u32) {
    match effects.last_mut() {
        Some(Effect::Delete { at: last, count: before }) if *last == at => *before += count,
        _ => effects.push(Effect::Delete { at, count }),
    }
}

fn child_key(parent: u32, side: Side) -> u64 {
    u64::from(parent) << 1 | u64::from(side == Side::Right)
}

/// A set of numbers.
#[derive(Debug, Clone, Default)]
struct Bits {
    words: Vec<u64>,
}

impl Bits {
    fn set(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        let words = range.end.div_ceil(64) as usize;
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
        let (first, last) = (range.start / 64, (range.end - 1) / 64);
        for word in first..=last {
            let low = if word == first { range.start % 64 } else { 0 };
            let high = if word == last { (range.end - 1) % 64 } else { 63 };
            self.words[word as usize] |= u64::MAX << low & u64::MAX >> (63 - high);
        }
    }

    fn contains(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}
