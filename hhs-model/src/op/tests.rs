//! Tests of ops and geneses: their bytes, what is refused, and what a signature holds for.

mod acts;
mod children;
mod golden;
mod refused_geneses;
mod refused_headers;
mod signed;

use std::collections::BTreeSet;

use super::{Act, Capability, Genesis, Header, Op, PayloadRef, Roles};
use crate::codec::{Value, decode, encode};
use crate::id::{Hash, IdentityId, OpId, ReplicaId};
use crate::identity::SecretKey;

/// The key that the ops of these tests are signed with.
fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn op_id(byte: u8) -> OpId {
    OpId(Hash([byte; 32]))
}

fn identity(byte: u8) -> IdentityId {
    IdentityId(Hash([byte; 32]))
}

/// Different ids, ascending.
fn op_ids(count: usize) -> Vec<OpId> {
    let id = |number: u32| {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        OpId(Hash(hash))
    };
    (0..count as u32).map(id).collect()
}

fn capabilities(count: usize) -> BTreeSet<Capability> {
    (0..count).map(|number| format!("can-{number:03}").parse().unwrap()).collect()
}

/// A header that has something in every place.
fn full() -> Header {
    Header {
        target: ReplicaId(Hash([0x11; 32])),
        parents: vec![op_id(0x51), op_id(0x52)],
        deps: vec![op_id(0x44)],
        grants: vec![op_id(0x31), op_id(0x32)],
        act: Some(Act::Grant { to: identity(0x66), can: [Capability::write(), Capability::grant()].into() }),
        author: identity(0x22),
        time: 1_700_000_000_000,
        payload: Some(PayloadRef::to(b"hello")),
    }
}

/// A header that has nothing where it may.
fn bare() -> Header {
    Header { parents: vec![], deps: vec![], grants: vec![], act: None, time: 0, payload: None, ..full() }
}

fn genesis() -> Genesis {
    let write = [identity(0x22), identity(0x33)].into();
    with_roles([(Capability::write(), write), (Capability::grant(), [identity(0x22)].into())].into())
}

fn with_roles(roles: Roles) -> Genesis {
    Genesis::with_roles("chat/v1/Room", [7; 16], roles)
}

/// The entries of an encoded map, to be changed and encoded again.
fn entries(bytes: &[u8]) -> crate::Map {
    match decode(bytes).unwrap() {
        Value::Map(entries) => entries,
        other => panic!("a map was expected, not {other:?}"),
    }
}

fn map(entries: crate::Map) -> Vec<u8> {
    encode(&Value::Map(entries)).unwrap()
}

fn signed(header: Header) -> Op {
    Op::sign(header, &key()).unwrap()
}

fn links(ids: &[OpId]) -> Value {
    Value::List(ids.iter().map(|id| Value::from(id.cid())).collect())
}
