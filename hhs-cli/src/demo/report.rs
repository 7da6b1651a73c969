//! What the demo shows: a step of the story at a time, for people or for programs.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;

use super::DemoError;
use crate::output::{Output, Paint};

/// A step of the story.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Step<'a> {
    /// It begins.
    Begins { stores: String },
    /// A part begins.
    Part { title: &'static str },
    /// Somebody has begun the room.
    Opened { person: &'static str, process: Option<u32>, endpoint: String },
    /// Somebody has joined it, with an empty store.
    Joined { person: &'static str, process: Option<u32>, seconds: f64 },
    /// Somebody has said something: it is durable with them, and with those whom it has reached.
    Said { person: &'static str, text: &'static str, reached: Vec<&'static str>, seconds: f64 },
    /// All have all.
    Agreed { messages: usize },
    /// Somebody is killed.
    Killed { person: &'static str },
    /// Somebody goes on without a network.
    Offline { person: &'static str, messages: usize },
    /// The stores differ.
    Diverged { online: usize, offline: usize, all: usize },
    /// Somebody has a network again.
    Online { person: &'static str },
    /// What it took until they had the same again.
    Reunited { person: &'static str, ops_received: u64, ops_sent: u64, bytes: u64, seconds: f64 },
    /// What a store holds.
    Checked { person: &'static str, messages: usize, ops: u64, heads: Vec<String> },
    /// A message that all have.
    Reads { person: Option<&'a str>, text: &'a str },
    /// It ends well.
    Finished { equal: bool, seconds: f64 },
}

/// Shows the steps.
pub(super) struct Report {
    output: Output,
    /// Before somebody says something: people who watch want to read along.
    pace: Duration,
}

/// Who is in the story, in the order of their colours.
const PEOPLE: [&str; 3] = ["Ana", "Ben", "Cleo"];
/// Columns that a name takes.
const NAME_COLUMNS: usize = 6;
/// Columns of what is said to be done, before a note.
const TEXT_COLUMNS: usize = 43;

impl Report {
    pub(super) fn new(output: Output) -> Self {
        let watched = !output.is_json() && std::io::stdout().is_terminal();
        Self { output, pace: if watched { Duration::from_millis(400) } else { Duration::ZERO } }
    }

    /// Leaves people the time to read.
    pub(super) async fn breathe(&self) {
        tokio::time::sleep(self.pace).await;
    }

    /// Shows a step.
    ///
    /// # Errors
    /// If nobody reads it.
    pub(super) fn step(&self, step: &Step<'_>) -> Result<(), DemoError> {
        let written = match self.output.is_json() {
            true => self.output.json(step),
            false => self.output.line(&self.text(step)),
        };
        written.map_err(DemoError::Output)
    }

    fn text(&self, step: &Step<'_>) -> String {
        match step {
            Step::Begins { stores } => format!(
                "Three people share a chat room over QUIC. There is no server: each of the three is a\n\
                 process with a store of its own, below {stores}.",
            ),
            Step::Part { title } => format!("\n{}", self.output.paint(Paint::Bold, title)),
            Step::Opened { person, endpoint, .. } => self.does(person, "opens a room", &format!("at {endpoint}")),
            Step::Joined { person, seconds, .. } => {
                self.does(person, "joins it from an empty store", &format!("in {}", took(*seconds)))
            }
            Step::Said { person, text, reached, seconds } => {
                let note = match reached.as_slice() {
                    [] => "reaches nobody yet".to_owned(),
                    others => format!("reaches {} in {}", others.join(" and "), took(*seconds)),
                };
                self.does(person, &format!("“{text}”"), &note)
            }
            Step::Agreed { messages } => self.together(&format!("All three have all {messages} messages"), ""),
            Step::Killed { person } => self.does(person, "is cut off: his process is killed (kill -9)", ""),
            Step::Offline { person, messages } => {
                self.does(person, "starts again, with no network", &format!("has all {messages} messages"))
            }
            Step::Diverged { online, offline, all } => {
                let text = format!("Ana and Cleo have {online} messages, Ben has {offline}");
                self.together(&text, &format!("diverged: there are {all}"))
            }
            Step::Online { person } => self.does(person, "has a network again", ""),
            Step::Reunited { ops_received, ops_sent, bytes, seconds, .. } => {
                let ops = format!("{ops_received} ops went to Ben, {ops_sent} came from him");
                let bytes = format!("{} on the wire, two handshakes included", size(*bytes));
                format!("{}\n{}", self.together(&ops, &format!("in {}", took(*seconds))), self.together(&bytes, ""))
            }
            Step::Checked { person, messages, ops, heads } => {
                let text = format!("{messages} messages, {ops} ops, frontier {}", short(heads));
                self.does(person, &text, "")
            }
            Step::Reads { person, text } => self.does(person.unwrap_or("?"), text, ""),
            Step::Finished { seconds, .. } => format!(
                "\n{} The three stores are equal: same frontier, same messages, same order ({seconds:.1} s).\n\n\
                 A room of your own, and then, with the address that it prints, here or on another machine:\n  \
                 {program} chat new --store ana --name Ana\n  {program} chat join ADDRESS --store ben --name Ben",
                self.output.paint(Paint::Green, "✓"),
                program = program(),
            ),
        }
    }

    /// A line about one of them.
    fn does(&self, person: &str, text: &str, note: &str) -> String {
        let colour = PEOPLE.iter().position(|name| *name == person).unwrap_or_default();
        let name = self.output.paint(Paint::Person(colour as u8), person);
        // Padded by hand: colours take no columns.
        let gap = " ".repeat(NAME_COLUMNS.saturating_sub(person.chars().count()));
        self.with_note(&format!("  {name}{gap}"), text, note)
    }

    /// A line about all of them.
    fn together(&self, text: &str, note: &str) -> String {
        let mark = self.output.paint(Paint::Dim, "→");
        self.with_note(&format!("  {mark}{}", " ".repeat(NAME_COLUMNS - 1)), text, note)
    }

    fn with_note(&self, start: &str, text: &str, note: &str) -> String {
        if note.is_empty() {
            return format!("{start}{text}");
        }
        let gap = " ".repeat(TEXT_COLUMNS.saturating_sub(text.chars().count()));
        format!("{start}{text}{gap}  {}", self.output.paint(Paint::Dim, note))
    }
}

/// What this program was started as.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "hhs".to_owned())
}

fn took(seconds: f64) -> String {
    format!("{:.0} ms", (seconds * 1000.0).max(1.0))
}

fn size(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

/// The ends of the heads' ids; the beginnings are all alike.
fn short(heads: &[String]) -> String {
    let ends: Vec<String> = heads.iter().map(|head| format!("…{}", &head[head.len().saturating_sub(8)..])).collect();
    ends.join(" ")
}
