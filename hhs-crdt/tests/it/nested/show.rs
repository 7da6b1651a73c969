//! What a state shows, as plain values, and the same of somebody who hears of its changes alone.

use std::collections::BTreeMap;

use hhs_crdt::{Field, List, Map, Register, UniqueList};
use hhs_model::class::{Action, Change, PathSegment};
use hhs_model::codec::{Encode, Value};

use super::reference::Shape;
use super::{Nested, Page};

pub(super) fn nested(state: &Nested) -> Value {
    object([
        ("lists", map(&state.lists, numbers)),
        ("pages", list(&state.pages, page)),
        ("books", map(&state.books, |book| list(book, |text| Value::Text(text.to_string())))),
        ("grid", list(&state.grid, numbers)),
        ("names", map(&state.names, unique)),
    ])
}

fn page(page: &Page) -> Value {
    object([
        ("title", register(&page.title)),
        ("text", Value::Text(page.text.to_string())),
        ("rows", numbers(&page.rows)),
    ])
}

fn numbers(numbers: &List<Register<u8>>) -> Value {
    list(numbers, register)
}

fn register(register: &Register<u8>) -> Value {
    values(register.get())
}

fn unique(names: &UniqueList<u8>) -> Value {
    values(names.iter())
}

fn list<F: Field>(list: &List<F>, inner: impl Fn(&F) -> Value) -> Value {
    assert_eq!(list.len(), list.iter().count());
    let from = list.len() / 2;
    assert!(list.iter_from(from).map(&inner).eq(list.iter().skip(from).map(&inner)), "a part is read as it is");
    Value::List(list.iter().map(inner).collect())
}

fn map<F: Field>(map: &Map<u8, F>, inner: impl Fn(&F) -> Value) -> Value {
    assert_eq!(map.len(), map.iter().count());
    let entry = |(key, content): (&u8, &F)| Value::List(vec![Value::from(u64::from(*key)), inner(content)]);
    Value::List(map.iter().map(entry).collect())
}

fn values<T: Encode>(values: impl IntoIterator<Item = T>) -> Value {
    Value::List(values.into_iter().map(|value| Value::of(&value).expect("it has a canonical form")).collect())
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What somebody knows of a field who hears of changes alone.
#[derive(Debug, Default, Clone)]
pub(crate) struct View {
    value: Option<Value>,
    text: String,
    items: Vec<View>,
    /// Fields by their names, entries by their keys.
    entries: BTreeMap<String, (Value, View)>,
}

impl View {
    pub(crate) fn follow(&mut self, change: &Change) {
        let mut view = self;
        for step in &change.path {
            view = match step {
                PathSegment::Field(name) => {
                    let name = (*name).to_owned();
                    &mut view.entries.entry(name).or_insert((Value::Null, Self::default())).1
                }
                PathSegment::Key(key) => &mut view.entries.get_mut(&format!("{key:?}")).expect("the entry is in").1,
                PathSegment::Index(at) => &mut view.items[*at as usize],
            };
        }
        match &change.action {
            Action::Set { old, new } => {
                assert_eq!(&view.value, old);
                view.value.clone_from(new);
            }
            Action::Edited { at, deleted, inserted } => {
                let mut chars: Vec<char> = view.text.chars().collect();
                let at = *at as usize;
                chars.splice(at..at + *deleted as usize, inserted.chars());
                view.text = chars.into_iter().collect();
            }
            Action::ListInserted { at, count } => {
                let at = *at as usize;
                view.items.splice(at..at, vec![Self::default(); *count as usize]);
            }
            Action::ListRemoved { at, count } => drop(view.items.drain(*at as usize..(at + count) as usize)),
            Action::Moved { from, to } => {
                let item = view.items.remove(*from as usize);
                view.items.insert(*to as usize, item);
            }
            Action::Added { value } => {
                let old = view.entries.insert(format!("{value:?}"), (value.clone(), Self::default()));
                assert!(old.is_none(), "it was not there");
            }
            Action::Removed { value } => {
                view.entries.remove(&format!("{value:?}")).expect("it was there");
            }
            action => panic!("no field has a change such as {action:?}"),
        }
    }

    /// What it shows of such fields.
    pub(crate) fn read(&self, fields: &[(&'static str, Shape)]) -> Value {
        let none = Self::default();
        let field = |(name, shape): &(&'static str, Shape)| {
            let view = self.entries.get(*name).map_or(&none, |(_, view)| view);
            ((*name).to_owned(), view.field(shape))
        };
        Value::Map(fields.iter().map(field).collect())
    }

    fn field(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Register => Value::List(self.value.iter().cloned().collect()),
            Shape::Text => Value::Text(self.text.clone()),
            Shape::Unique => Value::List(self.items.iter().filter_map(|item| item.value.clone()).collect()),
            Shape::List(content) => Value::List(self.items.iter().map(|item| item.field(content)).collect()),
            Shape::Map(content) => {
                let entry = |(key, view): &(Value, Self)| Value::List(vec![key.clone(), view.field(content)]);
                Value::List(self.entries.values().map(entry).collect())
            }
            Shape::Struct(fields) => self.read(fields),
        }
    }
}
