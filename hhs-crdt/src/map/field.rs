//! A map as a field.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::authority::Holders;
use hhs_model::class::{
    Action, Changes, EditError, LoadError, Loader, OpContext, PathSegment, Saver, Shape, Void, event_value,
};
use hhs_model::codec::{Decode, Encode};
use hhs_model::op::Capability;

use super::entry::Entry;
use super::{Map, MapEdit, MapMutation, fresh, shown};
use crate::field::{At, Field, Recorded};
use crate::payload::MAX_MUTATIONS;

impl<K: Ord + Encode + Decode + Clone + Send + Sync + 'static, F: Field> Field for Map<K, F> {
    const POSITIONAL: bool = F::POSITIONAL;
    const OBSERVES: bool = F::OBSERVES;
    const AUTHORISED: bool = F::AUTHORISED;

    type Mutation = MapMutation<K, F::Mutation>;
    type Edit<'a> = MapEdit<'a, K, F>;

    fn accepts(mutation: &Self::Mutation, op: &OpContext<'_>) -> Result<(), Void> {
        match mutation {
            MapMutation::At { inner, .. } => F::accepts(inner, op),
            _ => Ok(()),
        }
    }

    fn check(mutation: &Self::Mutation, needs: &mut BTreeSet<Capability>) -> Result<(), EditError> {
        match mutation {
            MapMutation::At { inner, .. } => F::check(inner, needs),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, mutation: Self::Mutation, at: At<'_>, changes: &mut Changes) {
        match mutation {
            MapMutation::At { key, life, inner } => {
                self.write(key, life, at, changes, |content, changes| content.apply(inner, at, changes));
            }
            MapMutation::Insert { key, life } => self.write(key, life, at, changes, |_, _| {}),
            MapMutation::Remove(key) => self.remove(&key, at, changes),
        }
    }

    fn shadow(&mut self, mutation: Self::Mutation, at: At<'_>) {
        let MapMutation::At { key, life, inner } = mutation else { return };
        if !F::POSITIONAL || !can_be(life, at.op) {
            return;
        }
        let holders = self.holders.as_deref();
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(fresh(holders)));
        entry.content_mut(life, || fresh(holders)).shadow(inner, at);
    }

    fn observe(&mut self, op: &OpContext<'_>, changes: &mut Changes) {
        if F::OBSERVES {
            self.each_content(changes, |content, changes| content.observe(op, changes));
        }
    }

    fn authorise(&mut self, holders: &Holders, changes: &mut Changes) {
        if F::AUTHORISED {
            self.holders = Some(Box::new(holders.clone()));
            self.vacant.take();
            self.each_content(changes, |content, changes| content.authorise(holders, changes));
        }
    }

    fn edit(&self) -> MapEdit<'_, K, F> {
        MapEdit::new(self)
    }

    fn finish(edit: MapEdit<'_, K, F>) -> Recorded<Self::Mutation> {
        edit.finish()
    }

    fn undo(&self, mutation: &Self::Mutation, at: At<'_>, before: &Self) -> Vec<Self::Mutation> {
        self.undo_all(&[(at.index, mutation)], at.op, before)
    }

    fn undo_all(&self, mutations: &[(u32, &Self::Mutation)], op: &OpContext<'_>, before: &Self) -> Vec<Self::Mutation> {
        self.undo_by_key(mutations, op, before)
    }

    fn coalesce(mutations: Vec<Self::Mutation>) -> Vec<Self::Mutation> {
        coalesce::<K, F>(mutations)
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        for key in self.keys().filter(|key| !newer.contains_key(*key)) {
            changes.report(|| Action::Removed { value: event_value(key) });
        }
        for (key, content) in newer.iter() {
            report(key, self.get(key), content, changes);
        }
    }

    fn shape(shape: &mut Shape) {
        shape.name("Map").named::<K>();
        F::shape(shape);
    }

    fn save(&self, saver: &mut Saver) {
        saver.uint(self.entries.len() as u64);
        for (key, entry) in &self.entries {
            saver.value(key);
            entry.save(saver);
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let count = loader.count(5)?;
        let entries = (0..count).map(|_| Ok((loader.value()?, Entry::load(loader)?)));
        let mut map = Self { entries: entries.collect::<Result<_, LoadError>>()?, ..Self::default() };
        map.len = map.iter().count();
        Ok(map)
    }
}

