//! Compaction and the check of a file.

use std::fs;

use futures::executor::block_on;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_redb::{Options, RedbBackend, check, compact};
use tempfile::tempdir;

use crate::numbered;

/// A store was written to in small commits, and much of it was deleted: compaction gives the room back, and everything
/// that was there is there. A second one changes nothing.
#[test]
fn a_compacted_store_takes_less_room_and_holds_the_same() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let store = RedbBackend::open(&path).unwrap();
    for number in 0..400 {
        let mut noise = numbered::batch(number);
        for at in 0..40 {
            noise.put(noise_key(number, at), [1; 200]);
        }
        block_on(store.commit(noise)).unwrap();
    }
    for number in 0..400 {
        let mut batch = Batch::new();
        for at in 0..40 {
            batch.delete(noise_key(number, at));
        }
        block_on(store.commit(batch)).unwrap();
    }
    drop(store);

    let options = Options::default();
    let mut told = Vec::new();
    let first = compact(&path, &options, |progress| told.push(progress)).unwrap();
    assert!(first.after_bytes * 2 < first.before_bytes, "{first:?}");
    assert_eq!(first.after_bytes, fs::metadata(&path).unwrap().len());
    assert!(told.iter().all(|progress| progress.total == first.entries));
    assert_eq!(told.last().map(|progress| progress.done), Some(first.entries));
    let store = RedbBackend::open(&path).unwrap();
    assert_eq!(numbered::count(&store).unwrap(), 400);
    assert_eq!(block_on(store.stats()).unwrap().entries, first.entries);
    drop(store);

    let second = compact(&path, &options, |_| ()).unwrap();
    assert_eq!((second.entries, second.after_bytes), (first.entries, first.after_bytes));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Entries came in any order, so that every page was split in the middle: afterwards their pages are full.
#[test]
fn a_compaction_fills_the_pages() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let store = RedbBackend::open(&path).unwrap();
    for first in 0..40_u32 {
        let mut batch = Batch::new();
        for number in (first..20_000).step_by(40) {
            batch.put(number.wrapping_mul(0x9e37_79b9).to_be_bytes(), [7; 300]);
        }
        block_on(store.commit(batch)).unwrap();
    }
    let before = block_on(store.stats()).unwrap();
    drop(store);
    let after = compact(&path, &Options::default(), |_| ()).unwrap().after_bytes;
    // Thirteen entries of 312 bytes, with their offsets, fill a page of 4096; the last ten percent are for all the rest.
    let full = before.entries.div_ceil(13) * 4096;
    assert!(after < full * 11 / 10, "{after} bytes for {full} of full pages");
}

/// Somebody else has the store open, there is none, or it is no store: that is said, and nothing is made or changed.
#[test]
fn what_cannot_be_compacted_or_checked_is_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let options = Options::default();
    let store = RedbBackend::open(&path).unwrap();
    assert!(matches!(compact(&path, &options, |_| ()), Err(BackendError::Locked { .. })));
    assert!(matches!(check(&path, &options, |_| ()), Err(BackendError::Locked { .. })));
    drop(store);

    let missing = directory.path().join("missing");
    assert!(matches!(compact(&missing, &options, |_| ()), Err(BackendError::Io { .. })));
    assert!(matches!(check(&missing, &options, |_| ()), Err(BackendError::Io { .. })));
    for content in ["", "some text"] {
        let theirs = directory.path().join("theirs");
        fs::write(&theirs, content).unwrap();
        assert!(matches!(compact(&theirs, &options, |_| ()), Err(BackendError::NotAStore { .. })));
        assert!(matches!(check(&theirs, &options, |_| ()), Err(BackendError::NotAStore { .. })));
        assert_eq!(fs::read_to_string(&theirs).unwrap(), content);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing was made");
}

/// The path of a store is a link to a file elsewhere, with rights of its own: both are as before after a compaction.
#[cfg(unix)]
#[test]
fn links_and_rights_survive_a_compaction() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempdir().unwrap();
    let (path, link) = (directory.path().join("store"), directory.path().join("link"));
    let store = RedbBackend::open(&path).unwrap();
    block_on(store.commit(numbered::batch(0))).unwrap();
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    compact(&link, &Options::default(), |_| ()).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(numbered::count(&RedbBackend::open(&link).unwrap()).unwrap(), 1);
}

/// The disk has failed to flush, and the path of the store is a link: the store is written anew beside the file itself, and
/// the link leads to it. Next to another program's file nothing is touched.
#[cfg(unix)]
#[test]
fn what_lies_beside_a_store_lies_beside_its_file() {
    let directory = tempdir().unwrap();
    let (elsewhere, link) = (directory.path().join("elsewhere"), directory.path().join("link"));
    fs::create_dir(&elsewhere).unwrap();
    let path = elsewhere.join("store");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = RedbBackend::open(&link).unwrap();
    block_on(store.commit(numbered::batch(0))).unwrap();
    drop(store);
    for left in ["store.unflushed", "store.compacting"] {
        fs::write(elsewhere.join(left), "").unwrap();
    }
    assert_eq!(numbered::count(&RedbBackend::open(&link).unwrap()).unwrap(), 1);
    assert!(link.is_symlink() && fs::read_dir(&elsewhere).unwrap().count() == 1, "what was beside it is gone");

    let theirs = directory.path().join("theirs");
    fs::write(&theirs, "some text").unwrap();
    fs::write(directory.path().join("theirs.compacting"), "more text").unwrap();
    assert!(RedbBackend::open(&theirs).is_err());
    assert!(directory.path().join("theirs.compacting").exists());
}

/// A sound store passes the check, after a clean end and after a crash; with bytes changed somewhere in its pages it does
/// not, or the change was in a page that nothing uses.
#[test]
fn the_check_finds_changed_pages() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let options = Options::default();
    let store = RedbBackend::open(&path).unwrap();
    for number in 0..60 {
        block_on(store.commit(numbered::batch(number))).unwrap();
    }
    let crashed = fs::read(&path).unwrap();
    drop(store);
    let closed = fs::read(&path).unwrap();
    let mut told = 0;
    let entries = check(&path, &options, |progress| told = progress.done).unwrap();
    assert!(!entries.repaired && entries.entries == told, "{entries:?}");
    fs::write(&path, &crashed).unwrap();
    assert_eq!(check(&path, &options, |_| ()).unwrap().entries, entries.entries);

    let (mut found, pages) = (0, closed.len() / 4096);
    for page in 1..pages {
        let mut changed = closed.clone();
        changed[page * 4096 + 100] ^= 0xff;
        fs::write(&path, &changed).unwrap();
        match check(&path, &options, |_| ()) {
            Ok(checked) => {
                assert_eq!(checked.entries, entries.entries);
                assert_eq!(numbered::count(&RedbBackend::open(&path).unwrap()).unwrap(), 60);
            }
            Err(BackendError::Corrupted { .. }) => found += 1,
            Err(error) => panic!("page {page}: {error:?}"),
        }
    }
    assert!(found * 4 > pages, "{found} of {pages} changes were found");
}

fn noise_key(number: u32, at: u32) -> Vec<u8> {
    [&[9], number.reverse_bits().to_be_bytes().as_slice(), &at.to_be_bytes()].concat()
}
