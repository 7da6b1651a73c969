//! Spaces as files: out of one directory and into another.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{Chat, log, run, text};

/// A room of Ana with two messages, that nobody has open, and the file that it was exported to.
struct Exported {
    directory: TempDir,
    report: Value,
}

impl Exported {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let mut ana = Chat::new_room(&directory.path().join("ana"), "Ana");
        ana.say("first");
        ana.say("second");
        ana.end_well();
        let (store, file) = (directory.path().join("ana"), directory.path().join("room.car"));
        let report = done(&["space", "export", "--json", "--store", text(&store), text(&file)]);
        Self { directory, report }
    }

    fn of(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn import(&self, file: &str, store: &str) -> std::process::Output {
        run(&["space", "import", "--json", "--store", text(&self.of(store)), text(&self.of(file))], b"")
    }
}

/// Ana moves her room to a new machine as a file: the log there is the same, byte for byte, and a second import changes
/// nothing.
#[test]
fn a_room_moves_as_a_file() {
    let room = Exported::new();
    assert_eq!(room.report["ops"], 2);
    assert_eq!(room.report["bytes"], fs::metadata(room.of("room.car")).unwrap().len());
    for added in [2, 0] {
        let imported = report(&room.import("room.car", "new"));
        assert_eq!((&imported["added"], &imported["space"]), (&added.into(), &room.report["space"]));
        assert_eq!(log(&room.of("new")), log(&room.of("ana")));
    }
    let again = done(&["space", "export", "--json", "--store", text(&room.of("new")), text(&room.of("again.car"))]);
    assert_eq!(again, room.report);
    assert_eq!(fs::read(room.of("again.car")).unwrap(), fs::read(room.of("room.car")).unwrap());
}

/// The copy of the file broke off, at any byte: nothing is imported, nothing is made, and the reason is told.
#[test]
fn a_file_that_broke_off() {
    let room = Exported::new();
    let whole = fs::read(room.of("room.car")).unwrap();
    for length in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        fs::write(room.of("part.car"), &whole[..length]).unwrap();
        let output = room.import("part.car", "new");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{length}: {said}");
        assert!(said.contains("get all of it"), "{length}: {said}");
        assert!(!room.of("new").exists(), "{length}");
    }
}

/// Two spaces in one directory: which one to export has to be said, and the list says which there are.
#[test]
fn one_of_several_spaces() {
    let (room, other) = (Exported::new(), Exported::new());
    fs::copy(other.of("room.car"), room.of("other.car")).unwrap();
    report(&room.import("other.car", "ana"));
    let store = room.of("ana");
    let out = room.of("out.car");
    let refused = run(&["space", "export", "--store", text(&store), text(&out)], b"");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("2 spaces") && said.contains("--space"), "{said}");
    assert!(!out.exists());

    let list = run(&["space", "list", "--json", "--store", text(&store)], b"");
    let lines = String::from_utf8(list.stdout).unwrap();
    let spaces: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(spaces.len(), 2);
    let space = other.report["space"].as_str().unwrap();
    let exported = done(&["space", "export", "--json", "--space", space, "--store", text(&store), text(&out)]);
    assert_eq!(exported, other.report);
    assert_eq!(fs::read(&out).unwrap(), fs::read(other.of("room.car")).unwrap());
}

/// Nothing to export, nowhere to write, nothing to read: each is said, and nothing is made.
#[test]
fn what_cannot_be_moved() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let refused = |arguments: &[&str], reason: &str| {
        let output = run(arguments, b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(reason), "{arguments:?}: {said}");
    };
    refused(&["space", "export", "--store", text(&path("none")), text(&path("a.car"))], "there is no store");
    refused(&["space", "import", "--store", text(&path("none")), text(&path("a.car"))], "cannot be read");
    fs::write(path("a.car"), b"not a CAR file at all, but a text").unwrap();
    refused(&["space", "import", "--store", text(&path("none")), text(&path("a.car"))], "was not imported");
    assert_eq!(names(directory.path()), ["a.car"]);
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn done(arguments: &[&str]) -> Value {
    report(&run(arguments, b""))
}

fn report(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
