//! The story, step by step.

use std::collections::BTreeSet;
use std::time::Duration;

use hhs::Tokio;
use hhs::prelude::Runtime;
use tempfile::TempDir;
use url::Url;

use super::person::Person;
use super::report::{Report, Step};
use super::{DemoError, check};
use crate::chat::Event;
use crate::output::Output;

/// The people and what has been said so far.
struct Story {
    report: Report,
    clock: Tokio,
    ana: Person,
    ben: Person,
    cleo: Person,
    address: String,
    /// The ids of all messages.
    said: BTreeSet<String>,
    /// Their stores. Last, so that it is removed after the processes have ended.
    _stores: TempDir,
}

#[derive(Clone, Copy)]
enum Who {
    Ana,
    Ben,
    Cleo,
}

/// Where everybody listens: this machine alone, and any port.
const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Tells the story.
///
/// # Errors
/// What goes wrong, the stores being unequal in the end included.
pub(super) async fn tell(output: Output) -> Result<(), DemoError> {
    let mut story = Story::new(Report::new(output))?;
    story.meet().await?;
    story.part().await?;
    story.reunite().await?;
    story.compare().await
}

impl Story {
    fn new(report: Report) -> Result<Self, DemoError> {
        let program = std::env::current_exe().map_err(DemoError::Program)?;
        let stores = tempfile::Builder::new().prefix("hhs-demo-").tempdir().map_err(DemoError::Temporary)?;
        report.step(&Step::Begins { stores: stores.path().display().to_string() })?;
        let person = |name| Person::new(name, &program, stores.path());
        let (ana, ben, cleo) = (person("Ana"), person("Ben"), person("Cleo"));
        let (address, said) = Default::default();
        Ok(Self { report, clock: Tokio::new(), ana, ben, cleo, address, said, _stores: stores })
    }

    /// They meet and talk.
    async fn meet(&mut self) -> Result<(), DemoError> {
        self.report.step(&Step::Part { title: "They meet" })?;
        self.ana.start(&["new", "--name", "Ana", LISTEN[0], LISTEN[1]])?;
        self.address = self.ana.until("the room is open", |_, event| listening(event)).await?;
        let endpoint = self.address.parse().map(|url: Url| url.authority().to_owned()).unwrap_or_default();
        self.report.step(&Step::Opened { person: "Ana", process: self.ana.process_id(), endpoint })?;
        for who in [Who::Ben, Who::Cleo] {
            self.join(who).await?;
        }
        self.say(Who::Ana, "Shall we go for a hike on Sunday?").await?;
        self.say(Who::Ben, "Yes! The trail by the lake?").await?;
        self.say(Who::Cleo, "I am in, and I have a map.").await?;
        self.agree().await
    }

    async fn join(&mut self, who: Who) -> Result<(), DemoError> {
        let start = self.clock.elapsed();
        let address = self.address.clone();
        let person = self.person(who);
        person.start(&["join", &address, "--name", person.name, LISTEN[0], LISTEN[1]])?;
        person.until("the room was joined", |_, event| (event == Event::Joined).then_some(())).await?;
        let (person, process) = (person.name, person.process_id());
        self.report.step(&Step::Joined { person, process, seconds: self.since(start) })
    }

    /// Ben is cut off, and everybody goes on.
    async fn part(&mut self) -> Result<(), DemoError> {
        self.report.breathe().await;
        self.report.step(&Step::Part { title: "Ben is cut off" })?;
        self.ben.kill().await?;
        self.report.step(&Step::Killed { person: "Ben" })?;
        self.report.breathe().await;
        self.ben.start(&["open", "--offline"])?;
        let all = self.said.len();
        self.ben.until("everything is still there", |ben, _| (ben.seen().len() == all).then_some(())).await?;
        self.report.step(&Step::Offline { person: "Ben", messages: all })?;

        let before = self.said.clone();
        self.say(Who::Ana, "The trail by the lake is closed, I read.").await?;
        self.say(Who::Ben, "I am on a train, and will bring bread.").await?;
        self.say(Who::Cleo, "Then up to the old mill?").await?;
        self.say(Who::Ben, "And cheese, if the shop is open.").await?;
        self.say(Who::Ana, "The old mill, at nine!").await?;
        let online: BTreeSet<String> = self.said.difference(self.ben.seen()).chain(&before).cloned().collect();
        self.ana.until_in_sync(&online).await?;
        self.cleo.until_in_sync(&online).await?;
        let (online, offline) = (self.ana.seen().len(), self.ben.seen().len());
        self.report.step(&Step::Diverged { online, offline, all: self.said.len() })
    }

