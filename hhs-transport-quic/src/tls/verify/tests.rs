//! What is taken for a key, and what is not.

use hhs_model::{SecretKey, Signer};

use super::super::identity::spki;
use super::*;

/// A key that we would send is the one that is understood.
#[test]
fn an_identity_key_survives_the_way_through_tls() {
    let key = SecretKey::from_seed(&[5; 32]).public_key();
    assert_eq!(proven_key(&spki(&key)).unwrap(), key);
}

/// The bytes built by hand are those that rustls builds from the algorithm's identifier.
#[test]
fn the_prefix_is_that_of_ed25519() {
    let key = SecretKey::from_seed(&[5; 32]).public_key();
    let theirs = rustls::sign::public_key_to_spki(&rustls::pki_types::alg_id::ED25519, key.as_bytes());
    assert_eq!(spki(&key), theirs.as_ref());
}

/// A peer sends something that is no usable key: cut short, with bytes behind it, of another algorithm, no point of the
/// curve, or of small order, by which anybody could "sign".
#[test]
fn what_is_no_usable_key_is_refused() {
    let good = spki(&SecretKey::from_seed(&[5; 32]).public_key());
    let with_key = |key: [u8; 32]| [&SPKI_PREFIX[..], &key].concat();
    let mut another_algorithm = good.clone();
    another_algorithm[8] = 0x6e; // X25519
    let mut no_point = [0; 32];
    no_point[0] = 2;
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let hostile = [
        Vec::new(),
        good[..43].to_vec(),
        [&good[..], &[0]].concat(),
        another_algorithm,
        with_key(no_point),
        with_key(small_order),
        with_key([0; 32]),
    ];
    for spki in hostile {
        assert!(proven_key(&spki).is_err(), "{spki:02x?} is no usable key");
    }
}
