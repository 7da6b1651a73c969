//! Taking back what an op did to a list, as far as it still stands.

use hhs_model::class::OpContext;

use super::arrangement::SHOWN;
use super::records::EventKind;
use super::{List, ListEdit, ListMutation};
use crate::field::{At, Field};

impl<F: Field> List<F> {
    /// The last mutation first; each with indexes in what is left by those before it.
    pub(super) fn undo_in_turn(
        &self,
        mutations: &[(u32, &ListMutation<F::Mutation>)],
        op: &OpContext<'_>,
        before: &Self,
    ) -> Vec<ListMutation<F::Mutation>> {
        let mut edit = ListEdit::new(self);
        for (index, mutation) in mutations.iter().rev() {
            let at = At { op, index: *index };
            match mutation {
                ListMutation::At { inner, .. } => self.undo_write(&mut edit, inner, at, before),
                _ => self.undo_places(&mut edit, at, before),
            }
        }
        edit.into_recorded().mutations
    }

    /// Inserts, removes and moves are taken back by what they did, whatever index they said.
    fn undo_places(&self, edit: &mut ListEdit<'_, F>, at: At<'_>, before: &Self) {
        let events: Vec<_> = self.arrangement.written(&at.op.id, at.index).collect();
        for event in events.into_iter().rev() {
            let slot = &self.arrangement.slots[event.slot as usize];
            let element = slot.element;
            let shown = self.arrangement.visible(SHOWN, element);
            let index = self.arrangement.index(SHOWN, element);
            match (event.kind, index) {
                (EventKind::Place, Some(index)) if slot.birth => {
                    edit.now(index as usize).map(|now| edit.remove(now));
                }
                (EventKind::Place, Some(index)) if shown == Some(event.slot) => {
                    let earlier = self.earlier_place(element, before);
                    if let (Some(now), Some(to)) = (edit.now(index as usize), earlier) {
                        // Places are counted without the element itself.
                        let to = edit.now_before(to as usize);
                        edit.move_to(now, if to > now { to - 1 } else { to });
                    }
                }
                // Not what the op itself had put in.
                (EventKind::Take, None) if self.earlier_place(element, before).is_some() => {
                    let to = self.arrangement.shown_before(event.slot);
                    edit.restore(edit.now_before(to as usize), self.id(element));
                }
                _ => {}
            }
        }
    }

    /// How many elements are shown before the slot in which an element was.
    fn earlier_place(&self, element: u32, before: &Self) -> Option<u32> {
        let earlier = before.arrangement.visible(SHOWN, before.named(&self.id(element))?)?;
        let slot = self.arrangement.named(before.arrangement.name(earlier))?;
        Some(self.arrangement.shown_before(slot))
    }

    fn undo_write(&self, edit: &mut ListEdit<'_, F>, inner: &F::Mutation, at: At<'_>, before: &Self) {
        let Some(event) = self.arrangement.written(&at.op.id, at.index).next() else { return };
        let element = self.arrangement.slots[event.slot as usize].element;
        let index = self.arrangement.index(SHOWN, element);
        let Some(now) = index.and_then(|index| edit.now(index as usize)) else { return };
        let Some(content) = self.content(element) else { return };
        let earlier = before.named(&self.id(element)).and_then(|element| before.content(element));
        for inner in content.undo(inner, at, earlier.unwrap_or_else(|| before.blank())) {
            edit.write(now, inner);
        }
    }
}
