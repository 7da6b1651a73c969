//! Bytes written by hand from `docs/format.md`, signatures and hashes made by another implementation (Python's
//! `cryptography` and `hashlib`): the format must never change by accident.

use data_encoding::HEXLOWER;

use super::{bare, full, genesis, key, op_id, signed};
use crate::id::{Hash, ReplicaId};
use crate::identity::{Domain, Signer};
use crate::object;
use crate::op::{Genesis, Op};

/// Hexadecimal parts, with spaces between them; what is in quotes stands for its own bytes.
fn bytes(parts: &[&str]) -> Vec<u8> {
    let part = |part: &&str| match part.strip_prefix('\'') {
        Some(text) => text.as_bytes().to_vec(),
        None => HEXLOWER.decode(part.replace(' ', "").as_bytes()).unwrap(),
    };
    parts.iter().flat_map(part).collect()
}

/// A link to an id whose bytes are all the same.
fn link(byte: &str) -> String {
    format!("d8 2a 58 25 00 01 71 12 20 {}", byte.repeat(32))
}

const FULL_SIGNATURE: &str = "0477493c8d39495fb4ea065d87a783d8687895ae57e53822b92116b8182f4c48\
                              100b39b5e7ca6b36c7d5f4ae269676a56be2706c3601311362139f5ab5524d00";
const BARE_SIGNATURE: &str = "ecefd104671943e65aaa219ef01f5b98a5ff1aa3e2e41bf5ca9561c786a9e1c7\
                              68154b469c33d61df72069d782fd0b61e194201087c1e39899df721e846eff00";
const HASH_OF_HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// A header with something in every place; the keys are ordered by length, then bytewise, and the id is that of the whole.
#[test]
fn a_header_with_everything() {
    let (target, author, to) = (link("11"), link("22"), link("66"));
    let (grants, parents) = ((link("31"), link("32")), (link("51"), link("52")));
    let before: &[&str] = &["61", "'$", "69", "'hhs/v1/Op", "63", "'act", "a1 65", "'grant", "a2 62", "'to", &to];
    let before = &[before, &["63", "'can", "82 65", "'grant", "65", "'write"]].concat();
    let signature = &["63", "'sig", "58 40", FULL_SIGNATURE];
    let after: &[&str] = &["64", "'deps", "81", &link("44"), "64", "'size", "05", "64", "'time"];
    let after = &[after, &["1b 0000018bcfe56800", "66", "'author", &author]].concat();
    let after = &[after, ["66", "'grants", "82", &grants.0, &grants.1, "66", "'target", &target].as_slice()].concat();
    let after = &[after, ["67", "'parents", "82", &parents.0, &parents.1].as_slice()].concat();
    let after = &[after, ["67", "'payload", "d8 2a 58 25 00 01 71 12 20", HASH_OF_HELLO].as_slice()].concat();

    let op = signed(full());
    assert_eq!(op.bytes(), bytes(&[&["ab"], before.as_slice(), signature, after].concat()));
    assert_eq!(op.id().to_string(), "bafyreihfkpavbfyrn5lokitdg3jcar37t4dvz35ufm7nq2tbyabijg5fw4");
    let unsigned = bytes(&[&["aa"], before.as_slice(), after].concat());
    assert_eq!(op.signed_message(key().public_key()).bound, Domain::OP.bind(&unsigned));
    assert_eq!(Op::from_bytes(op.bytes()).unwrap(), op);
}

/// A header with nothing where it may: lists are written all the same, what is optional is left out.
#[test]
fn a_header_with_nothing() {
    let (target, author) = (link("11"), link("22"));
    let start = &["61", "'$", "69", "'hhs/v1/Op"];
    let signature = &["63", "'sig", "58 40", BARE_SIGNATURE];
    let lists = &["64", "'deps", "80", "64", "'time", "00", "66", "'author", &author, "66", "'grants", "80"];
    let end = &["66", "'target", &target, "67", "'parents", "80"];
    let op = signed(bare());
    assert_eq!(op.bytes(), bytes(&[&["a8"], start.as_slice(), signature, lists, end].concat()));
    assert_eq!(op.id().to_string(), "bafyreihpoazhtodors57xwc6xvkhfewj3wwz7bvrb46q4jio7g7ibev24m");
    assert_eq!(Op::from_bytes(op.bytes()).unwrap(), op);
}

/// A genesis: roles are ordered as all map keys are, holders by id.
#[test]
fn a_genesis() {
    let (founder, other) = (link("22"), link("33"));
    let start: &[&str] = &["a4 61", "'$", "6e", "'hhs/v1/Genesis", "65", "'class", "6c", "'chat/v1/Room"];
    let nonce: &[&str] = &["65", "'nonce", "50 07070707070707070707070707070707"];
    let roles: &[&str] = &["65", "'roles", "a2 65", "'grant", "81", &founder, "65", "'write", "82", &founder, &other];
    let (encoded, id) = genesis().encoded().unwrap();
    assert_eq!(encoded, bytes(&[start, nonce, roles].concat()));
    assert_eq!(id.to_string(), "bafyreibmouz7kmbrrqqpb2xybcco4unibwan5vjr3ounkwm7zmfynm5ylm");
    assert_eq!(object::from_bytes::<Genesis>(&encoded).unwrap(), genesis());
    assert_eq!(object::class_of(&encoded).unwrap(), "hhs/v1/Genesis");
}

/// The genesis of a child: shorter keys first, so that the path stands before the class.
#[test]
fn a_childs_genesis() {
    let parent = link("11");
    let start: &[&str] = &["a4 61", "'$", "6e", "'hhs/v1/Genesis", "64", "'path", "6a", "'pages/home"];
    let end: &[&str] = &["65", "'class", "6c", "'wiki/v1/Page", "66", "'parent", &parent];
    let child = Genesis::child(ReplicaId(Hash([0x11; 32])), "pages/home".parse().unwrap(), "wiki/v1/Page");
    let (encoded, id) = child.encoded().unwrap();
    assert_eq!(encoded, bytes(&[start, end].concat()));
    assert_eq!(id.to_string(), "bafyreigwbvnuew5cqvsxgtprwvfr2orr5yydgwpl3xha36jpagfvb7ugce");
    assert_eq!(object::from_bytes::<Genesis>(&encoded).unwrap(), child);
}

/// The capabilities of a grant stand in the order of their names, the shorter one not always first.
#[test]
fn capabilities_are_ordered_by_name() {
    let mut header = full();
    let Some(super::Act::Grant { can, .. }) = &mut header.act else { panic!("the header grants") };
    *can = ["b", "aa", "c/1"].iter().map(|name| name.parse().unwrap()).collect();
    header.parents = vec![op_id(1)];
    let op = signed(header);
    let expected = bytes(&["63", "'can", "83 62", "'aa", "61", "'b", "63", "'c/1", "63", "'sig"]);
    assert!(op.bytes().windows(expected.len()).any(|window| window == expected));
    assert_eq!(Op::from_bytes(op.bytes()).unwrap(), op);
}