    /// Ben comes back, and they agree again.
    async fn reunite(&mut self) -> Result<(), DemoError> {
        self.report.breathe().await;
        self.report.step(&Step::Part { title: "Ben is back" })?;
        self.ben.leave().await?;
        let before = self.ana.totals.fetched;
        let start = self.clock.elapsed();
        self.ben.start(&["open", LISTEN[0], LISTEN[1]])?;
        self.report.step(&Step::Online { person: "Ben" })?;
        self.all_in_sync().await?;
        let seconds = self.since(start);
        let totals = self.ben.totals;
        self.report.step(&Step::Reunited {
            person: "Ben",
            ops_received: totals.fetched,
            ops_sent: self.ana.totals.fetched.saturating_sub(before),
            bytes: totals.bytes_sent + totals.bytes_received,
            seconds,
        })?;
        self.say(Who::Ben, "The old mill it is. See you at nine!").await?;
        self.agree().await
    }

    /// They end, and their stores are compared.
    async fn compare(mut self) -> Result<(), DemoError> {
        self.report.breathe().await;
        self.report.step(&Step::Part { title: "The three processes end, and their stores are compared" })?;
        let (ana, ben, cleo) = (&mut self.ana, &mut self.ben, &mut self.cleo);
        tokio::try_join!(ana.leave(), ben.leave(), cleo.leave())?;
        let stores = [&self.ana, &self.ben, &self.cleo].map(|person| (person.name, person.directory.as_path()));
        let messages = check::compare(stores, self.said.len(), &self.report).await?;
        self.report.step(&Step::Part { title: "The room, as all three read it" })?;
        for message in &messages {
            self.report.step(&Step::Reads { person: message.name.as_deref(), text: &message.text })?;
        }
        self.report.step(&Step::Finished { equal: true, seconds: self.since(Duration::ZERO) })
    }

    /// Somebody says something, and whoever is connected gets it.
    async fn say(&mut self, who: Who, text: &'static str) -> Result<(), DemoError> {
        self.report.breathe().await;
        let start = self.clock.elapsed();
        let person = self.person(who);
        person.say(text).await?;
        let id = person.until("what was said is durable", |_, event| own(event, text)).await?;
        let (person, offline) = (person.name, person.is_offline());
        self.said.insert(id.clone());
        let mut reached = Vec::new();
        if !offline {
            for other in [&mut self.ana, &mut self.ben, &mut self.cleo] {
                if other.name != person && !other.is_offline() {
                    other.until_seen(&id).await?;
                    reached.push(other.name);
                }
            }
        }
        self.report.step(&Step::Said { person, text, reached, seconds: self.since(start) })
    }

    /// Waits until all have all.
    async fn agree(&mut self) -> Result<(), DemoError> {
        self.all_in_sync().await?;
        self.report.step(&Step::Agreed { messages: self.said.len() })
    }

    async fn all_in_sync(&mut self) -> Result<(), DemoError> {
        for person in [&mut self.ana, &mut self.ben, &mut self.cleo] {
            person.until_in_sync(&self.said).await?;
        }
        Ok(())
    }

    fn person(&mut self, who: Who) -> &mut Person {
        match who {
            Who::Ana => &mut self.ana,
            Who::Ben => &mut self.ben,
            Who::Cleo => &mut self.cleo,
        }
    }

    fn since(&self, start: Duration) -> f64 {
        // To the millisecond.
        ((self.clock.elapsed() - start).as_secs_f64() * 1000.0).round() / 1000.0
    }
}

fn listening(event: Event) -> Option<String> {
    match event {
        Event::Listening { address } => Some(address),
        _ => None,
    }
}

/// The id of a message with this text.
fn own(event: Event, text: &str) -> Option<String> {
    match event {
        Event::Message(message) if message.text == text => Some(message.id),
        _ => None,
    }
}
