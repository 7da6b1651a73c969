//! The room that most tests are about, and its payloads.

use hhs_crdt::{Log, Members, Register, Replica, Set};
use hhs_model::class::Draft;
use hhs_model::codec::{Value, encode};

use crate::harness::{History, Local};
pub(crate) use crate::harness::{identity, op_id};

/// The class that the tests are about.
#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Room")]
pub(crate) struct Room {
    pub(crate) name: Register<String>,
    pub(crate) tags: Set<String>,
    pub(crate) members: Members,
    pub(crate) messages: Log<String>,
}

/// Authors with a room each.
pub(crate) type World = History<Room>;

/// A room before any op.
pub(crate) fn empty() -> Local<Room> {
    Local::new()
}

impl World {
    pub(crate) fn room(&self, author: usize) -> &Room {
        self.state(author)
    }
}

/// A payload from parts, as a peer could write it.
pub(crate) fn payload<const N: usize>(fields: [(&str, Vec<Value>); N]) -> Draft {
    let map = fields.into_iter().map(|(name, mutations)| (name.to_owned(), Value::List(mutations))).collect();
    Draft { payload: Some(bytes(&Value::Map(map))), ..Draft::default() }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    encode(value).expect("the value has a canonical form")
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

pub(crate) fn add(element: &str) -> Value {
    map([("add", text(element))])
}

pub(crate) fn remove(element: &str) -> Value {
    map([("remove", text(element))])
}
