//! Tests of packs: what goes in comes out, in few bytes, and what is damaged is refused.

use proptest::prelude::*;

use super::{PackError, UnpackError, inflate, pack, unpack};
use crate::bounds::{MAX_PACK_BYTES, MAX_PACK_OPS};
use crate::id::{IdentityId, OpId, ReplicaId};
use crate::identity::SecretKey;
use crate::op::{Header, Op, PackedOp, PayloadRef};

fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

/// A chain in which every third op merges what two before it left, with payloads that resemble each other.
fn history(count: u64) -> Vec<PackedOp> {
    let mut ops: Vec<PackedOp> = Vec::new();
    for number in 0..count {
        let back = if number % 3 == 2 { 2 } else { 1 };
        let mut parents: Vec<OpId> = ops.iter().rev().take(back).map(|(op, _)| op.id()).collect();
        parents.sort_unstable();
        let payload = (number % 5 != 4).then(|| format!("what {} writes is number {number}", number % 2).into_bytes());
        let header = Header {
            target: ReplicaId::of(b"room"),
            parents,
            deps: Vec::new(),
            grants: if number % 2 == 1 { vec![OpId::of(b"a grant")] } else { Vec::new() },
            act: None,
            author: IdentityId::of(&[(number % 2) as u8]),
            time: 1_700_000_000_000 + number * number * 37 % 1000,
            payload: payload.as_deref().map(PayloadRef::to),
        };
        ops.push((Op::sign(header, &key()).unwrap(), payload));
    }
    ops
}

fn borrowed(ops: &[PackedOp]) -> impl Iterator<Item = (&Op, Option<&[u8]>)> {
    ops.iter().map(|(op, payload)| (op, payload.as_deref()))
}

/// Ops are the same when they come out, signatures and ids and payloads; a payload that is not at hand stays named.
#[test]
fn what_goes_in_comes_out() {
    let mut ops = history(40);
    ops[7].1 = None;
    let packed = pack(borrowed(&ops)).unwrap();
    assert_eq!(unpack(&packed).unwrap(), ops);
    assert_eq!(unpack(&pack([]).unwrap()).unwrap(), []);
}

/// An op of a chain takes little more than its signature.
#[test]
fn a_pack_is_small() {
    let ops = history(1000);
    let bytes: usize = ops.iter().map(|(op, payload)| op.bytes().len() + payload.as_ref().map_or(0, Vec::len)).sum();
    let packed = pack(borrowed(&ops)).unwrap();
    assert!(packed.len() < 1000 * 80 && packed.len() * 4 < bytes, "{} of {bytes}", packed.len());
}

/// What does not belong together, or is too much, is not packed.
#[test]
fn what_is_not_packed() {
    let ops = history(2);
    let other = Op::sign(Header { target: ReplicaId::of(b"hall"), ..ops[0].0.header().clone() }, &key()).unwrap();
    assert_eq!(pack([(&ops[0].0, None), (&other, None)]), Err(PackError::Target));
    let many = std::iter::repeat_n((&ops[0].0, None), MAX_PACK_OPS + 1);
    assert_eq!(pack(many), Err(PackError::Full));
}

/// A few bytes that inflate to very many are refused before they do.
#[test]
fn a_bomb() {
    let bomb = super::deflate(&vec![0; MAX_PACK_BYTES + 1]);
    assert!(bomb.len() < MAX_PACK_BYTES / 500);
    assert_eq!(inflate(&bomb), Err(UnpackError::Deflate));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Damaged packs are refused, or hold ops that could have been sent one by one: never a panic.
    #[test]
    fn damaged_packs(at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<Option<prop::sample::Index>>()) {
        let ops = history(9);
        let mut packed = pack(borrowed(&ops)).unwrap();
        let at = at.index(packed.len());
        packed[at] ^= 1 << bit;
        if let Some(cut) = cut {
            packed.truncate(cut.index(packed.len()));
        }
        for (op, payload) in unpack(&packed).unwrap_or_default() {
            prop_assert_eq!(Op::from_bytes(op.bytes()), Ok(op.clone()));
            prop_assert!(payload.is_none_or(|payload| op.is_payload(Some(&payload))));
        }
    }

    /// Any bytes at all inside.
    #[test]
    fn any_bytes(inner in prop::collection::vec(any::<u8>(), 0..300), signatures in 0..4_usize) {
        let mut saver = crate::class::Saver::new();
        saver.uint(super::VERSION).bytes(&vec![0; 64 * signatures]).bytes(&super::deflate(&inner));
        let _refused_or_not = unpack(&saver.finish());
    }
}
