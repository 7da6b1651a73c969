//! Keys and signatures that only somebody who means harm would make: points of small order, and torsion added to points.
//!
//! Source: "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) and ZIP 215. On such signatures the usual
//! check of one and the usual check of many disagree, so that one honest peer takes an op that another refuses.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha512};

use crate::identity::{Domain, KeyError, PublicKey, Signature, SignatureError, SignedMessage, verify, verify_batch};

const MESSAGE: &[u8] = b"an op";
/// The order of the prime group, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The challenge of Ed25519, a hash of the nonce, the key and the message, as a scalar.
fn challenge(nonce: &[u8], key: &[u8], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(nonce).chain_update(key).chain_update(message).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn scalar(byte: u8) -> Scalar {
    Scalar::from_bytes_mod_order([byte; 32])
}

/// The signature by `secret` of [`MESSAGE`] for ops, with torsion added to the key and to the nonce.
fn crafted(secret: Scalar, nonce: Scalar, on_key: EdwardsPoint, on_nonce: EdwardsPoint) -> ([u8; 32], Signature) {
    let key = (ED25519_BASEPOINT_POINT * secret + on_key).compress().to_bytes();
    let point = (ED25519_BASEPOINT_POINT * nonce + on_nonce).compress().to_bytes();
    let s = nonce + challenge(&point, &key, &Domain::OP.bind(MESSAGE)) * secret;
    (key, joined(&point, s.as_bytes()))
}

fn joined(point: &[u8], s: &[u8]) -> Signature {
    Signature([point, s].concat().try_into().expect("two halves of 32 bytes"))
}

/// What both ways of checking say, alone and beside a signature that holds; they have to agree.
fn verdict(key: &PublicKey, signature: Signature) -> Result<(), SignatureError> {
    let single = verify(key, Domain::OP, MESSAGE, &signature);
    let item = SignedMessage { key: *key, bound: Domain::OP.bind(MESSAGE), signature };
    let honest = super::signed(1, b"honest");
    // Small multiples of torsion cancel in a naive batch with unlucky coefficients: so several of the same.
    for copies in 1..8 {
        let mut batch = vec![item.clone(); copies];
        assert_eq!(verify_batch(&batch).is_ok(), single.is_ok(), "a batch of {copies}");
        batch.insert(0, honest.clone());
        assert_eq!(verify_batch(&batch), single.map_err(|_| 1), "a batch of {copies} beside an honest one");
    }
    single
}

/// Torsion in the key, in the nonce, in both: ZIP-215 takes them all, in batches and singly. The strict check of one
/// would refuse most of these, and a cofactored batch would take them.
#[test]
fn torsion_in_keys_and_nonces() {
    let mut strict_refuses = 0;
    for on_key in EIGHT_TORSION {
        for on_nonce in EIGHT_TORSION {
            let (bytes, signature) = crafted(scalar(3), scalar(5), on_key, on_nonce);
            let key = PublicKey::from_bytes(&bytes).unwrap();
            assert_eq!(verdict(&key, signature), Ok(()));
            let dalek = ed25519_dalek::VerifyingKey::from_bytes(&bytes).unwrap();
            let strict =
                dalek.verify_strict(&Domain::OP.bind(MESSAGE), &ed25519_dalek::Signature::from_bytes(&signature.0));
            strict_refuses += usize::from(strict.is_err());
        }
    }
    assert!(strict_refuses > 32, "the vectors are to be those on which the rules differ: {strict_refuses}");
}

/// The nonce is a point of small order: nothing but the key's own share is left, and still it was the key that signed.
#[test]
fn nonces_of_small_order() {
    for on_nonce in EIGHT_TORSION {
        let (bytes, signature) = crafted(scalar(3), Scalar::ZERO, EIGHT_TORSION[0], on_nonce);
        assert_eq!(verdict(&PublicKey::from_bytes(&bytes).unwrap(), signature), Ok(()));
    }
}

/// The nonce is the neutral point, written as y = p + 1 instead of 1: ZIP-215 takes it in both ways, hashed as written.
#[test]
fn nonces_that_are_written_in_two_ways() {
    let mut point = [0xff; 32];
    (point[0], point[31]) = (0xee, 0x7f);
    let secret = scalar(3);
    let key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
    let s = challenge(&point, &key, &Domain::OP.bind(MESSAGE)) * secret;
    assert_eq!(verdict(&PublicKey::from_bytes(&key).unwrap(), joined(&point, s.as_bytes())), Ok(()));
}

/// s + order is the same scalar: whoever relays an op could give it a second id.
#[test]
fn a_signature_whose_scalar_is_not_reduced() {
    let (bytes, signature) = crafted(scalar(3), scalar(5), EIGHT_TORSION[0], EIGHT_TORSION[0]);
    let key = PublicKey::from_bytes(&bytes).unwrap();
    assert_eq!(verdict(&key, signature), Ok(()));
    let order = HEXLOWER.decode(ORDER.as_bytes()).unwrap();
    let mut malleable = signature;
    let mut carry = 0;
    for (byte, add) in malleable.0[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(verdict(&key, malleable), Err(SignatureError));
}

/// A nonce that is no point, and a scalar that is wrong by one.
#[test]
fn signatures_that_no_rule_takes() {
    let (bytes, signature) = crafted(scalar(3), scalar(5), EIGHT_TORSION[1], EIGHT_TORSION[2]);
    let key = PublicKey::from_bytes(&bytes).unwrap();
    let mut no_point = signature;
    no_point.0[..32].copy_from_slice(&not_a_point());
    assert_eq!(verdict(&key, no_point), Err(SignatureError));
    let mut wrong = signature;
    wrong.0[32] ^= 1;
    assert_eq!(verdict(&key, wrong), Err(SignatureError));
}

/// By a key of small order everything is signed: the key proves nothing about who signs.
#[test]
fn keys_of_small_order() {
    for point in EIGHT_TORSION {
        assert_eq!(PublicKey::from_bytes(&point.compress().to_bytes()), Err(KeyError::SmallOrder));
    }
    // The same points with coordinates that are not reduced: y = p, p + 1, and those with the sign set.
    for (low, high) in [(0xed, 0x7f), (0xee, 0x7f), (0xed, 0xff), (0xee, 0xff)] {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, high);
        let error = PublicKey::from_bytes(&bytes).unwrap_err();
        assert!(matches!(error, KeyError::SmallOrder | KeyError::NotAPoint), "{bytes:02x?}");
    }
}

/// About half of all 32 bytes are no key.
#[test]
fn keys_that_are_no_points() {
    assert_eq!(PublicKey::from_bytes(&not_a_point()), Err(KeyError::NotAPoint));
}

/// y = 2 has no x.
fn not_a_point() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
}
