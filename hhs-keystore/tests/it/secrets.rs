//! Secrets: not in what is printed, not in an encrypted file, and not in memory once the keystore is gone.

use std::fmt::Debug;

use data_encoding::{BASE64, HEXLOWER};
use hhs_keystore::{MemoryStorage, Passphrase, Policy, Protection};
use hhs_model::{Identity, SecretKey, Signer};

use crate::world::{create, encrypted, open, passphrase};

/// A seed that nothing else in the process looks like.
const SEED: [u8; 32] = *b"\xd1\x1e this is the seed of Ana. \xfe\xff\x80 ";

fn ana() -> Identity {
    Identity::named(SecretKey::from_seed(&SEED).public_key(), "Ana")
}

/// Everything that can be printed is printed: neither the seed nor the passphrase is in it, in any usual form.
#[test]
fn nothing_secret_is_printed() {
    const SECRET: &str = "zuckerwatte";
    let storage = MemoryStorage::new();
    let protection = encrypted(SECRET);
    let mut keystore = create(storage.clone(), protection.clone(), 1);
    let id = futures::executor::block_on(keystore.import(ana(), &SEED, Policy::peer())).unwrap();
    let wrong = open(storage.clone(), Some(&passphrase("zuckerwatta"))).unwrap_err();
    let too_long = Passphrase::new(SECRET.repeat(200)).unwrap_err();
    let author = keystore.author(id).unwrap();
    let kept = keystore.identities();
    let all: [&dyn Debug; 9] = [
        &keystore,
        &storage,
        &protection,
        &passphrase(SECRET),
        &author,
        &kept,
        &wrong,
        &too_long,
        &SecretKey::from_seed(&SEED),
    ];
    let printed = all.map(|one| format!("{one:?} {one:#?}")).concat() + &format!("{wrong} {too_long}");
    let list = format!("{:?}", SEED).replace(['[', ']'], "");
    for secret in [SECRET, "zucker", &HEXLOWER.encode(&SEED), &BASE64.encode(&SEED), &list, "seed of Ana"] {
        assert!(!printed.contains(secret), "{secret} is in {printed}");
    }
    assert!(printed.contains(&id.to_string()), "it is said who is in it: {printed}");
}

/// An encrypted keystore shows neither a seed nor a name; a plain one does, so the test can fail.
#[test]
fn an_encrypted_keystore_shows_nothing() {
    for (protection, shows) in [(Protection::Plain, true), (encrypted("secret"), false)] {
        let storage = MemoryStorage::new();
        let mut keystore = create(storage.clone(), protection, 1);
        futures::executor::block_on(keystore.import(ana(), &SEED, Policy::peer())).unwrap();
        let bytes = storage.bytes().unwrap();
        for secret in [&SEED[..], b"Ana", b"op/v1"] {
            assert_eq!(bytes.windows(secret.len()).any(|window| window == secret), shows);
        }
    }
}
