//! Editing histories of real documents, as the public `editing-traces` collection writes them: JSON, gzipped or not.
//!
//! A [`Sequential`] trace is a list of transactions, each relative to the result of the one before. A [`Concurrent`] one is
//! a DAG of transactions, each relative to the merged state of its parents. Both say what the text is at the end.

mod concurrent;
mod file;
mod sequential;

pub use concurrent::{Concurrent, NotAChain, Transaction};
pub use file::{ReadError, find, read};
pub use sequential::Sequential;

#[cfg(test)]
mod tests;

/// A trace of either format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// One author.
    Sequential(Sequential),
    /// Several authors who see each other's edits late.
    Concurrent(Concurrent),
}

impl Trace {
    /// What the text is at the end.
    pub fn end(&self) -> &str {
        match self {
            Self::Sequential(trace) => &trace.end,
            Self::Concurrent(trace) => &trace.end,
        }
    }

    /// How many edits it has; one may both delete and insert.
    pub fn edits(&self) -> usize {
        match self {
            Self::Sequential(trace) => trace.edits.len(),
            Self::Concurrent(trace) => trace.transactions.iter().map(|transaction| transaction.edits.len()).sum(),
        }
    }
}

/// Deletes characters at a position, then inserts text there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// In code points.
    pub position: usize,
    /// In code points.
    pub deleted: usize,
    /// May be empty.
    pub inserted: String,
}
