//! `Map`: replicated content under keys, each entry of which is in or not.

mod edit;
mod entry;
mod field;
mod mutation;
mod undo;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use hhs_model::authority::Holders;
use hhs_model::class::Changes;

pub use edit::MapEdit;
pub use mutation::MapMutation;

use crate::field::Field;
use entry::Entry;

/// Entries by keys; what an entry holds is a [field](Field) itself.
///
/// - State: an entry lives through one *life* after the other, each with a content of its own. A life holds what all ops say
///   that name it, and stands if one of them is there that no remove of the key has seen. Of the lives that stand the last one
///   is shown. An author names the life that they see, or, where they see none, the one after the last that they know of.
/// - Mutations: [`MapMutation`]. One that names a life above 65,536 × (the height of its op + 1) has no effect: no author can know
///   of so many.
/// - Concurrency: edits of one entry meet in its content, and so do those by which several authors begin it. A remove ends what its
///   author had seen: an edit that it has not seen keeps the entry, and keeps all of it. What is written to an entry after its end
///   begins with nothing.
/// - Cost: memory in the entries, the removed ones too, because whoever has not seen the remove may bring one back. Logarithmic
///   time for each mutation, and what the content asks for.
///
/// The order of `K` has to agree with its canonical bytes: equal keys have equal bytes.
#[derive(Debug, Clone)]
pub struct Map<K, F> {
    entries: BTreeMap<K, Entry<F>>,
    /// How many entries are in.
    len: usize,
    /// Who holds what, for contents that begin later.
    holders: Option<Box<Holders>>,
    /// What edits of entries start from that are not there.
    vacant: OnceLock<Box<F>>,
}

impl<K, F> Default for Map<K, F> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), len: 0, holders: None, vacant: OnceLock::new() }
    }
}

/// By the entries that are in.
impl<K: Ord, F: Field + PartialEq> PartialEq for Map<K, F> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Ord, F: Field> Map<K, F> {
    /// What an entry holds, if it is in.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&F>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).and_then(shown)
    }

    /// Whether an entry is in.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The entries that are in, by their keys. Those that were removed are passed over, which takes time.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &F)> {
        self.entries.iter().filter_map(|(key, entry)| shown(entry).map(|content| (key, content)))
    }

    /// The keys of the entries that are in, ascending.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// What the entries hold that are in, by their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &F> {
        self.iter().map(|(_, content)| content)
    }

    /// How many entries are in.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no entry is in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn shown_life(&self, key: &K) -> Option<u64> {
        self.entries.get(key).and_then(Entry::shown)
    }

    /// The number of the life that begins if an entry is written to that is not in.
    fn next_life(&self, key: &K) -> u64 {
        self.entries.get(key).map_or(0, Entry::next)
    }

    /// A content with nothing in it.
    fn vacant(&self) -> &F {
        self.vacant.get_or_init(|| Box::new(fresh(self.holders.as_deref())))
    }
}

fn shown<F: Field>(entry: &Entry<F>) -> Option<&F> {
    entry.shown().and_then(|life| entry.content(life))
}

/// A content that begins now.
fn fresh<F: Field>(holders: Option<&Holders>) -> F {
    let mut content = F::default();
    if let Some(holders) = holders {
        content.authorise(holders, &mut Changes::unwatched());
    }
    content
}
