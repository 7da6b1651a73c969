//! Where things lie in the backend. Every key begins with a byte that says what it is:
//!
//! | key | value |
//! | --- | --- |
//! | 0 | the format of the store |
//! | 1, id of an object or op | where it is: a [`Place`](super::record::Place) |
//! | 2, number of an object | its bytes |
//! | 3, replica, position | an op: an [`OpRecord`](super::record::OpRecord), with a small payload in it |
//! | 4, replica, position | the op's payload, if it has one that does not stand in the record |
//! | 5, replica | the number of the genesis among the objects |
//! | 6, replica, n | the position of the nth op that acts on authority; if it withdraws something, which positions it has not seen |
//! | 7, replica, position | the id of the op, which is a head; none if the last op is the only head |
//! | 8, name | something that this device keeps for itself |
//!
//! Since format 2 there are indexes, which can all be made again from the above:
//!
//! | key | value |
//! | --- | --- |
//! | 16, number of an object | its id |
//! | 17, [selector](super::index::Selector) of a class, number of an object | nothing: it is of that class |
//! | 18, selector of a class | the name of the class |
//! | 19, target of a link, selector, number of an object | nothing: the object has such a link (see below) |
//! | 20, target of a link, replica, position | nothing: the payload of the op has such a link |
//! | 21, selector of a class, replica | the id of the replica, which is of that class |
//! | 22, identity, replica | the position of an op whose header names the identity |
//!
//! A link has four entries under 19, with the selectors of: nothing, the class of the object that it stands in, its path
//! pattern there, both. Several links of an object with the same selector have one, and so have those of a payload.
//!
//! And there is what the store has to remember about itself:
//!
//! | key | value |
//! | --- | --- |
//! | 23, replica | the id of a replica that is being deleted |
//! | 24, id | nothing: the object is to be deleted unless something refers to it |
//! | 25 | the numbers that no new object and no new replica may be below, as some above were given and deleted |
//! | 28 | how far the indexes are made, while they are |
//! | 26 | how many commits there were, where several hosts have one database |
//! | 27, number of a commit | the replicas that have news with it, there: id, ops, new ones of them |
//!
//! Since format 3 there is what became void. These, too, follow from the rest:
//!
//! | key | value |
//! | --- | --- |
//! | 31, replica | positions and ids of the effective heads, if some heads are not; nothing if that has to be found out |
//! | 32, replica, position | author and size of an op without effect that nothing effective stands on |
//!
//! Checkpoints of live replicas are a cache: without them everything is the same, and takes longer.
//!
//! | key | value |
//! | --- | --- |
//! | 29, replica, position | what stands over the checkpoint of the ops below that position: see [`checkpoints`](super::checkpoints) |
//! | 30, replica, position, n | its nth part, of 1 MiB |
//!
//! Numbers and positions are 8 bytes, replicas 4, selectors 16, big-endian. Only ids and selectors are random: all else
//! appends.

use super::index::Selector;
use super::{StoreError, corrupted};
use crate::backend::{Batch, Write};
use hhs_model::{Hash, ObjectId};

/// The first bytes of all keys.
pub(super) const KINDS: [std::ops::RangeInclusive<u8>; 2] = [0..=8, 16..=32];

pub(super) const FORMAT: &[u8] = &[0];
pub(super) const PLACE: u8 = 1;
pub(super) const OBJECT: u8 = 2;
pub(super) const OP: u8 = 3;
pub(super) const PAYLOAD: u8 = 4;
pub(super) const REPLICA: u8 = 5;
pub(super) const ACT: u8 = 6;
pub(super) const HEAD: u8 = 7;
pub(super) const LOCAL: u8 = 8;
pub(super) const ID_OF: u8 = 16;
pub(super) const OF_CLASS: u8 = 17;
pub(super) const CLASS_NAME: u8 = 18;
pub(super) const REFERENCE: u8 = 19;
pub(super) const LINKED: u8 = 20;
pub(super) const REPLICA_OF_CLASS: u8 = 21;
pub(super) const WRITES: u8 = 22;
pub(super) const DELETING: u8 = 23;
pub(super) const DOOMED: u8 = 24;
pub(super) const FLOORS: &[u8] = &[25];
pub(super) const INDEXING: &[u8] = &[28];
pub(super) const COMMITS: &[u8] = &[26];
const NEWS: u8 = 27;
pub(super) const CHECKPOINT: u8 = 29;
pub(super) const CHECKPOINT_PART: u8 = 30;
pub(super) const TIPS: u8 = 31;
pub(super) const WITHHELD: u8 = 32;

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

pub(super) fn id_of(number: u64) -> Vec<u8> {
    with_number(vec![ID_OF], number)
}

pub(super) fn of_class(class: Selector, number: u64) -> Vec<u8> {
    with_number(all_of_class(class), number)
}

pub(super) fn all_of_class(class: Selector) -> Vec<u8> {
    selected(OF_CLASS, &[], class)
}

pub(super) fn class_name(class: Selector) -> Vec<u8> {
    selected(CLASS_NAME, &[], class)
}

