//! Keystores in files.

use std::fs;
use std::path::Path;
use std::thread;

use futures::executor::block_on;
use hhs_keystore::{
    ChangeError, CreateError, FileStorage, Keystore, MAX_KEYSTORE_BYTES, OpenError, Policy, Protection, StorageError,
};
use tempfile::tempdir;

use crate::world::{create, encrypted, generate, names, open, passphrase, runtime};

/// What is in a directory, without the lock.
fn entries(directory: &Path) -> Vec<String> {
    let names = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".lock")).collect();
    names.sort_unstable();
    names
}

/// A keystore is made, changed and opened again; only its owner can read it, and nothing is left beside it.
#[test]
fn a_keystore_in_a_file() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    let mut keystore = create(FileStorage::new(&path), encrypted("secret"), 1);
    generate(&mut keystore, "Ana");
    block_on(keystore.protect(encrypted("another"))).unwrap();
    let opened = open(FileStorage::new(&path), Some(&passphrase("another"))).unwrap();
    assert_eq!(names(&opened), ["Ana"]);
    assert!(!FileStorage::new(&path).is_exposed().unwrap());
    assert_eq!(entries(directory.path()), ["key"]);
    let taken = block_on(Keystore::create(FileStorage::new(&path), Protection::Plain, runtime(2)));
    assert!(matches!(taken, Err(CreateError::Taken)));
}

/// Others could read the file: that can be asked, and the next change ends it.
#[cfg(unix)]
#[test]
fn a_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempdir().unwrap();
    let storage = FileStorage::new(directory.path().join("key"));
    let mut keystore = create(storage.clone(), Protection::Plain, 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(storage.path()), 0o600);
    for exposed in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(storage.path(), fs::Permissions::from_mode(exposed)).unwrap();
        assert!(storage.is_exposed().unwrap(), "{exposed:o}");
    }
    generate(&mut keystore, "Ana");
    assert_eq!((mode(storage.path()), storage.is_exposed().unwrap()), (0o600, false));
    assert!(entries(directory.path()).iter().all(|name| mode(&directory.path().join(name)) == 0o600));
    assert_eq!(mode(&directory.path().join(".key.lock")), 0o600);
}

/// The file is a link to where the keys really are: it stays one.
#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let directory = tempdir().unwrap();
    let (real, link) = (directory.path().join("real"), directory.path().join("link"));
    drop(create(FileStorage::new(&real), Protection::Plain, 1));
    std::os::unix::fs::symlink(&real, &link).unwrap();
    generate(&mut open(FileStorage::new(&link), None).unwrap(), "Ana");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(names(&open(FileStorage::new(&real), None).unwrap()), ["Ana"]);
}

/// A crash has left half of a file beside it: the next change does not mind, and takes it away.
#[test]
fn what_a_crash_has_left() {
    let directory = tempdir().unwrap();
    let storage = FileStorage::new(directory.path().join("key"));
    let mut keystore = create(storage.clone(), Protection::Plain, 1);
    fs::write(directory.path().join(".key.new"), b"hhs-keyst").unwrap();
    assert!(open(storage.clone(), None).is_ok());
    generate(&mut keystore, "Ana");
    assert_eq!(entries(directory.path()), ["key"]);
}

/// What is there is no file, or far too large, or the directory is missing: the error names the path.
#[test]
fn places_that_cannot_be_used() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    let missing = FileStorage::new(directory.path().join("no/key"));
    assert!(matches!(open(missing.clone(), None), Err(OpenError::Missing)));
    let error = block_on(Keystore::create(missing, Protection::Plain, runtime(1))).unwrap_err();
    assert!(matches!(&error, CreateError::Storage(StorageError::Write { .. })), "{error}");
    assert!(error.to_string().contains("no/key"), "{error}");

    let error = open(FileStorage::new(directory.path()), None).unwrap_err();
    assert!(matches!(error, OpenError::Storage(StorageError::Read { .. })), "{error}");

    // It has a hole: nothing but its length is large.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = open(FileStorage::new(&path), None).unwrap_err();
    assert!(matches!(error, OpenError::Storage(StorageError::TooLarge(_))), "{error}");
    fs::File::create(&path).unwrap().set_len(MAX_KEYSTORE_BYTES as u64).unwrap();
    assert!(matches!(open(FileStorage::new(&path), None), Err(OpenError::Foreign)));
}

/// Several programs write at the same time, and open the keystore again when somebody else was first: nobody's identity
/// is lost.
#[test]
fn many_writers() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    drop(create(FileStorage::new(&path), Protection::Plain, 1));
    let insist = |number: usize| {
        loop {
            let mut keystore = open(FileStorage::new(&path), None).unwrap();
            let seed = [number as u8; 32];
            let key = hhs_model::Signer::public_key(&hhs_model::SecretKey::from_seed(&seed));
            let identity = hhs_model::Identity::named(key, &number.to_string());
            match block_on(keystore.import(identity, &seed, Policy::peer())) {
                Ok(_) => return,
                Err(ChangeError::Storage(StorageError::Changed(_))) => {}
                Err(other) => panic!("{other}"),
            }
        }
    };
    thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || (0..8).for_each(|round| insist(writer * 8 + round)));
        }
    });
    let mut found = names(&open(FileStorage::new(&path), None).unwrap());
    found.sort_by_key(|name| name.parse::<usize>().unwrap());
    assert_eq!(found, (0..32).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(entries(directory.path()), ["key"]);
}
