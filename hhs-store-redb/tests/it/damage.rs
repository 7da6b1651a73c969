//! Files that were cut off or changed: an error, or what was committed, and never a panic.
//!
//! redb itself does panic on some of them (see `guarded` in `src/error.rs`); its messages in the output of a failed test
//! are those.

use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use futures::executor::block_on;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch, KeyRange, Limit, Order};
use hhs_store_redb::{Options, RedbBackend};
use tempfile::{TempDir, tempdir};

use crate::numbered;

/// Copying a store stops half-way, at every place in its header and around every page: it does not open, or with what
/// was committed, less the last commit at most where the store was in use while it was copied.
#[test]
fn a_store_that_was_cut_off_is_refused_or_whole() {
    let place = Place::new();
    for (image, committed) in [(&place.closed, BATCHES..=BATCHES), (&place.in_use, BATCHES - 1..=BATCHES)] {
        let around_pages = (0..image.len()).step_by(4096).flat_map(|at| [at.saturating_sub(1), at + 1, at + 700]);
        let lengths = (1..400).step_by(7).chain((4096..image.len()).step_by(4096)).chain(around_pages);
        for length in lengths.filter(|length| (1..image.len()).contains(length)) {
            fs::write(&place.path, &image[..length]).unwrap();
            match RedbBackend::open(&place.path) {
                Err(BackendError::Corrupted { .. } | BackendError::NotAStore { .. }) => {}
                Err(error) => panic!("cut off after {length} bytes: {error:?}"),
                Ok(store) => {
                    let found = numbered::count(&store).unwrap();
                    assert!(committed.contains(&found), "cut off after {length} bytes: {found} batches");
                }
            }
        }
    }
}

/// Every byte of the header is changed, a bit of it or all: the store opens with what was committed, less the last commit at
/// most where it was not closed, or there is an error.
#[test]
fn a_changed_header_is_an_error_or_harmless() {
    let place = Place::new();
    for (image, committed) in [(&place.closed, BATCHES..=BATCHES), (&place.in_use, BATCHES - 1..=BATCHES)] {
        for at in 0..320 {
            let mask = if at % 3 == 0 { 0xff } else { 1 << (at % 8) };
            let mut changed = image.clone();
            changed[at] ^= mask;
            fs::write(&place.path, &changed).unwrap();
            let Ok(store) = RedbBackend::open(&place.path) else { continue };
            let found = numbered::count(&store).unwrap();
            assert!(committed.contains(&found), "byte {at} changed by {mask:#x}: {found} batches");
        }
    }
}

/// A disk goes bad and changes some bytes anywhere: opening, reading, writing and closing end, with or without an error,
/// and the program goes on.
#[test]
fn changed_pages_never_end_the_program() {
    let place = Place::new();
    let mut dice = 1;
    for round in 0..300 {
        let image = if round % 2 == 0 { &place.closed } else { &place.in_use };
        fs::write(&place.path, change_some_bytes(image, &mut dice)).unwrap();
        let Ok(store) = RedbBackend::open(&place.path) else { continue };
        let _ = block_on(store.get_many(&[b"last".to_vec(), b"absent".to_vec()]));
        let _ = block_on(store.scan(ALL, Order::Descending, FIRST_THOUSAND));
        let mut batch = Batch::new();
        batch.put("new", "entry").delete("last");
        let _ = block_on(store.commit(batch));
        let _ = block_on(store.stats());
    }
}

/// A host asks for the check at every opening: then what opens is whole, whatever was changed.
#[test]
fn a_checked_store_holds_what_was_committed_or_does_not_open() {
    let place = Place::new();
    let options = Options { check_on_open: true, ..Options::default() };
    let mut dice = 2;
    let mut refused = 0;
    for _ in 0..200 {
        fs::write(&place.path, change_some_bytes(&place.closed, &mut dice)).unwrap();
        match RedbBackend::open_with(&place.path, &options) {
            Ok(store) => assert_eq!(numbered::count(&store).unwrap(), BATCHES),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20, "the changes hit something that counts: {refused}");
}

/// A store on a bad disk was refused, and a copy of it is brought back to the same place in the same process: it opens,
/// so nothing of the failed opening still holds the file.
#[test]
fn a_refused_file_can_be_replaced_at_once() {
    let place = Place::new();
    for at in [64, 70, 4096 * 3] {
        let mut changed = place.in_use.clone();
        changed[at..at + 40].fill(0xa5);
        fs::write(&place.path, &changed).unwrap();
        let _ = RedbBackend::open(&place.path);
        fs::write(&place.path, &place.closed).unwrap();
        assert_eq!(numbered::count(&RedbBackend::open(&place.path).unwrap()).unwrap(), BATCHES);
    }
}

const BATCHES: u32 = 24;
const ALL: KeyRange = (Bound::Unbounded, Bound::Unbounded);
const FIRST_THOUSAND: Limit = Limit { entries: 1000, bytes: 1 << 20 };

/// A place for damaged files, and the bytes of a store with [`BATCHES`] batches, as they were while it was in use (what a
/// crash leaves) and after it was closed.
struct Place {
    _directory: TempDir,
    path: PathBuf,
    in_use: Vec<u8>,
    closed: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let (in_use, closed) = images(&directory.path().join("whole"));
        Self { path: directory.path().join("damaged"), _directory: directory, in_use, closed }
    }
}

fn images(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let store = RedbBackend::open(path).unwrap();
    for number in 0..BATCHES {
        block_on(store.commit(numbered::batch(number))).unwrap();
    }
    let in_use = fs::read(path).unwrap();
    drop(store);
    (in_use, fs::read(path).unwrap())
}

/// One to four bytes changed, in the header, at the beginning of pages, or anywhere.
fn change_some_bytes(image: &[u8], dice: &mut u64) -> Vec<u8> {
    let mut roll = |end: usize| {
        // Knuth's MMIX; the low bits are poor, so the high ones count.
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*dice >> 33) as usize % end
    };
    let mut changed = image.to_vec();
    let region = roll(3);
    for _ in 0..=roll(4) {
        let at = match region {
            0 => roll(320),
            1 => 4096 * roll(image.len() / 4096) + roll(64),
            _ => roll(image.len()),
        };
        changed[at] = roll(256) as u8;
    }
    changed
}
