//! A run of characters, and what sums of runs count.

/// Characters that stand one behind the other, each but the first the right child of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    /// The number of the first.
    pub(crate) start: u32,
    pub(crate) len: u32,
    /// Of the first in the tree of origins; the others are each one deeper.
    pub(crate) depth: u32,
    /// The depth of the highest character whose subtree begins with the first one here; one more than its own depth if it has
    /// left children, so that not even its own subtree begins with it.
    pub(crate) top: u32,
    /// How many deletions of them are in the version that is looked from.
    pub(crate) deleted: u32,
    /// How many effective deletions of them there are in all.
    pub(crate) erased: u32,
    /// Whether the op that inserted them is not in the past that is looked from.
    pub(crate) absent: bool,
    /// Whether it is in that past, but hidden from it.
    pub(crate) hidden: bool,
    /// Whether it is void.
    pub(crate) void: bool,
}

/// What runs add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Characters that ever were.
    pub(crate) all: u32,
    /// Characters that are in the past that is looked from.
    pub(crate) known: u32,
    /// Those of them that its author saw.
    pub(crate) seen: u32,
    /// Characters that are shown.
    pub(crate) shown: u32,
    /// The least `top`.
    pub(crate) top: u32,
}

impl Item {
    /// Characters that everybody knows and sees.
    pub(crate) fn new(start: u32, len: u32, depth: u32) -> Self {
        let (deleted, erased, absent, hidden, void) = (0, 0, false, false, false);
        Self { start, len, depth, top: depth, deleted, erased, absent, hidden, void }
    }

    pub(crate) fn is_shown(&self) -> bool {
        !self.void && self.erased == 0
    }

    pub(crate) fn sum(&self) -> Sum {
        let count = |counts: bool| if counts { self.len } else { 0 };
        Sum {
            all: self.len,
            known: count(!self.absent),
            seen: count(!self.absent && !self.hidden && self.deleted == 0),
            shown: count(self.is_shown()),
            top: self.top,
        }
    }

    /// Takes off what follows the first `offset` characters.
    pub(crate) fn split_off(&mut self, offset: u32) -> Self {
        let depth = self.depth + offset;
        let behind = Self { start: self.start + offset, len: self.len - offset, depth, top: depth, ..*self };
        self.len = offset;
        behind
    }
}

impl Sum {
    pub(crate) const EMPTY: Self = Self { all: 0, known: 0, seen: 0, shown: 0, top: u32::MAX };

    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self {
            all: self.all + other.all,
            known: self.known + other.known,
            seen: self.seen + other.seen,
            shown: self.shown + other.shown,
            top: self.top.min(other.top),
        }
    }

    /// Counts one part otherwise. The part's `top` has to be as it was.
    pub(crate) fn replace(&mut self, before: &Self, after: &Self) {
        self.known = self.known + after.known - before.known;
        self.seen = self.seen + after.seen - before.seen;
        self.shown = self.shown + after.shown - before.shown;
    }
}
