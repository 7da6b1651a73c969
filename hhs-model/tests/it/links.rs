//! Links of encoded objects, with their paths, whatever the class.

use hhs_model::bounds::{MAX_DEPTH, MAX_LINKS, MAX_PATTERN_BYTES};
use hhs_model::codec::{DecodeError, encode};
use hhs_model::object::{Step, links};
use hhs_model::{Cid, ObjectId, Value};
use proptest::prelude::*;

fn cid(number: usize) -> Cid {
    ObjectId::of(&number.to_be_bytes()).cid()
}

fn link(number: usize) -> Value {
    cid(number).into()
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into())
}

fn texts(value: &Value) -> Vec<(String, Cid)> {
    let links = links(&encode(value).unwrap()).unwrap();
    links.into_iter().map(|link| (link.path.to_string(), link.cid)).collect()
}

/// A relay that knows no class says what an object depends on, and where.
#[test]
fn links_in_the_order_of_the_bytes() {
    let photo = map([("photo", link(3)), ("by", link(2)), ("at", Value::Int(3))]);
    let attachments = Value::List(vec![Value::Null, map([]), photo]);
    let object = map([("$", "chat/v1/Message".into()), ("attachments", attachments), ("re", link(1))]);
    let expected = [("re", cid(1)), ("attachments/2/by", cid(2)), ("attachments/2/photo", cid(3))];
    assert_eq!(texts(&object), expected.map(|(path, cid)| (path.to_owned(), cid)));

    let found = links(&encode(&object).unwrap()).unwrap();
    let steps = [&Step::Key("attachments".into()), &Step::Index(2), &Step::Key("photo".into())];
    assert_eq!(found[2].path.steps(), steps);
    assert_eq!(found[2].path.pattern().unwrap(), "attachments/*/photo");
    assert_eq!(format!("{:?}", found[2].path), "\"attachments/2/photo\"");
    assert!(found[2].path != found[1].path && found[2].path == found[2].path.clone());
    assert!(!found[2].path.is_empty());
}

/// An object that is nothing but a link, and ones without any.
#[test]
fn links_at_the_edge() {
    let alone = links(&encode(&link(1)).unwrap()).unwrap();
    assert!(alone.len() == 1 && alone[0].path.is_empty() && alone[0].path.steps().is_empty());
    assert_eq!((alone[0].path.to_string(), alone[0].path.pattern().unwrap()), (String::new(), String::new()));
    for none in [Value::Null, map([]), Value::List(vec![map([("a", Value::List(vec![]))])])] {
        assert_eq!(texts(&none), []);
    }
}

/// Keys that look like something else are told from it.
#[test]
fn keys_are_escaped() {
    let object = map([("a/b~c", link(1)), ("*", map([("0", link(2))])), ("list", Value::List(vec![link(3)]))]);
    let found = links(&encode(&object).unwrap()).unwrap();
    let texts: Vec<String> = found.iter().map(|link| link.path.to_string()).collect();
    assert_eq!(texts, ["*/0", "list/0", "a~1b~0c"]);
    let patterns: Vec<String> = found.iter().map(|link| link.path.pattern().unwrap()).collect();
    assert_eq!(patterns, ["~2/0", "list/*", "a~1b~0c"]);
}

/// A peer chooses a key of a mebibyte and puts as many links behind it as there may be. All are found, in time and room
/// of the bytes, and none gets a text of a mebibyte in an index.
#[test]
fn many_links_behind_a_long_key() {
    let inner: Vec<Value> = (0..MAX_LINKS / 2).map(|number| map([("a", link(number)), ("b", link(number))])).collect();
    let object = map([(&"k".repeat(1 << 20), Value::List(inner))]);
    let found = links(&encode(&object).unwrap()).unwrap();
    assert_eq!(found.len(), MAX_LINKS);
    assert!(found.iter().all(|link| link.path.pattern().is_none() && link.path.steps().len() == 3));

    for (length, fits) in [(MAX_PATTERN_BYTES - 2, true), (MAX_PATTERN_BYTES - 1, false)] {
        let object = map([(&"k".repeat(length), Value::List(vec![link(1)]))]);
        let pattern = links(&encode(&object).unwrap()).unwrap()[0].path.pattern();
        assert_eq!(pattern.is_some(), fits, "{length}");
        assert!(pattern.is_none_or(|pattern| pattern.len() == MAX_PATTERN_BYTES));
    }
}

/// One link more than there may be, lists deeper than they may be, and bytes that are not canonical.
#[test]
fn bytes_that_are_refused() {
    let deep = [vec![0x81; MAX_DEPTH + 1], vec![0xf6]].concat();
    assert_eq!(links(&deep), Err(DecodeError::TooDeep(MAX_DEPTH + 1)));
    let one = &encode(&link(1)).unwrap()[..];
    let many = [&[0x9a, 0, 1, 0, 1][..], &one.repeat(MAX_LINKS + 1)].concat();
    assert_eq!(links(&many), Err(DecodeError::TooManyLinks));
    assert_eq!(links(&[0xa1, 0x61, b'a', 0x18, 0]), Err(DecodeError::NotShortest(3)));
    assert_eq!(links(&[0xa0, 0]), Err(DecodeError::Trailing(1)));
    assert_eq!(links(&[0x82, 0xf6]).unwrap_err(), DecodeError::Truncated(2));
    assert_eq!(links(&[]), Err(DecodeError::Truncated(0)));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![2 => (0..100_usize).prop_map(link), 1 => Just(Value::Null), 1 => "[a-c]".prop_map(Value::from)];
    leaf.prop_recursive(6, 60, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            proptest::collection::btree_map("[a/~*]{0,3}", inner, 0..5).prop_map(|map| Value::Map(map.into())),
        ]
    })
}

/// The definition: each link with the steps that lead to it.
fn collect(value: &Value, steps: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, Cid)>) {
    match value {
        Value::Link(cid) => found.push((steps.clone(), **cid)),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                steps.push(Step::Index(index));
                collect(item, steps, found);
                steps.pop();
            }
        }
        Value::Map(map) => {
            for (key, item) in map {
                steps.push(Step::Key(key.as_str().into()));
                collect(item, steps, found);
                steps.pop();
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Every link of any value, at the place that the definition says.
    #[test]
    fn links_are_those_of_the_definition(value in values()) {
        let mut expected = Vec::new();
        collect(&value, &mut Vec::new(), &mut expected);
        let found = links(&encode(&value).unwrap()).unwrap();
        let found: Vec<(Vec<Step>, Cid)> =
            found.into_iter().map(|link| (link.path.steps().into_iter().cloned().collect(), link.cid)).collect();
        prop_assert_eq!(found, expected);
    }
}
