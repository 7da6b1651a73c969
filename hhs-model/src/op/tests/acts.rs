//! Acts and rules: their bytes, and what is refused.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::{identity, op_id, op_ids};
use crate::bounds::{
    MAX_ACT_TARGETS, MAX_CUT_HEADS, MAX_RULE_DEPTH, MAX_RULE_NODES, MAX_RULES, MAX_SOURCES, MAX_WRITERS,
};
use crate::codec::{DecodeError, EncodeError, Value, decode, encode};
use crate::id::{Hash, IdentityId, OpId, ReplicaId};
use crate::object;
use crate::op::{Act, Capability, Cut, Genesis, GenesisError, Roles, Rule, Rules};

/// Hexadecimal parts, with spaces between them; what is in quotes stands for its own bytes.
fn bytes(parts: &[&str]) -> Vec<u8> {
    let part = |part: &&str| match part.strip_prefix('\'') {
        Some(text) => text.as_bytes().to_vec(),
        None => HEXLOWER.decode(part.replace(' ', "").as_bytes()).unwrap(),
    };
    parts.iter().flat_map(part).collect()
}

fn link(byte: &str) -> String {
    format!("d8 2a 58 25 00 01 71 12 20 {}", byte.repeat(32))
}

fn replica(byte: u8) -> ReplicaId {
    ReplicaId(Hash([byte; 32]))
}

#[track_caller]
fn is(act: Act, parts: &[&str]) {
    let expected = bytes(parts);
    assert_eq!(encode(&act).unwrap(), expected);
    assert_eq!(decode::<Act>(&expected).unwrap(), act);
}

/// Each act in the bytes that `docs/format.md` asks for.
#[test]
fn acts_in_bytes() {
    let (one, two, three, room) = (link("01"), link("02"), link("03"), link("aa"));
    let cut: Cut = [(replica(0xaa), op_id(3)), (replica(0xaa), op_id(1))].into_iter().collect();
    let kept: &[&str] = &["81 82", &room, "82", &one, &three];
    let revoke = Act::Revoke { grants: [op_id(2), op_id(1)].into(), cut: cut.clone() };
    let head: &[&str] = &["a1 66", "'revoke", "a2 63", "'cut"];
    is(revoke, &[head, kept, &["66", "'grants", "82", &one, &two]].concat());
    let renounce = Act::Renounce { grant: op_id(1), cut: Cut::new() };
    is(renounce, &["a1 68", "'renounce", "a2 63", "'cut", "80 65", "'grant", &one]);
    is(Act::Reinstate { of: [op_id(2)].into() }, &["a1 69", "'reinstate", "a1 62", "'of", "81", &two]);
    let extend: &[&str] = &["a1 66", "'extend", "a2 62", "'of", &two, "63", "'cut"];
    is(Act::Extend { of: op_id(2), cut }, &[extend, kept].concat());
}

/// What is nearly an act is none: not everybody would judge it alike.
#[test]
fn acts_that_are_refused() {
    let (one, two, room, other) = (link("01"), link("02"), link("aa"), link("bb"));
    let wrong: &[&[&str]] = &[
        &["a1 66", "'revoke", "a1 66", "'grants", "81", &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "80 66", "'grants", "80"],
        &["a1 66", "'revoke", "a2 63", "'cut", "80 66", "'grants", "82", &two, &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "80 66", "'grants", "82", &one, &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "f6 66", "'grants", "81", &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "81 82", &room, "80 66", "'grants", "81", &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "81 81", &room, "66", "'grants", "81", &one],
        &["a1 66", "'revoke", "a2 63", "'cut", "81 82", &room, "82", &two, &one, "66", "'grants", "81", &one],
        &[
            "a1 66", "'revoke", "a2 63", "'cut", "82 82", &other, "81", &one, "82", &room, "81", &one, "66", "'grants",
            "81", &one,
        ],
        &["a1 68", "'renounce", "a2 63", "'cut", "80 65", "'grant", "81", &one],
        &["a1 68", "'renounce", "a1 65", "'grant", &one],
        &["a1 69", "'reinstate", "a1 62", "'of", "80"],
        &["a1 69", "'reinstate", "a2 62", "'of", "81", &one, "63", "'cut", "80"],
        &["a1 66", "'extend", "a2 62", "'of", "81", &one, "63", "'cut", "80"],
        &["a1 66", "'extend", "a1 62", "'of", &one],
        &["a1 65", "'allow", "a1 62", "'of", &one],
        &["a2 66", "'extend", "a0 66", "'revoke", "a0"],
    ];
    for parts in wrong {
        assert!(decode::<Act>(&bytes(parts)).is_err(), "{parts:?}");
    }
}

