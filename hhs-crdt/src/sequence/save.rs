//! The history of a sequence in a checkpoint.

use std::ops::Range;

use hhs_model::class::{LoadError, Loader, Saver};
use hhs_model::history::{Parents, SharedPositions};

use super::delta;
use super::history::{Change, History};

const DAMAGED: LoadError = LoadError::Damaged("the history of a sequence");

impl History {
    pub(crate) fn save(&self, saver: &mut Saver) {
        saver.uint(self.authors.len() as u64);
        for author in &self.authors {
            saver.identity(author);
        }
        saver.bytes(&self.edits);
        saver.uint(self.len().into());
        let (mut position, mut edits, mut chars) = (0, 0, 0);
        for (number, change) in (0_u64..).zip(&self.changes) {
            saver.op(&change.op).uint(change.author.into()).uint(change.index.into()).uint(change.position - position);
            saver.uint((change.edits - edits) as u64).uint((change.chars - chars).into());
            (position, edits, chars) = (change.position, change.edits, change.chars);
            // The usual parent is the change before, and takes a byte.
            match self.graph.parents(number) {
                Parents::Before(_) => {
                    saver.uint(0);
                }
                Parents::Listed(parents) => {
                    saver.uint(parents.len() as u64 + 1);
                    for parent in parents {
                        saver.uint(number - parent);
                    }
                }
            }
        }
        self.void.save_since(&SharedPositions::EMPTY, saver);
        save_ranges(saver, &self.settled);
        saver.uint(self.hidden.len() as u64);
        let mut before = &SharedPositions::EMPTY;
        for (number, hidden) in &self.hidden {
            saver.uint((*number).into());
            hidden.save_since(before, saver);
            before = hidden;
        }
    }

    /// Reads a history that inserts so many characters.
    ///
    /// # Errors
    /// If it is not one.
    pub(crate) fn load(loader: &mut Loader<'_>, chars: u32) -> Result<Self, LoadError> {
        let mut history = Self { chars, ..Self::default() };
        for _ in 0..loader.count(32)? {
            history.author_number(loader.identity()?);
        }
        history.edits = loader.bytes()?.to_vec();
        for _ in 0..loader.count(37)? {
            history.load_change(loader)?;
        }
        history.check_sizes()?;
        let len = history.len();
        history.void = SharedPositions::load_since(&SharedPositions::EMPTY, loader, len.into())?;
        history.settled = load_ranges(loader, len)?;
        let mut before = SharedPositions::EMPTY;
        for _ in 0..loader.count(2)? {
            let number = number(loader)?;
            if number >= len || history.hidden.last_key_value().is_some_and(|(last, _)| *last >= number) {
                return Err(DAMAGED);
            }
            before = SharedPositions::load_since(&before, loader, number.into())?;
            history.hidden.insert(number, before.clone());
        }
        Ok(history)
    }

    fn load_change(&mut self, loader: &mut Loader<'_>) -> Result<(), LoadError> {
        let op = loader.op()?;
        let (author, index) = (number(loader)?, number(loader)?);
        let before = self.changes.last();
        let (position, edits, chars) = before.map_or((0, 0, 0), |last| (last.position, last.edits, last.chars));
        let position = loader.position_from(position)?;
        let edits = edits.checked_add(number(loader)? as usize).ok_or(DAMAGED)?;
        let chars = chars.checked_add(number(loader)?).ok_or(DAMAGED)?;
        let first = before.filter(|last| last.op == op).map_or(0, |last| last.first + (chars - last.chars));
        let own = u64::from(self.len());
        let parents = match loader.count(1)? {
            0 => vec![own.checked_sub(1).ok_or(DAMAGED)?],
            more => {
                (1..more).map(|_| own.checked_sub(loader.uint()?.max(1)).ok_or(DAMAGED)).collect::<Result<_, _>>()?
            }
        };
        if author as usize >= self.authors.len() {
            return Err(DAMAGED);
        }
        self.graph.push(&parents);
        self.changes.push(Change { op, author, index, position, chars, first, edits });
        Ok(())
    }

    /// Makes sure that every change has the edits that insert its characters.
    fn check_sizes(&self) -> Result<(), LoadError> {
        let begins = self.changes.first().is_none_or(|first| first.edits == 0 && first.chars == 0);
        let empty = self.changes.is_empty() && (self.chars > 0 || !self.edits.is_empty());
        for (at, change) in self.changes.iter().enumerate() {
            let next = self.changes.get(at + 1);
            let (edits, chars) = next.map_or((self.edits.len(), self.chars), |next| (next.edits, next.chars));
            let edits = self.edits.get(change.edits..edits).ok_or(DAMAGED)?;
            if chars.checked_sub(change.chars) != Some(delta::check(edits)?) {
                return Err(DAMAGED);
            }
        }
        if begins && !empty { Ok(()) } else { Err(DAMAGED) }
    }
}

fn number(loader: &mut Loader<'_>) -> Result<u32, LoadError> {
    u32::try_from(loader.uint()?).map_err(|_| DAMAGED)
}

fn save_ranges(saver: &mut Saver, ranges: &[Range<u32>]) {
    saver.uint(ranges.len() as u64);
    let mut end = 0;
    for range in ranges {
        saver.uint((range.start - end).into()).uint((range.end - range.start).into());
        end = range.end;
    }
}

/// Ascending ranges of numbers below `limit`, none empty.
fn load_ranges(loader: &mut Loader<'_>, limit: u32) -> Result<Vec<Range<u32>>, LoadError> {
    let (mut ranges, mut end) = (Vec::new(), 0_u32);
    for _ in 0..loader.count(2)? {
        let start = end.checked_add(number(loader)?).ok_or(DAMAGED)?;
        end = start.checked_add(number(loader)?).filter(|end| start < *end && *end <= limit).ok_or(DAMAGED)?;
        ranges.push(start..end);
    }
    Ok(ranges)
}
