//! What a state shows, as plain values.

use hhs_crdt::{Counter, Field, GrowSet, Log, Map, MultiRegister, Register, Set};
use hhs_model::codec::{Encode, Value};

use super::{Everything, Task};
use crate::history::map as object;

fn list<T: Encode>(values: impl IntoIterator<Item = T>) -> Value {
    Value::List(values.into_iter().map(|value| Value::of(&value).expect("it has a canonical form")).collect())
}

pub(super) fn everything(state: &Everything) -> Value {
    object([
        ("title", register(&state.title)),
        ("mood", multi_register(&state.mood)),
        ("tags", set(&state.tags)),
        ("seen", grow_set(&state.seen)),
        ("votes", counter(&state.votes)),
        ("lines", log(&state.lines)),
        ("tasks", map(&state.tasks, task)),
        ("shelves", map(&state.shelves, |shelf| map(shelf, counter))),
    ])
}

fn task(task: &Task) -> Value {
    object([
        ("name", register(&task.name)),
        ("mood", multi_register(&task.mood)),
        ("labels", set(&task.labels)),
        ("the-votes", counter(&task.votes)),
        ("notes", log(&task.notes)),
        ("steps", map(&task.steps, register)),
    ])
}

fn register(register: &Register<u8>) -> Value {
    list(register.get())
}

fn multi_register(register: &MultiRegister<u8>) -> Value {
    list(register.get_all())
}

fn set(set: &Set<u8>) -> Value {
    list(set.iter())
}

fn grow_set(set: &GrowSet<u8>) -> Value {
    list(set.iter())
}

fn counter(counter: &Counter) -> Value {
    Value::from(counter.get())
}

fn log(log: &Log<u8>) -> Value {
    let all: Vec<u8> = log.iter().map(|entry| *entry.value).collect();
    for count in 0..=all.len() {
        assert!(log.last(count).map(|entry| entry.value).eq(&all[all.len() - count..]), "a part is read as it is");
    }
    list(all)
}

fn map<F: Field>(map: &Map<u8, F>, inner: impl Fn(&F) -> Value) -> Value {
    assert_eq!(map.len(), map.iter().count());
    Value::List(
        map.iter().map(|(key, content)| Value::List(vec![Value::from(u64::from(*key)), inner(content)])).collect(),
    )
}
