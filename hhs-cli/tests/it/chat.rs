//! `hhs chat`, from the first message to coming back.

use std::fs;
use std::net::UdpSocket;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures::executor::block_on;
use hhs::prelude::RedbBackend;
use hhs::store::Backend;
use hhs::store::backend::{Entry, Limit, Order};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{Chat, hhs, log, logged, run, text};

/// A directory with places for people.
struct Places(TempDir);

impl Places {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn of(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Ana begins a room and Ben joins it: messages appear on the other side as they come, both see each other come and go,
/// and their logs are equal to the byte.
#[test]
fn two_people_talk() {
    let places = Places::new();
    let mut ana = Chat::new_room(&places.of("ana"), "Ana");
    ana.say("Is anybody there?");
    ana.wait_for_texts(&["Is anybody there?"]);
    let mut ben = Chat::join(&ana.address(), &places.of("ben"), "Ben");
    ben.say("Here I am.");
    ben.wait_for("joined", |_| true);
    ben.wait_for_texts(&["Is anybody there?", "Here I am."]);
    ana.wait_for_texts(&["Here I am."]);
    ana.say("Welcome!");
    ben.wait_for_texts(&["Welcome!"]);
    for (chat, other) in [(&mut ana, "Ben"), (&mut ben, "Ana")] {
        chat.wait_for("peer-connected", |_| true);
        chat.wait_for("in-sync", |event| event["name"] == other && event["ops"] == 4);
    }
    let welcome = ben.wait_for("message", |event| event["text"] == "Welcome!");
    assert_eq!(welcome["name"], "Ana");
    assert_eq!(ana.messages, ben.messages);

    ben.end_well();
    ana.wait_for("peer-disconnected", |event| event["name"] == "Ben");
    ana.end_well();
    let stopped = ana.wait_for("stopped", |_| true);
    assert_eq!((&stopped["ops"], &stopped["fetched"]), (&4.into(), &1.into()));
    assert_eq!(log(&places.of("ana")), log(&places.of("ben")));
    assert_eq!(logged(&places.of("ana")), ana.messages);

    let line: Value = serde_json::from_str(log(&places.of("ana")).lines().next().unwrap()).unwrap();
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["author", "id", "name", "text"]);
}

/// Everybody writes while the others are away, and nobody is told an address when they come back: they look for the
/// peers they knew, at the address they had, and agree again.
#[test]
fn coming_back_needs_no_address() {
    let places = Places::new();
    let (ana_home, ben_home) = (places.of("ana"), places.of("ben"));
    let mut ana = Chat::new_room(&ana_home, "Ana");
    let address = ana.address();
    let mut ben = Chat::join(&address, &ben_home, "Ben");
    ben.wait_for("joined", |_| true);
    ana.end_well();
    ben.wait_for("peer-disconnected", |_| true);
    ben.say("Ana?");
    ben.wait_for_texts(&["Ana?"]);
    ben.end_well();

    let mut ana = Chat::start(&["open", "--offline", "--store", text(&ana_home)]);
    ana.wait_for("offline", |_| true);
    ana.say("Ben?");
    ana.wait_for_texts(&["Ben?"]);
    ana.end_well();

    let mut ana = Chat::open(&ana_home);
    assert_eq!(ana.address(), address, "the same address as before");
    let mut ben = Chat::open(&ben_home);
    for chat in [&mut ana, &mut ben] {
        chat.wait_for_texts(&["Ana?", "Ben?"]);
        chat.wait_for("in-sync", |event| event["ops"] == 3);
    }
    ana.end_well();
    ben.end_well();
    assert_eq!(log(&ana_home), log(&ben_home));
}

/// Three people: what the third says reaches the first through whoever is there, and any member lets others in.
#[test]
fn any_member_lets_others_in() {
    let places = Places::new();
    let mut ana = Chat::new_room(&places.of("ana"), "Ana");
    let mut ben = Chat::join(&ana.address(), &places.of("ben"), "Ben");
    ben.wait_for("joined", |_| true);
    ana.end_well();

    let mut cleo = Chat::join(&ben.address(), &places.of("cleo"), "Cleo");
    cleo.say("Hello from Cleo");
    cleo.wait_for_texts(&["Hello from Cleo"]);
    ben.wait_for_texts(&["Hello from Cleo"]);
    cleo.end_well();
    let mut ana = Chat::open(&places.of("ana"));
    ana.wait_for_texts(&["Hello from Cleo"]);
    ana.end_well();
    ben.end_well();
    assert_eq!(log(&places.of("ana")), log(&places.of("ben")));
}

/// Messages are piped in: each line is one, and when the command has ended they are with the others. With a terminal
/// nowhere, what is printed is plain.
#[test]
fn messages_can_be_piped_in() {
    let places = Places::new();
    let mut ana = Chat::new_room(&places.of("ana"), "Ana");
    let address = ana.address();
    let ben = places.of("ben");
    let join = ["chat", "join", &address, "--store", text(&ben), "--name", "Ben", "--listen", "127.0.0.1:0"];
    let output = run(&join, b"one\r\ntwo\n\nthree");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("Ben: one\nBen: two\nBen: three\n") && !shown.contains('\x1b'), "{shown}");
    assert!(shown.contains(&"quic://127.0.0.1:".to_owned()), "{shown}");

