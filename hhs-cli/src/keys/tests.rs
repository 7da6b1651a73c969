//! Key files: kept, found again, and refused.

use std::fs;

use tempfile::tempdir;

use super::{KeyFileError, create, load};

/// Somebody is made and comes back: it is the same person, and only they can read the file.
#[test]
fn who_was_made_is_found_again() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    assert!(load(&path).unwrap().is_none());
    let made = create(&path, &" Ana Lena ".parse().unwrap()).unwrap();
    let found = load(&path).unwrap().unwrap();
    assert_eq!((found.id(), found.identity().name()), (made.id(), Some("Ana Lena")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// There is a key already: it is never written over.
#[test]
fn a_key_is_never_replaced() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    let made = create(&path, &"Ana".parse().unwrap()).unwrap();
    assert!(matches!(create(&path, &"Eve".parse().unwrap()), Err(KeyFileError::Write { .. })));
    assert_eq!(load(&path).unwrap().unwrap().id(), made.id());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left behind");
}

/// The file is of a program to come, cut off or something else: the error says which.
#[test]
fn other_files_are_refused() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("key");
    create(&path, &"Ana".parse().unwrap()).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    let refusal = |text: &str| {
        fs::write(&path, text).unwrap();
        load(&path).map(|author| author.map(|author| author.id())).unwrap_err()
    };
    assert!(matches!(refusal(&whole.replace("key 1", "key 2")), KeyFileError::Version { .. }));
    for length in 0..whole.len() - 1 {
        let refusal = refusal(&whole[..length]);
        assert!(
            matches!(refusal, KeyFileError::Malformed { .. } | KeyFileError::Version { .. }),
            "{length}: {refusal}"
        );
    }
    assert!(matches!(refusal(&format!("{whole}more\n")), KeyFileError::Malformed { .. }));
    assert!(matches!(refusal(&whole.replace("name Ana", "name ")), KeyFileError::Malformed { .. }));
    assert!(matches!(refusal(&"x".repeat(10_000)), KeyFileError::Malformed { .. }));
    fs::write(&path, [0xff; 40]).unwrap();
    assert!(matches!(load(&path), Err(KeyFileError::Read { .. })));
}