impl<K: Ord + Encode + Clone, F: Field> Map<K, F> {
    /// Writes to a life of an entry, and says that it goes on.
    fn write(
        &mut self,
        key: K,
        life: u64,
        at: At<'_>,
        changes: &mut Changes,
        write: impl FnOnce(&mut F, &mut Changes),
    ) {
        if !can_be(life, at.op) {
            return;
        }
        let holders = self.holders.as_deref();
        let name = changes.is_watched().then(|| key.clone());
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(fresh(holders)));
        let before = entry.shown();
        entry.add(life, at.op, || fresh(holders));
        let after = entry.shown();
        self.len += usize::from(before.is_none());
        let content = entry.content_mut(life, || fresh(holders));
        let Some(key) = name else { return write(content, changes) };
        if before == Some(life) && after == before {
            return changes.within(PathSegment::Key(event_value(&key)), |changes| write(content, changes));
        }
        // Nobody has seen this content so far: what it holds is new, or is not shown.
        write(content, &mut Changes::unwatched());
        if let (true, Some(content)) = (before != after, shown(entry)) {
            report(&key, before.and_then(|life| entry.content(life)), content, changes);
        }
    }

    fn remove(&mut self, key: &K, at: At<'_>, changes: &mut Changes) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let before = entry.shown();
        entry.remove(at.op);
        match (before, entry.shown()) {
            (Some(_), None) => {
                self.len -= 1;
                changes.report(|| Action::Removed { value: event_value(key) });
            }
            (Some(before), Some(after)) if before != after && changes.is_watched() => {
                if let Some(content) = entry.content(after) {
                    report(key, entry.content(before), content, changes);
                }
            }
            _ => {}
        }
    }

    /// Does something with every content; only what is shown reports changes.
    fn each_content(&mut self, changes: &mut Changes, mut with: impl FnMut(&mut F, &mut Changes)) {
        for (key, entry) in &mut self.entries {
            let shown = entry.shown();
            for (life, content) in entry.contents_mut() {
                if shown == Some(life) && changes.is_watched() {
                    changes.within(PathSegment::Key(event_value(key)), |changes| with(content, changes));
                } else {
                    with(content, &mut Changes::unwatched());
                }
            }
        }
    }
}

/// Whether the author of an op can know of a life: each takes a mutation of an op of its past, or of itself. So nobody can
/// name one that leaves no room above it.
fn can_be(life: u64, op: &OpContext<'_>) -> bool {
    life <= op.height.saturating_add(1).saturating_mul(MAX_MUTATIONS as u64)
}

/// What stands for one key keeps its order, and keys do not depend on each other.
fn coalesce<K: Ord + Clone, F: Field>(mutations: Vec<MapMutation<K, F::Mutation>>) -> Vec<MapMutation<K, F::Mutation>> {
    let mut keys: BTreeMap<K, Vec<_>> = BTreeMap::new();
    for mutation in mutations {
        keys.entry(mutation.key().clone()).or_default().push(mutation);
    }
    let mut coalesced = Vec::new();
    for (key, mutations) in keys {
        let mut run = (0, Vec::new());
        let close = |(life, run): (u64, Vec<F::Mutation>), coalesced: &mut Vec<_>| {
            let inner = F::coalesce(run).into_iter();
            coalesced.extend(inner.map(|inner| MapMutation::At { key: key.clone(), life, inner }));
        };
        for mutation in mutations {
            match mutation {
                MapMutation::At { life, inner, .. } if life == run.0 => run.1.push(inner),
                other => {
                    close(std::mem::take(&mut run), &mut coalesced);
                    match other {
                        MapMutation::At { life, inner, .. } => run = (life, vec![inner]),
                        other => coalesced.push(other),
                    }
                }
            }
        }
        close(run, &mut coalesced);
    }
    coalesced
}

/// Reports that an entry holds something else; without `before`, that it is in.
fn report<K: Encode, F: Field>(key: &K, before: Option<&F>, after: &F, changes: &mut Changes) {
    if before.is_none() {
        changes.report(|| Action::Added { value: event_value(key) });
    }
    changes.within(PathSegment::Key(event_value(key)), |changes| match before {
        Some(before) => before.diff(after, changes),
        None => F::default().diff(after, changes),
    });
}
