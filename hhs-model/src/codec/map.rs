//! `Map`: entries by text keys, in canonical order, in one piece of memory.

use std::collections::BTreeMap;
use std::fmt;
use std::{slice, vec};

use super::collections::with_room;
use super::decoder::{DecodeError, Decoder, MapDecoder, canonical_order};
use super::encoder::Encoder;
use super::traits::{Decode, Encode};
use super::value::Value;

/// A map with text keys, kept and iterated in canonical order: shorter keys first, then bytewise.
///
/// A `BTreeMap` takes room for eleven entries as soon as it has one, which is some hundred times the bytes that such a
/// map is read from. This one takes what its entries take, so that peers can send maps of any shape. Looking up is a
/// binary search; inserting moves what comes after, so that many entries are better collected than inserted.
///
/// ```
/// use hhs_model::codec::{Map, Value};
///
/// let map: Map = [("text", Value::from("hi")), ("to", Value::from("Ana"))].into();
/// assert_eq!(map.get("to"), Some(&Value::from("Ana")));
/// assert_eq!(map.keys().collect::<Vec<_>>(), ["to", "text"]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Map<V = Value> {
    /// Strictly ascending by canonical order.
    entries: Vec<(String, V)>,
}

impl<V> Map<V> {
    /// A map without entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.find(key).ok().map(|index| &self.entries[index].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.find(key).ok().map(|index| &mut self.entries[index].1)
    }

    /// Whether there is an entry of this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Puts in an entry, and returns the value that the key had.
    pub fn insert(&mut self, key: String, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(index) => Some(std::mem::replace(&mut self.entries[index].1, value)),
            Err(index) => {
                self.entries.insert(index, (key, value));
                None
            }
        }
    }

    /// Takes out an entry, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        self.find(key).ok().map(|index| self.entries.remove(index).1)
    }

    /// Keeps the entries for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    /// The entries in canonical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in canonical order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator {
        self.iter().map(|(_, value)| value)
    }

    /// The entries as they lie.
    pub(crate) fn as_slice(&self) -> &[(String, V)] {
        &self.entries
    }

    /// Puts in an entry that has just been read from `map`, which has checked that its key is above those before it.
    pub(crate) fn push_read(&mut self, key: &str, value: V, map: &MapDecoder<'_>) {
        if self.entries.capacity() == 0 {
            // Once and for all: growing by steps would hold old and new entries at a time.
            self.entries = with_room(map.left() + 1);
        }
        self.entries.push((key.to_owned(), value));
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| canonical_order(other.as_bytes(), key.as_bytes()))
    }
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Map<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Of entries with the same key the last one counts.
impl<K: Into<String>, V> FromIterator<(K, V)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<(String, V)> = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        entries.sort_by(|(a, _), (b, _)| canonical_order(a.as_bytes(), b.as_bytes()));
        entries.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self { entries }
    }
}

impl<K: Into<String>, V, const N: usize> From<[(K, V); N]> for Map<V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<V> From<BTreeMap<String, V>> for Map<V> {
    fn from(entries: BTreeMap<String, V>) -> Self {
        entries.into_iter().collect()
    }
}

impl<V> std::ops::Index<&str> for Map<V> {
    type Output = V;

    /// # Panics
    /// If there is no entry of this key.
    fn index(&self, key: &str) -> &V {
        self.get(key).expect("the map has no entry of this key: ask with `get` where it may be absent")
    }
}

impl<V> IntoIterator for Map<V> {
    type Item = (String, V);
    type IntoIter = vec::IntoIter<(String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = &'a (String, V);
    type IntoIter = slice::Iter<'a, (String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

impl<V: Encode> Encode for Map<V> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.map(self.len());
        for (key, value) in &self.entries {
            // What nests too deep must not be followed to its end.
            if encoder.has_failed() {
                return;
            }
            encoder.key(key);
            value.encode(encoder);
        }
    }
}

impl<V: Decode> Decode for Map<V> {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut entries = decoder.map()?;
        let mut map = Self::new();
        while let Some(key) = entries.next_key(decoder)? {
            let value = V::decode(decoder)?;
            map.push_read(key, value, &entries);
        }
        Ok(map)
    }
}