/// No act is on more than sixteen others, and no cut has more than 256 heads, all replicas together.
#[test]
fn acts_at_their_bounds() {
    let ids = |count| op_ids(count).into_iter().collect::<BTreeSet<OpId>>();
    for (count, fits) in [(0, false), (1, true), (MAX_ACT_TARGETS, true), (MAX_ACT_TARGETS + 1, false)] {
        for act in [Act::Revoke { grants: ids(count), cut: Cut::new() }, Act::Reinstate { of: ids(count) }] {
            assert_eq!(encode(&act).is_ok(), fits, "{count}");
        }
    }
    let cut = |count: usize| -> Cut {
        op_ids(count).into_iter().enumerate().map(|(at, head)| (replica((at % 3) as u8), head)).collect()
    };
    let full = cut(MAX_CUT_HEADS);
    assert_eq!(decode::<Cut>(&encode(&full).unwrap()).unwrap(), full);
    let error = encode(&cut(MAX_CUT_HEADS + 1)).unwrap_err();
    assert!(matches!(error, EncodeError::Bound { limit: MAX_CUT_HEADS, .. }), "{error}");
    // Claimed, and not there: nothing is allocated for it.
    assert!(matches!(decode::<Cut>(&[0x99, 0x01, 0x01]), Err(DecodeError::Truncated(_) | DecodeError::Bound { .. })));
}

fn ruled(rules: Rules) -> Genesis {
    Genesis::with_rules("chat/v1/Room", [7; 16], Roles::new(), rules)
}

fn one(rule: Rule) -> Genesis {
    ruled([(Capability::write(), rule)].into())
}

/// A genesis with rules of every kind, in the bytes that `docs/format.md` asks for.
#[test]
fn rules_in_bytes() {
    let (ana, room) = (link("22"), link("aa"));
    let can = || Rule::Can(Capability::write());
    let within = Rule::All(vec![Rule::CanIn(Capability::grant(), replica(0xaa)), Rule::Is([identity(0x22)].into())]);
    let rules = [(Capability::write(), Rule::Any(vec![can(), within])), ("paint".parse().unwrap(), Rule::never())];
    let genesis = ruled(rules.into());
    let start: &[&str] = &["a5 61", "'$", "6e", "'hhs/v1/Genesis", "65", "'class", "6c", "'chat/v1/Room"];
    let middle: &[&str] = &["65", "'nonce", "50", "07070707070707070707070707070707", "65", "'roles", "a0"];
    let paint: &[&str] = &["65", "'rules", "a2 65", "'paint", "a1 63", "'any", "80"];
    let write: &[&str] = &["65", "'write", "a1 63", "'any", "82 a1 63", "'can", "65", "'write", "a1 63", "'all", "82"];
    let inner: &[&str] = &["a2 62", "'in", &room, "63", "'can", "65", "'grant", "a1 62", "'is", "81", &ana];
    let expected = bytes(&[start, middle, paint, write, inner].concat());
    assert_eq!(genesis.encoded().unwrap().0, expected);
    assert_eq!(object::from_bytes::<Genesis>(&expected).unwrap(), genesis);
    assert_eq!(genesis.holders(), [identity(0x22)].into(), "whoever is named has to be there");
    assert_eq!(genesis.rules().unwrap().sources(), [replica(0xaa)].into());
}

/// A genesis without rules has no entry for them, and an empty entry is refused: there is one form for everything.
#[test]
fn no_rules_are_no_entry() {
    let (plain, _) = ruled(Rules::new()).encoded().unwrap();
    let mut entries = super::entries(&plain);
    assert!(!entries.contains_key("rules"));
    entries.insert("rules".to_owned(), Value::Map(Default::default()));
    assert!(object::from_bytes::<Genesis>(&super::map(entries)).is_err());
    let child = Genesis::child(replica(1), "a".parse().unwrap(), "chat/v1/Room").encoded().unwrap().0;
    let mut entries = super::entries(&child);
    entries.insert("rules".to_owned(), decode(&encode(&Value::Map(Default::default())).unwrap()).unwrap());
    assert!(object::from_bytes::<Genesis>(&super::map(entries)).is_err());
}

