//! What somebody knows of a document who hears of its changes alone.

use std::collections::BTreeSet;

use hhs_crdt::Replica;
use hhs_model::class::{Action, Change, Changes};
use hhs_model::codec::{Encode, Value};
use hhs_model::{IdentityId, OpId};

use super::Everything;
use crate::everything::view::View as Shallow;
use crate::nested::reference::Shape;
use crate::nested::show::View as Deep;
use crate::text::marks::random::{follow, styles};
use crate::text::marks::reference::Styles;

#[derive(Debug, Default)]
pub(super) struct Follower {
    simple: Shallow,
    lists: Deep,
    text: Styles,
    members: BTreeSet<IdentityId>,
}

const LISTS: [(&str, Shape); 2] = [("list", Shape::List(&Shape::Register)), ("order", Shape::Unique)];

impl Follower {
    /// Somebody who is told a state as the difference to nothing; of members only that is not.
    pub(super) fn of(state: &Everything) -> Self {
        let mut changes = Changes::of(OpId::of(b"any"), IdentityId::of(b"anybody"));
        Everything::new().diff(state, &mut changes);
        let mut follower = Self { members: state.members.iter().copied().collect(), ..Self::default() };
        changes.into_vec().iter().for_each(|change| follower.follow(change));
        follower
    }

    pub(super) fn follow(&mut self, change: &Change) {
        match (change.field().expect("a field"), &change.action) {
            // The order of a ledger has tests of its own.
            ("purse", _) => {}
            ("members", Action::Granted { to }) => assert!(self.members.insert(*to), "they were no member"),
            ("members", Action::Revoked { from }) => assert!(self.members.remove(from), "they were a member"),
            ("list" | "order", _) => self.lists.follow(change),
            ("text", _) => follow(&mut self.text, change),
            _ => self.simple.follow(change),
        }
    }

    /// Whether that is what the document shows.
    pub(super) fn knows(&self, state: &Everything) {
        let known: BTreeSet<IdentityId> = state.members.iter().copied().collect();
        assert_eq!(self.members, known);
        self.knows_all_but_members(state);
    }

    pub(super) fn knows_all_but_members(&self, state: &Everything) {
        assert_eq!(self.simple, Self::of(state).simple);
        assert_eq!(self.text, styles(&state.text));
        let entries = [
            ("list", list(state.list.iter().map(|element| list(element.get())))),
            ("order", list(state.order.iter().map(|name| Value::of(name).expect("a text")))),
        ];
        let shown = Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        assert_eq!(self.lists.read(&LISTS), shown);
    }
}

fn list<T: Encode>(values: impl IntoIterator<Item = T>) -> Value {
    Value::List(values.into_iter().map(|value| Value::of(&value).expect("it has a canonical form")).collect())
}
