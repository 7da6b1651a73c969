//! Reads a `.dag.gz`: who built on what in a real collaboration.
//!
//! Gzipped text. Line *i*, from 0, is op *i*: `author seconds parent…`, decimal integers with one space between them;
//! parents are earlier lines. The file may come from anywhere: it is read strictly, with memory in the lines that it
//! really has, and every error names the line (from 1, as editors do).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use hhs::model::bounds::{MAX_PARENTS, MAX_WRITERS};

/// The causal shape of a history. Ops are numbered from 0, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dag {
    ops: Vec<Node>,
    /// The parents of all ops, one after the other.
    parents: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    author: u32,
    seconds: u64,
    /// Where its parents end in the list of all; they begin where those of the op before it end.
    parents_end: u32,
}

/// An op of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DagOp<'a> {
    /// Who wrote it, as a number.
    pub(super) author: u32,
    /// When, in seconds since the first op.
    pub(super) seconds: u64,
    /// What it builds on.
    pub(super) parents: &'a [u32],
}

/// Why a file is not the history of a collaboration that can be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DagError {
    /// There is no such file, or it may not be read.
    #[error("{path} cannot be opened: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not gzip, damaged, or cut short.
    #[error("{path} cannot be read at line {line} ({source}): it is not a gzip file, damaged or cut short")]
    Read {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What the decompressor or the system says.
        source: io::Error,
    },
    /// A line is not one of a history.
    #[error("{path} is not the history of a collaboration: line {line}: {fault}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// There is nothing in it.
    #[error("{0} has no lines, so there is nothing to replay")]
    Empty(PathBuf),
    /// It ends in more heads than peers tell each other of.
    #[error(
        "{path} ends in {heads} ops that nothing builds on; at most {MAX_HEADS} can be replayed: add ops that merge them"
    )]
    Heads {
        /// The file.
        path: PathBuf,
        /// How many ops have no child.
        heads: usize,
    },
    /// It has more authors than a genesis can list.
    #[error(
        "{path} has {authors} authors and a genesis lists at most {MAX_WRITERS}: fold them with --authors {MAX_WRITERS}"
    )]
    Authors {
        /// The file.
        path: PathBuf,
        /// How many authors it has.
        authors: usize,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Longer than any line can be.
    #[error("it has more than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// Not text.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// The author or the time is missing.
    #[error("it has to begin with an author and the seconds since the first op")]
    Missing,
    /// Something else than a plain decimal integer.
    #[error("{0:?} is not an integer in plain digits, with one space between it and the next")]
    NotInteger(String),
    /// A number over its bound.
    #[error("{what} {found} is over {most}")]
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        found: u64,
        /// The bound.
        most: u64,
    },
    /// A parent that is not an earlier op.
    #[error("its parent {0} is not the number of an earlier op (they count from 0)")]
    Parent(u64),
    /// One parent twice.
    #[error("its parent {0} is named twice")]
    Doubled(u32),
    /// More parents than an op can have.
    #[error("it has more than the {MAX_PARENTS} parents that an op can have")]
    Parents,
    /// More ops, or more parents in all, than are replayed.
    #[error("the history has more than {MAX_OPS} ops, or more than {MAX_EDGES} parents in all")]
    TooMany,
}

/// Why reading stopped, and at which line, from 1.
#[derive(Debug)]
pub(super) enum Stopped {
    Unreadable(u64, io::Error),
    Faulty(u64, Fault),
}

impl Dag {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not a history, or one that is too large to be replayed.
    pub(super) fn open(path: &Path) -> Result<Self, DagError> {
        let path = path.to_path_buf();
        let file = File::open(&path).map_err(|source| DagError::Open { path: path.clone(), source })?;
        let dag = match Self::read_gzip(BufReader::new(file)) {
            Ok(dag) => dag,
            Err(Stopped::Unreadable(line, source)) => return Err(DagError::Read { path, line, source }),
            Err(Stopped::Faulty(line, fault)) => return Err(DagError::Line { path, line, fault }),
        };
        match dag.heads() {
            0 => Err(DagError::Empty(path)),
            heads if heads > MAX_HEADS => Err(DagError::Heads { path, heads }),
            _ => Ok(dag),
        }
    }

    /// Reads gzipped lines.
    pub(super) fn read_gzip(compressed: impl BufRead) -> Result<Self, Stopped> {
        Self::read(BufReader::new(MultiGzDecoder::new(compressed)))
    }

    /// Reads lines; the last one need not end in a line break.
    pub(super) fn read(mut lines: impl BufRead) -> Result<Self, Stopped> {
        let mut dag = Self::default();
        let mut line = Vec::new();
        loop {
            let number = dag.ops.len() as u64 + 1;
            line.clear();
            let limit = MAX_LINE_BYTES as u64 + 2;
            let count = lines.by_ref().take(limit).read_until(b'\n', &mut line);
            if count.map_err(|error| Stopped::Unreadable(number, error))? == 0 {
                return Ok(dag);
            }
            line.pop_if(|last| *last == b'\n');
            dag.push_line(&line).map_err(|fault| Stopped::Faulty(number, fault))?;
        }
    }

