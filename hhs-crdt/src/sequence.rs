//! What sequences are made of: their history, the order of all their characters, and how the two meet.
//!
//! This is the event-graph walk of Eg-walker (Gentle, Kleppmann: "Collaborative Text Editing with Eg-walker: Better, Faster,
//! Smaller", 2024). An op says what it changes by positions in what its author saw. Where that is what is shown,
//! nothing more is needed. Where it is not, a [`Tracker`](tracker::Tracker) puts itself into the place of the author, for the part of the
//! history that is concurrent.
//!
//! The order of characters is that of Fugue (Weidner, Kleppmann: "The Art of the Fugue: Minimizing Interleaving in Collaborative Text
//! Editing", 2023): a tree in which a new character is the right child of the one before it, or, where that has right children
//! that the author knows, the left child of the one behind it; siblings stand by the ids of their ops.

pub(crate) mod compose;
pub(crate) mod delta;
pub(crate) mod history;
mod item;
mod save;
pub(crate) mod tracker;
mod tree;
