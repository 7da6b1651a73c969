//! Headers that nobody makes and nobody takes: each is refused, for the reason that it should be.

use std::collections::BTreeMap;

use super::{bare, capabilities, entries, full, identity, key, links, map, op_id, op_ids, signed};
use crate::bounds::{MAX_BLOCK_BYTES, MAX_CAPABILITIES, MAX_DEPS, MAX_GRANTS, MAX_HEADER_BYTES, MAX_PARENTS};
use crate::codec::{DecodeError, EncodeError, Value, encode};
use crate::id::{Cid, OpId};
use crate::op::{Act, Capability, Header, Op, OpError, PayloadRef, SignOpError};

#[track_caller]
fn refused(bytes: &[u8]) -> DecodeError {
    match Op::from_bytes(bytes) {
        Err(OpError::Decode(error)) => error,
        other => panic!("the header should not decode: {other:?}"),
    }
}

/// The full header with one entry changed; `None` takes it away.
fn with(key: &str, value: Option<Value>) -> Vec<u8> {
    let mut entries = entries(signed(full()).bytes());
    match value {
        Some(value) => drop(entries.insert(key.to_owned(), value)),
        None => drop(entries.remove(key).expect("the entry was there")),
    }
    map(entries)
}

fn grant(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    Value::Map([("grant".to_owned(), Value::Map(entries))].into())
}

fn texts(texts: &[&str]) -> Value {
    Value::List(texts.iter().map(|text| Value::Text((*text).to_owned())).collect())
}

/// An op of another version or of no class is not one of these.
#[test]
fn another_class() {
    assert!(matches!(refused(&with("$", Some(Value::Text("hhs/v2/Op".into())))), DecodeError::Class { .. }));
    assert_eq!(refused(&with("$", None)), DecodeError::MissingField("$"));
    assert_eq!(refused(&encode(&BTreeMap::<String, Value>::new()).unwrap()), DecodeError::MissingField("$"));
    assert!(matches!(refused(&encode(&Value::List(vec![])).unwrap()), DecodeError::Expected { .. }));
    assert_eq!(refused(&[]), DecodeError::Truncated(0));
}

/// Everything but the act and the payload has to be there, empty or not.
#[test]
fn a_missing_entry() {
    for key in ["sig", "deps", "time", "author", "grants", "target", "parents"] {
        assert_eq!(refused(&with(key, None)), DecodeError::MissingField(key));
    }
    for key in ["size", "payload"] {
        assert!(matches!(refused(&with(key, None)), DecodeError::Invalid(_)), "{key} alone");
    }
}

/// Headers are closed: what only some peers understand would be judged by some only.
#[test]
fn an_entry_more() {
    for key in ["a", "acts", "grant", "zzzzzzzzzzzz"] {
        assert!(matches!(refused(&with(key, Some(Value::Null))), DecodeError::Invalid(_)), "{key}");
    }
}

/// Every entry is of one kind.
#[test]
fn an_entry_of_another_kind() {
    let raw = Value::from(Cid { codec: crate::id::Codec::Raw, hash: op_id(1).0 });
    for key in ["act", "sig", "deps", "size", "time", "author", "grants", "target", "parents", "payload"] {
        refused(&with(key, Some(Value::Bool(true))));
        refused(&with(key, Some(Value::Null)));
        refused(&with(key, Some(Value::Int(-1))));
        refused(&with(key, Some(raw.clone())));
        refused(&with(key, Some(Value::List(vec![raw.clone()]))));
    }
    refused(&with("sig", Some(Value::Bytes(vec![0; 63].into()))));
    refused(&with("sig", Some(Value::Bytes(vec![0; 65].into()))));
}

/// Lists of ids are sets: ascending, nothing twice. Otherwise one header could be written in several ways.
#[test]
fn a_list_out_of_order() {
    for key in ["deps", "grants", "parents"] {
        for ids in [[op_id(2), op_id(1)], [op_id(1), op_id(1)]] {
            assert!(matches!(refused(&with(key, Some(links(&ids)))), DecodeError::ItemOrder(_)), "{key}");
        }
    }
    let reversed = |change: fn(&mut Header)| {
        let mut header = bare();
        change(&mut header);
        not_signed(header)
    };
    assert_eq!(reversed(|h| h.parents = vec![op_id(2), op_id(1)]), EncodeError::ItemOrder("parents"));
    assert_eq!(reversed(|h| h.deps = vec![op_id(1), op_id(1)]), EncodeError::ItemOrder("dependencies"));
    assert_eq!(reversed(|h| h.grants = vec![op_id(3), op_id(1)]), EncodeError::ItemOrder("grants"));
}

/// Lists may be as long as their bounds and not longer, when they are written and when they are read.
#[test]
fn a_list_over_its_bound() {
    type Change = fn(&mut Header, Vec<OpId>);
    let lists: [(&str, &str, usize, Change); 3] = [
        ("parents", "parents", MAX_PARENTS, |header, ids| header.parents = ids),
        ("deps", "dependencies", MAX_DEPS, |header, ids| header.deps = ids),
        ("grants", "grants", MAX_GRANTS, |header, ids| header.grants = ids),
    ];
    for (key_name, what, limit, change) in lists {
        let mut header = full();
        change(&mut header, op_ids(limit));
        let op = signed(header.clone());
        assert_eq!(Op::from_bytes(op.bytes()).unwrap(), op);
        change(&mut header, op_ids(limit + 1));
        let count = limit + 1;
        assert_eq!(not_signed(header), EncodeError::Bound { what, count, limit });
        let bytes = with(key_name, Some(links(&op_ids(limit + 1))));
        assert_eq!(refused(&bytes), DecodeError::Bound { what, count, limit });
    }
}

