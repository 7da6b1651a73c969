//! Pseudo-random numbers that a seed repeats.

use std::env;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(super) fn roll(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Some of the items, in their order.
    pub(super) fn some<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        items.iter().filter(|_| self.roll(2) == 0).cloned().collect()
    }
}

/// The seed of this run: `HHS_SEED`, or always the same one.
pub(super) fn seed() -> u64 {
    env::var("HHS_SEED").map_or(1, |seed| seed.parse().expect("HHS_SEED is a number"))
}

/// How many times as many crashes as usual: `HHS_CRASHES`, for runs that may take long.
pub(super) fn factor() -> usize {
    env::var("HHS_CRASHES").map_or(1, |factor| factor.parse().expect("HHS_CRASHES is a number"))
}
