//! The integrity check: whether everything that is stored is what it should be, and every index has just what it should.
//!
//! It reads the backend from one end to the other, in pages. What is stored is compared with its hashes, and what follows
//! from it (records, index entries) with what it follows from. Index entries of which an object or payload may have very
//! many are only looked for from there; that there are no others is known by counting them.

mod index;
mod objects;
mod replicas;
mod sequence;
mod sources;

use std::fmt;

use hhs_model::{ObjectId, Registry};

use super::{FORMAT, Store, StoreError, keys};
use crate::backend::{Backend, Entry, Limit, Order, prefix_range};

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Hashes, structure and all indexes.
    Structure,
    /// Also signatures and authority of all ops, judged again.
    Signatures,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What can be done about it.
    pub severity: Severity,
    /// The key of the entry in the backend.
    pub key: Vec<u8>,
    /// What is wrong with it.
    pub says: &'static str,
}

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A link of an object leads to what is not here. Stores of format 1 let that happen; it harms nothing else.
    Loose,
    /// An index is wrong. [`Store::rebuild_indexes`] makes all of them again.
    Index,
    /// Something that others may have is lost or changed. [`Store::salvage`] saves the rest.
    Damage,
}

/// What a check has looked at, and how much it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Objects.
    pub objects: u64,
    /// Replicas.
    pub replicas: u64,
    /// Ops.
    pub ops: u64,
    /// Findings of [`Severity::Loose`].
    pub loose: u64,
    /// Findings of [`Severity::Index`].
    pub index: u64,
    /// Findings of [`Severity::Damage`].
    pub damage: u64,
}

impl Checked {
    /// Whether all is as it should be, but for loose links.
    pub fn is_sound(&self) -> bool {
        self.index == 0 && self.damage == 0
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Loose => "loose",
            Severity::Index => "index",
            Severity::Damage => "damage",
        };
        write!(f, "{severity}: {} (entry ", self.says)?;
        self.key.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Store {
    /// Checks everything, and tells each finding as it comes. Nobody should write meanwhile: what is under way shows as
    /// findings that are none.
    ///
    /// Costs a reading of the whole store, and several look-ups for each op and object; memory: some pages, and for each
    /// replica its heads and acts.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn check(&self, depth: Depth, found: impl FnMut(Finding) + Send) -> Result<Checked, StoreError> {
        check(self.backend(), &self.inner.registry, depth, found).await
    }
}

/// As [`Store::check`], for what may be too damaged to be opened as a store.
///
/// # Errors
/// If the backend cannot read.
pub(crate) async fn check(
    backend: &dyn Backend,
    registry: &Registry,
    depth: Depth,
    mut found: impl FnMut(Finding) + Send,
) -> Result<Checked, StoreError> {
    let mut check =
        Check { backend, registry, depth, found: &mut found, checked: Checked::default(), expected: Counts::default() };
    check.format().await?;
    check.objects().await?;
    check.replicas().await?;
    check.indexes().await?;
    Ok(check.checked)
}

/// Entries that are read at once.
const PAGE: Limit = Limit { entries: 512, bytes: 4 << 20 };
/// Bytes of a key that are shown: enough for all but names.
const SHOWN: usize = 64;

struct Check<'a> {
    backend: &'a dyn Backend,
    registry: &'a Registry,
    depth: Depth,
    found: &'a mut (dyn FnMut(Finding) + Send),
    checked: Checked,
    expected: Counts,
}

/// How many index entries there have to be.
#[derive(Default)]
struct Counts {
    of_class: u64,
    references: u64,
    linked: u64,
}

impl Check<'_> {
    fn tell(&mut self, severity: Severity, key: impl Into<Vec<u8>>, says: &'static str) {
        match severity {
            Severity::Loose => self.checked.loose += 1,
            Severity::Index => self.checked.index += 1,
            Severity::Damage => self.checked.damage += 1,
        }
        (self.found)(Finding { severity, key: key.into(), says });
    }

    fn damage(&mut self, key: impl Into<Vec<u8>>, says: &'static str) {
        self.tell(Severity::Damage, key, says);
    }

    fn wrong_index(&mut self, key: impl Into<Vec<u8>>, says: &'static str) {
        self.tell(Severity::Index, key, says);
    }

    async fn format(&mut self) -> Result<(), StoreError> {
        if self.backend.get(keys::FORMAT).await?.as_deref() != Some(&FORMAT.to_be_bytes()) {
            self.damage(keys::FORMAT, "this is not the format that this program reads");
        }
        if self.backend.get(keys::INDEXING).await?.is_some() {
            self.wrong_index(keys::INDEXING, "the indexes are being made: open the store to go on with it");
        }
        if keys::floors(self.backend.get(keys::FLOORS).await?.as_deref()).is_err() {
            self.damage(keys::FLOORS, "the numbers that were given have no sense");
        }
        Ok(())
    }

    /// The next page of the entries that begin with `prefix`, after `after`.
    async fn page(&self, prefix: &[u8], after: Option<&Vec<u8>>) -> Result<Vec<Entry>, StoreError> {
        let (mut start, end) = prefix_range(prefix);
        if let Some(after) = after {
            start = std::ops::Bound::Excluded(after.clone());
        }
        Ok(self.backend.scan((start, end), Order::Ascending, PAGE).await?)
    }

    /// Compares entries with what they have to be. `says` is said of those that are not.
    async fn compare(&mut self, expected: &[Entry], says: &'static str) -> Result<(), StoreError> {
        for expected in expected.chunks(PAGE.entries) {
            let wanted: Vec<Vec<u8>> = expected.iter().map(|(key, _)| key.clone()).collect();
            for ((key, value), found) in expected.iter().zip(self.backend.get_many(&wanted).await?) {
                if found.as_ref() != Some(value) {
                    self.wrong_index(key.clone(), says);
                }
            }
        }
        Ok(())
    }

    /// Whether something is here under an id, as an object, a replica or an op.
    async fn is_here(&self, ids: &[ObjectId]) -> Result<Vec<bool>, StoreError> {
        let mut here = Vec::with_capacity(ids.len());
        for ids in ids.chunks(PAGE.entries) {
            let wanted: Vec<Vec<u8>> = ids.iter().map(|id| keys::place(*id)).collect();
            here.extend(self.backend.get_many(&wanted).await?.iter().map(Option::is_some));
        }
        Ok(here)
    }
}
