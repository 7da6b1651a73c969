//! Tests of index entries: which ones an object has.

use hhs_model::ObjectId;
use hhs_model::codec::{Value, encode};

use super::super::keys;
use super::{Selector, linked_from, of_object};

/// An object links three times to one target, twice by the same pattern: four entries for the first pattern, and two more
/// for the second.
#[test]
fn links_that_cannot_be_told_apart_have_one_entry() {
    let (id, target) = (ObjectId::of(b"object"), ObjectId::of(b"target"));
    let link = Value::from(target.cid());
    let fields = [
        ("$", Value::Text("test/v1/Album".into())),
        ("cover", link.clone()),
        ("photos", Value::List(vec![link.clone(), link])),
    ];
    let bytes = encode(&Value::Map(fields.map(|(key, value)| (key.to_owned(), value)).into())).unwrap();
    let entries = of_object(7, id, &bytes).unwrap();
    let class = Selector::class("test/v1/Album");
    let (cover, photos) = (Some("cover"), Some("photos/*"));
    let selectors = [(None, None), (Some(class), None), (None, cover), (Some(class), cover), (None, photos)];
    for (class, pattern) in selectors.into_iter().chain([(Some(class), photos)]) {
        let key = keys::reference(target, Selector::link(class, pattern), 7);
        assert!(entries.iter().any(|entry| *entry == (key.clone(), vec![])));
    }
    assert_eq!(entries.len(), 3 + 6);
    assert_eq!(entries[0], (keys::id_of(7), id.as_bytes().to_vec()));
    assert_eq!(entries[1], (keys::of_class(class, 7), vec![]));
    assert_eq!(entries[2], (keys::class_name(class), b"test/v1/Album".to_vec()));
}

/// Classes and patterns of every kind select different entries.
#[test]
fn selectors_are_distinct() {
    let class = |name: &str| Some(Selector::class(name));
    let pattern = |text: &'static str| Some(text);
    let all = [
        Selector::link(None, None),
        Selector::link(class("a"), None),
        Selector::link(class("b"), None),
        Selector::link(None, pattern("a")),
        Selector::link(None, pattern("b")),
        Selector::link(None, pattern("a/b")),
        Selector::link(None, pattern("a~1b")),
        Selector::link(class("a"), pattern("b")),
        Selector::link(class("b"), pattern("a")),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

/// Payloads are of any class, or no value at all: their links are found all the same, where there are any.
#[test]
fn links_of_payloads() {
    let (one, other) = (ObjectId::of(b"one"), ObjectId::of(b"other"));
    let links = Value::List(vec![Value::from(one.cid()), Value::from(other.cid()), Value::from(one.cid())]);
    let bytes = encode(&links).unwrap();
    assert_eq!(linked_from(&bytes), [one, other].into());
    assert_eq!(linked_from(&bytes[1..]), [].into());
    assert_eq!(linked_from(&encode(&Value::Null).unwrap()), [].into());
    assert_eq!(linked_from(&[]), [].into());
}