/// A header with every list full fits into the bound on its bytes, which is looked at before anything is decoded.
#[test]
fn a_header_of_too_many_bytes() {
    let can: std::collections::BTreeSet<Capability> =
        (0..MAX_CAPABILITIES).map(|number| format!("{number:064}").parse().unwrap()).collect();
    let header = Header {
        parents: op_ids(MAX_PARENTS),
        deps: op_ids(MAX_DEPS),
        grants: op_ids(MAX_GRANTS),
        act: Some(Act::Grant { to: identity(1), can }),
        time: u64::MAX,
        payload: Some(PayloadRef { id: PayloadRef::to(b"").id, size: MAX_BLOCK_BYTES as u64 }),
        ..full()
    };
    assert!(signed(header).bytes().len() < MAX_HEADER_BYTES);
    let bytes = with("more", Some(Value::Bytes(vec![0; MAX_HEADER_BYTES].into())));
    assert_eq!(Op::from_bytes(&bytes), Err(OpError::TooLarge(bytes.len())));
}

/// A header names a payload larger than a block, which no store has to take.
#[test]
fn a_payload_larger_than_a_block() {
    let (count, limit) = (MAX_BLOCK_BYTES + 1, MAX_BLOCK_BYTES);
    let payload = Some(PayloadRef { id: PayloadRef::to(b"").id, size: count as u64 });
    let what = "bytes of a payload";
    let error = not_signed(Header { payload, ..bare() });
    assert_eq!(error, EncodeError::Bound { what, count, limit });
    assert_eq!(refused(&with("size", Some(Value::Int(count as i128)))), DecodeError::Bound { what, count, limit });
    assert!(Op::from_bytes(&with("size", Some(Value::Int(limit as i128)))).is_ok());
    assert!(matches!(refused(&with("size", Some(Value::Int(u64::MAX.into())))), DecodeError::Bound { .. }));
}

/// Acts are of one shape. Whatever else a header does to authority, not everybody would understand it.
#[test]
fn an_act_of_another_shape() {
    let to = Value::from(identity(1).cid());
    let right = grant(&[("to", to.clone()), ("can", texts(&["write"]))]);
    assert!(Op::from_bytes(&with("act", Some(right.clone()))).is_ok());
    let Value::Map(mut two) = right else { panic!("a map") };
    two.insert("revoke".into(), Value::Null);
    let acts = [
        Value::Map(Default::default()),
        Value::Map(two),
        Value::Map([("revoke".to_owned(), Value::Null)].into()),
        grant(&[]),
        grant(&[("to", to.clone())]),
        grant(&[("can", texts(&["write"]))]),
        grant(&[("to", to.clone()), ("can", texts(&["write"])), ("for", Value::Null)]),
        grant(&[("to", to.clone()), ("cannot", texts(&["write"]))]),
        grant(&[("to", to.clone()), ("can", texts(&[]))]),
        grant(&[("to", to.clone()), ("can", texts(&["write", "grant"]))]),
        grant(&[("to", to.clone()), ("can", texts(&["write", "write"]))]),
        grant(&[("to", to.clone()), ("can", texts(&["Write"]))]),
        grant(&[("to", to.clone()), ("can", texts(&[""]))]),
        grant(&[("to", to.clone()), ("can", texts(&[&"x".repeat(65)]))]),
        grant(&[("to", Value::Null), ("can", texts(&["write"]))]),
    ];
    for act in acts {
        refused(&with("act", Some(act)));
    }
}

/// A grant gives one capability at least, and not more than the bound.
#[test]
fn a_grant_of_too_little_or_too_much() {
    let granting = |count| Header { act: Some(Act::Grant { to: identity(1), can: capabilities(count) }), ..bare() };
    for count in [0, MAX_CAPABILITIES + 1] {
        let error = not_signed(granting(count));
        assert!(matches!(error, EncodeError::Bound { limit: MAX_CAPABILITIES, .. }), "{error}");
    }
    let op = signed(granting(MAX_CAPABILITIES));
    assert_eq!(Op::from_bytes(op.bytes()).unwrap(), op);
    let names: Vec<String> = capabilities(MAX_CAPABILITIES + 1).iter().map(Capability::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let act = grant(&[("to", Value::from(identity(1).cid())), ("can", texts(&names))]);
    assert!(matches!(refused(&with("act", Some(act))), DecodeError::Bound { limit: MAX_CAPABILITIES, .. }));
}

/// The same header in other bytes would be another op with the same signature: only one form is taken.
#[test]
fn bytes_that_are_not_canonical() {
    let bytes = signed(full()).bytes().to_vec();
    assert_eq!(refused(&[bytes.as_slice(), &[0]].concat()), DecodeError::Trailing(1));
    for end in 0..bytes.len() {
        refused(&bytes[..end]);
    }
    // The number of entries in a byte of its own, which one entry less would not be the byte before.
    assert_eq!(refused(&[&[0xb8, bytes[0] - 0xa0], &bytes[1..]].concat()), DecodeError::NotShortest(0));
    assert_eq!(refused(&[&[0xbf], &bytes[1..], &[0xff]].concat()), DecodeError::Indefinite(0));
}

/// Why a header is not even signed.
fn not_signed(header: Header) -> EncodeError {
    match Op::sign(header, &key()) {
        Err(SignOpError::Encode(error)) => error,
        other => panic!("it has canonical bytes: {other:?}"),
    }
}