/// Rules are bounded in number, in depth, in whom and in which replicas they name; the bounds hold in both directions.
#[test]
fn rules_at_their_bounds() {
    let can = || Rule::Can(Capability::write());
    let nested = |levels: usize| (1..levels).fold(can(), |inner, _| Rule::Any(vec![inner]));
    let sources = |count: u8| Rule::Any((0..count).map(|at| Rule::CanIn(Capability::write(), replica(at))).collect());
    let named = |count: usize| Rule::Is((0..count).map(|at| IdentityId::of(&at.to_be_bytes())).collect());
    let names = |count: usize| (0..count).map(|at| (format!("can-{at}").parse().unwrap(), Rule::always()));
    let many = |count: usize| {
        names(count).fold(Rules::new(), |mut rules, (name, rule)| {
            rules.insert(name, rule);
            rules
        })
    };
    let cases = [
        (one(nested(MAX_RULE_DEPTH)), one(nested(MAX_RULE_DEPTH + 1))),
        (one(Rule::Any(vec![can(); MAX_RULE_NODES - 1])), one(Rule::Any(vec![can(); MAX_RULE_NODES]))),
        (one(sources(MAX_SOURCES as u8)), one(sources(MAX_SOURCES as u8 + 1))),
        (one(named(MAX_WRITERS)), one(named(MAX_WRITERS + 1))),
        (ruled(many(MAX_RULES)), ruled(many(MAX_RULES + 1))),
    ];
    for (fits, does_not) in cases {
        let (encoded, _) = fits.encoded().unwrap();
        assert_eq!(object::from_bytes::<Genesis>(&encoded).unwrap(), fits);
        let error = does_not.encoded().unwrap_err();
        assert!(matches!(error, GenesisError::Encode(EncodeError::Bound { .. })), "{error}");
    }
}

/// Bytes that go over a bound are refused as well, a hundred thousand levels deep without recursing that far.
#[test]
fn rules_beyond_their_bounds_in_bytes() {
    let with = |rule: Vec<u8>| [bytes(&["a1 65", "'write"]), rule].concat();
    let deep =
        |levels: usize| [bytes(&["a1 63", "'any", "81"]).repeat(levels), bytes(&["a1 63", "'any", "80"])].concat();
    assert!(decode::<Rules>(&with(deep(MAX_RULE_DEPTH - 1))).is_ok());
    for levels in [MAX_RULE_DEPTH, 100_000] {
        assert!(decode::<Rules>(&with(deep(levels))).is_err());
    }
    let wide = |count: u8| {
        [bytes(&["a1 63", "'any", "98"]), vec![count], bytes(&["a1 63", "'any", "80"]).repeat(count.into())]
    };
    assert!(decode::<Rules>(&with(wide(MAX_RULE_NODES as u8 - 1).concat())).is_ok());
    assert!(decode::<Rules>(&with(wide(MAX_RULE_NODES as u8).concat())).is_err());
    let room = link("aa");
    let wrong: &[&[&str]] = &[
        &["a0"],
        &["a1 63", "'nor", "80"],
        &["a1 62", "'in", &room],
        &["a2 62", "'in", &room, "63", "'any", "80"],
        &["a2 63", "'all", "80 63", "'any", "80"],
        &["a1 63", "'can", "65", "'Write"],
        &["a1 63", "'any", "f6"],
        &["a1 62", "'is", "82", &room, &room],
        &["80"],
    ];
    for rule in wrong {
        assert!(decode::<Rules>(&with(bytes(rule))).is_err(), "{rule:?}");
    }
}

pub(super) fn any_act() -> impl Strategy<Value = Act> {
    let can = btree_set("[a-z0-9./-]{1,64}".prop_map(|name| name.parse::<Capability>().unwrap()), 1..=16);
    let id = || any::<[u8; 32]>().prop_map(|bytes| OpId(Hash(bytes)));
    let cut = vec((any::<[u8; 32]>(), vec(id(), 1..4)), 0..4).prop_map(|kept| {
        let heads = |(replica, heads): ([u8; 32], Vec<OpId>)| {
            heads.into_iter().map(move |head| (ReplicaId(Hash(replica)), head))
        };
        kept.into_iter().flat_map(heads).collect::<Cut>()
    });
    prop_oneof![
        (any::<[u8; 32]>(), can).prop_map(|(to, can)| Act::Grant { to: IdentityId(Hash(to)), can }),
        (btree_set(id(), 1..=16), cut.clone()).prop_map(|(grants, cut)| Act::Revoke { grants, cut }),
        (id(), cut.clone()).prop_map(|(grant, cut)| Act::Renounce { grant, cut }),
        btree_set(id(), 1..=16).prop_map(|of| Act::Reinstate { of }),
        (id(), cut).prop_map(|(of, cut)| Act::Extend { of, cut }),
    ]
}
