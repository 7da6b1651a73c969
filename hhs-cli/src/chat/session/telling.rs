//! Telling what happens: changes of the room, and what goes on between us and others.

use hhs::mesh;
use hhs::model::class::{Action, Change};
use hhs::store::Lagged;

use super::Session;
use crate::chat::ChatError;
use crate::chat::event::{Event, MessageLine, Totals};
use crate::chat::log;
use crate::chat::room::Message;

impl Session {
    /// Shows a change of the room, if it is a message; or reads the room again, where changes were passed over.
    pub(super) async fn changed(&mut self, change: Result<Change, Lagged>) -> Result<(), ChatError> {
        let Ok(change) = change else { return self.read_again().await };
        let (Some("messages"), Action::Inserted { value }) = (change.field(), &change.action) else { return Ok(()) };
        // The room has decoded it before.
        let Ok(Message { text }) = value.to() else { return Ok(()) };
        let index = self.shown.range((change.op, 0)..=(change.op, u32::MAX)).count() as u32;
        self.shown.insert((change.op, index));
        let name = self.people.name(change.author).await?;
        let message = MessageLine::new(change.op, index, change.author, name, text);
        match self.written == Some(change.op) {
            true => self.show.own_message(message).map_err(ChatError::Output),
            false => self.tell(&Event::Message(message), true),
        }
    }

    /// Shows the messages of the room that were not shown.
    async fn read_again(&mut self) -> Result<(), ChatError> {
        let (entries, changes) = self.space.live().read_and_watch(log::entries);
        self.changes = changes;
        let entries = entries.into_iter().filter(|(op, index, ..)| self.shown.insert((*op, *index))).collect();
        for message in log::lines(entries, &mut self.people).await? {
            self.tell(&Event::Message(message), true)?;
        }
        Ok(())
    }

    /// Shows the changes that have come and were not shown yet.
    pub(super) async fn show_what_came(&mut self) -> Result<(), ChatError> {
        while let Some(change) = self.changes.next_ready() {
            self.changed(change).await?;
        }
        Ok(())
    }

    /// Shows what happens between us and others.
    pub(super) async fn happened(&mut self, event: mesh::Event) -> Result<(), ChatError> {
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
                let totals = self.totals();
                self.tell(&Event::InSync { peer: peer.to_string(), name, ops, totals }, news)?;
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

    /// The last event: what is here, and what has moved.
    pub(super) async fn stopped(&mut self) -> Result<Event, ChatError> {
        let ops = self.space.node().store().count(self.space.id()).await?;
        Ok(Event::Stopped { ops, totals: self.totals() })
    }

    fn totals(&mut self) -> Totals {
        while let Some(committed) = self.commits.next_ready() {
            if committed.replica == self.space.id() {
                self.fetched += committed.added - committed.local;
            }
        }
        let traffic = self.space.node().mesh().traffic();
        Totals { fetched: self.fetched, bytes_sent: traffic.sent, bytes_received: traffic.received }
    }

    /// Tells an event; `news` says whether people want to know it.
    pub(super) fn tell(&self, event: &Event, news: bool) -> Result<(), ChatError> {
        self.show.event(event, news).map_err(ChatError::Output)
    }
}
