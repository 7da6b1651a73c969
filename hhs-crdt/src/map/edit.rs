//! What records an app's writes to a map.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use hhs_model::codec::{Decode, Encode};

use super::{Map, MapMutation};
use crate::field::{Field, Recorded};

/// Records writes to a [`Map`]. It dereferences to the map's state, which stays as it was when the edit began.
pub struct MapEdit<'a, K, F: Field> {
    state: &'a Map<K, F>,
    keys: BTreeMap<K, Writes<'a, F>>,
}

/// In this order.
struct Writes<'a, F: Field> {
    removes: bool,
    inserts: bool,
    life: u64,
    content: Option<F::Edit<'a>>,
}

impl<'a, K: Ord + Encode + Decode + Clone + Send + Sync + 'static, F: Field> MapEdit<'a, K, F> {
    pub(super) fn new(state: &'a Map<K, F>) -> Self {
        Self { state, keys: BTreeMap::new() }
    }

    /// Writes to an entry, which is there afterwards if anything is written. What was recorded for it before is continued.
    pub fn at(&mut self, key: K) -> &mut F::Edit<'a> {
        let state = self.state;
        let content = state.get(&key);
        let writes = Self::writes(state, &mut self.keys, key);
        // What a new life holds is nothing, and so is what one holds that this edit has ended.
        let content = content.filter(|_| !writes.removes).unwrap_or_else(|| state.vacant());
        writes.content.get_or_insert_with(|| content.edit())
    }

    /// Puts an entry in with nothing in it. If it is in already this is worth an op too: it then withstands removes that
    /// have not seen it.
    pub fn insert(&mut self, key: K) {
        Self::writes(self.state, &mut self.keys, key).inserts = true;
    }

    /// Takes an entry out, if it is in or was put in by this edit. What is written to it afterwards begins anew.
    pub fn remove(&mut self, key: &K) {
        self.keys.remove(key);
        if self.state.contains_key(key) {
            let life = self.state.next_life(key);
            let writes = Writes { removes: true, inserts: false, life, content: None };
            self.keys.insert(key.clone(), writes);
        }
    }

    fn writes<'e>(state: &'a Map<K, F>, keys: &'e mut BTreeMap<K, Writes<'a, F>>, key: K) -> &'e mut Writes<'a, F> {
        let life = state.shown_life(&key).unwrap_or_else(|| state.next_life(&key));
        keys.entry(key).or_insert(Writes { removes: false, inserts: false, life, content: None })
    }

    pub(super) fn finish(self) -> Recorded<MapMutation<K, F::Mutation>> {
        let mut recorded = Recorded::default();
        for (key, Writes { removes, inserts, life, content }) in self.keys {
            if removes {
                recorded.mutations.push(MapMutation::Remove(key.clone()));
            }
            if inserts {
                recorded.mutations.push(MapMutation::Insert { key: key.clone(), life });
            }
            let Some(Recorded { mutations, acts }) = content.map(F::finish) else { continue };
            let at = |inner| MapMutation::At { key: key.clone(), life, inner };
            recorded.mutations.extend(mutations.into_iter().map(at));
            recorded.acts.extend(acts);
        }
        recorded
    }
}

impl<K, F: Field> Deref for MapEdit<'_, K, F> {
    type Target = Map<K, F>;

    fn deref(&self) -> &Map<K, F> {
        self.state
    }
}

impl<K, F: Field> fmt::Debug for MapEdit<'_, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapEdit").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
