//! Identities and their key file, by the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::program::{Chat, hhs, log, run, text};

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("home")
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }

    /// Runs `hhs identity …` on the directory.
    fn identity(&self, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().unwrap();
        run(&[&["identity", command, "--store", text(&self.directory())], rest].concat(), b"")
    }

    /// The objects that it prints.
    fn printed(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.identity(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn refused(output: &Output, reason: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && errors.contains(reason), "expected {reason:?}: {output:?}");
}

/// Two people are made in a new directory, printed and listed, and the first begins a room: it is one and the same person.
#[test]
fn identities_are_made_and_shown() {
    let home = Home::new();
    refused(&home.identity(&["list"]), "there is no key file in");
    let ana = home.printed(&["new", "--name", "Ana"]).remove(0);
    assert_eq!((&ana["name"], &ana["may"]), (&"Ana".into(), &"op/v1,handshakes".into()));
    assert_eq!(ana["encrypted"], false);
    assert_eq!(home.printed(&["show"]), std::slice::from_ref(&ana));
    let ben = home.printed(&["new", "--name", "Ben", "--may", "everything"]).remove(0);
    assert_eq!(home.printed(&["list"]), [ana.clone(), ben.clone()]);
    assert_eq!(home.printed(&["show", "Ben"]), std::slice::from_ref(&ben));
    assert_eq!(home.printed(&["show", ana["id"].as_str().unwrap()]), std::slice::from_ref(&ana));
    refused(&home.identity(&["show"]), "there are 2 such identities");
    refused(&home.identity(&["show", "Eve"]), "there is no identity \"Eve\"");

    let shown = home.identity(&["show", "Ben"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.starts_with("Ben\n") && shown.contains("everything"), "{shown}");
    assert_eq!(home.identity(&["new", "--name", "Cleo", "--may", "a b"]).status.code(), Some(2));

    let mut chat = Chat::new_room(&home.directory(), "Ben");
    chat.say("hello");
    let event = chat.wait_for("message", |_| true);
    assert_eq!(event["author"], ben["id"]);
    chat.end_well();
    // It goes on as the same person, though another one comes first in the file.
    let mut chat = Chat::open(&home.directory());
    chat.say("again");
    assert_eq!(chat.wait_for("message", |event| event["text"] == "again")["author"], ben["id"]);
    chat.end_well();
}

/// A key that may not sign ops, or not prove itself: a chat says so before it begins.
#[test]
fn a_key_that_may_not_chat() {
    for policy in ["nothing", "op/v1", "handshakes", "notes/v1,handshakes"] {
        let home = Home::new();
        home.printed(&["new", "--name", "Ana", "--may", policy]);
        let output = run(&["chat", "new", "--store", text(&home.directory()), "--name", "Ana"], b"hello\n");
        refused(&output, "a chat needs op/v1 and handshakes");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

/// A key file gets a passphrase, by file and by environment: without it nothing opens and nobody is asked, with it the
/// room goes on.
#[test]
fn a_room_whose_key_is_encrypted() {
    let home = Home::new();
    let (one, two, wrong) = (home.file("one", "first\n"), home.file("two", "second\n"), home.file("wrong", "third\n"));
    Chat::new_room(&home.directory(), "Ana").end_well();
    refused(&home.identity(&["passphrase"]), "there is no new passphrase: set HHS_NEW_PASSPHRASE");
    assert_eq!(home.printed(&["passphrase", "--new-passphrase-file", &one]), [json!({ "encrypted": true })]);

    let directory = home.directory();
    let open = ["chat", "open", "--offline", "--store", text(&directory)];
    refused(&run(&open, b"lost\n"), "is encrypted: set HHS_PASSPHRASE, give --passphrase-file FILE");
    refused(&home.identity(&["list"]), "is encrypted");
    refused(&run(&[&open[..], &["--passphrase-file", &wrong]].concat(), b"lost\n"), "the passphrase is wrong");
    let output = run(&[&open[..], &["--passphrase-file", &one]].concat(), b"by file\n");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let with_environment = |arguments: &[&str], passphrase: &str, new: &str| {
        let mut command = hhs();
        command.args(arguments).env("HHS_PASSPHRASE", passphrase).env("HHS_NEW_PASSPHRASE", new);
        command.stdin(Stdio::null()).output().unwrap()
    };
    assert!(with_environment(&open, "first", "").status.success());
    refused(&with_environment(&open, "second", ""), "the passphrase is wrong");
    // An option counts for more than the environment.
    assert!(with_environment(&[&open[..], &["--passphrase-file", &one]].concat(), "second", "").status.success());

    let change = ["identity", "passphrase", "--store", text(&directory)];
    assert!(with_environment(&change, "first", "second").status.success());
    refused(&home.identity(&["list", "--passphrase-file", &one]), "the passphrase is wrong");
    assert_eq!(home.printed(&["list", "--passphrase-file", &two])[0]["encrypted"], true);
    assert_eq!(home.printed(&["passphrase", "--remove", "--passphrase-file", &two]), [json!({ "encrypted": false })]);
    assert!(run(&open, b"plain again\n").status.success());
    let texts = log(&directory);
    assert!(texts.contains("by file") && texts.contains("plain again") && !texts.contains("lost"), "{texts}");
}

/// With a passphrase a new room's key is encrypted from the start; whoever gives one for a plain key is warned.
#[test]
fn a_passphrase_from_the_start() {
    let home = Home::new();
    let passphrase = home.file("passphrase", "first");
    let directory = home.directory();
    let new = ["chat", "new", "--store", text(&directory), "--name", "Ana", "--listen", "127.0.0.1:0"];
    assert!(run(&[&new[..], &["--passphrase-file", &passphrase]].concat(), b"hi\n").status.success());
    let bytes = fs::read(directory.join("key")).unwrap();
    assert!(bytes.starts_with(b"hhs-keystore\0\x01\0\x01") && !holds(&bytes, b"Ana"));

    let plain = home.0.path().join("plain");
    Chat::new_room(&plain, "Ana").end_well();
    assert!(holds(&fs::read(plain.join("key")).unwrap(), b"Ana"), "so the check above can fail");
    let open = ["chat", "open", "--offline", "--store", text(&plain), "--passphrase-file", &passphrase];
    let output = run(&open, b"");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not encrypted, although"), "{output:?}");
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A room of a program before keystores: it goes on under the same identity, and the former key file is kept.
#[test]
fn a_room_with_a_former_key_file() {
    let home = Home::new();
    let former = "hhs key 1\nname Ana\nseed 0909090909090909090909090909090909090909090909090909090909090909\n";
    fs::create_dir(home.directory()).unwrap();
    write_private(&home.directory().join("key"), former);
    let mut chat = Chat::new_room(&home.directory(), "Ana");
    chat.say("hello");
    let author = chat.wait_for("message", |_| true)["author"].clone();
    let end = chat.end();
    assert!(end.status.success() && end.errors.contains("key.old, not encrypted: delete that"), "{end:?}");
    assert_eq!(home.printed(&["list"])[0]["id"], author);
    assert_eq!(fs::read_to_string(home.directory().join("key.old")).unwrap(), former);
    Chat::open(&home.directory()).end_well();
}

fn write_private(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
