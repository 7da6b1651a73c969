//! Traces of one author.

use crate::Edit;

/// The edits of one author, each relative to the result of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequential {
    /// What the text is before the first edit.
    pub start: String,
    /// What it is after the last one.
    pub end: String,
    /// In the order in which they were made.
    pub edits: Vec<Edit>,
}

impl Sequential {
    /// All edits with the text that is there at first as one of them, for types that begin empty.
    pub fn edits_from_empty(&self) -> impl Iterator<Item = (usize, usize, &str)> + Clone {
        let start = (!self.start.is_empty()).then_some((0, 0, self.start.as_str()));
        start.into_iter().chain(self.edits.iter().map(|edit| (edit.position, edit.deleted, edit.inserted.as_str())))
    }
}
