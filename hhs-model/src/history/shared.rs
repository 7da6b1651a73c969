//! Sets of positions of which many versions are kept, such as what was hidden from the author of each op.
//!
//! A radix trie of bitmaps, copied along the way to what changes (path copying: Driscoll, Sarnak, Sleator, Tarjan, *Making Data
//! Structures Persistent*, 1989). Versions share the parts in which nothing is different, so that one more version costs what has
//! changed, and so does comparing two.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Positions;

/// A set of positions. To clone it costs nothing, and to change a clone costs time and room in what changes.
#[derive(Clone, Default)]
pub struct SharedPositions {
    root: Part,
    /// How many nodes stand above each leaf.
    level: u32,
}

/// All that is in a part of the trie.
#[derive(Clone, Default)]
enum Part {
    #[default]
    None,
    All,
    /// Neither.
    Some(Arc<Node>),
}

#[derive(Clone)]
enum Node {
    Leaf([u64; PARTS]),
    Inner([Part; PARTS]),
}

/// Parts of a node, and words of a leaf, as a power of two.
const PART_BITS: u32 = 3;
const PARTS: usize = 1 << PART_BITS;
/// Positions in a word, as a power of two.
const WORD_BITS: u32 = u64::BITS.ilog2();

impl SharedPositions {
    /// None.
    pub const EMPTY: Self = Self { root: Part::None, level: 0 };

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        matches!(self.root, Part::None)
    }

    /// Whether a position is one of them.
    pub fn contains(&self, position: u64) -> bool {
        self.next(position, true) == Some(position)
    }

    /// Puts in those positions of a range that are not there, and takes out those that are.
    pub fn flip(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let last = range.end - 1;
        self.grow_to(last);
        self.root.flip(self.level, range.start, last);
    }

    /// The first range of positions that are there, cut to begin at `start`.
    pub fn next_range(&self, start: u64) -> Option<Range<u64>> {
        let start = self.next(start, true)?;
        Some(start..self.next(start, false).unwrap_or(u64::MAX))
    }

    /// The positions within a range, as ascending ranges that do not touch.
    pub fn ranges_within(&self, within: Range<u64>) -> impl Iterator<Item = Range<u64>> + use<'_> {
        let mut at = within.start;
        std::iter::from_fn(move || {
            let range = self.next_range(at).filter(|range| range.start < within.end)?;
            at = range.end.min(within.end);
            Some(range.start..at)
        })
    }

    /// All positions, as ascending ranges that do not touch.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + use<'_> {
        self.ranges_within(0..u64::MAX)
    }

    /// The positions that are in one of two sets alone, as ascending ranges that do not touch.
    pub fn differing(&self, other: &Self) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        let (one, other) = (self.grown_to(other.level), other.grown_to(self.level));
        one.root.differ(&other.root, one.level, 0, &mut ranges);
        ranges
    }

    /// The least position that is in one of two sets alone. Up to there, this set shares with the other from now on what it has in
    /// common with it, so that asking again costs what has changed since.
    pub fn unite(&mut self, other: &Self) -> Option<u64> {
        *self = self.grown_to(other.level);
        let other = other.grown_to(self.level);
        self.root.unite(&other.root, self.level)
    }

    /// The first position from one on that is there, or that is not.
    fn next(&self, from: u64, there: bool) -> Option<u64> {
        let last = last_of(self.level);
        let found = if from <= last { self.root.next(self.level, from, there) } else { None };
        found.or_else(|| (!there).then(|| from.max(last.saturating_add(1))))
    }

    /// Whether two sets are one and the same in memory.
    #[cfg(test)]
    pub(super) fn root_is(&self, other: &Self) -> bool {
        self.root.is(&other.root)
    }

    fn grow_to(&mut self, last: u64) {
        while last > last_of(self.level) {
            self.grow();
        }
    }

    fn grown_to(&self, level: u32) -> Self {
        let mut grown = self.clone();
        while grown.level < level {
            grown.grow();
        }
        grown
    }

    fn grow(&mut self) {
        self.level += 1;
        if !self.is_empty() {
            let mut parts = [const { Part::None }; PARTS];
            parts[0] = std::mem::take(&mut self.root);
            self.root = Part::Some(Arc::new(Node::Inner(parts)));
        }
    }
}

