//! What can go wrong, and what is said then.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::{TempDir, tempdir};

use crate::program::{Chat, log, logged, run, text};

/// A room of Ana, with one message, that nobody has open.
struct Room {
    directory: TempDir,
    address: String,
}

impl Room {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let mut ana = Chat::new_room(&directory.path().join("ana"), "Ana");
        ana.say("kept");
        let address = ana.address();
        ana.end_well();
        Self { directory, address }
    }

    fn of(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn ana(&self) -> PathBuf {
        self.of("ana")
    }

    /// Nothing was lost, and nothing came in.
    fn is_as_it_was(&self) {
        assert_eq!(logged(&self.ana()).values().collect::<Vec<_>>(), ["kept"]);
    }
}

/// Addresses that are none: each is refused with what is wrong and what one looks like, before anything is made.
#[test]
fn a_wrong_address() {
    let room = Room::new();
    let ben = room.of("ben");
    let (whole, short) = (&room.address, &room.address[..room.address.len() - 1]);
    let without_room = whole.split('/').take(4).collect::<Vec<_>>().join("/");
    let other_scheme = whole.replace("quic://", "http://");
    for address in ["", "hello", "quic://", "127.0.0.1:7400", short, &without_room, &format!("{whole}/x")] {
        let output = run(&["chat", "join", address, "--store", text(&ben), "--name", "Ben"], b"hi\n");
        assert_eq!(output.status.code(), Some(2), "{address:?}: {output:?}");
        assert!(errors(&output).contains("quic://HOST:PORT/<identity>/<space>/<secret>"), "{output:?}");
        assert!(!ben.exists());
    }
    let output = join(&other_scheme, &ben, &[]);
    refused(&output, "no transport here speaks \"http\"");
    for listen in ["nonsense", "127.0.0.1", "ftp://127.0.0.1:1"] {
        let output = run(&["chat", "open", "--store", text(&room.ana()), "--listen", listen], b"");
        assert_eq!(output.status.code(), Some(2), "{listen:?}: {output:?}");
        assert!(errors(&output).contains("HOST:PORT"), "{output:?}");
    }
    room.is_as_it_was();
}

/// Nobody is at the address: it is said so after the time that was given, and joining later works.
#[test]
fn an_unreachable_peer() {
    let room = Room::new();
    let ben = room.of("ben");
    refused(&join(&room.address, &ben, &["--patience", "1"]), "could not be reached within 1s");

    // A socket that never answers is not reached either.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (_, path) = room.address.split_at(room.address.find("/baf").unwrap());
    let address = format!("quic://{}{path}", silent.local_addr().unwrap());
    refused(&join(&address, &ben, &["--patience", "1"]), "could not be reached within 1s");
    refused(&run(&["chat", "open", "--store", text(&ben)], b""), "there is no chat room in");

    let mut ana = Chat::open(&room.ana());
    ana.wait_for("listening", |_| true);
    assert!(join(&room.address, &ben, &[]).status.success());
    ana.end_well();
    assert_eq!(log(&ben), log(&room.ana()));
}

/// Somebody else is at the address by now: they are not trusted.
#[test]
fn a_peer_with_another_identity() {
    let room = Room::new();
    let mut eve = Chat::new_room(&room.of("eve"), "Eve");
    let host = |address: &str| address.split('/').nth(2).unwrap().to_owned();
    let address = room.address.replace(&host(&room.address), &host(&eve.address()));
    refused(&join(&address, &room.of("ben"), &[]), "do not trust this one");
    eve.end_well();
    room.is_as_it_was();
}

