//! Children: replicas that are known from the one they are a part of.

use std::collections::BTreeMap;

use super::{genesis, identity};
use crate::bounds::{MAX_CHILD_LEVELS, MAX_FIELD_PATH_BYTES};
use crate::codec::{Decode, DecodeError, EncodeError, Encoder, Value, decode, encode};
use crate::id::ReplicaId;
use crate::object;
use crate::op::{FieldPath, FieldPathError, Founding, FoundingError, Genesis, GenesisError};

fn path(path: &str) -> FieldPath {
    path.parse().unwrap()
}

fn room() -> Founding {
    Founding::root(genesis()).unwrap()
}

/// The bytes of a child's genesis with these entries besides the usual ones, or in their place; null takes one away.
fn child(changes: &[(&str, Value)]) -> Vec<u8> {
    let usual = [
        ("$", Value::from("hhs/v1/Genesis")),
        ("path", Value::from("guests")),
        ("class", Value::from("chat/v1/Guests")),
        ("parent", Value::from(room().id().cid())),
    ];
    let changed: BTreeMap<&str, Value> = usual.into_iter().chain(changes.iter().cloned()).collect();
    let entries = changed.into_iter().filter(|(_, value)| !value.is_null());
    encode(&Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).collect())).unwrap()
}

#[track_caller]
fn refused(changes: &[(&str, Value)]) -> DecodeError {
    object::from_bytes::<Genesis>(&child(changes)).expect_err("the genesis should not decode")
}

/// Ana and Ben, who do not know of each other's doing, both make the room's list of guests: it is one list.
#[test]
fn a_child_is_known_from_its_parent() {
    let room = room();
    let guests = Genesis::child(room.id(), path("guests"), "chat/v1/Guests");
    let (bytes, id) = guests.encoded().unwrap();
    assert_eq!(bytes, child(&[]));
    assert_eq!(ReplicaId::child(room.id(), &path("guests"), "chat/v1/Guests"), Ok(id));
    assert_eq!(object::from_bytes::<Genesis>(&bytes).unwrap(), guests);
    assert_eq!((guests.parent(), guests.roles(), guests.holders().len()), (Some(room.id()), None, 0));
    for (parent, place, class) in [
        (id, "guests", "chat/v1/Guests"),
        (room.id(), "guest", "chat/v1/Guests"),
        (room.id(), "guests", "chat/v1/Tags"),
    ] {
        assert_ne!(ReplicaId::child(parent, &path(place), class), Ok(id));
    }
    let nameless = ReplicaId::child(room.id(), &path("guests"), "");
    assert_eq!(nameless, Err(GenesisError::Class(0)));
}

/// Places have names with one slash in between; names need not be English.
#[test]
fn places_of_children() {
    for name in ["a", "pages", "pages/home", "ärger/日/ ", &"a".repeat(MAX_FIELD_PATH_BYTES)] {
        assert_eq!((path(name).as_str(), path(name).to_string().as_str()), (name, name));
        assert_eq!(decode::<FieldPath>(&encode(&path(name)).unwrap()), Ok(path(name)));
    }
    assert_eq!(path("pages/home").names().collect::<Vec<_>>(), ["pages", "home"]);
    let long = "a".repeat(MAX_FIELD_PATH_BYTES + 1);
    let wrong = [
        ("", FieldPathError::Length(0)),
        (long.as_str(), FieldPathError::Length(MAX_FIELD_PATH_BYTES + 1)),
        ("/", FieldPathError::EmptyName),
        ("/a", FieldPathError::EmptyName),
        ("a/", FieldPathError::EmptyName),
        ("a//b", FieldPathError::EmptyName),
        ("a\n", FieldPathError::Control),
        ("a/\u{7f}", FieldPathError::Control),
        ("\u{85}", FieldPathError::Control),
    ];
    for (text, error) in wrong {
        assert_eq!(text.parse::<FieldPath>(), Err(error), "{text:?}");
        assert!(FieldPath::decode(&mut crate::codec::Decoder::new(&encode(text).unwrap()).unwrap()).is_err());
    }
}

/// A genesis is that of a root or that of a child: nobody makes one that some would read as the one and some as the other.
#[test]
fn a_genesis_is_of_one_kind() {
    for key in ["path", "class", "parent"] {
        assert_eq!(refused(&[(key, Value::Null)]), DecodeError::MissingField(key));
    }
    let nonce = ("nonce", Value::of(&crate::Nonce([7; 16])).unwrap());
    let roles = ("roles", Value::of(genesis().roles().unwrap()).unwrap());
    let both = DecodeError::Invalid("a genesis is that of a root and that of a child");
    assert_eq!(refused(std::slice::from_ref(&nonce)), both);
    assert_eq!(refused(std::slice::from_ref(&roles)), both);
    assert_eq!(refused(&[nonce.clone(), roles.clone()]), both);
    assert_eq!(refused(&[nonce, roles, ("path", Value::Null)]), both);
    assert_eq!(refused(&[("more", Value::Int(1))]), DecodeError::Invalid("a genesis has a field that is not known"));
    assert!(matches!(refused(&[("path", Value::from("a//b"))]), DecodeError::Invalid(_)));
    assert_eq!(refused(&[("path", Value::from(""))]), DecodeError::Invalid("the path of a child is empty"));
    let long = Value::from("a".repeat(MAX_FIELD_PATH_BYTES + 1));
    assert!(matches!(refused(&[("path", long)]), DecodeError::Bound { .. }));
    assert!(matches!(refused(&[("parent", Value::from("room"))]), DecodeError::Expected { .. }));
}

/// The chain up to the root is bounded: whoever wants to know who may write has to follow it.
#[test]
fn children_of_children() {
    let mut founding = room();
    for level in 1..=MAX_CHILD_LEVELS {
        let genesis = Genesis::child(founding.id(), path("inner"), "chat/v1/Room");
        let child = founding.child(genesis).unwrap();
        assert_eq!((child.level(), child.class(), child.roles()), (level, "chat/v1/Room", founding.roles()));
        assert_eq!(child.place(), Some((founding.id(), &path("inner"))));
        founding = child;
    }
    assert!(founding.roles().holds(&identity(0x22), "grant"));
    let deeper = Genesis::child(founding.id(), path("inner"), "chat/v1/Room");
    assert_eq!(founding.child(deeper), Err(FoundingError::TooDeep));
}

/// A child is founded by way of its own parent and no other way.
#[test]
fn children_of_others() {
    let room = room();
    assert_eq!((room.place(), room.level()), (None, 0));
    let child = Genesis::child(ReplicaId::of(b"elsewhere"), path("guests"), "chat/v1/Guests");
    assert_eq!(Founding::root(child.clone()), Err(FoundingError::NotARoot(ReplicaId::of(b"elsewhere"))));
    assert_eq!(room.child(child), Err(FoundingError::OtherParent(room.id())));
    assert_eq!(room.child(genesis()), Err(FoundingError::OtherParent(room.id())));
    let nameless = Genesis::child(room.id(), path("guests"), "");
    assert_eq!(room.child(nameless), Err(FoundingError::Genesis(GenesisError::Class(0))));
}

/// An encoder that has failed before says so, and nothing else happens.
#[test]
fn a_child_in_what_cannot_be_saved() {
    let mut encoder = Encoder::new();
    encoder.float(f64::NAN).value(&Genesis::child(room().id(), path("guests"), "chat/v1/Guests"));
    assert!(matches!(encoder.finish(), Err(EncodeError::Float(_))));
}