impl Part {
    /// The part that begins at `start`, of ascending ranges that do not touch, all of which reach into it.
    fn of(ranges: &[Range<u64>], level: u32, start: u64) -> Self {
        let last = start + last_of(level);
        match ranges {
            [] => return Self::None,
            [range] if range.start <= start && range.end > last => return Self::All,
            _ => {}
        }
        let node = match level {
            0 => {
                let mut words = [0; PARTS];
                for range in ranges {
                    for (word, from, to) in
                        split(range.start.max(start) - start, (range.end - 1).min(last) - start, WORD_BITS)
                    {
                        words[word] |= bits(from, to);
                    }
                }
                Node::Leaf(words)
            }
            _ => Node::Inner(std::array::from_fn(|number| {
                // The uppermost node has more parts than there are positions.
                let Some(first) = (number as u64).checked_mul(1 << bits_of(level - 1)) else { return Self::None };
                let (first, last) = (start + first, start + first + last_of(level - 1));
                let from = ranges.partition_point(|range| range.end <= first);
                let to = ranges.partition_point(|range| range.start <= last);
                Self::of(&ranges[from..to], level - 1, first)
            })),
        };
        Self::Some(Arc::new(node))
    }

    /// Flips from `first` to `last` inclusive, which count from where the part begins.
    fn flip(&mut self, level: u32, first: u64, last: u64) {
        let mut node = match std::mem::take(self) {
            Self::None if (first, last) == (0, last_of(level)) => return *self = Self::All,
            Self::All if (first, last) == (0, last_of(level)) => return,
            Self::Some(node) => node,
            none_or_all => Arc::new(Node::of(&none_or_all, level)),
        };
        match Arc::make_mut(&mut node) {
            Node::Leaf(words) => {
                for (word, from, to) in split(first, last, WORD_BITS) {
                    words[word] ^= bits(from, to);
                }
            }
            Node::Inner(parts) => {
                for (part, from, to) in split(first, last, bits_of(level - 1)) {
                    parts[part].flip(level - 1, from, to);
                }
            }
        }
        *self = match &*node {
            Node::Leaf(words) if words.iter().all(|word| *word == 0) => Self::None,
            Node::Leaf(words) if words.iter().all(|word| *word == u64::MAX) => Self::All,
            Node::Inner(parts) if parts.iter().all(|part| matches!(part, Self::None)) => Self::None,
            Node::Inner(parts) if parts.iter().all(|part| matches!(part, Self::All)) => Self::All,
            _ => Self::Some(node),
        };
    }

    /// The first position from one on that is there, or that is not.
    fn next(&self, level: u32, from: u64, there: bool) -> Option<u64> {
        match self {
            Self::None => (!there).then_some(from),
            Self::All => there.then_some(from),
            Self::Some(node) => match &**node {
                Node::Leaf(words) => split(from, last_of(0), WORD_BITS).find_map(|(word, from, _)| {
                    let left = (if there { words[word] } else { !words[word] }) & u64::MAX << from;
                    (left != 0).then(|| (word as u64) << WORD_BITS | u64::from(left.trailing_zeros()))
                }),
                Node::Inner(parts) => {
                    let bits = bits_of(level - 1);
                    split(from, last_of(level), bits).find_map(|(part, from, _)| {
                        let at = parts[part].next(level - 1, from, there)?;
                        Some((part as u64) << bits | at)
                    })
                }
            },
        }
    }

