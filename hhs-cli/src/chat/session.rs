//! A conversation: what is typed goes into the room, what comes is shown, until the input or the person ends it.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use hhs::mesh::{self, PeerAddress};
use hhs::model::OpId;
use hhs::model::class::{Action, Change};
use hhs::prelude::Space;
use hhs::spaces::SpaceError;
use hhs::store::Committed;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::ChatError;
use super::event::{Event, MessageLine, Moved};
use super::input::{self, InputError};
use super::log;
use super::people::People;
use super::room::{Message, Room};
use super::show::Show;
use crate::endpoint::reachable;
use crate::output::Output;
use crate::signals::Signals;

/// How a conversation goes.
pub(super) struct Settings {
    pub(super) output: Output,
    /// Whether it goes on after the end of input.
    pub(super) stay: bool,
    /// How long the end waits for being let in.
    pub(super) patience: Duration,
    /// Whether nobody is to be connected.
    pub(super) offline: bool,
    /// Whether we have just joined.
    pub(super) joined: bool,
    /// Where everything is kept.
    pub(super) directory: String,
}

/// A conversation.
pub(super) struct Session {
    space: Space<Room>,
    settings: Settings,
    show: Show,
    people: People,
    changes: UnboundedReceiver<Change>,
    /// The op that the last change was of, and how many messages of it were shown.
    shown: Option<(OpId, u32)>,
    events: UnboundedReceiver<mesh::Event>,
    commits: UnboundedReceiver<Committed>,
    fetched: u64,
    unreachable: BTreeSet<PeerAddress>,
    /// How many of the ops that are here somebody else is known to have.
    delivered: u64,
    /// What was written last.
    written: Option<OpId>,
    /// `None` once it has ended.
    input: Option<mpsc::Receiver<Result<String, InputError>>>,
    input_error: Option<InputError>,
    /// Lines that are to be written.
    waiting: VecDeque<String>,
    /// Whether a member has let us in.
    writable: bool,
    ending: Ending,
    signals: Signals,
}

/// How far the end has come.
enum Ending {
    /// It goes on.
    Not,
    /// The input has ended, and what is left of it cannot be written until somebody lets us in.
    LetIn(Instant),
    /// All is written. What we have, this many ops, is given a moment to reach somebody; and what is new, to reach us.
    Deliver(Instant, u64),
}

/// Becomes ready when we may write.
type Granted = Pin<Box<dyn Future<Output = Result<(), SpaceError>> + Send>>;

/// Lines that may wait to be written: more are left in the pipe that they come from.
const MOST_WAITING: usize = 1024;
/// How long the end of input waits for somebody to have what was written.
const DELIVER_WITHIN: Duration = Duration::from_secs(2);

impl Session {
    /// Shows what is there and converses until the end.
    pub(super) async fn run(
        space: Space<Room>,
        settings: Settings,
        events: UnboundedReceiver<mesh::Event>,
        moved: Option<Event>,
    ) -> Result<(), ChatError> {
        let mut session = Self::new(space, settings, events, moved).await?;
        let done = session.converse().await;
        let done = match done {
            // Whoever should read it has gone.
            Err(ChatError::Output(_)) => done,
            done => done.and(session.show_what_came().await),
        };
        let node = session.space.node().clone();
        tokio::select! {
            () = node.stop() => {}
            // Whoever asks twice has no time.
            () = session.signals.next() => {}
        }
        let stopped = session.stopped().await;
        done.and_then(|()| session.tell(&stopped?, true))
    }

    async fn new(
        space: Space<Room>,
        settings: Settings,
        events: UnboundedReceiver<mesh::Event>,
        moved: Option<Event>,
    ) -> Result<Self, ChatError> {
        let signals = Signals::new().map_err(ChatError::Signals)?;
        let node = space.node();
        let commits = node.store().watch();
        let writable = space.is_writable().await?;
        let (old, changes) = space.live().read_and_watch(log::entries);
        let mut people = People::new(node.store().clone());
        let old = log::lines(old, &mut people).await?;
        let show = Show::new(settings.output);
        let mut session = Self {
            space,
            settings,
            show,
            people,
            changes,
            shown: None,
            events,
            commits,
            fetched: 0,
            unreachable: BTreeSet::new(),
            delivered: 0,
            written: None,
            input: Some(input::lines()),
            input_error: None,
            waiting: VecDeque::new(),
            writable,
            ending: Ending::Not,
            signals,
        };
        session.introduce(moved, old).await?;
        Ok(session)
    }

