//! Identities are made, kept, found again and removed.

use futures::executor::block_on;
use hhs_keystore::{
    ChangeError, Cost, CreateError, KeptIdentity, Keystore, MAX_KEYS, MemoryStorage, OpenError, Passphrase, Policy,
    Protection, Storage, StorageError, UnknownIdentity,
};
use hhs_model::identity::{Domain, KeyError, SignError, verify};
use hhs_model::{Identity, IdentityId, SecretKey, Signer, seam};
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::world::{NOW, create, encrypted, generate, in_memory, names, open, passphrase, runtime};

/// Two people are made, the program ends, and starts again: they are there, in order, and sign with the same keys.
#[test]
fn who_was_made_is_found_again() {
    for protection in [Protection::Plain, encrypted("secret")] {
        let storage = MemoryStorage::new();
        let mut keystore = create(storage.clone(), protection.clone(), 1);
        let ana = generate(&mut keystore, "Ana");
        let ben = block_on(keystore.generate("Ben", Policy::everything())).unwrap();
        let made: Vec<KeptIdentity> = keystore.identities();
        drop(keystore);

        let keystore = open(storage, Some(&passphrase("secret"))).unwrap();
        assert_eq!(keystore.is_encrypted(), matches!(protection, Protection::Passphrase { .. }));
        let found: Vec<KeptIdentity> = keystore.identities();
        assert_eq!(found, made);
        assert_eq!([found[0].id, found[1].id], [ana, ben]);
        assert_eq!(
            (found[0].created, &found[0].policy, &found[1].policy),
            (NOW, &Policy::peer(), &Policy::everything())
        );
        let author = keystore.author(ana).unwrap();
        assert_eq!((author.id(), author.identity().name()), (ana, Some("Ana")));
        let signature = author.signer().sign(Domain::OP, b"hello").unwrap();
        verify(&author.identity().key, Domain::OP, b"hello", &signature).unwrap();
    }
}

/// Keys are made of the randomness that comes in, and no two are alike.
#[test]
fn every_key_is_another() {
    let (mut one, mut other) = (in_memory(1), in_memory(2));
    let ids = [generate(&mut one, "Ana"), generate(&mut one, "Ana"), generate(&mut other, "Ana")];
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2]);
    assert_eq!(generate(&mut in_memory(1), "Ana"), ids[0], "nothing else goes into a key");
}

/// A key from elsewhere is taken in once, under the identity that it is of.
#[test]
fn a_key_from_elsewhere() {
    let mut keystore = in_memory(1);
    let seed = [5; 32];
    let identity = Identity::named(SecretKey::from_seed(&seed).public_key(), "Ana");
    let mismatch = block_on(keystore.import(identity.clone(), &[6; 32], Policy::peer()));
    assert!(matches!(mismatch, Err(ChangeError::Key(KeyError::Mismatch))), "{mismatch:?}");
    let id = block_on(keystore.import(identity.clone(), &seed, Policy::peer())).unwrap();
    assert_eq!(id, identity.encoded().unwrap().1);
    let again = block_on(keystore.import(identity, &seed, Policy::everything()));
    assert!(matches!(again, Err(ChangeError::Exists(exists)) if exists == id), "{again:?}");

    // The same key under another name is another identity.
    let other = Identity::named(SecretKey::from_seed(&seed).public_key(), "Anna");
    block_on(keystore.import(other, &seed, Policy::peer())).unwrap();
    assert_eq!(names(&keystore), ["Ana", "Anna"]);

    let huge = block_on(keystore.generate(&"x".repeat(70_000), Policy::peer()));
    assert!(matches!(huge, Err(ChangeError::Key(KeyError::Encode(_)))), "{huge:?}");
}

/// An identity is removed: it is gone from the storage, and whoever held it signs nothing any more.
#[test]
fn a_removed_identity_signs_nothing() {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), Protection::Plain, 1);
    let (ana, ben) = (generate(&mut keystore, "Ana"), generate(&mut keystore, "Ben"));
    let author = keystore.author(ana).unwrap();
    block_on(keystore.remove(ana)).unwrap();
    let refusal = author.signer().sign(Domain::OP, b"too late").unwrap_err();
    assert_eq!(refusal, SignError::Removed(author.identity().key));
    assert!(matches!(author.signer().sign_tls13(&[0x20; 200]), Err(SignError::Removed(_))));
    assert_eq!(keystore.author(ana).unwrap_err(), UnknownIdentity(ana));
    assert!(matches!(block_on(keystore.remove(ana)), Err(ChangeError::Unknown(_))));
    assert!(matches!(block_on(keystore.set_policy(ana, Policy::peer())), Err(ChangeError::Unknown(_))));
    assert!(keystore.author(ben).unwrap().signer().sign(Domain::OP, b"still here").is_ok());
    assert_eq!(names(&open(storage, None).unwrap()), ["Ben"]);
}

