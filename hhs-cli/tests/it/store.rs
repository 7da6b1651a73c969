//! Looking into a store, and putting it right.

use std::fs;
use std::path::PathBuf;

use futures::executor::block_on;
use hhs::prelude::RedbBackend;
use hhs::store::Backend;
use hhs::store::backend::{Batch, Limit, Order, prefix_range};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{Chat, logged, run, text};

/// A room of Ana with three messages, that nobody has open.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let mut ana = Chat::new_room(&directory.path().join("ana"), "Ana");
        ["first", "second", "third"].iter().for_each(|text| ana.say(text));
        ana.end_well();
        Self(directory)
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("ana")
    }

    /// Runs `hhs store …`: its exit code, what it printed line by line, and what it complained of.
    fn run(&self, command: &str, arguments: &[&str]) -> (Option<i32>, Vec<Value>, String) {
        let store = self.store();
        let output = run(&[&["store", command, "--json", "--store", text(&store)], arguments].concat(), b"");
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code(), lines, String::from_utf8(output.stderr).unwrap())
    }

    fn is_sound(&self) -> bool {
        let (code, lines, said) = self.run("check", &["--signatures"]);
        let sound = lines.last().unwrap()["sound"] == true;
        assert_eq!(sound, code == Some(0), "{said}");
        assert!(sound || said.contains("hhs store repair"), "{said}");
        sound
    }

    /// Changes the last entry under a prefix: its value goes through `change`; nothing deletes it.
    fn damage(&self, prefix: u8, change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) {
        let backend = RedbBackend::open(self.store().join("store.redb")).unwrap();
        let one = Limit { entries: 1, bytes: 1 };
        let last = block_on(backend.scan(prefix_range(&[prefix]), Order::Descending, one)).unwrap();
        let (key, value) = last.into_iter().next().unwrap();
        let mut batch = Batch::new();
        match change(value) {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        };
        block_on(backend.commit(batch)).unwrap();
    }
}

/// A disk has changed the last message behind our back: the check finds it, and the repair saves the others into a new store.
#[test]
fn a_damaged_message() {
    // With a message at the end.
    const OPS: u8 = 3;
    let room = Room::new();
    assert!(room.is_sound());
    room.damage(OPS, |mut record| {
        *record.last_mut().unwrap() ^= 1;
        Some(record)
    });
    assert!(!room.is_sound());

    let (code, lines, said) = room.run("repair", &[]);
    assert_eq!(code, Some(0), "{said}");
    let report = lines.last().unwrap();
    assert_eq!((&report["done"], &report["ops"]), (&"salvaged".into(), &2.into()), "{report}");
    assert!(lines[0]["event"] == "lost" && report["lost"].as_u64() >= Some(1), "{lines:?}");
    assert!(fs::exists(report["old"].as_str().unwrap()).unwrap());
    assert!(room.is_sound());
    let mut texts: Vec<String> = logged(&room.store()).into_values().collect();
    texts.sort();
    assert_eq!(texts, ["first", "second"]);
}

/// An entry of an index is gone: the check tells it from damage, and the repair makes the indexes again in place.
#[test]
fn an_index_with_a_hole() {
    const CLASSES: u8 = 17;
    let room = Room::new();
    room.damage(CLASSES, |_| None);
    let (code, lines, _) = room.run("check", &[]);
    let report = lines.last().unwrap();
    assert!(code == Some(1) && report["damage"] == 0 && report["index"].as_u64() >= Some(1), "{lines:?}");
    let (_, lines, said) = room.run("repair", &[]);
    assert_eq!(lines.last().unwrap()["done"], "indexes", "{said}");
    assert!(room.is_sound());
    assert_eq!(logged(&room.store()).len(), 3);
    assert_eq!(room.run("repair", &[]).1[0]["done"], "sound");
}

/// The numbers that are told are those of the room, and compacting changes none of them but the room on the disk.
#[test]
fn the_numbers_of_a_store() {
    let room = Room::new();
    let stats = |room: &Room| room.run("stats", &[]).1.remove(0);
    let before = stats(&room);
    assert_eq!(before["replicas"][0]["ops"], 3);
    assert_eq!(before["replicas"][0]["heads"], 1);
    assert_eq!(before["classes"].as_array().unwrap().len(), 2, "a genesis and an identity: {before}");

    let (code, lines, said) = room.run("compact", &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(lines[0]["entries"], before["entries"]);
    let file = fs::metadata(room.store().join("store.redb")).unwrap().len();
    assert_eq!(lines[0]["after_bytes"], file);
    let after = stats(&room);
    assert_eq!((&after["entries"], &after["replicas"]), (&before["entries"], &before["replicas"]));
    assert!(room.is_sound());
}

/// A directory without a store, a store that a chat has open, a file that is none.
#[test]
fn what_cannot_be_looked_into() {
    let room = Room::new();
    for command in ["check", "repair", "stats", "compact"] {
        let nowhere = run(&["store", command, "--store", text(&room.0.path().join("nowhere"))], b"");
        let said = String::from_utf8(nowhere.stderr).unwrap();
        assert!(nowhere.status.code() == Some(1) && said.contains("there is no store in"), "{said}");
    }
    let mut ana = Chat::open(&room.store());
    ana.wait_for("listening", |_| true);
    for command in ["check", "repair", "stats", "compact"] {
        let (code, _, said) = room.run(command, &[]);
        assert!(code == Some(1) && said.contains("in use"), "{command}: {said}");
    }
    ana.end_well();
    fs::write(room.store().join("store.redb"), b"no store at all").unwrap();
    for command in ["check", "repair", "stats", "compact"] {
        let (code, _, said) = room.run(command, &[]);
        assert!(code == Some(1) && said.contains("is not a store"), "{command}: {said}");
    }
}