    /// Says where we are, and what there is already.
    async fn introduce(&mut self, moved: Option<Event>, old: Vec<MessageLine>) -> Result<(), ChatError> {
        let name = self.space.node().author().identity().name().unwrap_or_default().to_owned();
        self.show.introduction(&name, &self.settings.directory).map_err(ChatError::Output)?;
        if let Some(moved) = moved {
            self.tell(&moved, true)?;
        }
        let place = match self.settings.offline {
            true => Event::Offline,
            false => {
                let mut address = self.space.invite().await?;
                address.peer.endpoint = reachable(&address.peer.endpoint);
                Event::Listening { address: address.to_string() }
            }
        };
        self.tell(&place, true)?;
        if self.settings.joined && self.writable {
            self.tell(&Event::Joined, true)?;
        }
        old.into_iter().try_for_each(|message| self.tell(&Event::Message(message), true))
    }

    async fn converse(&mut self) -> Result<(), ChatError> {
        let waiting_for = self.space.clone();
        let mut granted: Granted = Box::pin(async move { waiting_for.writable().await });
        loop {
            let deadline = self.ending.deadline();
            tokio::select! {
                biased;
                () = self.signals.next() => return self.not_written(),
                Some(change) = self.changes.next() => self.changed(change).await?,
                Some(event) = self.events.next() => self.happened(event).await?,
                done = &mut granted, if !self.writable => {
                    done?;
                    self.writable = true;
                    self.tell(&Event::Joined, true)?;
                }
                () = std::future::ready(()), if self.writable && !self.waiting.is_empty() => self.write().await?,
                line = next_line(&mut self.input), if self.waiting.len() < MOST_WAITING => self.typed(line),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return self.not_written();
                }
            }
            if self.has_ended().await? {
                return self.input_error.take().map_or(Ok(()), |error| Err(error.into()));
            }
        }
    }

    /// Takes in a line of the input, or its end.
    fn typed(&mut self, line: Option<Result<String, InputError>>) {
        match line {
            Some(Ok(text)) => {
                self.waiting.push_back(text);
                self.show.typed();
            }
            Some(Err(error)) => (self.input, self.input_error) = (None, Some(error)),
            None => self.input = None,
        }
    }

    /// Writes the line that has waited longest. It is shown when it comes back as a change, durable.
    async fn write(&mut self) -> Result<(), ChatError> {
        if let Some(text) = self.waiting.pop_front() {
            self.written = self.space.update(|edit| edit.messages.append(Message { text })).await?;
        }
        Ok(())
    }

    /// Whether the input has ended and everything after it is done; or it has taken long enough.
    async fn has_ended(&mut self) -> Result<bool, ChatError> {
        if self.input.is_some() || (self.settings.stay && self.input_error.is_none()) {
            return Ok(false);
        }
        if !self.waiting.is_empty() {
            if let (false, Ending::Not) = (self.writable, &self.ending) {
                self.ending = Ending::LetIn(Instant::now() + self.settings.patience);
            }
            return Ok(false);
        }
        if let Ending::Not | Ending::LetIn(_) = self.ending {
            let ops = self.space.node().store().count(self.space.id()).await?;
            self.ending = Ending::Deliver(Instant::now() + DELIVER_WITHIN, ops);
            if self.written.is_none() && self.show.is_interactive() {
                // Who only looks on need not wait for others.
                return Ok(true);
            }
        }
        let Ending::Deliver(_, ops) = self.ending else { return Ok(false) };
        Ok(self.delivered >= ops || !self.somebody_may_come().await?)
    }

    async fn somebody_may_come(&self) -> Result<bool, ChatError> {
        if self.settings.offline {
            return Ok(false);
        }
        Ok(self.people.anybody() || !self.space.known_peers().await?.is_empty())
    }

    /// The end, with or without having written everything.
    fn not_written(&mut self) -> Result<(), ChatError> {
        match (self.waiting.len(), self.input_error.take()) {
            (0, None) => Ok(()),
            (0, Some(error)) => Err(error.into()),
            (count, _) => Err(ChatError::NotWritten { count }),
        }
    }

    /// Shows a change of the room, if it is a message.
    async fn changed(&mut self, change: Change) -> Result<(), ChatError> {
        let (Some("messages"), Action::Inserted { value }) = (change.field(), &change.action) else { return Ok(()) };
        // The room has decoded it before.
        let Ok(Message { text }) = value.to() else { return Ok(()) };
        let index = match self.shown {
            Some((op, count)) if op == change.op => count,
            _ => 0,
        };
        self.shown = Some((change.op, index + 1));
        let name = self.people.name(change.author).await?;
        let message = MessageLine::new(change.op, index, change.author, name, text);
        match self.written == Some(change.op) {
            true => self.show.own_message(message).map_err(ChatError::Output),
            false => self.tell(&Event::Message(message), true),
        }
    }

    /// Shows the changes that have come and were not shown yet.
    async fn show_what_came(&mut self) -> Result<(), ChatError> {
        while let Ok(change) = self.changes.try_recv() {
            self.changed(change).await?;
        }
        Ok(())
    }

    /// Shows what happens between us and others.
    async fn happened(&mut self, event: mesh::Event) -> Result<(), ChatError> {
        match event {
            mesh::Event::PeerConnected { connection, identity, .. } => {
                self.unreachable.retain(|address| address.identity != identity);
                if self.people.came(identity, connection) {
                    let name = self.people.name(identity).await?;
                    self.tell(&Event::PeerConnected { identity: identity.to_string(), name }, true)?;
                }
            }
            mesh::Event::PeerDisconnected { connection, identity, reason } => {
                if self.people.went(identity, connection) {
                    let (news, name) = (self.people.part(identity), self.people.name(identity).await?);
                    let identity = identity.to_string();
                    self.tell(&Event::PeerDisconnected { identity, name, reason }, news)?;
                }
            }
            mesh::Event::InSync { peer, ops, .. } => {
                self.delivered = self.delivered.max(ops);
                let (news, name) = (self.people.greet(peer), self.people.name(peer).await?);
                let moved = self.moved();
                self.tell(&Event::InSync { peer: peer.to_string(), name, ops, moved }, news)?;
            }
            mesh::Event::DialFailed { address, reason, .. } => {
                let (text, name) = (address.to_string(), self.people.name(address.identity).await?);
                if self.unreachable.insert(address) {
                    self.tell(&Event::Unreachable { address: text, name, reason }, true)?;
                }
            }
            mesh::Event::Misbehaved { identity, reason } => {
                let identity = identity.map(|identity| identity.to_string());
                self.tell(&Event::Misbehaved { identity, reason }, true)?;
            }
            mesh::Event::StoreFailed { reason } => self.tell(&Event::Failed { reason }, true)?,
            // What comes of these is told as messages, and as being in sync.
            mesh::Event::AddressLearned { .. }
            | mesh::Event::Arrived { .. }
            | mesh::Event::Fetched { .. }
            | mesh::Event::NotShared { .. }
            | mesh::Event::JoinRequested { .. }
            | mesh::Event::JoinAnswered { .. } => {}
        }
        Ok(())
    }

    async fn stopped(&mut self) -> Result<Event, ChatError> {
        let ops = self.space.node().store().count(self.space.id()).await?;
        Ok(Event::Stopped { ops, moved: self.moved() })
    }

    fn moved(&mut self) -> Moved {
        while let Ok(committed) = self.commits.try_recv() {
            if !committed.local && committed.replica == self.space.id() {
                self.fetched += committed.added;
            }
        }
        let traffic = self.space.node().mesh().traffic();
        Moved { fetched: self.fetched, bytes_sent: traffic.sent, bytes_received: traffic.received }
    }

    fn tell(&self, event: &Event, news: bool) -> Result<(), ChatError> {
        self.show.event(event, news).map_err(ChatError::Output)
    }
}

impl Ending {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Not => None,
            Self::LetIn(deadline) | Self::Deliver(deadline, _) => Some(*deadline),
        }
    }
}

/// The next line of the input, or its end; waits for ever after that.
async fn next_line(
    input: &mut Option<mpsc::Receiver<Result<String, InputError>>>,
) -> Option<Result<String, InputError>> {
    match input {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}
