//! What a key may sign is all that it signs.

use futures::executor::block_on;
use hhs_keystore::{Keystore, Policy};
use hhs_model::identity::{Domain, SignError};
use hhs_model::op::{Header, Op, SignOpError};
use hhs_model::{Author, ReplicaId};

use crate::world::in_memory;

const NOTES: Domain = Domain::new("notes/v1");

/// What the client of a TLS 1.3 handshake signs.
fn transcript() -> Vec<u8> {
    [&[0x20; 64][..], b"TLS 1.3, client CertificateVerify\0", &[7; 32]].concat()
}

fn author(keystore: &mut Keystore, policy: Policy) -> Author {
    let id = block_on(keystore.generate("Ana", policy)).unwrap();
    keystore.author(id).unwrap()
}

/// Whether it signs ops, notes and handshakes.
fn signs(author: &Author) -> [bool; 3] {
    let signer = author.signer();
    [signer.sign(Domain::OP, b"x").is_ok(), signer.sign(NOTES, b"x").is_ok(), signer.sign_tls13(&transcript()).is_ok()]
}

/// Policies of all kinds: each lets through what it names.
#[test]
fn a_key_signs_what_its_policy_allows() {
    let mut keystore = in_memory(1);
    for (policy, expected) in [
        (Policy::everything(), [true, true, true]),
        (Policy::nothing(), [false, false, false]),
        (Policy::peer(), [true, false, true]),
        (Policy::nothing().and(NOTES), [false, true, false]),
        (Policy::nothing().and(Domain::OP), [true, false, false]),
        (Policy::nothing().and_handshakes(), [false, false, true]),
        (Policy::everything().and(NOTES), [true, true, true]),
    ] {
        let author = author(&mut keystore, policy.clone());
        assert_eq!(signs(&author), expected, "{policy}");
        assert_eq!([policy.allows(Domain::OP), policy.allows(NOTES), policy.allows_handshakes()], expected);
    }
}

/// Each refusal says which key may not do what.
#[test]
fn a_refusal_says_what_is_not_allowed() {
    let author = author(&mut in_memory(1), Policy::nothing());
    let key = author.identity().key;
    let refusal = author.signer().sign(NOTES, b"x").unwrap_err();
    assert_eq!(refusal, SignError::Domain { key, domain: "notes/v1" });
    assert!(refusal.to_string().contains("\"notes/v1\""), "{refusal}");
    assert_eq!(author.signer().sign_tls13(&transcript()).unwrap_err(), SignError::Handshake(key));
}

/// A key that may not sign ops makes none; one that may does.
#[test]
fn an_op_by_a_key_that_may_not_sign_it() {
    let mut keystore = in_memory(1);
    for (policy, signs) in [(Policy::peer(), true), (Policy::nothing().and(NOTES).and_handshakes(), false)] {
        let author = author(&mut keystore, policy);
        let header = Header {
            target: ReplicaId::of(b"somewhere"),
            parents: Vec::new(),
            deps: Vec::new(),
            grants: Vec::new(),
            act: None,
            author: author.id(),
            time: 0,
            payload: None,
        };
        match Op::sign(header, &**author.signer()) {
            Ok(_) => assert!(signs),
            Err(refusal) => {
                assert!(!signs && matches!(refusal, SignOpError::Sign(SignError::Domain { .. })), "{refusal}")
            }
        }
    }
}

/// A key that may do everything still signs without a domain nothing but handshakes.
#[test]
fn what_has_no_domain_is_a_handshake() {
    let author = author(&mut in_memory(1), Policy::everything());
    let op = Domain::OP.bind(b"a header");
    for content in [&op[..], b"", &transcript()[1..], &[0x20; 200]] {
        assert_eq!(author.signer().sign_tls13(content).unwrap_err(), SignError::NotAHandshake);
    }
}

/// A policy is narrowed and widened again: that holds at once for who signs already.
#[test]
fn a_policy_that_changes() {
    let mut keystore = in_memory(1);
    let author = author(&mut keystore, Policy::everything());
    block_on(keystore.set_policy(author.id(), Policy::nothing().and(NOTES))).unwrap();
    assert_eq!(signs(&author), [false, true, false]);
    block_on(keystore.set_policy(author.id(), Policy::peer())).unwrap();
    assert_eq!(signs(&author), [true, false, true]);
}

/// As text, as people write it.
#[test]
fn policies_as_text() {
    for text in
        ["everything", "nothing", "domains", "handshakes", "op/v1", "op/v1,handshakes", "a/v1,notes/v1,handshakes"]
    {
        assert_eq!(text.parse::<Policy>().unwrap().to_string(), text);
    }
    assert_eq!("handshakes, op/v1".parse::<Policy>().unwrap(), Policy::peer());
    let long = "x".repeat(65);
    for text in ["", ",", "op/v1,", "op v1", "ö", "op/v1,everything", "nothing,op/v1", "op\u{7f}", &long] {
        let error = text.parse::<Policy>().expect_err(text);
        assert!(error.to_string().contains("op/v1,handshakes"), "{error}");
    }
}
