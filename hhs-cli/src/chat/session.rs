//! A conversation: what is typed goes into the room, what comes is shown, until the input or the person ends it.

mod telling;

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use hhs::mesh::{self, PeerAddress};
use hhs::model::OpId;
use hhs::prelude::Space;
use hhs::spaces::SpaceError;
use hhs::store::{ChangeStream, CommitStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::ChatError;
use super::event::{Event, MessageLine};
use super::input::{self, InputError};
use super::log;
use super::people::People;
use super::room::{Message, Room};
use super::show::Show;
use crate::endpoint::reachable;
use crate::output::Output;
use crate::signals::{self, Signals};

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
    changes: ChangeStream,
    /// The messages that were shown, by op and index within it.
    shown: BTreeSet<(OpId, u32)>,
    events: UnboundedReceiver<mesh::Event>,
    commits: CommitStream,
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
    /// No more of the input can be taken, and what was taken cannot be written until somebody lets us in.
    LetIn(Instant),
    /// All is written. What we have, this many ops, is given a moment to reach somebody; and what is new, to reach us.
    Deliver(Instant, u64),
}

/// Becomes ready when we may write.
type Granted = Pin<Box<dyn Future<Output = Result<(), SpaceError>> + Send>>;

/// Lines that may wait to be written, each at most 1 MiB: more are left in the pipe that they come from.
const MOST_WAITING: usize = 256;
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
        session.space.node().stop().await;
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
        // Whoever asks twice does not want to wait for peers, or for a reader of what we print.
        signals::exit_at_the_second().map_err(ChatError::Signals)?;
        let node = space.node();
        let commits = node.store().watch();
        let writable = space.is_writable().await?;
        let (old, changes) = space.live().read_and_watch(log::entries);
        let mut people = People::new(node.store().clone());
        let shown = old.iter().map(|(op, index, ..)| (*op, *index)).collect();
        let old = log::lines(old, &mut people).await?;
        let show = Show::new(settings.output);
        let mut session = Self {
            space,
            settings,
            show,
            people,
            changes,
            shown,
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
                    self.ending = Ending::Not;
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
        if self.settings.stay && self.input_error.is_none() {
            return Ok(false);
        }
        let no_more = self.input.is_none() || self.waiting.len() >= MOST_WAITING;
        if let (true, false, Ending::Not) = (no_more, self.writable, &self.ending)
            && !self.waiting.is_empty()
        {
            self.ending = Ending::LetIn(Instant::now() + self.settings.patience);
        }
        if self.input.is_some() || !self.waiting.is_empty() {
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
            (count, _) => Err(ChatError::NotWritten { count, more: self.input.is_some() }),
        }
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
