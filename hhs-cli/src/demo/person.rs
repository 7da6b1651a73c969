//! One of the three: a process of this program, its events, and what it was seen to have.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::DemoError;
use crate::chat::{Event, Totals};

/// Somebody, and the process that they sit at.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) directory: PathBuf,
    program: PathBuf,
    process: Option<Process>,
    /// The messages that the process has said to have, durably.
    seen: BTreeSet<String>,
    offline: bool,
    /// What has moved to and from the process that runs now, when it was last in sync.
    pub(super) totals: Totals,
}

struct Process {
    child: Child,
    input: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    errors: ChildStderr,
}

/// How long anything may take that takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes that are shown of what a process has said on standard error.
const MOST_SAID: u64 = 4096;

impl Person {
    pub(super) fn new(name: &'static str, program: &Path, home: &Path) -> Self {
        let directory = home.join(name.to_lowercase());
        let (process, seen, offline, totals) = Default::default();
        Self { name, directory, program: program.to_owned(), process, seen, offline, totals }
    }

    /// Starts a process of theirs: `hhs chat …`.
    pub(super) fn start(&mut self, arguments: &[&str]) -> Result<(), DemoError> {
        let (person, failed) = (self.name, self.failed());
        let mut command = Command::new(&self.program);
        command.arg("chat").args(arguments).arg("--json").arg("--store").arg(&self.directory);
        // It ends when its input does: also if this process is killed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            unreachable!("the pipes of {person} were asked for just now")
        };
        (self.totals, self.offline) = (Totals::default(), false);
        self.seen.clear();
        self.process = Some(Process { child, input, events: BufReader::new(output).lines(), errors });
        Ok(())
    }

    /// The system's number of the process.
    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().and_then(|process| process.child.id())
    }

    /// Types a line.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), DemoError> {
        let failed = self.failed();
        let line = format!("{text}\n");
        self.running().input.write_all(line.as_bytes()).await.map_err(failed)
    }

    /// Waits for an event; `awaited` says for which, for people.
    pub(super) async fn until<T>(
        &mut self,
        awaited: &'static str,
        mut look: impl FnMut(&Self, Event) -> Option<T>,
    ) -> Result<T, DemoError> {
        let found = timeout(PATIENCE, async {
            loop {
                let event = self.next_event(awaited).await?;
                if let Some(found) = look(self, event) {
                    return Ok(found);
                }
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_elapsed) => {
                let said = self.kill().await?;
                Err(DemoError::Late { person: self.name, awaited, within: PATIENCE, said })
            }
        }
    }

    /// Waits until they have a message.
    pub(super) async fn until_seen(&mut self, message: &str) -> Result<(), DemoError> {
        if self.seen.contains(message) {
            return Ok(());
        }
        self.until("a message of another has come", |person, _| person.seen.contains(message).then_some(())).await
    }

    /// Waits until they have these messages, and a peer of theirs has what they have.
    pub(super) async fn until_in_sync(&mut self, messages: &BTreeSet<String>) -> Result<(), DemoError> {
        self.until("all messages are here, and in sync", |person, event| {
            (matches!(event, Event::InSync { .. }) && messages.is_subset(&person.seen)).then_some(())
        })
        .await
    }

    /// The messages that they have.
    pub(super) fn seen(&self) -> &BTreeSet<String> {
        &self.seen
    }

    /// Whether they have no network.
    pub(super) fn is_offline(&self) -> bool {
        self.offline
    }

    /// Kills the process: no warning, nothing cleaned up. Returns what it has said on standard error.
    pub(super) async fn kill(&mut self) -> Result<String, DemoError> {
        let failed = self.failed();
        let Some(mut process) = self.process.take() else { return Ok(String::new()) };
        process.child.kill().await.map_err(failed)?;
        Ok(said(process.errors).await)
    }

    /// Ends the input, and waits until the process has ended in good order.
    pub(super) async fn leave(&mut self) -> Result<(), DemoError> {
        let (person, failed, awaited) = (self.name, self.failed(), "it ended in good order");
        let Some(process) = self.process.take() else { return Ok(()) };
        let Process { mut child, input, mut events, errors } = process;
        drop(input);
        let end = timeout(PATIENCE, async {
            while events.next_line().await?.is_some() {}
            child.wait().await
        });
        match end.await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(DemoError::Ended { person, awaited, status, said: said(errors).await }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_elapsed) => Err(DemoError::Late { person, awaited, within: PATIENCE, said: String::new() }),
        }
    }

    async fn next_event(&mut self, awaited: &'static str) -> Result<Event, DemoError> {
        let (person, failed) = (self.name, self.failed());
        let Some(line) = self.running().events.next_line().await.map_err(&failed)? else {
            let status = self.running().child.wait().await.map_err(&failed)?;
            let said = self.kill().await?;
            return Err(DemoError::Ended { person, awaited, status, said });
        };
        let event: Event = serde_json::from_str(&line).map_err(|_| DemoError::Garbled { person, line })?;
        match &event {
            Event::Message(message) => drop(self.seen.insert(message.id.clone())),
            Event::InSync { totals, .. } => self.totals = *totals,
            Event::Offline => self.offline = true,
            _ => {}
        }
        Ok(event)
    }

    fn running(&mut self) -> &mut Process {
        self.process.as_mut().expect("the story starts a process before it uses it")
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> DemoError + use<> {
        let person = self.name;
        move |source| DemoError::Process { person, source }
    }
}

/// What a process that has ended has said on standard error.
async fn said(errors: ChildStderr) -> String {
    let mut text = Vec::new();
    // What cannot be read is not there.
    errors.take(MOST_SAID).read_to_end(&mut text).await.ok();
    String::from_utf8_lossy(&text).into_owned()
}
