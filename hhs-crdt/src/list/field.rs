//! A list as a field: what its mutations do.

use std::collections::BTreeSet;

use hhs_model::authority::Holders;
use hhs_model::class::{Action, Changes, EditError, LoadError, Loader, OpContext, PathSegment, Saver, Shape, Void};
use hhs_model::op::Capability;

use super::arrangement::{SEEN, SHOWN};
use super::{ElementId, List, ListEdit, ListMutation};
use crate::field::{At, Field, Recorded};

impl<F: Field> Field for List<F> {
    const POSITIONAL: bool = true;
    const OBSERVES: bool = F::OBSERVES;
    const AUTHORISED: bool = F::AUTHORISED;

    type Mutation = ListMutation<F::Mutation>;
    type Edit<'a> = ListEdit<'a, F>;

    fn accepts(mutation: &Self::Mutation, op: &OpContext<'_>) -> Result<(), Void> {
        mutation.inner().iter().try_for_each(|inner| F::accepts(inner, op))
    }

    fn check(mutation: &Self::Mutation, needs: &mut BTreeSet<Capability>) -> Result<(), EditError> {
        mutation.inner().iter().try_for_each(|inner| F::check(inner, needs))
    }

    fn apply(&mut self, mutation: Self::Mutation, at: At<'_>, changes: &mut Changes) {
        self.write(mutation, at, true, changes);
    }

    fn shadow(&mut self, mutation: Self::Mutation, at: At<'_>) {
        self.write(mutation, at, false, &mut Changes::unwatched());
    }

    fn observe(&mut self, op: &OpContext<'_>, changes: &mut Changes) {
        if F::OBSERVES {
            self.each(changes, |content, changes| content.observe(op, changes));
        }
    }

    fn authorise(&mut self, holders: &Holders, changes: &mut Changes) {
        if F::AUTHORISED {
            self.holders = Some(Box::new(holders.clone()));
            self.each(changes, |content, changes| content.authorise(holders, changes));
        }
    }

    fn edit(&self) -> ListEdit<'_, F> {
        ListEdit::new(self)
    }

    fn finish(edit: ListEdit<'_, F>) -> Recorded<Self::Mutation> {
        edit.into_recorded()
    }

    fn undo(&self, mutation: &Self::Mutation, at: At<'_>, before: &Self) -> Vec<Self::Mutation> {
        self.undo_in_turn(&[(at.index, mutation)], at.op, before)
    }

    fn undo_all(&self, mutations: &[(u32, &Self::Mutation)], op: &OpContext<'_>, before: &Self) -> Vec<Self::Mutation> {
        self.undo_in_turn(mutations, op, before)
    }

    fn diff(&self, newer: &Self, changes: &mut Changes) {
        self.report(newer, changes);
    }

    fn shape(shape: &mut Shape) {
        shape.name("List");
        F::shape(shape);
    }

    fn save(&self, saver: &mut Saver) {
        self.arrangement.save(saver);
        for content in &self.contents {
            saver.uint(content.is_some().into());
            if let Some(content) = content {
                content.save(saver);
            }
        }
    }

    fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        let mut list = Self { arrangement: super::Arrangement::load(loader, true)?, ..Self::default() };
        for element in &list.arrangement.elements {
            let content = match loader.uint()? {
                0 => None,
                _ => Some(F::load(loader)?),
            };
            if content.is_none() && element.is_shown() {
                return Err(LoadError::Damaged("an element of a list has no content"));
            }
            list.contents.push(content);
        }
        Ok(list)
    }
}

impl<M> ListMutation<M> {
    /// The mutations of elements in it.
    fn inner(&self) -> &[M] {
        match self {
            Self::Insert { items, .. } => items,
            Self::At { inner, .. } => std::slice::from_ref(inner),
            _ => &[],
        }
    }
}

impl<F: Field> List<F> {
    fn write(&mut self, mutation: ListMutation<F::Mutation>, at: At<'_>, effective: bool, changes: &mut Changes) {
        self.arrangement.enter(at.op, effective);
        match mutation {
            ListMutation::Insert { at: index, items } => {
                self.insert(index, items.into_iter().map(Some), at, effective, changes);
            }
            ListMutation::InsertEmpty { at: index } => {
                self.insert(index, std::iter::once(None), at, effective, changes)
            }
            ListMutation::Remove { at: index } => self.remove(index, at, changes),
            ListMutation::Move { from, to } => self.relocate(from, to, at, changes),
            ListMutation::Restore { at: index, element } => self.restore(index, &element, at, changes),
            ListMutation::At { index, inner } => self.write_at(index, inner, at, effective, changes),
        }
    }

