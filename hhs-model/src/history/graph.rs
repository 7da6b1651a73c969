//! The shape of a history in memory: which op stands on which, by positions, in room that follows its forks and not its length.
//!
//! Ops that each stand on the one before them, and on nothing else, are a *run*: one entry, however many they are. The questions
//! below walk from run to run, downward, and end at the latest at a run that has everything before it in its past. So
//! they cost time in the runs that are concurrent with what is asked about. The idea of runs is that of diamond-types (Gentle,
//! Kleppmann: "Collaborative Text Editing with Eg-walker: Better, Faster, Smaller", 2024, section 3.2).

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

use super::Positions;

mod saved;

/// Which op of a history stands on which. Positions count from 0, and every op stands above its parents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Ascending; together they hold every position.
    runs: Vec<Run>,
    len: u64,
    /// Ascending.
    heads: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    start: u64,
    /// Of its first op.
    height: u64,
    /// Of its first op, ascending.
    parents: Vec<u64>,
    /// Whether everything before it is in its past.
    full: bool,
    /// Of its first op, if not everything is: an op that is in its past together with everything before that.
    floor: Option<u64>,
}

impl Graph {
    /// A history without ops.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many ops there are: the position of the next one.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ops that no other stands on, ascending.
    pub fn heads(&self) -> &[u64] {
        &self.heads
    }

    /// Adds an op on top of `parents`, in any order, and returns its position.
    ///
    /// # Panics
    /// If a parent is not there.
    pub fn push(&mut self, parents: &[u64]) -> u64 {
        let position = self.len;
        assert!(parents.iter().all(|parent| *parent < position), "an op stands on ops that are there");
        let last = position.checked_sub(1);
        if last.is_none_or(|last| parents != [last]) {
            let mut parents = parents.to_vec();
            parents.sort_unstable();
            parents.dedup();
            let height = parents.iter().map(|parent| self.height(*parent) + 1).max().unwrap_or(0);
            let full = self.heads.iter().all(|head| parents.binary_search(head).is_ok());
            let floor = parents.iter().filter_map(|parent| self.floor(*parent)).max();
            self.runs.push(Run { start: position, height, parents, full, floor });
        }
        self.cover(parents);
        self.heads.push(position);
        self.len += 1;
        position
    }

    /// Takes ops out of the heads that have one above them now.
    fn cover(&mut self, parents: &[u64]) {
        // One by one where that is less than to go through all heads, of which there can be many.
        if parents.len() < 8 {
            for parent in parents {
                if let Ok(at) = self.heads.binary_search(parent) {
                    self.heads.remove(at);
                }
            }
        } else {
            let parents = BTreeSet::from_iter(parents);
            self.heads.retain(|head| !parents.contains(head));
        }
    }

