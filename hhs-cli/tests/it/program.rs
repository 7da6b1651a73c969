//! Running the program: chats whose events are read as they come, and commands that run to their end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A chat that runs, with `--json`.
pub(crate) struct Chat {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    /// All events so far.
    pub(crate) events: Vec<Value>,
    /// The text of every message so far, by id.
    pub(crate) messages: BTreeMap<String, String>,
}

/// How a process has ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) errors: String,
}

impl Chat {
    /// Starts `hhs chat …`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = hhs();
        command.arg("chat").args(arguments).arg("--json");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (sender, lines) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(output.unwrap()).lines();
            // The test may have ended before the chat.
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        });
        let errors = Some(thread::spawn(move || {
            let mut text = String::new();
            errors.unwrap().read_to_string(&mut text).unwrap();
            text
        }));
        Self { child, input, lines, errors, events: Vec::new(), messages: BTreeMap::new() }
    }

    /// Begins a room in a directory, under a name.
    pub(crate) fn new_room(directory: &Path, name: &str) -> Self {
        Self::start(&["new", "--store", text(directory), "--name", name, "--listen", "127.0.0.1:0"])
    }

    /// Joins the room at an address.
    pub(crate) fn join(address: &str, directory: &Path, name: &str) -> Self {
        Self::start(&["join", address, "--store", text(directory), "--name", name, "--listen", "127.0.0.1:0"])
    }

    /// Comes back to the room in a directory.
    pub(crate) fn open(directory: &Path) -> Self {
        Self::start(&["open", "--store", text(directory)])
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types a line. A chat that has ended does not hear it.
    pub(crate) fn say(&mut self, text: &str) {
        self.say_bytes(format!("{text}\n").as_bytes());
    }

    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).ok();
    }

    /// The address that it prints.
    pub(crate) fn address(&mut self) -> String {
        let event = self.wait_for("listening", |_| true);
        event["address"].as_str().unwrap().to_owned()
    }

    /// Waits for an event of a kind, also among those that have come already.
    pub(crate) fn wait_for(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let find = |chat: &Self| chat.events.iter().find(|event| event["event"] == kind && wanted(event)).cloned();
        self.until(&format!("an event {kind:?}"), |chat| find(chat).is_some());
        find(self).unwrap()
    }

    /// Waits for messages with these texts.
    pub(crate) fn wait_for_texts(&mut self, texts: &[&str]) {
        self.until(&format!("messages {texts:?}"), |chat| {
            texts.iter().all(|text| chat.messages.values().any(|message| message == text))
        });
    }

    /// Reads events until something holds.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = now() + PATIENCE;
        while !holds(self) {
            if !self.read_within(deadline.saturating_duration_since(now())) {
                let messages = self.messages.len();
                let last: Vec<_> = self.events.iter().rev().take(12).rev().map(Value::to_string).collect();
                let end = self.kill();
                panic!("never came: {what}; {messages} messages, last events:\n{}\n{end:?}", last.join("\n"));
            }
        }
    }

    /// Reads events for a while, or until one has come that makes `enough` true.
    pub(crate) fn read_for(&mut self, time: Duration, enough: impl Fn(&Value) -> bool) {
        let deadline = now() + time;
        while self.read_within(deadline.saturating_duration_since(now())) {
            if self.events.last().is_some_and(&enough) {
                return;
            }
        }
    }

    /// Reads the next event. False if none came in time, or none will.
    fn read_within(&mut self, time: Duration) -> bool {
        let Ok(line) = self.lines.recv_timeout(time) else { return false };
        self.take(&line);
        true
    }

    fn take(&mut self, line: &str) {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        if event["event"] == "message" {
            let part = |key: &str| event[key].as_str().unwrap().to_owned();
            let before = self.messages.insert(part("id"), part("text"));
            assert!(before.is_none(), "a message was told twice: {event}");
        }
        self.events.push(event);
    }

    /// Kills it, and reads what it still has said.
    pub(crate) fn kill(&mut self) -> End {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Ends its input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Ends its input, and waits until it has ended.
    pub(crate) fn end(&mut self) -> End {
        self.end_input();
        self.wait()
    }

    /// Ends its input, and waits until it has ended well.
    pub(crate) fn end_well(&mut self) {
        let end = self.end();
        assert!(end.status.success() && end.errors.is_empty(), "{end:?}");
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> End {
        let deadline = now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(now())) {
            // A process that is killed may have said half a line.
            if line.ends_with('}') {
                self.take(&line);
            }
        }
        let over = now() < deadline;
        if !over {
            self.child.kill().unwrap();
        }
        let status = self.child.wait().unwrap();
        let errors = self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default();
        assert!(over, "it did not end: {errors}");
        assert!(!errors.contains("panicked"), "{errors}");
        End { status, errors }
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The program.
pub(crate) fn hhs() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hhs"));
    for name in ["HHS_LOG", "NO_COLOR", "HHS_PASSPHRASE", "HHS_NEW_PASSPHRASE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end, with this input.
pub(crate) fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = hhs();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut pipe, input) = (child.stdin.take().unwrap(), input.to_vec());
    // The program need not read all of it.
    let writer = thread::spawn(move || pipe.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    output
}

/// What `hhs chat log --json` prints.
pub(crate) fn log(directory: &Path) -> String {
    let output = run(&["chat", "log", "--json", "--store", text(directory)], b"");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The texts in what `hhs chat log --json` prints, by id.
pub(crate) fn logged(directory: &Path) -> BTreeMap<String, String> {
    let message = |line: &str| {
        let message: Value = serde_json::from_str(line).unwrap();
        (message["id"].as_str().unwrap().to_owned(), message["text"].as_str().unwrap().to_owned())
    };
    log(directory).lines().map(message).collect()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test waits for processes, whose time is the real one")]
fn now() -> Instant {
    Instant::now()
}
