//! What can lie at the path of a store, and what opening it says.

use std::fs;
use std::path::Path;

use futures::executor::block_on;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_redb::RedbBackend;
use redb::{Database, MultimapTableDefinition, ReadableDatabase, TableDefinition};
use tempfile::tempdir;

const THEIRS: TableDefinition<'_, &str, u64> = TableDefinition::new("theirs");
const MARKS: TableDefinition<'_, &str, u64> = TableDefinition::new("hhs");

/// A program opens a store where nothing is, or where an empty file is: it gets an empty one that lasts.
#[test]
fn nothing_and_an_empty_file_become_stores() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("empty"), "").unwrap();
    for name in ["nothing", "empty"] {
        let path = directory.path().join(name);
        put(&RedbBackend::open(&path).unwrap());
        assert!(has(&RedbBackend::open(&path).unwrap()), "{name}");
    }
}

/// A second window opens the store of the first: it is told so, and gets it as soon as the last handle of the first is
/// gone. (Another process is refused in `kill.rs`.)
#[test]
fn a_store_is_open_once_at_a_time() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let first = RedbBackend::open(&path).unwrap();
    let clone = first.clone();
    put(&first);
    for _ in 0..2 {
        let refusal = open(&path);
        assert!(matches!(&refusal, Err(BackendError::Locked { place }) if *place == path.display().to_string()));
    }
    drop(first);
    assert!(matches!(open(&path), Err(BackendError::Locked { .. })), "a clone still has it open");
    assert!(has(&clone));
    drop(clone);
    assert!(has(&RedbBackend::open(&path).unwrap()));
}

/// A person gives a text, a picture or noise for a store: it is refused and not a byte of it changes.
#[test]
fn files_of_other_kinds_are_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("theirs");
    let mut noise = 1_u32;
    let mut noise_of = |length: usize| -> Vec<u8> {
        let step = |_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        };
        (0..length).map(step).collect()
    };
    let mut contents = vec![b"x".to_vec(), b"redb".to_vec(), b"SQLite format 3\0".to_vec(), vec![b'\n'; 100_000]];
    contents.extend([1, 8, 9, 10, 100, 320, 512, 4096, 72 << 10, 300_000].map(&mut noise_of));
    for content in contents {
        fs::write(&path, &content).unwrap();
        let refusal = open(&path);
        assert!(matches!(refusal, Err(BackendError::NotAStore { .. })), "{} bytes: {refusal:?}", content.len());
        assert!(fs::read(&path).unwrap() == content, "the file is as it was");
    }
}

/// A person gives a directory, or a device: that is said, and nothing waits for bytes that never come.
#[test]
fn what_is_no_regular_file_is_refused() {
    let directory = tempdir().unwrap();
    let refusal = open(directory.path());
    assert!(matches!(&refusal, Err(BackendError::NotAStore { reason, .. }) if reason.contains("directory")));
    if cfg!(unix) {
        assert!(matches!(open(Path::new("/dev/null")), Err(BackendError::NotAStore { .. })));
    }
}

/// A store is to be made in a directory that is not there, and below a file: the error says what the system says.
#[test]
fn a_place_that_cannot_be_made_is_an_io_error() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("file"), "x").unwrap();
    for path in ["missing/store", "file/store"] {
        let refusal = open(&directory.path().join(path));
        assert!(matches!(refusal, Err(BackendError::Io { .. })), "{path}: {refusal:?}");
    }
    assert!(!directory.path().join("missing").exists());
}

/// Other programs use redb too: their databases are refused, also when a table of theirs is called like ours, and their
/// tables stay as they were.
#[test]
fn databases_of_other_programs_are_refused_and_left_alone() {
    let directory = tempdir().unwrap();
    let theirs = directory.path().join("theirs");
    let tables = [THEIRS, TableDefinition::new("entries"), MARKS];
    for table in tables {
        let database = Database::create(&theirs).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(table).unwrap().insert("key", 7).unwrap();
        transaction.commit().unwrap();
        drop(database);

        let refusal = open(&theirs);
        assert!(matches!(refusal, Err(BackendError::NotAStore { .. })), "{table}: {refusal:?}");
        let database = Database::open(&theirs).unwrap();
        let transaction = database.begin_read().unwrap();
        assert_eq!(transaction.open_table(table).unwrap().get("key").unwrap().unwrap().value(), 7);
        assert_eq!(transaction.list_tables().unwrap().count(), 1);
        drop((transaction, database));
        fs::remove_file(&theirs).unwrap();
    }

    let database = Database::create(&theirs).unwrap();
    let transaction = database.begin_write().unwrap();
    let multimap: MultimapTableDefinition<'_, u64, u64> = MultimapTableDefinition::new("hhs");
    transaction.open_multimap_table(multimap).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(open(&theirs), Err(BackendError::NotAStore { .. })));
}

/// A database without any table is what a creation leaves that was stopped before ours were made: it becomes a store.
#[test]
fn a_database_without_tables_becomes_a_store() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("bare");
    drop(Database::create(&path).unwrap());
    put(&RedbBackend::open(&path).unwrap());
    assert!(has(&RedbBackend::open(&path).unwrap()));
}

/// A store of a program to come: the error names its format and ours, and the store stays as it was.
#[test]
fn a_store_in_another_format_is_refused_with_both_numbers() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("newer");
    put(&RedbBackend::open(&path).unwrap());
    set_format(&path, 2);
    let refusal = open(&path);
    let Err(BackendError::Version { found, supported, .. }) = &refusal else { panic!("got {refusal:?}") };
    assert_eq!((found.as_str(), supported.as_str()), ("2", "1"));

    set_format(&path, 1);
    assert!(has(&RedbBackend::open(&path).unwrap()));
}

/// The mark is there and the entries are not: nothing of ours leaves that, so it is damage, not another program's file.
#[test]
fn a_store_without_its_entries_is_damaged() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    set_format(&path, 1);
    assert!(matches!(open(&path), Err(BackendError::Corrupted { .. })));
}

/// redb changes its file format: older and newer files are told apart from damaged ones, which say so in one of the two
/// places only.
#[test]
fn files_in_another_format_of_redb_are_refused_as_such() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    put(&RedbBackend::open(&path).unwrap());
    let ours = fs::read(&path).unwrap();
    for version in [0, 1, 2, 4, 200] {
        let mut other = ours.clone();
        (other[64], other[192]) = (version, version);
        fs::write(&path, &other).unwrap();
        let refusal = open(&path);
        let Err(BackendError::Version { found, supported, .. }) = &refusal else { panic!("got {refusal:?}") };
        assert_eq!((found.as_str(), supported.as_str()), (format!("redb {version}").as_str(), "redb 3"));
        assert!(fs::read(&path).unwrap() == other, "the file is as it was");

        other[64] = ours[64];
        fs::write(&path, &other).unwrap();
        assert!(matches!(open(&path), Err(BackendError::Corrupted { .. })));
    }
}

fn open(path: &Path) -> Result<(), BackendError> {
    RedbBackend::open(path).map(drop)
}

fn put(store: &RedbBackend) {
    let mut batch = Batch::new();
    batch.put("key", "value");
    block_on(store.commit(batch)).unwrap();
}

fn has(store: &RedbBackend) -> bool {
    block_on(store.get(b"key")).unwrap().as_deref() == Some(b"value")
}

fn set_format(path: &Path, number: u64) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(MARKS).unwrap().insert("format", number).unwrap();
    transaction.commit().unwrap();
}
