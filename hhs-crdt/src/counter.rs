//! `Counter`: a number that several writers add to at once.

use hhs_model::class::{Action, Changes, LoadError, Loader, Saver};

use crate::edit::Edit;
use crate::field::{At, Field, Recorded};

/// A sum.
///
/// - State: the sum of everything that was added. It is kept in 128 bits, which no history can exceed, so that the order of ops does
///   not matter and nothing wraps; [`get`](Self::get) shows it within 64 bits.
/// - Mutation: what is added, an integer of 64 bits, negative to subtract.
/// - Concurrency: everything counts.
/// - Cost: 16 bytes; constant time for each addition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    sum: i128,
}

impl Counter {
    /// The sum; the nearest number of 64 bits if it has more.
    pub fn get(&self) -> i64 {
        i64::try_from(self.sum).unwrap_or(if self.sum < 0 { i64::MIN } else { i64::MAX })
    }

    /// The sum, however large.
    pub fn sum(&self) -> i128 {
        self.sum
    }

    fn report(&self, newer: &Self, changes: &mut Changes) {
        if self.sum != newer.sum {
            changes.report(|| Action::Counted { old: self.get(), new: newer.get() });
        }
    }
}

impl Field for Counter {
    const AUTHORISED: bool = false;

    type Mutation = i64;
    type Edit<'a> = Edit<'a, Self>;

    fn apply(&mut self, addend: i64, _at: At<'_>, changes: &mut Changes) {
        let before = *self;
        // 2^64 additions of 2^63 fit.
        self.sum += i128::from(addend);
        before.report(self, changes);
    }

    fn edit(&self) -> Edit<'_, Self> {
        Edit::new(self)
    }

    fn finish(edit: Edit<'_, Self>) -> Recorded<i64> {
        edit.into_recorded()
    }

    fn undo(&self, addend: &i64, _at: At<'_>, _before: &Self) -> Vec<i64> {
        match addend.checked_neg() {
            Some(0) => Vec::new(),
            Some(addend) => vec![addend],
            None => vec![i64::MAX, 1],
        }
    }

    fn coalesce(addends: Vec<i64>) -> Vec<i64> {
        let mut coalesced = Vec::new();
        for addend in addends {
            add(&mut coalesced, addend);
        }
        coalesced
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        self.report(newer, changes);
    }

    fn save(&self, saver: &mut Saver) {
        saver.int((self.sum >> 64) as i64).uint(self.sum as u64);
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let (high, low) = (loader.int()?, loader.uint()?);
        Ok(Self { sum: i128::from(high) << 64 | i128::from(low) })
    }
}

impl Edit<'_, Counter> {
    /// Adds to the sum. What one edit adds is written as one number.
    pub fn add(&mut self, addend: i64) {
        add(self.mutations_mut(), addend);
    }

    /// Adds one.
    pub fn increment(&mut self) {
        self.add(1);
    }

    /// Takes away one.
    pub fn decrement(&mut self) {
        self.add(-1);
    }
}

/// Adds to the last of several addends, where the sum fits.
fn add(addends: &mut Vec<i64>, addend: i64) {
    let last = addends.last_mut();
    match last.and_then(|last| last.checked_add(addend).map(|sum| (last, sum))) {
        Some((last, sum)) => *last = sum,
        None => addends.push(addend),
    }
    if addends.last() == Some(&0) {
        addends.pop();
    }
}
