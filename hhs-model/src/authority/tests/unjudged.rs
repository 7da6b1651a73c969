//! Acts that ought to have been refused, as a store can hold them that was damaged or made up: whatever is said of them, nothing
//! panics and nothing goes round for ever.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{World, founded_by_ana, grant, header, reinstate, renounce, revoke, signed};
use crate::id::OpId;
use crate::op::{Act, Cut};

/// What somebody claims: what they do, to what, on which grants, on top of what.
#[derive(Debug, Clone)]
struct Claim {
    author: usize,
    what: u8,
    on: Index,
    grants: Vec<Index>,
    parents: Vec<Index>,
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let claim = (0..4_usize, any::<u8>(), any::<Index>(), vec(any::<Index>(), 0..3), vec(any::<Index>(), 1..3));
    let claim = claim.prop_map(|(author, what, on, grants, parents)| Claim { author, what, on, grants, parents });
    vec(claim, 1..30)
}

/// Any op, or one that nobody knows.
fn any_of(ops: &[OpId], pick: &Index) -> OpId {
    let unknown = OpId::of(b"an op that nobody knows");
    ops.get(pick.index(ops.len() + 1)).copied().unwrap_or(unknown)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_claims(claims in claims()) {
        let mut world = World::new(founded_by_ana());
        let mut ops: Vec<OpId> = Vec::new();
        for (number, claim) in (0..).zip(claims) {
            let on = any_of(&ops, &claim.on);
            let act = match claim.what % 6 {
                0 | 1 => grant(claim.on.index(4), &["grant", "write"]),
                2 => revoke(&[on]),
                3 => renounce(on),
                4 => reinstate(on),
                _ => Some(Act::Extend { of: on, cut: Cut::new() }),
            };
            let grants: Vec<OpId> = claim.grants.iter().map(|grant| any_of(&ops, grant)).collect();
            let parents: Vec<OpId> = claim.parents.iter().filter_map(|parent| ops.get(parent.index(ops.len() + 1))).copied().collect();
            let op = signed(header(claim.author, number, &parents, &grants, act));
            world.keep(&op);
            ops.push(op.id());
        }
        for op in &ops {
            let _explained = world.authority.explain(world.standing(op)).to_string();
            let void_for = ops.iter().filter(|viewer| world.is_void_for(*op, **viewer)).count();
            prop_assert!(void_for <= ops.len());
        }
    }
}
