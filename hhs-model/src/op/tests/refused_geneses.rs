//! Geneses that are refused, and names that no capability can have.

use std::collections::BTreeSet;

use super::{entries, genesis, identity, map, with_roles};
use crate::bounds::{MAX_CAPABILITY_BYTES, MAX_CLASS_BYTES, MAX_ROLES, MAX_WRITERS};
use crate::codec::{DecodeError, EncodeError, Value};
use crate::id::IdentityId;
use crate::object;
use crate::op::{Capability, CapabilityError, Genesis, GenesisError};

#[track_caller]
fn refused(bytes: &[u8]) -> DecodeError {
    object::from_bytes::<Genesis>(bytes).expect_err("the genesis should not decode")
}

fn with(key: &str, value: Option<Value>) -> Vec<u8> {
    let mut entries = entries(&genesis().encoded().unwrap().0);
    match value {
        Some(value) => drop(entries.insert(key.to_owned(), value)),
        None => drop(entries.remove(key).expect("the entry was there")),
    }
    map(entries)
}

fn roles(roles: &[(&str, &[IdentityId])]) -> Value {
    let role = |(name, holders): &(&str, &[IdentityId])| {
        let holders = holders.iter().map(|holder| Value::from(holder.cid())).collect();
        ((*name).to_owned(), Value::List(holders))
    };
    Value::Map(roles.iter().map(role).collect())
}

fn many(count: usize) -> BTreeSet<IdentityId> {
    (0..count).map(|number| IdentityId::of(&number.to_be_bytes())).collect()
}

/// Capabilities have plain short names, which every program compares alike.
#[test]
fn names_of_capabilities() {
    for name in ["write", "grant", "a", "0", "chat/v1/moderate", "x-y.z", &"a".repeat(MAX_CAPABILITY_BYTES)] {
        let capability: Capability = name.parse().unwrap();
        assert_eq!((capability.as_str(), capability.to_string().as_str()), (name, name));
    }
    assert_eq!(("write".parse(), "grant".parse()), (Ok(Capability::write()), Ok(Capability::grant())));
    for name in ["", "Write", "wríte", "a b", "a_b", "a\0", &"a".repeat(MAX_CAPABILITY_BYTES + 1)] {
        assert!(name.parse::<Capability>().is_err(), "{name:?}");
    }
    // What the error quotes is bounded, whatever a peer has sent.
    let error: CapabilityError = "é".repeat(1 << 20).parse::<Capability>().unwrap_err();
    assert!(error.to_string().len() < 1 << 10);
}

/// All four entries have to be there, of their kinds, and nothing else.
#[test]
fn entries_of_another_shape() {
    for key in ["class", "nonce", "roles"] {
        assert_eq!(refused(&with(key, None)), DecodeError::MissingField(key));
        refused(&with(key, Some(Value::Null)));
        refused(&with(key, Some(Value::List(vec![]))));
    }
    assert_eq!(refused(&with("$", None)), DecodeError::MissingField("$"));
    assert!(matches!(refused(&with("$", Some(Value::Text("hhs/v1/Op".into())))), DecodeError::Class { .. }));
    assert!(matches!(refused(&with("more", Some(Value::Null))), DecodeError::Invalid(_)));
    for length in [0, 15, 17] {
        refused(&with("nonce", Some(Value::Bytes(vec![0; length].into()))));
    }
}

/// A class has a name, and not a novel.
#[test]
fn class_names() {
    for (length, fits) in [(0, false), (1, true), (MAX_CLASS_BYTES, true), (MAX_CLASS_BYTES + 1, false)] {
        let class = "c".repeat(length);
        let made = Genesis { class: class.clone(), ..genesis() }.encoded();
        assert_eq!(made.is_ok(), fits, "{length}");
        assert!(fits || made == Err(GenesisError::Class(length)));
        let read = object::from_bytes::<Genesis>(&with("class", Some(Value::Text(class))));
        assert_eq!(read.is_ok(), fits, "{length}");
    }
}

/// Holders ascend by id and are not doubled; roles have names that capabilities can have.
#[test]
fn roles_of_another_shape() {
    let (a, b) = (identity(1), identity(2));
    assert!(object::from_bytes::<Genesis>(&with("roles", Some(roles(&[])))).is_ok());
    assert!(object::from_bytes::<Genesis>(&with("roles", Some(roles(&[("write", &[a, b])])))).is_ok());
    assert!(matches!(refused(&with("roles", Some(roles(&[("write", &[b, a])])))), DecodeError::ItemOrder(_)));
    assert!(matches!(refused(&with("roles", Some(roles(&[("write", &[a, a])])))), DecodeError::ItemOrder(_)));
    assert!(matches!(refused(&with("roles", Some(roles(&[("Write", &[a])])))), DecodeError::Invalid(_)));
    assert!(matches!(refused(&with("roles", Some(roles(&[("", &[a])])))), DecodeError::Invalid(_)));
}

/// Holders are bounded over all roles together, so that a genesis costs no more than its bound.
#[test]
fn too_many_holders() {
    let held = |count| with_roles([(Capability::write(), many(count)), (Capability::grant(), many(1))].into());
    let full = held(MAX_WRITERS - 1);
    let (bytes, _) = full.encoded().unwrap();
    assert_eq!(object::from_bytes::<Genesis>(&bytes).unwrap(), full);
    assert_eq!(full.holders().len(), MAX_WRITERS - 1);
    let over = held(MAX_WRITERS);
    let bound = EncodeError::Bound { what: "holders in a genesis", count: MAX_WRITERS + 1, limit: MAX_WRITERS };
    assert_eq!(over.encoded(), Err(GenesisError::Encode(bound)));
    let many: Vec<IdentityId> = many(MAX_WRITERS).into_iter().collect();
    let bytes = with("roles", Some(roles(&[("grant", &many[..1]), ("write", &many)])));
    assert!(matches!(refused(&bytes), DecodeError::Bound { what: "holders in a genesis", .. }));
}

/// Roles are bounded too, those without holders as well: a genesis of a million would be slow to ask.
#[test]
fn too_many_roles() {
    let named = |count: usize| -> Genesis {
        with_roles((0..count).map(|number| (format!("role-{number}").parse().unwrap(), BTreeSet::new())).collect())
    };
    let full = named(MAX_ROLES);
    assert_eq!(object::from_bytes::<Genesis>(&full.encoded().unwrap().0).unwrap(), full);
    let over = named(MAX_ROLES + 1);
    let (what, count, limit) = ("roles in a genesis", MAX_ROLES + 1, MAX_ROLES);
    assert_eq!(over.encoded(), Err(GenesisError::Encode(EncodeError::Bound { what, count, limit })));
    let names: Vec<String> = over.roles().unwrap().iter().map(|(name, _)| name.to_string()).collect();
    let listed: Vec<(&str, &[IdentityId])> = names.iter().map(|name| (name.as_str(), [].as_slice())).collect();
    assert_eq!(refused(&with("roles", Some(roles(&listed)))), DecodeError::Bound { what, count, limit });
}

/// Who holds what from the start: exactly what the roles say.
#[test]
fn holding() {
    let genesis = genesis();
    let roles = genesis.roles().unwrap();
    assert!(roles.holds(&identity(0x22), "write") && roles.holds(&identity(0x22), "grant"));
    assert!(roles.holds(&identity(0x33), "write") && !roles.holds(&identity(0x33), "grant"));
    assert!(!roles.holds(&identity(0x44), "write") && !roles.holds(&identity(0x22), "paint"));
    assert_eq!(genesis.holders(), [identity(0x22), identity(0x33)].into());
}
