//! `AddedBy`: the ops by which something is in, when adding wins.

use std::collections::BTreeSet;

use hhs_model::class::{LoadError, Loader, OpContext, Saver};

/// The ops that have added something and that no remove has seen, by their local positions.
///
/// An add that a later one has seen may be missing: a remove that has seen the later one has seen it too, and one that has not
/// leaves the later one standing. So a history without forks takes one position, whatever its length.
///
/// Cost: constant time for each op where no fork is open. Across forks a remove takes logarithmic time for each add that it takes
/// away, and for each stretch of what its author has not seen.
#[derive(Debug, Clone, Default)]
pub(crate) enum AddedBy {
    /// It is out.
    #[default]
    None,
    /// One op.
    One(u64),
    /// More.
    Many(Box<Many>),
}

#[derive(Debug, Clone)]
pub(crate) struct Many {
    adds: BTreeSet<u64>,
    sweeps: Sweeps,
}

impl AddedBy {
    /// Whether it is out.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether it is in by this op alone.
    pub(crate) fn is_only(&self, position: u64) -> bool {
        matches!(self, Self::One(add) if *add == position)
    }

    /// Whether it is in by this op, among others.
    pub(crate) fn contains(&self, position: u64) -> bool {
        match self {
            Self::None => false,
            Self::One(add) => *add == position,
            Self::Many(many) => many.adds.contains(&position),
        }
    }

    /// An op adds it.
    pub(crate) fn add(&mut self, op: &OpContext<'_>) {
        match self {
            Self::Many(many) => {
                while many.adds.last().is_some_and(|add| op.has_seen(*add)) {
                    many.adds.pop_last();
                }
                many.adds.insert(op.position);
            }
            Self::One(add) if !op.has_seen(*add) => {
                let adds = BTreeSet::from([*add, op.position]);
                *self = Self::Many(Box::new(Many { adds, sweeps: Sweeps::default() }));
            }
            Self::None | Self::One(_) => *self = Self::One(op.position),
        }
    }

    /// An op removes it, as far as its author had seen.
    pub(crate) fn remove(&mut self, op: &OpContext<'_>) {
        match self {
            Self::None => {}
            Self::One(add) if !op.has_seen(*add) => {}
            Self::One(_) => *self = Self::None,
            Self::Many(many) => {
                many.sweeps.take_seen(&mut many.adds, op);
                if many.adds.is_empty() {
                    *self = Self::None;
                }
            }
        }
    }

    /// Writes it into a checkpoint.
    pub(crate) fn save(&self, saver: &mut Saver) {
        match self {
            Self::None => drop(saver.uint(0)),
            Self::One(add) => drop(saver.uint(1).uint(*add)),
            Self::Many(many) => {
                saver.uint(many.adds.len() as u64);
                for add in &many.adds {
                    saver.uint(*add);
                }
            }
        }
    }

    /// Reads it from a checkpoint.
    pub(crate) fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        match loader.count(1)? {
            0 => Ok(Self::None),
            1 => Ok(Self::One(loader.uint()?)),
            count => {
                let adds = (0..count).map(|_| loader.uint()).collect::<Result<_, _>>()?;
                Ok(Self::Many(Box::new(Many { adds, sweeps: Sweeps::default() })))
            }
        }
    }
}

/// Takes what ops have seen out of a set of what stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sweeps {
    /// The op that was the last to sweep: what it has not seen it need not look through again.
    last: Option<u64>,
}

/// Something that an op at a local position has put in, in the order of positions.
pub(crate) trait Placed: Ord + Copy {
    /// The position.
    fn position(&self) -> u64;
    /// The least at a position.
    fn first_at(position: u64) -> Self;
}

impl Placed for u64 {
    fn position(&self) -> u64 {
        *self
    }

    fn first_at(position: u64) -> Self {
        position
    }
}

impl Placed for (u64, u64) {
    fn position(&self) -> u64 {
        self.0
    }

    fn first_at(position: u64) -> Self {
        (position, 0)
    }
}

impl Sweeps {
    /// Takes out what an op has seen, its own included.
    pub(crate) fn take_seen<P: Placed>(&mut self, standing: &mut BTreeSet<P>, op: &OpContext<'_>) -> Vec<P> {
        let mut taken = Vec::new();
        if self.last.replace(op.position) == Some(op.position) {
            // Only the op's own have come since.
            take_range(standing, op.position, op.position + 1, &mut taken);
        } else if op.graph.has_seen_all(op.position) {
            taken.extend(std::mem::take(standing));
        } else if standing.len() <= op.unseen().ranges().len() {
            taken.extend(standing.iter().filter(|placed| op.has_seen(placed.position())));
            standing.retain(|placed| !op.has_seen(placed.position()));
        } else {
            let mut from = 0;
            for unseen in op.unseen().ranges() {
                take_range(standing, from, unseen.start, &mut taken);
                from = unseen.end;
            }
            take_range(standing, from, op.position + 1, &mut taken);
        }
        taken
    }
}

fn take_range<P: Placed>(standing: &mut BTreeSet<P>, from: u64, to: u64, taken: &mut Vec<P>) {
    let before = taken.len();
    taken.extend(standing.range(P::first_at(from)..P::first_at(to)));
    for placed in &taken[before..] {
        standing.remove(placed);
    }
}