    // Nobody has to wait for Ben any more.
    ana.wait_for("peer-disconnected", |_| true);
    assert_eq!(
        ana.messages.values().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["one", "three", "two"].into()
    );

    let open = ["chat", "open", "--store", text(&ben)];
    assert!(run(&open, b"four\n").status.success());
    ana.wait_for_texts(&["four"]);
    ana.end_well();
    let output = run(&["chat", "log", "--store", text(&places.of("ana"))], b"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Ben: one\nBen: two\nBen: three\nBen: four\n");
}

/// The room is hosted: it stays after the end of its input, until it is asked to end.
#[cfg(unix)]
#[test]
fn a_room_that_stays_ends_when_it_is_asked_to() {
    let places = Places::new();
    for signal in ["-TERM", "-INT"] {
        let home = places.of(signal);
        let arguments = ["new", "--store", text(&home), "--name", "Host", "--listen", "127.0.0.1:0", "--stay"];
        let mut host = Chat::start(&arguments);
        host.say("Welcome, all");
        host.end_input();
        let mut ben = Chat::join(&host.address(), &places.of(&format!("ben{signal}")), "Ben");
        ben.wait_for_texts(&["Welcome, all"]);
        assert!(Command::new("kill").args([signal, &host.id().to_string()]).status().unwrap().success());
        let end = host.wait();
        assert!(end.status.success() && end.errors.is_empty(), "{end:?}");
        assert_eq!(host.events.last().unwrap()["event"], "stopped");
        ben.wait_for("peer-disconnected", |event| event["name"] == "Host");
        ben.end_well();
    }
}