    /// What an op stands on, ascending.
    ///
    /// # Panics
    /// If it is not there.
    pub fn parents(&self, position: u64) -> Parents<'_> {
        let run = self.run_of(position);
        match position == run.start {
            true => Parents::Listed(&run.parents),
            false => Parents::Before(position - 1),
        }
    }

    /// One more than the greatest height of its parents; 0 for an op without parents.
    ///
    /// # Panics
    /// If it is not there.
    pub fn height(&self, position: u64) -> u64 {
        let run = self.run_of(position);
        run.height + (position - run.start)
    }

    /// Whether everything before an op is in its past: nothing that was here before is concurrent with it.
    ///
    /// # Panics
    /// If it is not there.
    pub fn has_seen_all(&self, position: u64) -> bool {
        self.run_of(position).full
    }

    /// An op that is at or below this one together with everything before it: this one, if it has seen all; otherwise the
    /// greatest of which that is known through a chain of ops. `None` if none is.
    ///
    /// Of the ops that have seen all before them, those and only those at or below the floor are in the past of
    /// this one and of everything between: where an op forks off from such a chain is found without a walk.
    ///
    /// # Panics
    /// If it is not there.
    pub fn floor(&self, position: u64) -> Option<u64> {
        let run = self.run_of(position);
        if run.full { Some(position) } else { run.floor }
    }

    /// Whether an op is at or below one of `version`.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn contains(&self, version: &[u64], position: u64) -> bool {
        self.contains_within(version, position, usize::MAX).unwrap_or(false)
    }

    /// The same, if it shows in so many runs.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn contains_within(&self, version: &[u64], position: u64, runs: usize) -> Option<bool> {
        let mut pending: BinaryHeap<u64> = version.iter().copied().filter(|head| *head >= position).collect();
        let mut left = runs;
        while let Some(next) = pending.pop() {
            left = left.checked_sub(1)?;
            let run = self.run_of(next);
            if position >= run.start || run.full {
                return Some(true);
            }
            while pending.peek().is_some_and(|other| *other >= run.start) {
                pending.pop();
            }
            pending.extend(run.parents.iter().filter(|parent| **parent >= position));
        }
        Some(false)
    }

    /// What is at or below `a` and not at or below `b`, and the other way round.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn difference(&self, a: &[u64], b: &[u64]) -> (Positions, Positions) {
        let mut walk = Walk::default();
        a.iter().for_each(|position| walk.mark(*position, Side::A));
        b.iter().for_each(|position| walk.mark(*position, Side::B));
        while walk.apart > 0 {
            let Some((position, side)) = walk.pop() else { break };
            let run = self.run_of(position);
            match walk.pending.last_key_value() {
                Some((next, _)) if *next >= run.start => {
                    let next = *next;
                    walk.take(next + 1..position + 1, side);
                    walk.mark(next, side);
                }
                _ => {
                    walk.take(run.start..position + 1, side);
                    run.parents.iter().for_each(|parent| walk.mark(*parent, side));
                }
            }
        }
        walk.finish()
    }

    /// The ops of a range, each after those of its parents that are in the range, and one branch after the other as far as that
    /// can be: who goes through them in this order has to turn back as seldom as possible.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn branch_by_branch(&self, range: Range<u64>) -> Vec<u64> {
        let inside =
            |position: u64| self.parents(position).as_slice().iter().filter(|parent| **parent >= range.start).count();
        let mut missing: Vec<usize> = range.clone().map(inside).collect();
        let mut children: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for position in range.clone() {
            if let Parents::Listed(parents) = self.parents(position) {
                for parent in parents.iter().filter(|parent| **parent >= range.start) {
                    children.entry(*parent).or_default().push(position);
                }
            }
        }
        let index = |position: u64| (position - range.start) as usize;
        let mut ready: Vec<u64> = range.clone().filter(|position| missing[index(*position)] == 0).rev().collect();
        let mut order = Vec::with_capacity(missing.len());
        while let Some(position) = ready.pop() {
            order.push(position);
            let listed = children.remove(&position).unwrap_or_default();
            let next = position + 1;
            let follows = next < range.end && matches!(self.parents(next), Parents::Before(_));
            for child in listed.into_iter().rev().chain(follows.then_some(next)) {
                missing[index(child)] -= 1;
                if missing[index(child)] == 0 {
                    ready.push(child);
                }
            }
        }
        order
    }

    /// Those of `positions` that no other of them is above, ascending.
    ///
    /// # Panics
    /// If one of them is not there.
    pub fn heads_of(&self, positions: &[u64]) -> Vec<u64> {
        let mut sorted = positions.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        // One walk for all, from the top: each is a head unless what was walked from above comes to it.
        let (mut heads, mut pending) = (Vec::new(), BinaryHeap::new());
        for position in sorted.into_iter().rev() {
            if !self.descend(&mut pending, position) {
                heads.push(position);
                pending.push(position);
            }
        }
        heads.reverse();
        heads
    }

    /// Walks down from `pending` as far as `position`, to which all of them are at or above; whether one comes to it.
    fn descend(&self, pending: &mut BinaryHeap<u64>, position: u64) -> bool {
        while let Some(next) = pending.peek().copied().filter(|next| *next >= position) {
            let run = self.run_of(next);
            if position >= run.start || run.full {
                return true;
            }
            while pending.peek().is_some_and(|other| *other >= run.start) {
                pending.pop();
            }
            pending.extend(&run.parents);
        }
        false
    }

    /// What was added before an op and is not in its past.
    ///
    /// # Panics
    /// If it is not there.
    pub fn unseen(&self, position: u64) -> Positions {
        if self.has_seen_all(position) {
            return Positions::default();
        }
        if position + 1 == self.len {
            // Where there are many heads, most of them can be beside it: if its past is small, look at nothing but that.
            if let Some(unseen) = self.beside(position, self.heads.len()) {
                return unseen;
            }
            // What were the heads before, and perhaps more of its past. The walk ends where the two sides meet, even if some
            // head of long ago was never built on.
            let parents = self.parents(position);
            let heads: Vec<u64> =
                self.heads.iter().chain(parents.as_slice()).copied().filter(|head| *head < position).collect();
            return self.difference(&heads, parents.as_slice()).0;
        }
        self.beside(position, usize::MAX).unwrap_or_default()
    }

    /// Everything between what is below an op, from the top down; none if that is more than so many runs.
    fn beside(&self, position: u64, runs: usize) -> Option<Positions> {
        let (mut unseen, mut pending) = (Vec::new(), BinaryHeap::from([position]));
        let (mut end, mut left) = (position + 1, runs);
        while let Some(next) = pending.pop() {
            left = left.checked_sub(1)?;
            if next + 1 < end {
                unseen.push(next + 1..end);
            }
            let run = self.run_of(next);
            end = run.start;
            if run.full {
                end = 0;
                break;
            }
            while pending.peek().is_some_and(|other| *other >= run.start) {
                pending.pop();
            }
            pending.extend(run.parents.iter().copied());
        }
        if end > 0 {
            unseen.push(0..end);
        }
        unseen.reverse();
        Some(Positions::from_ranges(unseen))
    }

    fn run_of(&self, position: u64) -> &Run {
        assert!(position < self.len, "the op is there");
        // Most questions are about the newest ops.
        if let Some(last) = self.runs.last().filter(|last| last.start <= position) {
            return last;
        }
        let at = self.runs.partition_point(|run| run.start <= position);
        &self.runs[at - 1]
    }
}