    /// How many ops there are.
    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    /// The ops, parents before children.
    pub(super) fn ops(&self) -> impl Iterator<Item = DagOp<'_>> {
        (0..self.ops.len()).map(|number| {
            let node = &self.ops[number];
            let start = number.checked_sub(1).map_or(0, |before| self.ops[before].parents_end);
            let parents = &self.parents[start as usize..node.parents_end as usize];
            DagOp { author: node.author, seconds: node.seconds, parents }
        })
    }

    /// Everybody who wrote an op.
    pub(super) fn authors(&self) -> BTreeSet<u32> {
        self.ops.iter().map(|node| node.author).collect()
    }

    /// How many ops have several parents.
    pub(super) fn merges(&self) -> usize {
        self.ops().filter(|op| op.parents.len() > 1).count()
    }

    /// Lets authors share `keys` numbers.
    pub(super) fn fold_authors(&mut self, keys: u32) {
        self.ops.iter_mut().for_each(|node| node.author %= keys);
    }

    /// Makes sure that a genesis can list all authors.
    ///
    /// # Errors
    /// If there are too many; `path` is for the text.
    pub(super) fn check_authors(&self, path: &Path) -> Result<(), DagError> {
        match self.authors().len() {
            0..=MAX_WRITERS => Ok(()),
            authors => Err(DagError::Authors { path: path.to_path_buf(), authors }),
        }
    }

    /// How many ops have no child.
    fn heads(&self) -> usize {
        let mut is_head = vec![true; self.ops.len()];
        self.parents.iter().for_each(|parent| is_head[*parent as usize] = false);
        is_head.into_iter().filter(|head| *head).count()
    }

    fn push_line(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.len() > MAX_LINE_BYTES {
            return Err(Fault::TooLong);
        }
        if self.ops.len() == MAX_OPS {
            return Err(Fault::TooMany);
        }
        let line = std::str::from_utf8(line).map_err(|_| Fault::NotUtf8)?;
        let mut fields = line.split(' ');
        let author = bounded("the author", fields.next().unwrap_or_default(), MAX_AUTHOR.into())?;
        let author = u32::try_from(author).expect("it is within a bound of 32 bits");
        let seconds = bounded("the time", fields.next().ok_or(Fault::Missing)?, MAX_SECONDS)?;
        let start = self.parents.len();
        for field in fields {
            self.push_parent(integer(field)?, start)?;
        }
        let parents_end = u32::try_from(self.parents.len()).expect("there are at most MAX_EDGES");
        self.ops.push(Node { author, seconds, parents_end });
        Ok(())
    }

    fn push_parent(&mut self, parent: u64, start: usize) -> Result<(), Fault> {
        if parent >= self.ops.len() as u64 {
            return Err(Fault::Parent(parent));
        }
        let number = u32::try_from(parent).expect("there are at most MAX_OPS ops before this one");
        // At most 64 are compared.
        if self.parents[start..].contains(&number) {
            return Err(Fault::Doubled(number));
        }
        if self.parents.len() - start == MAX_PARENTS {
            return Err(Fault::Parents);
        }
        if self.parents.len() == MAX_EDGES {
            return Err(Fault::TooMany);
        }
        self.parents.push(number);
        Ok(())
    }
}

fn bounded(what: &'static str, field: &str, most: u64) -> Result<u64, Fault> {
    match integer(field)? {
        found if found > most => Err(Fault::TooLarge { what, found, most }),
        number => Ok(number),
    }
}

/// Digits alone: no sign, no leading zero. What Rust's own parser takes besides (`+7`) is refused.
fn integer(field: &str) -> Result<u64, Fault> {
    let refused = || Fault::NotInteger(field.chars().take(SHOWN_CHARS).collect());
    let plain = field.bytes().all(|byte| byte.is_ascii_digit()) && (field.len() == 1 || !field.starts_with('0'));
    if plain { field.parse().map_err(|_| refused()) } else { Err(refused()) }
}

/// Bytes of a line. Author, seconds and 64 parents need fewer.
const MAX_LINE_BYTES: usize = 1000;
/// Ops of a history. Building keeps some hundred bytes for each in memory.
const MAX_OPS: usize = 10_000_000;
/// Parents of all ops together: most have one or two.
const MAX_EDGES: usize = 4 * MAX_OPS;
/// The largest number of an author.
const MAX_AUTHOR: u32 = u32::MAX;
/// Thirty thousand years.
const MAX_SECONDS: u64 = 1_000_000_000_000;
/// Ops without child: what peers tell each other of in one message.
const MAX_HEADS: usize = 16_384;
/// How much of what is wrong an error shows.
const SHOWN_CHARS: usize = 30;

#[cfg(test)]
mod tests;
