//! An entry of a map, with all its lives.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::class::{LoadError, Loader, OpContext, Saver};

use crate::added::{AddedBy, Sweeps};
use crate::field::Field;

/// What a key has stood for: one content for each life. The lives that are over stay, because somebody who has not seen
/// their end may still write to them.
#[derive(Debug, Clone)]
pub(super) struct Entry<F> {
    first: F,
    added: AddedBy,
    /// Whether an effective op has written to the first life.
    written: bool,
    later: Option<Box<Later<F>>>,
}

/// The lives after the first.
#[derive(Debug, Clone)]
struct Later<F> {
    lives: BTreeMap<u64, Life<F>>,
    /// The lives that stand.
    standing: BTreeSet<u64>,
    /// The ops by which they stand, and which of them.
    adds: BTreeSet<(u64, u64)>,
    sweeps: Sweeps,
}

#[derive(Debug, Clone)]
struct Life<F> {
    content: F,
    adds: BTreeSet<u64>,
    written: bool,
}

impl<F: Field> Entry<F> {
    /// An entry that has not begun to live.
    pub(super) fn new(content: F) -> Self {
        Self { first: content, added: AddedBy::None, written: false, later: None }
    }

    /// The life that is shown: the last of those that stand.
    pub(super) fn shown(&self) -> Option<u64> {
        let later = self.later.as_ref().and_then(|later| later.standing.last().copied());
        later.or((!self.added.is_none()).then_some(0))
    }

    /// The number of a life that begins now.
    pub(super) fn next(&self) -> u64 {
        let mut lives = self.later.iter().flat_map(|later| &later.lives).rev();
        let written = lives.find(|(_, life)| life.written).map(|(number, _)| number + 1);
        written.unwrap_or(self.written.into())
    }

    /// What a life holds.
    pub(super) fn content(&self, life: u64) -> Option<&F> {
        match life {
            0 => Some(&self.first),
            _ => self.later.as_ref()?.lives.get(&life).map(|life| &life.content),
        }
    }

    /// What a life holds, to be changed; `fresh` makes what a new one does.
    pub(super) fn content_mut(&mut self, life: u64, fresh: impl FnOnce() -> F) -> &mut F {
        if life == 0 {
            return &mut self.first;
        }
        &mut self.later_mut().life(life, fresh).content
    }

    /// What every life holds, and its number.
    pub(super) fn contents_mut(&mut self) -> impl Iterator<Item = (u64, &mut F)> {
        let later = self.later.iter_mut().flat_map(|later| &mut later.lives);
        std::iter::once((0, &mut self.first)).chain(later.map(|(number, life)| (*number, &mut life.content)))
    }

    /// Whether a life stands by this op alone.
    pub(super) fn is_only_by(&self, life: u64, position: u64) -> bool {
        if life == 0 {
            return self.added.is_only(position);
        }
        let life = self.later.as_ref().and_then(|later| later.lives.get(&life));
        life.is_some_and(|life| life.adds.len() == 1 && life.adds.contains(&position))
    }

    /// An op says that a life goes on; `fresh` makes what a new one holds.
    pub(super) fn add(&mut self, life: u64, op: &OpContext<'_>, fresh: impl FnOnce() -> F) {
        if life == 0 {
            self.written = true;
            self.added.add(op);
            return;
        }
        let later = self.later_mut();
        let entry = later.life(life, fresh);
        entry.written = true;
        let mut seen = Vec::new();
        while let Some(add) = entry.adds.last().copied().filter(|add| op.has_seen(*add)) {
            entry.adds.pop_last();
            seen.push((add, life));
        }
        entry.adds.insert(op.position);
        for add in seen {
            later.adds.remove(&add);
        }
        later.adds.insert((op.position, life));
        later.standing.insert(life);
    }

    /// An op ends what its author had seen of every life.
    pub(super) fn remove(&mut self, op: &OpContext<'_>) {
        self.added.remove(op);
        let Some(later) = &mut self.later else { return };
        for (position, number) in later.sweeps.take_seen(&mut later.adds, op) {
            let Some(life) = later.lives.get_mut(&number) else { continue };
            life.adds.remove(&position);
            if life.adds.is_empty() {
                later.standing.remove(&number);
            }
        }
    }

    /// Writes it into a checkpoint.
    pub(super) fn save(&self, saver: &mut Saver) {
        saver.uint(self.written.into());
        self.added.save(saver);
        self.first.save(saver);
        saver.uint(self.later.as_ref().map_or(0, |later| later.lives.len()) as u64);
        for (number, life) in self.later.iter().flat_map(|later| &later.lives) {
            saver.uint(*number).uint(life.written.into()).uint(life.adds.len() as u64);
            for add in &life.adds {
                saver.uint(*add);
            }
            life.content.save(saver);
        }
    }

    /// Reads it from a checkpoint.
    pub(super) fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let (written, added, first) = (loader.uint()? != 0, AddedBy::load(loader)?, F::load(loader)?);
        let mut entry = Self { first, added, written, later: None };
        for _ in 0..loader.count(3)? {
            let (number, written, count) = (loader.uint()?, loader.uint()? != 0, loader.count(1)?);
            let adds: BTreeSet<u64> = (0..count).map(|_| loader.uint()).collect::<Result<_, _>>()?;
            let later = entry.later_mut();
            later.adds.extend(adds.iter().map(|add| (*add, number)));
            later.standing.extend((!adds.is_empty()).then_some(number));
            later.lives.insert(number, Life { content: F::load(loader)?, adds, written });
        }
        Ok(entry)
    }

    fn later_mut(&mut self) -> &mut Later<F> {
        self.later.get_or_insert_with(|| {
            let (lives, standing, adds) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
            Box::new(Later { lives, standing, adds, sweeps: Sweeps::default() })
        })
    }
}

impl<F> Later<F> {
    fn life(&mut self, number: u64, fresh: impl FnOnce() -> F) -> &mut Life<F> {
        let new = || Life { content: fresh(), adds: BTreeSet::new(), written: false };
        self.lives.entry(number).or_insert_with(new)
    }
}
