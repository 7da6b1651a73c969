//! Taking back what an op did to a map, as far as it still stands.

use std::collections::BTreeMap;

use hhs_model::class::OpContext;
use hhs_model::codec::Encode;

use super::{Map, MapMutation};
use crate::field::Field;

/// What an op did to one entry.
struct Writes<'m, M> {
    /// Each with its life, if it is content, and where it stands.
    content: Vec<(u64, u32, &'m M)>,
    /// The lives that the op said go on.
    lives: Vec<u64>,
    removes: bool,
}

impl<M> Default for Writes<'_, M> {
    fn default() -> Self {
        Self { content: Vec::new(), lives: Vec::new(), removes: false }
    }
}

impl<K: Ord + Encode + Clone, F: Field> Map<K, F> {
    /// Entry by entry: what the op did to one of them is taken back together.
    pub(super) fn undo_by_key(
        &self,
        mutations: &[(u32, &MapMutation<K, F::Mutation>)],
        op: &OpContext<'_>,
        before: &Self,
    ) -> Vec<MapMutation<K, F::Mutation>> {
        let mut keys: BTreeMap<&K, Writes<'_, F::Mutation>> = BTreeMap::new();
        for (index, mutation) in mutations {
            let writes = keys.entry(mutation.key()).or_default();
            match mutation {
                MapMutation::At { life, inner, .. } => {
                    writes.content.push((*life, *index, inner));
                    writes.lives.push(*life);
                }
                MapMutation::Insert { life, .. } => writes.lives.push(*life),
                MapMutation::Remove(_) => writes.removes = true,
            }
        }
        keys.into_iter().flat_map(|(key, writes)| self.undo_entry(key, &writes, op, before)).collect()
    }

    fn undo_entry(
        &self,
        key: &K,
        writes: &Writes<'_, F::Mutation>,
        op: &OpContext<'_>,
        before: &Self,
    ) -> Vec<MapMutation<K, F::Mutation>> {
        let Some(entry) = self.entries.get(key) else { return Vec::new() };
        let earlier = before.shown_life(key);
        let shown = entry.shown();
        // It began with the op, and nobody else has written to it.
        let began = shown.filter(|life| {
            writes.lives.contains(life) && earlier != Some(*life) && entry.is_only_by(*life, op.position)
        });
        let mut undone = Vec::new();
        undone.extend(began.map(|_| MapMutation::Remove(key.clone())));
        if writes.removes && (shown.is_none() || began.is_some()) {
            undone.extend(earlier.map(|life| MapMutation::Insert { key: key.clone(), life }));
        }
        let Some(life) = shown.filter(|_| began.is_none()) else { return undone };
        let of_life = writes.content.iter().filter(|(of, ..)| *of == life);
        let inner: Vec<(u32, &F::Mutation)> = of_life.map(|(_, index, inner)| (*index, *inner)).collect();
        if let Some(content) = entry.content(life).filter(|_| !inner.is_empty()) {
            let earlier = before.entries.get(key).and_then(|entry| entry.content(life));
            let inner = content.undo_all(&inner, op, earlier.unwrap_or_else(|| before.vacant()));
            undone.extend(inner.into_iter().map(|inner| MapMutation::At { key: key.clone(), life, inner }));
        }
        undone
    }
}
