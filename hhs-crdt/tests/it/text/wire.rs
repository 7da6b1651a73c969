//! The bytes of a text's mutations: there is one form for each, and nothing else is read.

use hhs_crdt::{Field, Text, TextMutation};
use hhs_model::class::Loader;
use hhs_model::codec::{Value, decode, encode};
use hhs_model::{Bytes, OpId};
use proptest::prelude::*;

use super::world::Replica;

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn edits(bytes: &[u8], text: &str) -> Value {
    map([("text", Value::Text(text.into())), ("edits", Value::Bytes(Bytes(bytes.to_vec())))])
}

fn reads(value: &Value) -> bool {
    decode::<TextMutation>(&encode(value).expect("it has a canonical form")).is_ok()
}

/// Two characters stay, one goes, two come; then, three further on, one goes.
#[test]
fn an_example() {
    let mut replica = Replica::default();
    replica.write(0, |edit| edit.push_str("abcdefgh"));
    let mutations = replica.draft(|edit| {
        edit.delete(6..7);
        edit.splice(2, 1, "xy");
    });
    let bytes = encode(&mutations[0]).expect("it is small");
    assert_eq!(bytes, encode(&edits(&[0x0b, 1, 2, 0x0d, 1], "xy")).expect("it is small"));
    replica.write(0, |edit| edit.splice(2, 1, "xy"));
    assert_eq!(replica.text.to_string(), "abxydefgh");
}

/// Whoever writes the same in another way is refused: the same edits have the same bytes.
#[test]
fn other_forms_are_refused() {
    assert!(reads(&edits(&[2, 1], "x")));
    let refused: [(&[u8], &str, &str); 13] = [
        (&[], "", "no edits"),
        (&[0], "", "an edit that does nothing"),
        (&[2], "x", "a count is missing"),
        (&[2, 0], "", "nothing comes"),
        (&[1, 0], "", "nothing goes"),
        (&[2, 1], "xy", "more text than comes"),
        (&[2, 2], "x", "less text than comes"),
        (&[2, 0x81, 0], "x", "a number that is not the shortest"),
        (&[2, 1, 2, 1], "xy", "edits that touch"),
        (&[2, 1, 1, 1], "x", "edits that touch"),
        (&[2, 1, 4], "x", "an edit that skips and does nothing"),
        (&[1, 0x81, 0x80, 0x80, 0x80, 2], "", "a count beyond the bound"),
        (&[2, 1, 0x80], "x", "a number without an end"),
    ];
    for (bytes, text, why) in refused {
        assert!(!reads(&edits(bytes, text)), "{why}");
    }
    assert!(!reads(&map([("text", Value::Text(String::new()))])));
    let extra =
        map([("also", Value::Null), ("text", Value::Text("x".into())), ("edits", Value::Bytes(Bytes(vec![2, 1])))]);
    assert!(!reads(&extra), "an entry that is not known");
}

/// Marks as well.
#[test]
fn marks_have_one_form() {
    let end = |at: Option<u64>, op: Option<OpId>| {
        let mut entries = vec![];
        entries.extend(at.map(|at| ("at".to_owned(), Value::Int(at.into()))));
        entries.extend(op.map(|op| ("op".to_owned(), Value::Link(Box::new(op.cid())))));
        entries.push(("behind".to_owned(), Value::Bool(true)));
        Value::Map(entries.into_iter().collect())
    };
    let op = OpId::of(b"an op");
    let mark = |to: Value, name: &str, value: Option<Value>| {
        let mut entries = vec![("to".to_owned(), to), ("from".to_owned(), end(Some(0), Some(op)))];
        entries.push(("name".to_owned(), Value::Text(name.into())));
        entries.extend(value.map(|value| ("value".to_owned(), value)));
        map([("mark", Value::Map(entries.into_iter().collect()))])
    };
    for to in [end(None, None), end(Some(3), None), end(Some(3), Some(op))] {
        let value = mark(to, "bold", Some(Value::Bool(true)));
        let bytes = encode(&value).expect("it is small");
        let read: TextMutation = decode(&bytes).expect("it is a mark");
        assert_eq!(encode(&read).expect("it was read"), bytes);
    }
    assert!(reads(&mark(end(None, None), "bold", None)));
    assert!(!reads(&mark(end(None, None), "bold", Some(Value::Null))), "no value is left out");
    assert!(!reads(&mark(end(None, Some(op)), "bold", None)), "an op without a character");
    assert!(!reads(&mark(end(Some(1 << 32), None), "bold", None)), "a number beyond 32 bits");
    assert!(!reads(&mark(end(None, None), &"x".repeat(257), None)), "a long name");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Whatever bytes come: they are refused, or they are the one form of what they say.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop_oneof![0..6_u8, any::<u8>()], 0..12)) {
        let inserted: Vec<&str> = (0..40).map(|count| &"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..count]).collect();
        for text in inserted {
            let value = edits(&bytes, text);
            if let Ok(read) = decode::<TextMutation>(&encode(&value).expect("it is small")) {
                prop_assert_eq!(Value::of(&read).expect("it was read"), value);
                let mut replica = Replica::default();
                replica.write(0, |edit| edit.push_str("abc"));
                replica.apply_at(OpId::of(b"any"), &[0], read);
                prop_assert_eq!(&replica.followed, &replica.text.to_string());
            }
        }
    }

    /// A checkpoint that is damaged anywhere is refused, or read as some text; nothing panics, whatever is written on top of it.
    #[test]
    fn damaged_checkpoints(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut replica = Replica::default();
        let base = replica.write(0, |edit| edit.push_str("hello"));
        let (one, other) = (replica.draft(|edit| edit.delete(1..3)), replica.draft(|edit| edit.insert(2, "xy")));
        replica.apply_on("one", 1, &[base], one.clone());
        replica.apply_on("other", 2, &[base], other);
        replica.write(0, |edit| edit.mark(0..3, "bold", Some(Value::Bool(true)), hhs_crdt::Expand::End));
        let mut bytes = replica.saved();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(text) = Text::load(&mut Loader::new(&bytes)) {
            replica.text = text;
            replica.quieten();
            let _spans = replica.text.spans();
            let _blame = replica.text.blame(0..100);
            replica.apply_on("third", 1, &[base], one);
            replica.write(0, |edit| edit.splice(1, 2, "more"));
            let _read = replica.text.to_string();
        }
    }
}
