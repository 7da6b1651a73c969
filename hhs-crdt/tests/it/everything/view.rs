//! What somebody knows of a state who hears of its changes alone.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::Replica;
use hhs_model::IdentityId;
use hhs_model::OpId;
use hhs_model::class::{Action, Change, Changes, PathSegment};
use hhs_model::codec::Value;

use super::Everything;

/// What stands at each path, where anything does.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct View(BTreeMap<String, Known>);

#[derive(Debug, PartialEq)]
enum Known {
    Value(Value),
    Values(Vec<Value>),
    Sum(i64),
    Elements(BTreeSet<String>),
    /// How often each entry stands.
    Entries(BTreeMap<String, usize>),
}

impl View {
    /// What the state shows, told as a difference to nothing.
    pub(super) fn of(state: &Everything) -> Self {
        let mut changes = Changes::of(OpId::of(b"any"), IdentityId::of(b"anybody"));
        Everything::new().diff(state, &mut changes);
        let mut view = Self::default();
        changes.into_vec().iter().for_each(|change| view.follow(change));
        view
    }

    pub(crate) fn follow(&mut self, change: &Change) {
        let path = path(&change.path);
        match &change.action {
            Action::Set { old, new } => {
                assert_eq!(self.0.remove(&path), old.clone().map(Known::Value));
                self.0.extend(new.clone().map(|new| (path, Known::Value(new))));
            }
            Action::Values { old, new } => {
                let before = self.0.remove(&path).unwrap_or(Known::Values(Vec::new()));
                assert_eq!(before, Known::Values(old.clone()));
                if !new.is_empty() {
                    self.0.insert(path, Known::Values(new.clone()));
                }
            }
            Action::Counted { old, new } => {
                assert_eq!(self.0.remove(&path).unwrap_or(Known::Sum(0)), Known::Sum(*old));
                if *new != 0 {
                    self.0.insert(path, Known::Sum(*new));
                }
            }
            Action::Added { value } => {
                let known = self.0.entry(path).or_insert_with(|| Known::Elements(BTreeSet::new()));
                let Known::Elements(elements) = known else { panic!("a set stays a set") };
                assert!(elements.insert(format!("{value:?}")), "it was not there");
            }
            Action::Removed { value } => self.remove(path, value),
            Action::Inserted { value } => {
                let known = self.0.entry(path).or_insert_with(|| Known::Entries(BTreeMap::new()));
                let Known::Entries(entries) = known else { panic!("a log stays a log") };
                *entries.entry(format!("{value:?}")).or_default() += 1;
            }
            Action::Withdrawn { value } => self.withdraw(path, value),
            Action::Granted { .. } => {}
            action => panic!("no field has a change such as {action:?}"),
        }
    }

    /// Takes out an element, and what was known of its content.
    fn remove(&mut self, path: String, value: &Value) {
        let content = format!("{path}/{value:?}/");
        self.0.retain(|path, _| !format!("{path}/").starts_with(&content));
        let Some(Known::Elements(elements)) = self.0.get_mut(&path) else { panic!("there is a set") };
        assert!(elements.remove(&format!("{value:?}")), "it was there");
        if elements.is_empty() {
            self.0.remove(&path);
        }
    }

    fn withdraw(&mut self, path: String, value: &Value) {
        let Some(Known::Entries(entries)) = self.0.get_mut(&path) else { panic!("there is a log") };
        let count = entries.get_mut(&format!("{value:?}")).expect("it was there");
        *count -= 1;
        if *count == 0 {
            entries.remove(&format!("{value:?}"));
        }
        if entries.is_empty() {
            self.0.remove(&path);
        }
    }
}

fn path(path: &[PathSegment]) -> String {
    let step = |step: &PathSegment| match step {
        PathSegment::Field(name) => (*name).to_owned(),
        PathSegment::Key(key) => format!("{key:?}"),
        PathSegment::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect::<Vec<_>>().join("/")
}
