//! Where things lie in the backend. Every key begins with a byte that says what it is:
//!
//! | key | value |
//! | --- | --- |
//! | 0 | the format of the store |
//! | 1, id of an object or op | where it is: a [`Place`](super::record::Place) |
//! | 2, number of an object | its bytes |
//! | 3, replica, position | an op: an [`OpRecord`](super::record::OpRecord) |
//! | 4, replica, position | the op's payload, if it has one |
//! | 5, replica | the number of the genesis among the objects |
//! | 6, replica, n | the position of the nth op that acts on authority |
//! | 7, replica, position | nothing: the op is a head |
//! | 8, name | something that this device keeps for itself |
//!
//! Numbers and positions are 8 bytes, replicas 4, big-endian. Only ids are random: all else appends.

use super::{StoreError, corrupted};
use hhs_model::ObjectId;

pub(super) const FORMAT: &[u8] = &[0];
const PLACE: u8 = 1;
pub(super) const OBJECT: u8 = 2;
const OP: u8 = 3;
const PAYLOAD: u8 = 4;
pub(super) const REPLICA: u8 = 5;
const ACT: u8 = 6;
const HEAD: u8 = 7;
const LOCAL: u8 = 8;

pub(super) fn place(id: impl Into<ObjectId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(33);
    key.push(PLACE);
    key.extend_from_slice(id.into().as_bytes());
    key
}

pub(super) fn object(number: u64) -> Vec<u8> {
    let mut key = vec![OBJECT];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn op(replica: u32, position: u64) -> Vec<u8> {
    in_replica(OP, replica, position)
}

pub(super) fn payload(replica: u32, position: u64) -> Vec<u8> {
    in_replica(PAYLOAD, replica, position)
}

pub(super) fn act(replica: u32, number: u64) -> Vec<u8> {
    in_replica(ACT, replica, number)
}

pub(super) fn head(replica: u32, position: u64) -> Vec<u8> {
    in_replica(HEAD, replica, position)
}

pub(super) fn replica(replica: u32) -> Vec<u8> {
    prefix(REPLICA, replica)
}

pub(super) fn ops_of(replica: u32) -> Vec<u8> {
    prefix(OP, replica)
}

pub(super) fn acts_of(replica: u32) -> Vec<u8> {
    prefix(ACT, replica)
}

pub(super) fn heads_of(replica: u32) -> Vec<u8> {
    prefix(HEAD, replica)
}

pub(super) fn local(name: &str) -> Vec<u8> {
    let mut key = vec![LOCAL];
    key.extend_from_slice(name.as_bytes());
    key
}

/// The big-endian number at the end of a key, after `skip` bytes.
pub(super) fn number(key: &[u8], skip: usize) -> Result<u64, StoreError> {
    match key.get(skip..) {
        Some(tail @ ([_, _, _, _] | [_, _, _, _, _, _, _, _])) => {
            Ok(tail.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        }
        _ => Err(corrupted("a key has the wrong length")),
    }
}

fn prefix(kind: u8, replica: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(13);
    key.push(kind);
    key.extend_from_slice(&replica.to_be_bytes());
    key
}

fn in_replica(kind: u8, replica: u32, number: u64) -> Vec<u8> {
    let mut key = prefix(kind, replica);
    key.extend_from_slice(&number.to_be_bytes());
    key
}
