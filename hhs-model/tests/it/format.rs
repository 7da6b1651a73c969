//! The examples of `docs/format.md` are what this crate writes, byte by byte.

use std::collections::BTreeMap;

use hhs_model::codec::encode;
use hhs_model::op::{Genesis, Header, Op, PayloadRef};
use hhs_model::{Author, Object, Value, object};

const DOCUMENT: &str = include_str!("../../../docs/format.md");

/// The bytes of the first indented block after the line that ends with `title`: what stands before two blanks in a line is
/// hexadecimal, what stands behind them explains it.
fn example(title: &str) -> Vec<u8> {
    let mut lines = DOCUMENT.lines().skip_while(|line| !line.ends_with(title));
    assert!(lines.next().is_some(), "there is no line that ends with {title:?}");
    let block = lines.skip_while(|line| !line.starts_with("    ")).take_while(|line| line.starts_with("    "));
    let hex: String = block.map(|line| line.trim().split("  ").next().unwrap().replace(' ', "")).collect();
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

#[derive(Object)]
#[object(class = "chat/v1/Message")]
struct Message {
    text: String,
}

fn ana() -> Author {
    Author::from_seed("Ana", &[1; 32]).unwrap()
}

fn payload() -> Vec<u8> {
    let garden = Value::List(vec!["garden".into()]);
    let message = Value::of(&Message { text: "hi".into() }).unwrap();
    encode(&BTreeMap::from([("name".to_owned(), garden), ("messages".to_owned(), Value::List(vec![message]))])).unwrap()
}

fn genesis() -> Genesis {
    Genesis::with_founder("chat/v1/Room", [7; 16], ana().id())
}

/// Somebody writes a second implementation and begins with the examples.
#[test]
fn the_examples_of_the_format_are_right() {
    let (room, id) = genesis().encoded().unwrap();
    let (guests, child) = Genesis::child(id, "guests".parse().unwrap(), "chat/v1/Guests").encoded().unwrap();
    let payload = payload();
    let header = Header {
        target: id,
        parents: vec![],
        deps: vec![],
        grants: vec![],
        act: None,
        author: ana().id(),
        time: 1_700_000_000_000,
        payload: Some(PayloadRef::to(&payload)),
    };
    let op = Op::sign(header, &**ana().signer()).unwrap();
    let examples = [
        ("a message says \"hi\":", object::to_bytes(&Message { text: "hi".into() }).unwrap()),
        ("whose name is Ana:", ana().identity_bytes().to_vec()),
        ("Ana founds a room:", room),
        ("the room's list of guests:", guests),
        ("Ana writes to the room:", op.bytes().to_vec()),
        ("what she writes:", payload),
    ];
    for (title, bytes) in examples {
        assert_eq!(data_encoding::HEXLOWER.encode(&example(title)), data_encoding::HEXLOWER.encode(&bytes), "{title}");
    }
    for id in [ana().id().to_string(), id.to_string(), child.to_string(), op.id().to_string()] {
        assert!(DOCUMENT.contains(&id), "{id}");
    }
}
