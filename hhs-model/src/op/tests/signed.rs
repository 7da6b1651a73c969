//! What the signature of an op holds for: every bit of it, and nothing else.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{entries, full, key, map, signed};
use crate::codec::{Bytes, Value, encode};
use crate::id::{Hash, IdentityId, OpId, ReplicaId};
use crate::identity::{Domain, SecretKey, Signer, verify_batch};
use crate::op::{Header, Op, PayloadRef};

/// Whether a header is one, and its signature holds for the key that the author is known by.
fn verifies(bytes: &[u8]) -> bool {
    Op::from_bytes(bytes).is_ok_and(|op| verify_batch(&[op.signed_message(key().public_key())]).is_ok())
}

/// A relay changes one bit of a header on its way: either it is no header any more, or the signature does not hold.
#[test]
fn no_bit_can_be_changed() {
    let bytes = signed(full()).bytes().to_vec();
    assert!(verifies(&bytes));
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!verifies(&changed), "bit {bit}");
    }
}

/// A relay replaces an entry by another one that is as good: the signature holds for the old one only.
#[test]
fn no_entry_can_be_replaced_or_taken_away() {
    let op = signed(full());
    let whole = entries(op.bytes());
    let Header { target, .. } = *op.header();
    let other = Value::from(ReplicaId::of(b"other").cid());
    assert_ne!(other, Value::from(target.cid()));
    let replacements = [
        ("time", Value::Int(7)),
        ("size", Value::Int(7)),
        ("target", other.clone()),
        ("author", other.clone()),
        ("payload", other.clone()),
        ("deps", Value::List(vec![])),
        ("grants", Value::List(vec![])),
        ("parents", Value::List(vec![other])),
        ("sig", Value::Bytes(Bytes(vec![0; 64]))),
    ];
    for (key, value) in replacements {
        let mut changed = whole.clone();
        changed.insert(key.to_owned(), value);
        let changed = map(changed);
        assert!(Op::from_bytes(&changed).is_ok(), "{key} is replaced by what could stand there");
        assert!(!verifies(&changed), "{key}");
    }
    for left_out in [vec!["act"], vec!["size", "payload"]] {
        let mut changed = whole.clone();
        for key in &left_out {
            changed.remove(key);
        }
        let changed = map(changed);
        assert!(Op::from_bytes(&changed).is_ok() && !verifies(&changed), "{left_out:?}");
    }
}

/// Ben's key does not verify what Ana's signed; a signature over the same bytes for another purpose is none of an op.
#[test]
fn a_signature_is_of_one_key_for_one_purpose() {
    let op = signed(full());
    let ben = SecretKey::from_seed(&[2; 32]);
    assert_eq!(verify_batch(&[op.signed_message(ben.public_key())]), Err(0));
    let unsigned = encode(&full()).unwrap();
    let elsewhere = key().sign(Domain::new("notes/v1"), &unsigned).unwrap();
    let mut changed = entries(op.bytes());
    changed.insert("sig".to_owned(), Value::Bytes(Bytes(elsewhere.0.to_vec())));
    let changed = map(changed);
    assert!(Op::from_bytes(&changed).is_ok() && !verifies(&changed));
}

/// The payload is what the header names, by hash and by size; none is none.
#[test]
fn payloads_belong_to_their_headers() {
    let op = signed(full());
    assert!(op.is_payload(Some(b"hello")));
    assert!(!op.is_payload(Some(b"hallo")) && !op.is_payload(Some(b"")) && !op.is_payload(None));
    let right = PayloadRef::to(b"hello");
    let lying = signed(Header { payload: Some(PayloadRef { size: 6, ..right }), ..full() });
    assert!(!lying.is_payload(Some(b"hello")) && !lying.is_payload(Some(b"hello!")));
    let without = signed(Header { payload: None, ..full() });
    assert!(without.is_payload(None) && !without.is_payload(Some(b"")));
    let empty = signed(Header { payload: Some(PayloadRef::to(b"")), ..full() });
    assert!(empty.is_payload(Some(b"")) && !empty.is_payload(None));
}

fn ids(most: usize) -> impl Strategy<Value = BTreeSet<Hash>> {
    btree_set(any::<[u8; 32]>().prop_map(Hash), 0..=most)
}

fn headers() -> impl Strategy<Value = Header> {
    let op_ids = |most| ids(most).prop_map(|ids| ids.into_iter().map(OpId).collect::<Vec<_>>());
    let payload = option::of(vec(any::<u8>(), 0..40)).prop_map(|payload| payload.as_deref().map(PayloadRef::to));
    let who = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u64>());
    (who, op_ids(64), op_ids(64), op_ids(16), option::of(super::acts::any_act()), payload).prop_map(
        |((target, author, time), parents, deps, grants, act, payload)| Header {
            target: ReplicaId(Hash(target)),
            parents,
            deps,
            grants,
            act,
            author: IdentityId(Hash(author)),
            time,
            payload,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    /// Any header comes back from its bytes; what is cut out of them for the signature is its encoding without one.
    #[test]
    fn headers_round_trip(header in headers()) {
        let op = signed(header.clone());
        let read = Op::from_bytes(op.bytes()).unwrap();
        prop_assert_eq!(&read, &op);
        prop_assert_eq!(read.header(), &header);
        prop_assert_eq!(read.id(), OpId::of(op.bytes()));
        let unsigned = encode(&header).unwrap();
        prop_assert_eq!(&read.signed_message(key().public_key()).bound, &Domain::OP.bind(&unsigned));
        prop_assert!(verifies(op.bytes()));
        prop_assert!(Op::from_bytes(&unsigned).is_err(), "without signature it is no op");
        prop_assert_eq!(crate::object::from_bytes::<Header>(op.bytes()).unwrap(), header);
    }

    /// Bytes overwritten, cut out or put in anywhere: no header, or one that does not verify; and nothing panics.
    #[test]
    fn mutated_headers_never_verify(
        header in headers(),
        at in any::<prop::sample::Index>(),
        cut in 0..4_usize,
        put in vec(any::<u8>(), 0..4),
    ) {
        let bytes = signed(header).bytes().to_vec();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + cut);
        let mutated = [&bytes[..at], &put, &bytes[end..]].concat();
        prop_assert!(mutated == bytes || !verifies(&mutated));
    }
}
