//! Tests of identities and signatures.

mod crafted;

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::{
    Author, Domain, Identity, KeyError, SecretKey, SignError, Signature, SignedMessage, Signer, verify, verify_batch,
};
use crate::bounds::MAX_IDENTITY_BYTES;
use crate::codec::{DecodeError, EncodeError, Value, encode};
use crate::{PublicKey, object};

const NOTES: Domain = Domain::new("notes/v1");

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn signed(seed: u8, message: &[u8]) -> SignedMessage {
    let key = key(seed);
    let signature = key.sign(Domain::OP, message).unwrap();
    SignedMessage { key: key.public_key(), bound: Domain::OP.bind(message), signature }
}

/// RFC 8032, section 7.1, test 1: the keys are those of everybody else's Ed25519.
#[test]
fn keys_and_signatures_are_those_of_rfc_8032() {
    let seed = HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let key = SecretKey::from_seed(&seed.try_into().unwrap());
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(format!("{:?}", key.public_key()), public);
    assert_eq!(*key.to_seed(), *SecretKey::from_seed(&key.to_seed()).to_seed());
    let signature = key.sign(NOTES, b"").unwrap();
    let bound = ed25519_dalek::Signer::sign(&ed25519_dalek::SigningKey::from_bytes(&key.to_seed()), &NOTES.bind(b""));
    assert_eq!(signature.0, bound.to_bytes());
}

/// What is signed begins with a prefix, and the domain cannot run into the message.
#[test]
fn the_bytes_that_are_signed() {
    assert_eq!(Domain::OP.bind(b"hello"), b"hhs-signature-v1\x05op/v1hello");
    assert_ne!(Domain::new("ab").bind(b"c"), Domain::new("a").bind(b"bc"));
    assert_eq!(Domain::new("ab").bind(b"c"), b"hhs-signature-v1\x02abc");
}

/// Someone takes a signature that Ana made over a note, and shows it as one over an op of the same bytes.
#[test]
fn a_signature_is_good_for_one_domain_key_and_message() {
    let ana = key(1);
    let signature = ana.sign(NOTES, b"hello").unwrap();
    let public = ana.public_key();
    verify(&public, NOTES, b"hello", &signature).unwrap();
    verify(&public, Domain::OP, b"hello", &signature).unwrap_err();
    verify(&public, NOTES, b"hello!", &signature).unwrap_err();
    verify(&key(2).public_key(), NOTES, b"hello", &signature).unwrap_err();
    for byte in 0..64 {
        let mut changed = signature;
        changed.0[byte] ^= 1;
        verify(&public, NOTES, b"hello", &changed).unwrap_err();
    }
}

/// Domains are constants of a program: a wrong one is found when it is compiled.
#[test]
#[should_panic(expected = "a domain has 1 to 64 bytes")]
fn a_domain_without_a_name() {
    let _ = Domain::new("");
}

/// A program that may only prove who it is to a peer asks for a signature over something else.
#[test]
fn only_the_transcripts_of_tls_are_signed_as_such() {
    let ana = key(1);
    let transcript = |side: &str| [&[0x20; 64], side.as_bytes(), &[0], &[7; 32][..]].concat();
    for side in ["TLS 1.3, client CertificateVerify", "TLS 1.3, server CertificateVerify"] {
        let content = transcript(side);
        let signature = ana.sign_tls13(&content).expect("that is a transcript");
        let dalek = ed25519_dalek::VerifyingKey::from_bytes(ana.public_key().as_bytes()).unwrap();
        dalek.verify_strict(&content, &ed25519_dalek::Signature::from_bytes(&signature.0)).unwrap();
        assert_eq!(ana.sign_tls13(&content[1..]), Err(SignError::NotAHandshake));
        assert_eq!(ana.sign_tls13(&content[..64 + side.len()]), Err(SignError::NotAHandshake));
    }
    assert_eq!(ana.sign_tls13(&transcript("TLS 1.3, exporter")), Err(SignError::NotAHandshake));
    assert_eq!(ana.sign_tls13(&transcript("TLS 1.2, client CertificateVerify")), Err(SignError::NotAHandshake));
    assert_eq!(ana.sign_tls13(&[0x20; 200]), Err(SignError::NotAHandshake));
    assert_eq!(ana.sign_tls13(b""), Err(SignError::NotAHandshake));
    assert_eq!(
        ana.sign_tls13(&Domain::OP.bind(&transcript("TLS 1.3, client CertificateVerify"))),
        Err(SignError::NotAHandshake)
    );
}