/// The invitation is not the member's, or there is none: the member lets nobody in.
#[test]
fn a_wrong_invitation() {
    let room = Room::new();
    let mut ana = Chat::open(&room.ana());
    ana.wait_for("listening", |_| true);
    let (start, secret) = room.address.rsplit_once('/').unwrap();
    let wrong: String = secret.chars().map(|c| if c == 'a' { 'b' } else { 'a' }).take(25).collect();
    refused(&join(&format!("{start}/{wrong}a"), &room.of("ben"), &[]), "ask for a new one");

    // Without an invitation one may read, if one knows the room, and what is typed cannot be written.
    let output = join(start, &room.of("cleo"), &["--patience", "1"]);
    refused(&output, "1 messages were not written");
    assert!(String::from_utf8_lossy(&output.stdout).contains("kept"), "{output:?}");

    // So it is if there is much to write.
    let (cleo, lines) = (room.of("cleo"), "much\n".repeat(10_000));
    let open = ["chat", "open", "--store", text(&cleo), "--patience", "1"];
    refused(&run(&open, lines.as_bytes()), "256 messages and what follows them were not written");

    // A room that Ana does not have.
    let mut other = Chat::new_room(&room.of("other"), "Other");
    let (_, other_room) = other.address().rsplit_once("/baf").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (peer, _) = start.rsplit_once("/baf").unwrap();
    refused(&join(&format!("{peer}/baf{other_room}"), &room.of("dora"), &[]), "does not share this space");
    other.end_well();
    ana.end_well();
    room.is_as_it_was();
}

/// The room is open already: whoever comes second is told so, and the first goes on.
#[test]
fn a_store_that_another_process_has() {
    let room = Room::new();
    let (ana, mut first) = (room.ana(), Chat::open(&room.ana()));
    first.wait_for("listening", |_| true);
    let new = ["chat", "new", "--store", text(&ana), "--name", "Ana"];
    for arguments in [&["chat", "open", "--store", text(&ana)][..], &["chat", "log", "--store", text(&ana)], &new] {
        refused(&run(arguments, b"lost?\n"), "is in use by another process");
    }
    first.end_well();
    room.is_as_it_was();
}

/// The store is of another version, something else, cut off, or a directory: it is refused and stays as it is.
#[test]
fn stores_that_are_none() {
    let room = Room::new();
    let file = room.ana().join("store.redb");
    let store = fs::read(&file).unwrap();
    let mut newer = store.clone();
    // Where the header of a redb file says which version it has, twice.
    (newer[64], newer[192]) = (4, 4);
    let half = store[..store.len() / 2].to_vec();
    let cases = [
        (newer, "has format redb 4, and this program reads redb 3"),
        (b"Dear diary".to_vec(), "is not a store"),
        (vec![7; 100_000], "is not a store"),
        (half, "the store is damaged"),
    ];
    for (content, reason) in cases {
        fs::write(&file, &content).unwrap();
        for arguments in [&["open"][..], &["log"], &["new", "--name", "Ana"]] {
            let output = run(&[&["chat"], arguments, &["--store", text(&room.ana())]].concat(), b"lost?\n");
            refused(&output, reason);
        }
        assert!(fs::read(&file).unwrap() == content, "{reason}: the file stays as it was");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused(&run(&["chat", "open", "--store", text(&room.ana())], b""), "is a directory");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, &store).unwrap();
    room.is_as_it_was();
}

/// Directories that do not fit what is asked: each says what to do instead, and nothing is made where something was to be.
#[test]
fn directories_that_do_not_fit() {
    let room = Room::new();
    let (ana, nowhere) = (room.ana(), room.of("nowhere"));
    for command in ["open", "log"] {
        refused(&run(&["chat", command, "--store", text(&nowhere)], b""), "there is no chat room in");
        assert!(!nowhere.exists());
    }
    refused(&run(&["chat", "new", "--store", text(&ana), "--name", "Ana"], b""), "go on in it with `hhs chat open");
    let mut eve = Chat::new_room(&room.of("eve"), "Eve");
    refused(&run(&["chat", "join", &eve.address(), "--store", text(&ana), "--name", "Ana"], b""), "another chat room");
    eve.end_well();
    refused(&join_as(&room.address, &ana, "Somebody"), "that of \"Ana\", not of \"Somebody\"");
    let below_a_file = ana.join("key/deeper");
    refused(&run(&["chat", "new", "--store", text(&below_a_file), "--name", "Ana"], b""), "cannot be made");
    let output = run(&["chat", "new", "--store", text(&nowhere), "--name", "\n"], b"");
    assert_eq!(output.status.code(), Some(2), "{output:?}");

    fs::rename(ana.join("key"), ana.join("hidden")).unwrap();
    refused(&run(&["chat", "open", "--store", text(&ana)], b""), "is missing: restore it");
    refused(&join_as(&room.address, &ana, "Ana"), "is missing: restore it");
    fs::write(ana.join("key"), "not a key").unwrap();
    refused(&run(&["chat", "open", "--store", text(&ana)], b""), "is not a key file");
    fs::remove_file(ana.join("key")).unwrap();
    fs::rename(ana.join("hidden"), ana.join("key")).unwrap();
    room.is_as_it_was();
}

