//! Entries in the order of their positions, cheap to append to.
//!
//! Two levels: chunks of some hundred entries. What comes in order, as nearly everything does, is pushed onto the last chunk; what comes
//! late moves half a chunk. A B-tree would touch a node per level for each entry, and leave half of each node empty.

use std::iter::{Chain, Flatten};
use std::slice;

use crate::field::Position;

/// Entries that a chunk holds before it is split.
const FULL: usize = 512;

#[derive(Debug, Clone)]
pub(super) struct Chunks<E> {
    /// None is empty.
    chunks: Vec<Chunk<E>>,
    len: usize,
}

/// By the entries: how they are cut into chunks follows from the order in which they came.
impl<E: PartialEq> PartialEq for Chunks<E> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<E: Eq> Eq for Chunks<E> {}

impl<E> Default for Chunks<E> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<E> Chunks<E> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts in an entry at its place; there is none at that position.
    pub(super) fn insert(&mut self, position: Position, entry: E) {
        self.len += 1;
        match self.chunks.last_mut() {
            None => self.chunks.push(vec![(position, entry)]),
            Some(last) if last.last().is_none_or(|(other, _)| *other < position) => {
                if last.len() < FULL {
                    last.push((position, entry));
                } else {
                    let mut chunk = Vec::with_capacity(FULL);
                    chunk.push((position, entry));
                    self.chunks.push(chunk);
                }
            }
            Some(_) => self.insert_late(position, entry),
        }
    }

    fn insert_late(&mut self, position: Position, entry: E) {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|(first, _)| *first < position));
        let at = after.saturating_sub(1);
        let chunk = &mut self.chunks[at];
        let place = chunk.partition_point(|(other, _)| *other < position);
        chunk.insert(place, (position, entry));
        if chunk.len() > FULL {
            let half = chunk.split_off(FULL / 2);
            self.chunks.insert(at + 1, half);
        }
    }

    pub(super) fn iter(&self) -> Iter<'_, E> {
        Iter { entries: [].iter().chain(self.chunks.iter().flatten()), left: self.len }
    }

    /// The last `count` entries, or all if there are fewer.
    pub(super) fn last(&self, count: usize) -> Iter<'_, E> {
        let mut left = count.min(self.len);
        let (mut rest, mut part): (_, &[_]) = (self.chunks.len(), &[]);
        while left > 0 {
            rest -= 1;
            let chunk = &self.chunks[rest];
            part = &chunk[chunk.len().saturating_sub(left)..];
            left -= part.len();
        }
        let after = self.chunks.get(rest + 1..).unwrap_or_default();
        Iter { entries: part.iter().chain(after.iter().flatten()), left: count.min(self.len) }
    }
}

type Chunk<E> = Vec<(Position, E)>;
type Part<'a, E> = slice::Iter<'a, (Position, E)>;

/// Entries from either end.
pub(super) struct Iter<'a, E> {
    entries: Chain<Part<'a, E>, Flatten<slice::Iter<'a, Chunk<E>>>>,
    left: usize,
}

impl<'a, E> Iterator for Iter<'a, E> {
    type Item = &'a (Position, E);

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.entries.next()?;
        self.left -= 1;
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E> DoubleEndedIterator for Iter<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let next = self.entries.next_back()?;
        self.left -= 1;
        Some(next)
    }
}

impl<E> ExactSizeIterator for Iter<'_, E> {}