/// A batch of ops comes in; one of them is forged, and it has to be known which.
#[test]
fn a_batch_names_its_first_bad_signature() {
    assert_eq!(verify_batch(&[]), Ok(()));
    let good: Vec<SignedMessage> = (0..8).map(|index| signed(index % 3, &[index; 40])).collect();
    assert_eq!(verify_batch(&good), Ok(()));
    for bad in 0..good.len() {
        let mut batch = good.clone();
        batch[bad].bound.push(0);
        assert_eq!(verify_batch(&batch), Err(bad));
    }
    let mut batch = good;
    batch[6].signature = Signature([0; 64]);
    batch[2].key = key(99).public_key();
    assert_eq!(verify_batch(&batch), Err(2));
}

proptest! {
    /// Whatever a peer changes in a batch: it passes exactly if each of its signatures does.
    #[test]
    fn a_batch_agrees_with_each_of_its_signatures(
        seeds in proptest::collection::vec((0..4_u8, any::<[u8; 4]>()), 1..6),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 0..96_usize, any::<u8>()), 0..3),
    ) {
        let messages: Vec<[u8; 4]> = seeds.iter().map(|(_, message)| *message).collect();
        let mut batch: Vec<SignedMessage> = seeds.iter().map(|(seed, message)| signed(*seed, message)).collect();
        for (index, at, byte) in changes {
            let item = index.get(&batch).clone();
            let changed = &mut batch[index.index(messages.len())];
            match at {
                0..64 => changed.signature.0[at] = byte,
                _ => {
                    let mut bytes = *item.key.as_bytes();
                    bytes[at - 64] = byte;
                    changed.key = PublicKey::from_bytes(&bytes).unwrap_or(item.key);
                }
            }
        }
        let first_bad = batch.iter().zip(&messages).position(|(item, message)| {
            verify(&item.key, Domain::OP, message, &item.signature).is_err()
        });
        prop_assert_eq!(verify_batch(&batch).err(), first_bad);
    }
}

/// An identity's bytes are part of the format: its id must be the same for ever.
#[test]
fn the_bytes_and_the_id_of_an_identity() {
    let ana = Identity::named(key(1).public_key(), "Ana");
    assert_eq!(ana.name(), Some("Ana"));
    let (bytes, id) = ana.encoded().unwrap();
    let hex = format!(
        "a3 6124 6f{class} 63{key} 5820{public:?} 64{info} a1 64{name} 63{ana}",
        class = HEXLOWER.encode(b"hhs/v1/Identity"),
        key = HEXLOWER.encode(b"key"),
        public = ana.key,
        info = HEXLOWER.encode(b"info"),
        name = HEXLOWER.encode(b"name"),
        ana = HEXLOWER.encode(b"Ana"),
    );
    assert_eq!(HEXLOWER.encode(&bytes), hex.replace(' ', ""));
    assert_eq!(id.to_string(), "bafyreib7ajsx7f7tohf4xmoac5u75tvyjagj2dken7buzu4zbxlavqxtim");
    assert_eq!(Identity::from_bytes(&bytes).unwrap(), ana);
    assert_eq!(object::id(&ana).unwrap(), id.into());
}

/// A later version adds a field. Whoever passes the identity on must not change its id.
#[test]
fn fields_of_later_versions_survive() {
    let value = BTreeMap::from([
        ("$".to_owned(), Value::Text("hhs/v1/Identity".into())),
        ("at".to_owned(), Value::Int(7)),
        ("key".to_owned(), Value::of(&key(1).public_key()).unwrap()),
        ("home".to_owned(), Value::Null),
        ("info".to_owned(), Value::Map(Default::default())),
        ("later".to_owned(), Value::Bool(true)),
    ]);
    let bytes = encode(&value).unwrap();
    assert_eq!(Identity::from_bytes(&bytes).unwrap().encoded().unwrap().0, bytes);
}