/// A message of 10 MiB, and a line that is not text: what came before is kept and the error names the line. One of just a
/// mebibyte is a message.
#[test]
fn lines_that_are_no_messages() {
    let directory = tempdir().unwrap();
    let home = directory.path().join("ana");
    Chat::new_room(&home, "Ana").end_well();
    let open = ["chat", "open", "--offline", "--store", text(&home)];

    let huge = [b"before\n".to_vec(), vec![b'x'; 10 << 20], b"\nafter\n".to_vec()].concat();
    refused(&run(&open, &huge), "line 2 of the input is longer than a message can be, 1 MiB");
    refused(&run(&open, b"one\n\nt\xc3\x28wo\nafter\n"), "line 3 of the input is not UTF-8");
    // It ends even where it was to stay.
    refused(&run(&[&open[..], &["--stay"]].concat(), b"two\n\xff\n"), "line 2 of the input is not UTF-8");
    let largest = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
    assert!(run(&open, &largest).status.success());

    let texts: Vec<String> = logged(&home).into_values().collect();
    let mut short: Vec<&str> = texts.iter().map(String::as_str).filter(|text| text.len() < 100).collect();
    short.sort_unstable();
    assert_eq!(short, ["before", "one", "two"]);
    assert_eq!(texts.iter().filter(|text| text.len() == 1 << 20).count(), 1);
}

/// Help is everywhere, and a command that there is not is a usage error.
#[test]
fn help_and_usage() {
    for arguments in [
        &["--help"][..],
        &["demo", "--help"],
        &["chat", "--help"],
        &["chat", "new", "--help"],
        &["chat", "join", "--help"],
        &["chat", "open", "--help"],
        &["chat", "log", "--help"],
        &["identity", "--help"],
        &["identity", "show", "--help"],
        &["identity", "new", "--help"],
        &["identity", "list", "--help"],
        &["identity", "passphrase", "--help"],
        &["replay", "--help"],
    ] {
        let output = run(arguments, b"");
        assert!(output.status.success(), "{output:?}");
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("Usage: hhs"), "{help}");
    }
    for arguments in [&[][..], &["chat"], &["chat", "shout"], &["chat", "new"], &["chat", "log"], &["demo", "--fast"]] {
        assert_eq!(run(arguments, b"").status.code(), Some(2), "{arguments:?}");
    }
}

fn join(address: &str, home: &Path, more: &[&str]) -> Output {
    let arguments = ["chat", "join", address, "--store", text(home), "--name", "Ben", "--listen", "127.0.0.1:0"];
    run(&[&arguments, more].concat(), b"hi\n")
}

fn join_as(address: &str, home: &Path, name: &str) -> Output {
    run(&["chat", "join", address, "--store", text(home), "--name", name, "--listen", "127.0.0.1:0"], b"hi\n")
}

/// It has failed, with this reason, in one line.
fn refused(output: &Output, reason: &str) {
    let said: String =
        errors(output).lines().filter(|line| !line.starts_with("hhs: warning")).collect::<Vec<_>>().join("\n");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.starts_with("hhs: ") && said.contains(reason), "expected {reason:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
