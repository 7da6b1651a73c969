//! Signatures, good and bad, among them those on which implementations of Ed25519 disagree.
//!
//! Source: "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) and ZIP 215.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use hhs_model::identity::{Domain, Signer};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha512};

use super::hex;
use super::identities::key;

/// The domains of vectors by name: domains are constants of a program.
pub(crate) const DOMAINS: [(&str, Domain); 2] = [("op/v1", Domain::OP), ("notes/v1", Domain::new("notes/v1"))];

const MESSAGE: &[u8] = b"an op";

/// The order of the prime group, little-endian.
const ORDER: [u8; 32] = {
    let mut order =
        *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    order[31] = 0x10;
    order
};

pub(super) fn all() -> Vec<Json> {
    let mut vectors = honest();
    vectors.extend(torsion());
    vectors.extend(encodings());
    vectors.extend(keys());
    vectors
}

/// What is expected: `valid`, `invalid`, or `no key` where the key itself is refused.
fn vector(name: &str, domain: &str, message: &[u8], key: &[u8], signature: &[u8], expected: &str) -> Json {
    json!({
        "name": name,
        "domain": domain,
        "message": hex(message),
        "key": hex(key),
        "signature": hex(signature),
        "expected": expected,
    })
}

fn honest() -> Vec<Json> {
    let mut vectors = Vec::new();
    for (name, domain) in DOMAINS {
        for message in [&b""[..], b"hello", &[0xaa; 300]] {
            let signer = key(1);
            let signature = signer.sign(domain, message).expect("keys in memory sign");
            let public = signer.public_key();
            let about = format!("honest, {} bytes", message.len());
            vectors.push(vector(&about, name, message, public.as_bytes(), &signature.0, "valid"));
        }
    }
    let (ana, ben) = (key(1), key(2).public_key());
    let public = ana.public_key();
    let signature = ana.sign(Domain::OP, MESSAGE).expect("keys in memory sign").0;
    vectors.push(vector("in another domain", "notes/v1", MESSAGE, public.as_bytes(), &signature, "invalid"));
    vectors.push(vector("over another message", "op/v1", b"an o", public.as_bytes(), &signature, "invalid"));
    vectors.push(vector("by another key", "op/v1", MESSAGE, ben.as_bytes(), &signature, "invalid"));
    vectors.push(vector("all zeros", "op/v1", MESSAGE, public.as_bytes(), &[0; 64], "invalid"));
    for (name, at) in [("nonce changed", 3), ("scalar changed", 40)] {
        let mut changed = signature;
        changed[at] ^= 1;
        vectors.push(vector(name, "op/v1", MESSAGE, public.as_bytes(), &changed, "invalid"));
    }
    vectors
}

/// Torsion on the key, on the nonce, on both: good by ZIP-215, which multiplies the equation by eight.
fn torsion() -> Vec<Json> {
    let mut vectors = Vec::new();
    for (key_index, on_key) in EIGHT_TORSION.into_iter().enumerate() {
        for (nonce_index, on_nonce) in EIGHT_TORSION.into_iter().enumerate() {
            let (key, signature) = crafted(scalar(3), scalar(5), on_key, on_nonce);
            let name = format!("torsion {key_index} on the key, {nonce_index} on the nonce");
            vectors.push(vector(&name, "op/v1", MESSAGE, &key, &signature, "valid"));
        }
    }
    for (index, on_nonce) in EIGHT_TORSION.into_iter().enumerate() {
        let (key, signature) = crafted(scalar(3), Scalar::ZERO, EIGHT_TORSION[0], on_nonce);
        vectors.push(vector(&format!("nonce of small order {index}"), "op/v1", MESSAGE, &key, &signature, "valid"));
    }
    vectors
}

/// Points and scalars that are not written in the one reduced form.
fn encodings() -> Vec<Json> {
    let secret = scalar(3);
    let key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
    let mut vectors = Vec::new();
    // The neutral point as y = p + 1, with and without the sign that a zero x does not have.
    for (name, last) in [("nonce written as y = p + 1", 0x7f), ("nonce written as y = p + 1 with a sign", 0xff)] {
        let mut nonce = [0xff; 32];
        (nonce[0], nonce[31]) = (0xee, last);
        let s = challenge(&nonce, &key) * secret;
        vectors.push(vector(name, "op/v1", MESSAGE, &key, &[nonce, s.to_bytes()].concat(), "valid"));
    }
    let (key, signature) = crafted(secret, scalar(5), EIGHT_TORSION[0], EIGHT_TORSION[0]);
    let beyond = [&signature[..32], &plus_order(&signature[32..])].concat();
    vectors.push(vector("s plus the order", "op/v1", MESSAGE, &key, &beyond, "invalid"));
    let order = [&signature[..32], &ORDER].concat();
    vectors.push(vector("s is the order", "op/v1", MESSAGE, &key, &order, "invalid"));
    let no_point = [&not_a_point()[..], &signature[32..]].concat();
    vectors.push(vector("nonce that is no point", "op/v1", MESSAGE, &key, &no_point, "invalid"));
    vectors
}

/// Keys that prove nothing or are none.
fn keys() -> Vec<Json> {
    let mut vectors = Vec::new();
    let mut refused = |name: &str, key: &[u8]| {
        // By such a key this "signature" would hold over anything.
        let mut signature = [0; 64];
        signature[0] = 1;
        vectors.push(vector(name, "op/v1", MESSAGE, key, &signature, "no key"));
    };
    for (index, point) in EIGHT_TORSION.into_iter().enumerate() {
        refused(&format!("key of small order {index}"), &point.compress().to_bytes());
    }
    for (low, high) in [(0xed, 0x7f), (0xee, 0x7f), (0xed, 0xff), (0xee, 0xff)] {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, high);
        refused(&format!("key of small order that is not reduced, {low:x}…{high:x}"), &bytes);
    }
    refused("key that is no point", &not_a_point());
    vectors
}

/// The signature by `secret` of [`MESSAGE`] for ops, with torsion added to the key and to the nonce.
fn crafted(secret: Scalar, nonce: Scalar, on_key: EdwardsPoint, on_nonce: EdwardsPoint) -> ([u8; 32], [u8; 64]) {
    let key = (ED25519_BASEPOINT_POINT * secret + on_key).compress().to_bytes();
    let point = (ED25519_BASEPOINT_POINT * nonce + on_nonce).compress().to_bytes();
    let s = nonce + challenge(&point, &key) * secret;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&point);
    signature[32..].copy_from_slice(&s.to_bytes());
    (key, signature)
}

/// The challenge of Ed25519: a hash of the nonce, the key and the message, as a scalar.
fn challenge(nonce: &[u8], key: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(nonce).chain_update(key).chain_update(Domain::OP.bind(MESSAGE)).finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

fn scalar(byte: u8) -> Scalar {
    Scalar::from_bytes_mod_order([byte; 32])
}

fn plus_order(scalar: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let add = |(byte, more): (&u8, u8)| {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        carry = sum >> 8;
        sum as u8
    };
    scalar.iter().zip(ORDER).map(add).collect()
}

/// y = 2 has no x.
fn not_a_point() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    bytes
}