/// An identity that one could not judge without fetching something else: neither made nor taken, wherever the link is.
#[test]
fn an_identity_that_links() {
    let link = Value::from(crate::ObjectId::of(b"a picture").cid());
    let reason = "an identity holds no links: link to the identity from elsewhere instead";
    let info = BTreeMap::from([("pictures".to_owned(), Value::List(vec![Value::Null, link.clone()]))]);
    let ana = Identity::new(key(1).public_key(), info.clone());
    assert_eq!(ana.encoded().unwrap_err(), EncodeError::Validation(reason.to_owned()));
    let entries = |info: Value, more: Value| {
        let key = Value::of(&key(1).public_key()).unwrap();
        let entries = [("$", "hhs/v1/Identity".into()), ("key", key), ("info", info), ("more", more)];
        encode(&Value::Map(entries.into())).unwrap()
    };
    let info = Value::Map(info.into());
    assert!(Identity::from_bytes(&entries(Value::Map(Default::default()), Value::Null)).is_ok());
    for bytes in [entries(info, Value::Null), entries(Value::Map(Default::default()), link)] {
        assert_eq!(Identity::from_bytes(&bytes).unwrap_err(), DecodeError::Invalid(reason));
    }
    // Links beside it, in what it stands in, are none of its own.
    let beside = (crate::ObjectId::of(b"a picture"), Identity::named(key(1).public_key(), "Ana"));
    assert_eq!(crate::codec::decode(&encode(&beside).unwrap()), Ok(beside));
}

/// An identity of 64 KiB and a byte, wherever it stands, is neither made nor taken.
#[test]
fn identities_over_their_bound() {
    let public = key(1).public_key();
    let empty = Identity::named(public, "").encoded().unwrap().0.len();
    // The length of the name takes two bytes more than that of an empty one.
    let full = "n".repeat(MAX_IDENTITY_BYTES - empty - 2);
    let (bytes, _) = Identity::named(public, &full).encoded().unwrap();
    assert_eq!(bytes.len(), MAX_IDENTITY_BYTES);
    Identity::from_bytes(&bytes).unwrap();

    let (what, count, limit) = ("bytes of an identity", MAX_IDENTITY_BYTES + 1, MAX_IDENTITY_BYTES);
    let over = Identity::named(public, &format!("{full}n"));
    assert_eq!(over.encoded().unwrap_err(), EncodeError::Bound { what, count, limit });
    assert_eq!(encode(&vec![over]).unwrap_err(), EncodeError::Bound { what, count, limit });

    let name = HEXLOWER.encode(format!("{full}n").as_bytes());
    let info = format!("a1646e616d6579{:04x}{name}", full.len() + 1);
    let hex = format!("a361246f6868732f76312f4964656e74697479636b65795820{public:?}64696e666f{info}");
    let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
    let refused = DecodeError::Bound { what, count, limit };
    assert_eq!(Identity::from_bytes(&bytes).unwrap_err(), refused);
    assert_eq!(object::from_bytes::<Identity>(&bytes).unwrap_err(), refused);
}

/// Somebody opens a store with the key file of another identity.
#[test]
fn an_author_signs_with_the_key_of_the_identity() {
    let identity = Identity::named(key(1).public_key(), "Ana");
    let author = Author::new(identity.clone(), Arc::new(key(1))).unwrap();
    assert_eq!((author.identity(), author.id()), (&identity, identity.encoded().unwrap().1));
    assert_eq!(Identity::from_bytes(author.identity_bytes()).unwrap(), identity);
    assert_eq!(Author::new(identity, Arc::new(key(2))).unwrap_err(), KeyError::Mismatch);
}

/// Neither logs nor error reports may show a secret.
#[test]
fn secrets_are_not_printed() {
    let secret = HEXLOWER.encode(&*key(0xab).to_seed());
    assert!(!format!("{:?}", key(0xab)).contains(&secret[..16]));
    let author = Author::new(Identity::named(key(0xab).public_key(), "Ana"), Arc::new(key(0xab))).unwrap();
    assert!(!format!("{author:?}").contains(&secret[..16]));
}
