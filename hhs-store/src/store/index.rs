//! The entries that make objects and replicas findable by other things than their id. They follow from the bytes of what
//! they name alone, so that they can be made again, compared and deleted without asking for anything else.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::codec::DecodeError;
use hhs_model::op::{Act, Genesis, Header};
use hhs_model::{Hash, Identity, Object, ObjectId, object};

use super::keys;
use crate::backend::Entry;

/// What index entries are looked up by, beside a target: a class, a path pattern, both or nothing, as 16 bytes of a hash.
/// Nobody finds two of them with the same bytes, so that nothing has to be read to tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector(pub(super) [u8; 16]);

impl Selector {
    /// Any link at all.
    pub(super) const ANY: Self = Self([0; 16]);

    /// What is of a class.
    pub(super) fn class(name: &str) -> Self {
        Self::of(b"class", &[name.as_bytes()])
    }

    /// A link in an object of this class, if one is said, at a path of this pattern, if one is said.
    pub(super) fn link(class: Option<Self>, pattern: Option<&str>) -> Self {
        match (class, pattern) {
            (None, None) => Self::ANY,
            (Some(class), None) => class,
            (None, Some(pattern)) => Self::of(b"path", &[pattern.as_bytes()]),
            (Some(class), Some(pattern)) => Self::of(b"both", &[&class.0, pattern.as_bytes()]),
        }
    }

    fn of(kind: &[u8], parts: &[&[u8]]) -> Self {
        let Hash(hash) = Hash::of(&[kind, &parts.concat()].concat());
        let mut selector = [0; 16];
        selector.copy_from_slice(&hash[..16]);
        Self(selector)
    }
}

/// All index entries of an object. Costs time in its bytes; there are at most four entries for each link, and three.
///
/// # Errors
/// If the bytes are not those of an object.
pub(super) fn of_object(number: u64, id: ObjectId, bytes: &[u8]) -> Result<Vec<Entry>, DecodeError> {
    let name = object::class_of(bytes)?;
    let class = Selector::class(name);
    let mut entries = vec![
        (keys::id_of(number), id.as_bytes().to_vec()),
        (keys::of_class(class, number), Vec::new()),
        (keys::class_name(class), name.as_bytes().to_vec()),
    ];
    let mut selectors: BTreeMap<Option<String>, Vec<Selector>> = BTreeMap::new();
    let mut keys: BTreeSet<Vec<u8>> = BTreeSet::new();
    for link in object::links(bytes)? {
        let selectors = selectors.entry(link.path.pattern()).or_insert_with_key(|pattern| selectors_of(class, pattern));
        keys.extend(selectors.iter().map(|selector| keys::reference(ObjectId(link.cid.hash), *selector, number)));
    }
    entries.extend(keys.into_iter().map(|key| (key, Vec::new())));
    Ok(entries)
}

/// What a link is found by. A pattern that is too long for a text is found by nobody.
fn selectors_of(class: Selector, pattern: &Option<String>) -> Vec<Selector> {
    let mut selectors = vec![Selector::ANY, class];
    if let Some(pattern) = pattern.as_deref() {
        selectors.extend([None, Some(class)].map(|class| Selector::link(class, Some(pattern))));
    }
    selectors
}

/// Whether an index entry is of one object alone, and goes with it. The name of a class stays.
pub(super) fn goes_with_object(key: &[u8]) -> bool {
    key.first() != Some(&keys::CLASS_NAME)
}

/// What has to be here before an object is saved. Identities link to nothing; what a genesis links to has to be here when it
/// becomes a replica; what an op rests on is its store's to know, also where its header is an object like any other.
///
/// # Errors
/// If the bytes are not those of an object.
pub(crate) fn needs(bytes: &[u8]) -> Result<Vec<ObjectId>, DecodeError> {
    match object::class_of(bytes)? {
        Identity::CLASS | Genesis::CLASS | Header::CLASS => Ok(Vec::new()),
        _ => targets(bytes),
    }
}

/// What an object links to, each once.
///
/// # Errors
/// If the bytes are not those of an object.
pub(super) fn targets(bytes: &[u8]) -> Result<Vec<ObjectId>, DecodeError> {
    let targets: BTreeSet<ObjectId> = object::links(bytes)?.iter().map(|link| ObjectId(link.cid.hash)).collect();
    Ok(targets.into_iter().collect())
}

/// The identities that a header names.
pub(super) fn named_in_header(header: &Header) -> impl Iterator<Item = ObjectId> {
    let granted = header.act.iter().filter_map(Act::grantee).map(ObjectId::from);
    std::iter::once(header.author.into()).chain(granted)
}

/// What a payload links to, each once. One that is no value links to nothing: it means nothing to any class.
pub(super) fn linked_from(payload: &[u8]) -> BTreeSet<ObjectId> {
    // Most payloads have no link, and need not be decoded to find that out.
    if !payload.windows(LINK_HEAD.len()).any(|bytes| bytes == LINK_HEAD) {
        return BTreeSet::new();
    }
    object::links(payload).unwrap_or_default().iter().map(|link| ObjectId(link.cid.hash)).collect()
}

/// How every link begins: tag 42, a byte string of 37 bytes, a zero.
const LINK_HEAD: [u8; 5] = [0xd8, 0x2a, 0x58, 0x25, 0x00];

/// The index entry of a replica.
pub(super) fn of_replica(number: u32, id: ObjectId, class: &str) -> Entry {
    (keys::replica_of_class(Selector::class(class), number), id.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
