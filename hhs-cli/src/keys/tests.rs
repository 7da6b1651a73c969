//! Key files: kept, found again, carried over from the former format, and refused.

use std::fs;
use std::path::Path;

use clap::Parser;
use futures::executor::block_on;
use hhs::keystore::{Keystore, Policy};
use hhs::prelude::Author;
use tempfile::tempdir;

use super::{KeyFileError, Name, PassphraseArguments, PassphraseError, create, open};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

fn without() -> PassphraseArguments {
    Arguments::parse_from(["hhs"]).passphrase
}

/// The passphrase that a file holds.
fn with(file: &Path) -> PassphraseArguments {
    Arguments::parse_from(["hhs", "--passphrase-file", file.to_str().unwrap()]).passphrase
}

fn opened(path: &Path) -> Result<Option<Keystore>, KeyFileError> {
    block_on(open(path, &without()))
}

fn refusal(path: &Path) -> KeyFileError {
    opened(path).map(|keystore| keystore.is_some()).expect_err("it is no key file")
}

/// The names that are in a directory.
fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with(".lock"));
    names.sort_unstable();
    names
}

const FORMER: &str = "hhs key 1\nname Ana\nseed 0707070707070707070707070707070707070707070707070707070707070707\n";

fn former_author() -> Author {
    Author::from_seed("Ana", &[7; 32]).unwrap()
}

/// Somebody is made and comes back; a key that is there is never written over.
#[test]
fn who_was_made_is_found_again() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    assert!(opened(&path).unwrap().is_none());
    let mut made = block_on(create(&path, &without())).unwrap();
    block_on(made.generate("Ana Lena", Policy::peer())).unwrap();
    assert_eq!(opened(&path).unwrap().unwrap().identities(), made.identities());
    assert!(matches!(block_on(create(&path, &without())), Err(KeyFileError::Create { .. })));
    assert_eq!(entries(directory.path()), ["key"]);
}

/// The passphrase is in a file: with the end of its line or without one, and nothing else.
#[test]
fn a_passphrase_from_a_file() {
    let directory = tempdir().unwrap();
    let (path, file) = (directory.path().join("key"), directory.path().join("passphrase"));
    fs::write(&file, "open sesame\r\n").unwrap();
    assert!(block_on(create(&path, &with(&file))).unwrap().is_encrypted());
    for text in ["open sesame", "open sesame\n"] {
        fs::write(&file, text).unwrap();
        assert!(block_on(open(&path, &with(&file))).unwrap().unwrap().is_encrypted());
    }
    for text in ["Open sesame", " open sesame", "open sesame "] {
        fs::write(&file, text).unwrap();
        let error = block_on(open(&path, &with(&file))).unwrap_err();
        assert!(error.to_string().contains("the passphrase is wrong"), "{error}");
    }
    let long = "x".repeat(1025);
    for text in ["", "\n", "open sesame\n\n", "open\nsesame", &long, &"x".repeat(1 << 20)] {
        fs::write(&file, text).unwrap();
        let error = block_on(open(&path, &with(&file))).unwrap_err();
        assert!(matches!(error, KeyFileError::Passphrase(PassphraseError::Unfit { .. })), "{error}");
    }
    fs::remove_file(&file).unwrap();
    let error = block_on(open(&path, &with(&file))).unwrap_err();
    assert!(matches!(error, KeyFileError::Passphrase(PassphraseError::File { .. })), "{error}");
}

/// A key file of the former format: the same person comes out of it, and its content stays, private, under another name.
#[test]
fn a_former_key_file_is_carried_over() {
    let directory = tempdir().unwrap();
    let (path, old) = (directory.path().join("key"), directory.path().join("key.old"));
    fs::write(&path, FORMER).unwrap();
    let keystore = opened(&path).unwrap().unwrap();
    let author = keystore.author(former_author().id()).unwrap();
    assert_eq!(author.identity_bytes(), former_author().identity_bytes());
    assert_eq!(fs::read_to_string(&old).unwrap(), FORMER);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Once is enough.
    fs::remove_file(&old).unwrap();
    assert_eq!(opened(&path).unwrap().unwrap().identities(), keystore.identities());
    assert_eq!(entries(directory.path()), ["key"]);
}

/// With a passphrase, what it is carried over to is encrypted.
#[test]
fn a_former_key_file_and_a_passphrase() {
    let directory = tempdir().unwrap();
    let (path, file) = (directory.path().join("key"), directory.path().join("passphrase"));
    fs::write(&path, FORMER).unwrap();
    fs::write(&file, "open sesame").unwrap();
    assert!(block_on(open(&path, &with(&file))).unwrap().unwrap().is_encrypted());
}

/// A crash after the former content was kept: it goes on from there. Something else under that name is not touched.
#[test]
fn a_former_key_file_whose_other_name_is_taken() {
    let directory = tempdir().unwrap();
    let (path, old) = (directory.path().join("key"), directory.path().join("key.old"));
    fs::write(&path, FORMER).unwrap();
    fs::write(&old, "something else").unwrap();
    assert!(matches!(refusal(&path), KeyFileError::InTheWay(way) if way == old));
    assert_eq!(
        (fs::read_to_string(&path).unwrap(), fs::read_to_string(&old).unwrap()),
        (FORMER.into(), "something else".into())
    );
    fs::write(&old, FORMER).unwrap();
    assert!(opened(&path).unwrap().is_some());
}

/// The file is cut off or something else: the error says which, and it stays as it is.
#[test]
fn other_files_are_refused() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    let refused = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let refusal = refusal(&path);
        assert_eq!(fs::read(&path).unwrap(), content);
        assert_eq!(entries(directory.path()), ["key"]);
        refusal
    };
    for length in 0..FORMER.len() - 1 {
        let refusal = refused(&FORMER.as_bytes()[..length]);
        assert!(matches!(refusal, KeyFileError::Former { .. } | KeyFileError::Foreign(_)), "{length}: {refusal}");
    }
    for damaged in
        [format!("{FORMER}more\n"), FORMER.replace("name Ana", "name "), FORMER.replace("seed 07", "seed 0x")]
    {
        assert!(matches!(refused(damaged.as_bytes()), KeyFileError::Former { .. }), "{damaged}");
    }
    for other in [&FORMER.replace("key 1", "key 2").into_bytes()[..], &b"x".repeat(10_000), &[0xff; 40]] {
        assert!(matches!(refused(other), KeyFileError::Foreign(_)));
    }
}

/// What can be a name.
#[test]
fn names() {
    assert_eq!(" Ana Lena ".parse::<Name>().unwrap().as_str(), "Ana Lena");
    assert!("x".repeat(64).parse::<Name>().is_ok());
    for text in ["", "  ", "a\nb", "a\u{7}", &"x".repeat(65)] {
        assert!(text.parse::<Name>().is_err(), "{text:?}");
    }
}
