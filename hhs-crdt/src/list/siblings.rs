//! The children of a slot on one side, in an order that is given by comparing; cheap however many there are.

use std::cmp::Ordering;

/// The sides of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Left,
    Right,
}

/// Nearly always one.
#[derive(Debug, Clone, Default)]
pub(super) enum Siblings {
    #[default]
    None,
    One(u32),
    /// None of them empty.
    Many(Vec<Vec<u32>>),
}

const WIDTH: usize = 512;

/// Where one goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gap {
    /// What stands before it.
    pub(super) before: Option<u32>,
    chunk: usize,
    place: usize,
}

impl Siblings {
    /// Where what is looked for goes: behind those that `order` says are before it.
    pub(super) fn gap(&self, order: impl Fn(u32) -> Ordering) -> Gap {
        let before = |slot: &u32| order(*slot).is_lt();
        match self {
            Self::None => Gap::default(),
            Self::One(slot) => Gap { before: Some(*slot).filter(before), ..Gap::default() },
            Self::Many(chunks) => {
                let Some(chunk) = chunks.partition_point(|chunk| before(&chunk[0])).checked_sub(1) else {
                    return Gap::default();
                };
                let place = chunks[chunk].partition_point(before);
                Gap { before: Some(chunks[chunk][place - 1]), chunk, place }
            }
        }
    }

    /// Adds one there.
    pub(super) fn insert(&mut self, slot: u32, gap: Gap) {
        match self {
            Self::None => *self = Self::One(slot),
            Self::One(other) => {
                let other = *other;
                *self = Self::Many(vec![if gap.before.is_some() { vec![other, slot] } else { vec![slot, other] }]);
            }
            Self::Many(chunks) => {
                chunks[gap.chunk].insert(gap.place, slot);
                if chunks[gap.chunk].len() > WIDTH {
                    let half = chunks[gap.chunk].split_off(WIDTH / 2);
                    chunks.insert(gap.chunk + 1, half);
                }
            }
        }
    }
}
