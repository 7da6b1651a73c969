//! Keystores that another program made, from `docs/keystore.md` alone (`tests/golden/make.py`).

use hhs_keystore::{Keystore, MemoryStorage, Policy};
use hhs_model::identity::Domain;
use hhs_model::{SecretKey, Signer};

use crate::world::{open, passphrase};

/// The bytes mean to us what they were made to mean.
#[test]
fn keystores_of_another_program() {
    holds_ana_and_ben(&open(MemoryStorage::holding(PLAIN.to_vec()), None).unwrap());
    let secret = passphrase("correct horse battery staple");
    let keystore = open(MemoryStorage::holding(ENCRYPTED.to_vec()), Some(&secret)).unwrap();
    assert!(keystore.is_encrypted());
    holds_ana_and_ben(&keystore);
}

fn holds_ana_and_ben(keystore: &Keystore) {
    let [ana, ben] = &keystore.identities()[..] else { panic!("{keystore:?}") };
    assert_eq!((ana.identity.name(), ana.created, &ana.policy), (Some("Ana"), 1_700_000_000_000, &Policy::peer()));
    let domains = "domains".parse().unwrap();
    assert_eq!((ben.identity.name(), ben.created, &ben.policy), (Some("Ben"), 1_700_000_000_001, &domains));
    for (kept, seed) in [(ana, [1; 32]), (ben, [2; 32])] {
        let signature = keystore.author(kept.id).unwrap().signer().sign(Domain::OP, b"x").unwrap();
        assert_eq!(signature, SecretKey::from_seed(&seed).sign(Domain::OP, b"x").unwrap());
    }
}

const PLAIN: &[u8] = include_bytes!("../golden/plain.keystore");
const ENCRYPTED: &[u8] = include_bytes!("../golden/encrypted.keystore");