pub(super) fn reference(target: ObjectId, selector: Selector, number: u64) -> Vec<u8> {
    with_number(references(target, selector), number)
}

pub(super) fn references(target: ObjectId, selector: Selector) -> Vec<u8> {
    selected(REFERENCE, target.as_bytes(), selector)
}

pub(super) fn linked(target: ObjectId, replica: u32, position: u64) -> Vec<u8> {
    let mut key = with_id(LINKED, target);
    key.extend_from_slice(&replica.to_be_bytes());
    with_number(key, position)
}

pub(super) fn all_linked(target: ObjectId) -> Vec<u8> {
    with_id(LINKED, target)
}

pub(super) fn writes(identity: ObjectId, replica: u32) -> Vec<u8> {
    let mut key = with_id(WRITES, identity);
    key.extend_from_slice(&replica.to_be_bytes());
    key
}

pub(super) fn all_writes(identity: ObjectId) -> Vec<u8> {
    with_id(WRITES, identity)
}

pub(super) fn replica_of_class(class: Selector, replica: u32) -> Vec<u8> {
    let mut key = replicas_of_class(class);
    key.extend_from_slice(&replica.to_be_bytes());
    key
}

pub(super) fn replicas_of_class(class: Selector) -> Vec<u8> {
    selected(REPLICA_OF_CLASS, &[], class)
}

pub(super) fn payloads_of(replica: u32) -> Vec<u8> {
    prefix(PAYLOAD, replica)
}

pub(super) fn deleting(replica: u32) -> Vec<u8> {
    prefix(DELETING, replica)
}

pub(super) fn news(commit: u64) -> Vec<u8> {
    with_number(vec![NEWS], commit)
}

pub(super) fn checkpoint(replica: u32, position: u64) -> Vec<u8> {
    in_replica(CHECKPOINT, replica, position)
}

pub(super) fn checkpoints_of(replica: u32) -> Vec<u8> {
    prefix(CHECKPOINT, replica)
}

pub(super) fn checkpoint_part(replica: u32, position: u64, part: u64) -> Vec<u8> {
    with_number(checkpoint_parts(replica, position), part)
}

pub(super) fn checkpoint_parts(replica: u32, position: u64) -> Vec<u8> {
    in_replica(CHECKPOINT_PART, replica, position)
}

pub(super) fn parts_of(replica: u32) -> Vec<u8> {
    prefix(CHECKPOINT_PART, replica)
}

pub(super) fn tips(replica: u32) -> Vec<u8> {
    prefix(TIPS, replica)
}

pub(super) fn withheld(replica: u32, position: u64) -> Vec<u8> {
    in_replica(WITHHELD, replica, position)
}

pub(super) fn all_withheld(replica: u32) -> Vec<u8> {
    prefix(WITHHELD, replica)
}

pub(super) fn doomed(id: ObjectId) -> Vec<u8> {
    with_id(DOOMED, id)
}

/// Whether this adds an object.
pub(super) fn is_object(write: &Write) -> bool {
    matches!(write, Write::Put(key, _) if key.first() == Some(&OBJECT))
}

/// Lets no new object and no new replica have a number below these.
pub(super) fn put_floors(batch: &mut Batch, object: u64, replica: u32) {
    batch.put(FLOORS, [object.to_be_bytes(), u64::from(replica).to_be_bytes()].concat());
}

/// The numbers that no new object and no new replica may have less than.
pub(super) fn floors(value: Option<&[u8]>) -> Result<(u64, u64), StoreError> {
    let Some(value) = value else { return Ok((0, 0)) };
    match value.as_chunks::<8>() {
        ([object, replica], []) => Ok((u64::from_be_bytes(*object), u64::from_be_bytes(*replica))),
        _ => Err(corrupted("the numbers that were given have no sense")),
    }
}

/// The id at `at` of a key or value.
pub(super) fn id_at(bytes: &[u8], at: usize) -> Result<ObjectId, StoreError> {
    let id = bytes.get(at..).and_then(|rest| rest.first_chunk());
    id.map(|id| ObjectId(Hash(*id))).ok_or_else(|| corrupted("a key or value is too short for an id"))
}

/// The replica at `at` of a key.
pub(super) fn replica_at(key: &[u8], at: usize) -> Result<u32, StoreError> {
    let replica = key.get(at..).and_then(|rest| rest.first_chunk());
    replica.map(|replica| u32::from_be_bytes(*replica)).ok_or_else(|| corrupted("a key has the wrong length"))
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

fn selected(kind: u8, before: &[u8], selector: Selector) -> Vec<u8> {
    let mut key = Vec::with_capacity(57);
    key.push(kind);
    key.extend_from_slice(before);
    key.extend_from_slice(&selector.0);
    key
}

fn with_id(kind: u8, id: ObjectId) -> Vec<u8> {
    let mut key = Vec::with_capacity(45);
    key.push(kind);
    key.extend_from_slice(id.as_bytes());
    key
}

fn with_number(mut key: Vec<u8>, number: u64) -> Vec<u8> {
    key.extend_from_slice(&number.to_be_bytes());
    key
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