/// The passphrase is wrong, or none is given: that is what is said, and nothing else.
#[test]
fn the_right_passphrase_and_no_other() {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), encrypted("correct"), 1);
    generate(&mut keystore, "Ana");
    for wrong in ["Correct", "correct ", "c"] {
        let error = open(storage.clone(), Some(&passphrase(wrong))).unwrap_err();
        assert!(matches!(error, OpenError::WrongPassphrase), "{wrong:?}: {error}");
    }
    assert!(matches!(open(storage.clone(), None).unwrap_err(), OpenError::NeedsPassphrase));
    assert_eq!(names(&open(storage, Some(&passphrase("correct"))).unwrap()), ["Ana"]);
}

/// A passphrase is set, changed and taken away; each time only the last one opens it, and the people stay.
#[test]
fn a_passphrase_that_changes() {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), Protection::Plain, 1);
    generate(&mut keystore, "Ana");
    let opens =
        |with: Option<&str>| open(storage.clone(), with.map(passphrase).as_ref()).map(|keystore| names(&keystore));
    assert_eq!(opens(None).unwrap(), ["Ana"]);

    block_on(keystore.protect(encrypted("one"))).unwrap();
    assert_eq!(opens(Some("one")).unwrap(), ["Ana"]);
    assert!(matches!(opens(None), Err(OpenError::NeedsPassphrase)));

    generate(&mut keystore, "Ben");
    block_on(keystore.protect(encrypted("two"))).unwrap();
    assert!(matches!(opens(Some("one")), Err(OpenError::WrongPassphrase)));
    assert_eq!(opens(Some("two")).unwrap(), ["Ana", "Ben"]);

    block_on(keystore.protect(Protection::Plain)).unwrap();
    assert!(!keystore.is_encrypted());
    assert_eq!(opens(None).unwrap(), ["Ana", "Ben"]);
}

/// The same content under the same passphrase is encrypted otherwise each time it is written.
#[test]
fn no_nonce_is_used_twice() {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), encrypted("secret"), 1);
    let id = generate(&mut keystore, "Ana");
    let before = storage.bytes().unwrap();
    block_on(keystore.set_policy(id, Policy::peer())).unwrap();
    let after = storage.bytes().unwrap();
    assert_eq!(before.len(), after.len());
    assert_eq!(before[..44], after[..44], "the key is the same, which costs to derive");
    let same = before[44..].iter().zip(&after[44..]).filter(|(before, after)| before == after).count();
    assert!(same < before.len() / 16, "{same} of {} bytes", before.len());
}

/// Nothing is there, or something is.
#[test]
fn a_place_that_is_empty_or_taken() {
    let storage = MemoryStorage::new();
    assert!(matches!(open(storage.clone(), None), Err(OpenError::Missing)));
    create(storage.clone(), Protection::Plain, 1);
    let again = block_on(Keystore::create(storage, Protection::Plain, runtime(2)));
    assert!(matches!(again, Err(CreateError::Taken)));
}

/// Two programs have the same keystore open: whoever writes second is told so, loses nothing and may open it again.
#[test]
fn two_programs_with_the_same_keystore() {
    let storage = MemoryStorage::new();
    let mut first = create(storage.clone(), Protection::Plain, 1);
    generate(&mut first, "Ana");
    let mut second = open(storage.clone(), None).unwrap();
    generate(&mut first, "Ben");
    let refused = block_on(second.generate("Eve", Policy::peer()));
    assert!(matches!(refused, Err(ChangeError::Storage(StorageError::Changed(_)))), "{refused:?}");
    assert_eq!(names(&second), ["Ana"]);
    second = open(storage.clone(), None).unwrap();
    block_on(second.generate("Cleo", Policy::peer())).unwrap();
    assert_eq!(names(&open(storage, None).unwrap()), ["Ana", "Ben", "Cleo"]);
}

/// The disk is full: the change is refused, the keystore in memory is as it was, and goes on once there is room.
#[test]
fn a_storage_that_fails() {
    #[derive(Clone)]
    struct Failing(MemoryStorage, std::sync::Arc<std::sync::atomic::AtomicBool>);

    #[seam]
    impl Storage for Failing {
        async fn read(&self) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
            self.0.read().await
        }

        async fn replace(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), StorageError> {
            if self.1.load(std::sync::atomic::Ordering::Relaxed) {
                let source = std::io::ErrorKind::StorageFull.into();
                return Err(StorageError::Write { place: "the disk".into(), source });
            }
            self.0.replace(expected, new).await
        }
    }

    let storage = Failing(MemoryStorage::new(), Default::default());
    let mut keystore = create(storage.clone(), encrypted("old"), 1);
    let ana = generate(&mut keystore, "Ana");
    let author = keystore.author(ana).unwrap();
    storage.1.store(true, std::sync::atomic::Ordering::Relaxed);
    let failed =
        |result: Result<(), ChangeError>| assert!(matches!(result, Err(ChangeError::Storage(_))), "{result:?}");
    failed(block_on(keystore.generate("Ben", Policy::peer())).map(drop));
    failed(block_on(keystore.set_policy(ana, Policy::nothing())));
    failed(block_on(keystore.remove(ana)));
    failed(block_on(keystore.protect(encrypted("new"))));
    assert_eq!(names(&keystore), ["Ana"]);
    assert!(author.signer().sign(Domain::OP, b"as before").is_ok());

    storage.1.store(false, std::sync::atomic::Ordering::Relaxed);
    generate(&mut keystore, "Ben");
    assert_eq!(names(&open(storage, Some(&passphrase("old"))).unwrap()), ["Ana", "Ben"]);
}

