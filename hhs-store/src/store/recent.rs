//! What was needed lately, within a bound: a map that forgets what was not asked for during a generation.

use std::collections::BTreeMap;

/// A bounded map of what was needed lately.
pub(super) struct Recent<K, V> {
    recent: BTreeMap<K, V>,
    older: BTreeMap<K, V>,
    generation: usize,
}

impl<K: Ord, V> Recent<K, V> {
    /// An empty one. Each of its two generations holds up to `generation` entries.
    pub(super) fn new(generation: usize) -> Self {
        Self { recent: BTreeMap::new(), older: BTreeMap::new(), generation }
    }

    /// Remembers an entry.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.recent.len() >= self.generation {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, value);
    }

    /// The value under a key, if it was needed lately; from now on it was.
    pub(super) fn get(&mut self, key: K) -> Option<V>
    where
        V: Copy,
    {
        if let Some(value) = self.recent.get(&key) {
            return Some(*value);
        }
        let value = self.older.remove(&key)?;
        self.put(key, value);
        Some(value)
    }

    /// Forgets a key; the value that was there.
    pub(super) fn take(&mut self, key: &K) -> Option<V> {
        self.recent.remove(key).or_else(|| self.older.remove(key))
    }
}

#[cfg(test)]
mod tests;