    fn seen(&self, index: u64) -> Option<u32> {
        self.arrangement.element(SEEN, u32::try_from(index).ok()?)
    }

    fn insert(
        &mut self,
        index: u64,
        items: impl Iterator<Item = Option<F::Mutation>>,
        at: At<'_>,
        effective: bool,
        changes: &mut Changes,
    ) {
        let mut left = self.arrangement.left_of(index);
        let mut inserted = Vec::new();
        for item in items {
            let element = self.arrangement.add();
            left = self.arrangement.place(left, element, true, at.index, true);
            self.contents.push(effective.then(|| self.new_content()));
            inserted.push((element, item));
        }
        if !effective {
            return;
        }
        let first = inserted.first().and_then(|(element, _)| self.arrangement.index(SHOWN, *element));
        let (first, count) = (first.unwrap_or_default().into(), inserted.len() as u64);
        changes.report(|| Action::ListInserted { at: first, count });
        for (place, (element, item)) in (first..).zip(inserted) {
            if let (Some(item), Some(content)) = (item, &mut self.contents[element as usize]) {
                changes.within(PathSegment::Index(place), |changes| content.apply(item, at, changes));
            }
        }
    }

    fn new_content(&self) -> F {
        let mut content = F::default();
        if let Some(holders) = &self.holders {
            content.authorise(holders, &mut Changes::unwatched());
        }
        content
    }

    fn remove(&mut self, index: u64, at: At<'_>, changes: &mut Changes) {
        let Some(element) = self.seen(index) else { return };
        let before = self.arrangement.index(SHOWN, element);
        self.arrangement.take(element, at.index);
        self.arrangement.report(element, before, changes);
    }

    fn relocate(&mut self, from: u64, to: u64, at: At<'_>, changes: &mut Changes) {
        let Some(element) = self.seen(from) else { return };
        let before = self.arrangement.index(SHOWN, element);
        let left = self.arrangement.left_without(element, to);
        self.arrangement.place(left, element, false, at.index, true);
        self.arrangement.report(element, before, changes);
    }

    /// What only void ops inserted has no content, and stays away.
    fn restore(&mut self, index: u64, id: &ElementId, at: At<'_>, changes: &mut Changes) {
        let Some(element) = self.named(id) else { return };
        let slot = self.arrangement.elements[element as usize].first;
        let seen = self.arrangement.visible(SEEN, element).is_some();
        if seen || !at.op.has_seen(self.arrangement.position_of(slot)) {
            return;
        }
        let before = self.arrangement.index(SHOWN, element);
        let left = self.arrangement.left_of(index);
        let shown = self.contents[element as usize].is_some();
        self.arrangement.place(left, element, true, at.index, shown);
        self.arrangement.report(element, before, changes);
        if let (true, Some(place)) = (changes.is_watched(), self.arrangement.index(SHOWN, element))
            && let Some(content) = self.contents[element as usize].as_ref().filter(|_| before.is_none())
        {
            changes.within(PathSegment::Index(place.into()), |changes| self.blank().diff(content, changes));
        }
    }

    fn write_at(&mut self, index: u64, inner: F::Mutation, at: At<'_>, effective: bool, changes: &mut Changes) {
        let Some(element) = self.seen(index) else { return };
        self.arrangement.touch(element, at.index);
        let Some(content) = &mut self.contents[element as usize] else { return };
        match (effective, self.arrangement.index(SHOWN, element)) {
            (true, Some(place)) => {
                changes.within(PathSegment::Index(place.into()), |changes| content.apply(inner, at, changes));
            }
            // It may come back.
            (true, None) => content.apply(inner, at, &mut Changes::unwatched()),
            (false, _) if F::POSITIONAL => content.shadow(inner, at),
            (false, _) => {}
        }
    }

    fn each(&mut self, changes: &mut Changes, mut with: impl FnMut(&mut F, &mut Changes)) {
        for (element, content) in (0..).zip(&mut self.contents) {
            let Some(content) = content else { continue };
            let place = self.arrangement.visible(SHOWN, element).filter(|_| changes.is_watched());
            match place.map(|slot| self.arrangement.shown_before(slot)) {
                Some(place) => changes.within(PathSegment::Index(place.into()), |changes| with(content, changes)),
                None => with(content, &mut Changes::unwatched()),
            }
        }
    }
}
