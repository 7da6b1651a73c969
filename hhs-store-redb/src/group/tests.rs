//! Groups on a database in memory, against a map.

use std::collections::BTreeMap;

use hhs_store::backend::{Batch, Write};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};

use super::{MIN_RUN, apply};
use crate::format::{self, ENTRIES};

/// Random groups over few keys, with runs, gaps, overwrites, deletes and guards: the table holds what a map holds that is
/// written batch by batch, and the same guards fail.
#[test]
fn groups_come_to_what_their_batches_come_to_one_by_one() {
    let mut dice = 1_u64;
    let mut roll = |end: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % end
    };
    let (mut failed, mut held) = (0, 0);
    for _ in 0..30 {
        let database = store();
        let mut map: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for _ in 0..20 {
            let mut group = Vec::new();
            let mut conflicts = Vec::new();
            for at in 0..1 + roll(5) as usize {
                let mut batch = Batch::new();
                for _ in 0..roll(4) {
                    let (first, step) = (roll(60), 1 + roll(3));
                    let length = if roll(8) == 0 { 6000 } else { roll(700) as usize };
                    for number in (0..roll(25)).map(|number| first + number * step) {
                        match roll(6) {
                            0 => batch.delete(key(number)),
                            _ => batch.put(key(number), vec![roll(256) as u8; length]),
                        };
                    }
                }
                if roll(3) == 0 {
                    let guarded = key(roll(90));
                    let expected = if roll(2) == 0 { map.get(&guarded).cloned() } else { None };
                    batch.guard(guarded, expected);
                }
                match &batch.guard {
                    Some(guard) if map.get(&guard.key) != guard.expected.as_ref() => conflicts.push(at),
                    guard => {
                        held += usize::from(guard.is_some());
                        write(&mut map, &batch);
                    }
                }
                group.push(batch);
            }
            failed += conflicts.len();
            let found = apply(&database, group.iter(), false).unwrap();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), conflicts);
            assert!(dump(&database) == map, "the table holds what the map holds");
        }
    }
    assert!(failed > 50 && held > 50, "guards of both kinds: {failed} failed, {held} held");
}

/// A bundle after the other appends ops: their leaves are full, and not half full as by single inserts.
#[test]
fn appended_runs_fill_their_leaves() {
    let database = store();
    for first in (0..20_000).step_by(500) {
        let mut batch = Batch::new();
        for number in first..first + 500 {
            batch.put(key(number), [7; 300]);
        }
        apply(&database, [batch].iter(), false).unwrap();
    }
    let stats = database.begin_read().unwrap().open_table(ENTRIES).unwrap().stats().unwrap();
    let used = (stats.stored_bytes() + stats.metadata_bytes()) as f64;
    let fill = used / (used + stats.fragmented_bytes() as f64);
    assert!(fill > 0.9, "the pages are {:.0} % full", fill * 100.0);
}

/// A run begins at a key that is there, or meets one half-way: every key gets its value all the same.
#[test]
fn a_run_may_meet_keys_that_are_there() {
    let length = 3 * MIN_RUN as u64;
    for there in [0, 1, length / 2, length - 1] {
        let database = store();
        let mut batch = Batch::new();
        batch.put(key(there), "old");
        apply(&database, [batch].iter(), false).unwrap();
        let mut batch = Batch::new();
        for number in 0..length {
            batch.put(key(number), "new");
        }
        apply(&database, [batch].iter(), false).unwrap();
        let expected: BTreeMap<_, _> = (0..length).map(|number| (key(number), b"new".to_vec())).collect();
        assert!(dump(&database) == expected, "with key {there} there before");
    }
}

fn store() -> Database {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    format::establish(&database, "memory").unwrap();
    database
}

fn key(number: u64) -> Vec<u8> {
    [&[3, 0, 0, 0, 1], number.to_be_bytes().as_slice()].concat()
}

fn write(map: &mut BTreeMap<Vec<u8>, Vec<u8>>, batch: &Batch) {
    for write in &batch.writes {
        match write {
            Write::Put(key, value) => map.insert(key.clone(), value.clone()),
            Write::Delete(key) => map.remove(key),
        };
    }
}

fn dump(database: &Database) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let table = database.begin_read().unwrap().open_table(ENTRIES).unwrap();
    let entries = table.iter().unwrap().map(Result::unwrap);
    entries.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).collect()
}