    /// Whether two parts are seen to be the same without looking into them.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) | (Self::All, Self::All) => true,
            (Self::Some(one), Self::Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Finds what is in one of two parts alone that begin at `start`.
    fn differ(&self, other: &Self, level: u32, start: u64, ranges: &mut Vec<Range<u64>>) {
        if self.is(other) {
            return;
        }
        if !matches!((self, other), (Self::Some(_), _) | (_, Self::Some(_))) {
            return push(ranges, start..start.saturating_add(last_of(level)).saturating_add(1));
        }
        for number in 0..PARTS {
            let here = start + ((number as u64) << (bits_of(level) - PART_BITS));
            if level > 0 {
                self.part(number).differ(other.part(number), level - 1, here, ranges);
                continue;
            }
            let mut left = self.word(number) ^ other.word(number);
            while left != 0 {
                let first = left.trailing_zeros();
                let count = (left >> first).trailing_ones();
                let from = here + u64::from(first);
                push(ranges, from..from + u64::from(count));
                left &= u64::MAX.checked_shl(first + count).unwrap_or(0);
            }
        }
    }

    fn unite(&mut self, other: &Self, level: u32) -> Option<u64> {
        if self.is(other) {
            return None;
        }
        let different = match (&mut *self, other) {
            (Self::Some(one), Self::Some(other)) => one_and_other(one, other, level),
            (mixed, Self::None) => mixed.next(level, 0, true),
            (mixed, Self::All) => mixed.next(level, 0, false),
            (Self::None, mixed) => mixed.next(level, 0, true),
            (Self::All, mixed) => mixed.next(level, 0, false),
        };
        if different.is_none() {
            *self = other.clone();
        }
        different
    }

    fn part(&self, number: usize) -> &Self {
        match self {
            Self::Some(node) => match &**node {
                Node::Inner(parts) => &parts[number],
                Node::Leaf(_) => self,
            },
            _ => self,
        }
    }

    fn word(&self, number: usize) -> u64 {
        match self {
            Self::All => u64::MAX,
            Self::Some(node) => match &**node {
                Node::Leaf(words) => words[number],
                Node::Inner(_) => 0,
            },
            Self::None => 0,
        }
    }
}

/// As [`Part::unite`], of nodes.
fn one_and_other(one: &mut Arc<Node>, other: &Node, level: u32) -> Option<u64> {
    match other {
        Node::Leaf(other) => {
            let Node::Leaf(one) = &**one else { return Some(0) };
            let words = one.iter().zip(other).map(|(one, other)| one ^ other);
            let (word, different) = words.enumerate().find(|(_, different)| *different != 0)?;
            Some((word as u64) << WORD_BITS | u64::from(different.trailing_zeros()))
        }
        Node::Inner(other) => {
            let Node::Inner(one) = Arc::make_mut(one) else { return Some(0) };
            one.iter_mut().zip(other).enumerate().find_map(|(number, (one, other))| {
                let at = one.unite(other, level - 1)?;
                Some((number as u64) << bits_of(level - 1) | at)
            })
        }
    }
}

impl Node {
    /// The node of a part that has none.
    fn of(part: &Part, level: u32) -> Self {
        match level {
            0 => Self::Leaf([if matches!(part, Part::All) { u64::MAX } else { 0 }; PARTS]),
            _ => Self::Inner(std::array::from_fn(|_| part.clone())),
        }
    }
}

/// Positions in a part, as a power of two.
fn bits_of(level: u32) -> u32 {
    WORD_BITS + PART_BITS * (level + 1)
}

/// The last position of a part that begins at 0.
fn last_of(level: u32) -> u64 {
    u64::MAX.checked_shl(bits_of(level)).map_or(u64::MAX, |above| !above)
}

/// The bits of a word between two inclusive.
fn bits(from: u64, to: u64) -> u64 {
    u64::MAX << from & u64::MAX >> (u64::from(u64::BITS - 1) - to)
}

/// What lies between two positions inclusive, piece by piece of so many bits: the number of the piece, and from where to where in
/// it.
fn split(first: u64, last: u64, bits: u32) -> impl Iterator<Item = (usize, u64, u64)> {
    let mask = (1 << bits) - 1;
    let (start, end) = (first >> bits, last >> bits);
    (start..=end).map(move |piece| {
        let from = if piece == start { first & mask } else { 0 };
        let to = if piece == end { last & mask } else { mask };
        (piece as usize, from, to)
    })
}

/// Adds a range behind others.
fn push(ranges: &mut Vec<Range<u64>>, range: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

impl PartialEq for SharedPositions {
    fn eq(&self, other: &Self) -> bool {
        self.clone().unite(other).is_none()
    }
}

impl Eq for SharedPositions {}

impl From<&Positions> for SharedPositions {
    fn from(positions: &Positions) -> Self {
        let mut shared = Self::EMPTY;
        if let Some(last) = positions.ranges().last() {
            shared.grow_to(last.end - 1);
            shared.root = Part::of(positions.ranges(), shared.level, 0);
        }
        shared
    }
}

/// Of positions in any order.
impl FromIterator<u64> for SharedPositions {
    fn from_iter<T: IntoIterator<Item = u64>>(positions: T) -> Self {
        Self::from(&positions.into_iter().collect::<Positions>())
    }
}

impl fmt::Debug for SharedPositions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ranges()).finish()
    }
}