/// The port of the last time is taken by another program: the room is at another one, and says so. If the person has asked
/// for the port, it is an error.
#[test]
fn a_port_that_is_taken() {
    let places = Places::new();
    let home = places.of("ana");
    let mut ana = Chat::new_room(&home, "Ana");
    let address = ana.address();
    ana.end_well();
    let port = address.split([':', '/']).nth(4).unwrap();
    let taken = format!("127.0.0.1:{port}");
    let _other = UdpSocket::bind(&taken).unwrap();

    let mut ana = Chat::open(&home);
    assert!(ana.wait_for("moved", |_| true)["from"].as_str().unwrap().contains(&taken));
    let elsewhere = ana.address();
    assert_ne!(elsewhere, address);
    ana.end_well();
    let output = run(&["chat", "open", "--store", text(&home), "--listen", &taken], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot listen on"), "{output:?}");

    let mut ana = Chat::open(&home);
    assert_eq!(ana.address(), elsewhere, "others were given the new address");
    ana.end_well();
}

/// Somebody gives the address again, to a directory that has the room: that is coming back.
#[test]
fn joining_again_is_coming_back() {
    let places = Places::new();
    let mut ana = Chat::new_room(&places.of("ana"), "Ana");
    let address = ana.address();
    let ben_home = places.of("ben");
    let mut ben = Chat::join(&address, &ben_home, "Ben");
    ben.say("first");
    ana.wait_for_texts(&["first"]);
    ben.end_well();

    let mut ben = Chat::join(&address, &ben_home, "Ben");
    ben.say("second");
    ben.wait_for_texts(&["first", "second"]);
    ana.wait_for_texts(&["second"]);
    let authors: Vec<_> =
        ana.events.iter().filter(|event| event["event"] == "message").map(|event| &event["author"]).collect();
    assert_eq!(authors[0], authors[1], "it is the same Ben");
    ana.end_well();
    ben.end_well();

    // Nobody has to be there for it.
    let mut ben = Chat::join(&address, &ben_home, "Ben");
    ben.wait_for_texts(&["first", "second"]);
    ben.wait_for("unreachable", |event| address.starts_with(event["address"].as_str().unwrap()));
    ben.end_well();
}

/// Only the store is left, or a copy of it: the messages can still be read, and reading changes nothing.
#[test]
fn reading_the_log_needs_no_key() {
    let places = Places::new();
    let home = places.of("ana");
    let mut ana = Chat::new_room(&home, "Ana");
    ana.say("for later");
    ana.end_well();
    fs::remove_file(home.join("key")).unwrap();
    let store = entries(&home);
    assert_eq!(logged(&home).values().collect::<Vec<_>>(), ["for later"]);
    let mut names: Vec<_> = home.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, [".key.lock", "store.redb"]);
    assert_eq!(entries(&home), store);
}

/// All that is in a store.
fn entries(home: &Path) -> Vec<Entry> {
    let backend = RedbBackend::open(home.join("store.redb")).unwrap();
    let all = Limit { entries: usize::MAX, bytes: usize::MAX };
    block_on(backend.scan((Bound::Unbounded, Bound::Unbounded), Order::Ascending, all)).unwrap()
}

/// Everything of a room is its owner's alone.
#[cfg(unix)]
#[test]
fn others_on_the_machine_cannot_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let places = Places::new();
    let home = places.of("deep/down/ana");
    Chat::new_room(&home, "Ana").end_well();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(home.clone()), mode(home.join("key")), mode(home.join("store.redb"))), (0o700, 0o600, 0o600));

    fs::set_permissions(home.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&["chat", "open", "--store", text(&home), "--offline"], b"");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"), "{output:?}");
}

/// Somebody sends what would make a terminal do something: it is shown as plain text, and kept as it is.
#[test]
fn messages_cannot_control_a_terminal() {
    let places = Places::new();
    let home = places.of("ana");
    let mut ana = Chat::new_room(&home, "Ana");
    ana.say("\x1b]0;title\x07\x1b[2J");
    ana.end_well();
    let output = run(&["chat", "log", "--store", text(&home)], b"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "Ana: \u{fffd}]0;title\u{fffd}\u{fffd}[2J\n");
    assert_eq!(logged(&home).values().collect::<Vec<_>>(), ["\x1b]0;title\x07\x1b[2J"]);
}

/// Whoever reads what is printed goes away, as `head` does: the program ends without a word.
#[test]
fn a_reader_that_goes_away() {
    let places = Places::new();
    let home = places.of("ana");
    let mut ana = Chat::new_room(&home, "Ana");
    (0..2000).for_each(|number| ana.say(&format!("a message of some length, to fill the pipe: {number}")));
    ana.end_well();
    for arguments in [&["log"][..], &["log", "--json"], &["open", "--offline"]] {
        let mut command = hhs();
        command.arg("chat").args(arguments).args(["--store", text(&home)]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