/// A keystore that is full, by count or by bytes, says so and goes on; what it holds opens again.
#[test]
fn a_full_keystore() {
    let storage = MemoryStorage::new();
    let mut keystore = create(storage.clone(), Protection::Plain, 1);
    let named = |name: usize| move |key| Identity::named(key, &name.to_string().repeat(15_000));
    let fit = (10..).find(|name| match block_on(keystore.generate_as(named(*name), Policy::peer())) {
        Ok(_) => false,
        Err(ChangeError::TooLarge) => true,
        Err(other) => panic!("{other}"),
    });
    assert_eq!(fit, Some(10 + 34), "a mebibyte holds 34 identities of 30 KB");
    assert_eq!(open(storage.clone(), None).unwrap().identities().len(), 34);
    while let Some(last) = keystore.identities().pop() {
        block_on(keystore.remove(last.id)).unwrap();
    }
    for name in 0..MAX_KEYS {
        generate(&mut keystore, &name.to_string());
    }
    assert!(matches!(block_on(keystore.generate("one more", Policy::peer())), Err(ChangeError::TooMany)));
    assert_eq!(open(storage, None).unwrap().identities().len(), MAX_KEYS);
}

/// What a passphrase may be and cost.
#[test]
fn bounds_of_passphrases_and_costs() {
    assert!(Passphrase::new("").is_err());
    assert!(Passphrase::new("x".repeat(1024)).is_ok());
    assert!(Passphrase::new("x".repeat(1025)).is_err());
    let recommended = Cost::RECOMMENDED;
    assert_eq!(Cost::new(recommended.memory_kib(), recommended.passes(), recommended.lanes()), Ok(recommended));
    for (memory, passes, lanes) in [(8, 1, 1), (128, 1, 16), (256 << 10, 4, 1), (8, 1 << 17, 1)] {
        assert!(Cost::new(memory, passes, lanes).is_ok(), "{memory} {passes} {lanes}");
    }
    let max = u32::MAX;
    for (memory, passes, lanes) in [
        (0, 1, 1),
        (7, 1, 1),
        (8, 0, 1),
        (8, 1, 0),
        (127, 1, 16),
        (136, 1, 17),
        ((256 << 10) + 1, 1, 1),
        (256 << 10, 5, 1),
    ] {
        assert!(Cost::new(memory, passes, lanes).is_err(), "{memory} {passes} {lanes}");
    }
    assert!(Cost::new(max, max, max).is_err() && Cost::new(8, max, 1).is_err() && Cost::new(max, 1, 1).is_err());
}

/// One step of somebody who uses a keystore.
#[derive(Debug, Clone)]
enum Step {
    Generate(String),
    Remove(usize),
    Restrict(usize, bool),
    Protect(Option<String>),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => "\\PC{1,12}".prop_map(Step::Generate),
        1 => any::<usize>().prop_map(Step::Remove),
        1 => any::<(usize, bool)>().prop_map(|(at, all)| Step::Restrict(at, all)),
        1 => proptest::option::of("\\PC{1,12}").prop_map(Step::Protect),
        2 => Just(Step::Reopen),
    ]
}

proptest! {
    /// Whatever is done to a keystore, it holds what a plain list of the same steps holds, before and after it is opened
    /// again.
    #[test]
    fn it_holds_what_was_put_in(steps in proptest::collection::vec(step(), 1..20), seed in 0u64..1000) {
        let storage = MemoryStorage::new();
        let mut keystore = create(storage.clone(), Protection::Plain, seed);
        let (mut expected, mut secret): (Vec<(IdentityId, String, Policy)>, Option<Passphrase>) = Default::default();
        for step in steps {
            match step {
                Step::Generate(name) => {
                    let id = generate(&mut keystore, &name);
                    expected.push((id, name, Policy::peer()));
                }
                Step::Remove(at) if !expected.is_empty() => {
                    let (id, ..) = expected.remove(at % expected.len());
                    block_on(keystore.remove(id)).unwrap();
                }
                Step::Restrict(at, all) if !expected.is_empty() => {
                    let at = at % expected.len();
                    expected[at].2 = if all { Policy::everything() } else { Policy::nothing() };
                    block_on(keystore.set_policy(expected[at].0, expected[at].2.clone())).unwrap();
                }
                Step::Remove(_) | Step::Restrict(..) => {}
                Step::Protect(text) => {
                    secret = text.as_deref().map(passphrase);
                    let protection = text.as_deref().map_or(Protection::Plain, encrypted);
                    block_on(keystore.protect(protection)).unwrap();
                }
                Step::Reopen => keystore = open(storage.clone(), secret.as_ref()).unwrap(),
            }
            let found: Vec<_> = keystore.identities().into_iter().map(|kept| (kept.id, kept.identity.name().unwrap().to_owned(), kept.policy))
                .collect();
            prop_assert_eq!(&found, &expected);
        }
    }
}