/// The parents of an op.
#[derive(Debug, Clone, Copy)]
pub enum Parents<'a> {
    /// The op before it, alone.
    Before(u64),
    /// These.
    Listed(&'a [u64]),
}

impl Parents<'_> {
    /// The parents, ascending.
    pub fn as_slice(&self) -> &[u64] {
        match self {
            Self::Before(position) => std::slice::from_ref(position),
            Self::Listed(positions) => positions,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    A,
    B,
    Both,
}

/// A walk from the top that finds what lies below one side alone.
#[derive(Default)]
struct Walk {
    pending: BTreeMap<u64, Side>,
    /// How many of them lie below one side alone.
    apart: usize,
    /// From the top down.
    found: [Vec<Range<u64>>; 2],
}

impl Walk {
    fn mark(&mut self, position: u64, side: Side) {
        let before = self.pending.get(&position).copied();
        let after = match before {
            Some(before) if before != side => Side::Both,
            _ => side,
        };
        self.pending.insert(position, after);
        self.apart += usize::from(after != Side::Both);
        self.apart -= usize::from(before.is_some_and(|before| before != Side::Both));
    }

    fn pop(&mut self) -> Option<(u64, Side)> {
        let (position, side) = self.pending.pop_last()?;
        self.apart -= usize::from(side != Side::Both);
        Some((position, side))
    }

    fn take(&mut self, range: Range<u64>, side: Side) {
        let found = match side {
            Side::A => &mut self.found[0],
            Side::B => &mut self.found[1],
            Side::Both => return,
        };
        match found.last_mut() {
            Some(last) if last.start == range.end => last.start = range.start,
            _ => found.push(range),
        }
    }

    fn finish(self) -> (Positions, Positions) {
        let [a, b] = self.found.map(|mut found| {
            found.reverse();
            Positions::from_ranges(found)
        });
        (a, b)
    }
}
