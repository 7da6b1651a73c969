//! Connections coming and going: who is there, which replicas we share with them, and who has to leave.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hhs_model::{Bytes, IdentityId, PublicKey, ReplicaId};
use url::Url;

use super::{Connection, Core};
use crate::proto::group::{MAX_ADDRESS_BYTES, MAX_ADDRESSES};
use crate::proto::hello::{self, HelloError, VERSION};
use crate::proto::io::{ConnectionId, Event, Output, PeerAddress};
use crate::proto::{Message, admission, gossip, group};

impl Core {
    pub(super) fn connected(
        &mut self,
        connection: ConnectionId,
        dialled: Option<PeerAddress>,
        proven: PublicKey,
        remote: Url,
        now: Duration,
    ) {
        if !self.make_room(dialled.is_some(), now) {
            if let Some(address) = &dialled {
                self.group.failed(&self.config, address, Duration::ZERO, now);
            }
            self.outputs.push(Output::Close { connection, reason: "too many connections".into() });
            return;
        }
        let state = Connection {
            dialled,
            proven,
            remote,
            hello_by: now + self.config.hello_within,
            peer: None,
            since: now,
            sent: Arc::default(),
            asked: BTreeSet::new(),
            introduced: BTreeSet::new(),
            declined: BTreeSet::new(),
            join_again: BTreeSet::new(),
            waiting: BTreeSet::new(),
            given_up: BTreeSet::new(),
            joining: BTreeSet::new(),
        };
        self.connections.insert(connection, state);
        let message = hello::Message {
            version: VERSION,
            identity: Bytes(self.identity_bytes.clone()),
            instance: Bytes(self.config.instance.to_vec()),
            listen: self.listen.iter().map(Url::to_string).collect(),
        };
        self.send(connection, Message::Hello(message));
    }

    /// Whether there is room for one more connection, for the sake of which one that shares nothing may have to go.
    fn make_room(&mut self, dialled: bool, now: Duration) -> bool {
        let most = self.config.connections;
        let accepted = self.connections.values().filter(|state| state.dialled.is_none()).count();
        if self.connections.len() < most && (dialled || accepted < most - most / 4) {
            return true;
        }
        let settled = |state: &Connection| state.since + self.config.hello_within <= now;
        let idle = self.connections.iter().find(|(connection, state)| {
            let accepted = state.dialled.is_none() && state.peer.is_some() && settled(state);
            accepted && state.joining.is_empty() && self.gossip.shares_nothing(**connection)
        });
        let Some(connection) = idle.map(|(connection, _)| *connection) else { return false };
        self.close(connection, "it shares nothing with us, and others need its place", now);
        true
    }

    pub(super) fn hello(&mut self, connection: ConnectionId, message: hello::Message, now: Duration) {
        let Some(state) = self.connections.get(&connection) else { return };
        let dialled = state.dialled.clone();
        let expected = dialled.as_ref().map(|address| address.identity);
        let known = match hello::check(message, state.proven, expected, &state.remote) {
            Ok(known) => known,
            Err(error @ HelloError::WrongIdentity { .. }) => return self.not_who_was_expected(connection, &error, now),
            Err(error @ HelloError::Version(_)) => return self.not_understood(connection, &error, now),
            Err(error) => return self.misbehaved(connection, error.to_string(), now),
        };
        if known.id == self.identity && known.instance == self.config.instance {
            return self.met_ourselves(connection, dialled, now);
        }
        if let Some(address) = &dialled {
            self.group.succeeded(address, now);
        }
        if let Some(loser) = self.duplicate(connection, &known, now) {
            self.close(loser, "we are connected already", now);
            if loser == connection {
                return;
            }
        }
        let identity = known.id;
        if let Some(state) = self.connections.get_mut(&connection) {
            state.peer = Some(known);
            state.since = now;
        }
        self.event(Event::PeerConnected { connection, identity, address: dialled });
        for replica in self.group.replicas_of(identity) {
            self.ask_for(connection, replica);
        }
        self.ask_to_be_let_in(connection, identity, None);
    }

    /// Sends a peer the requests to be let in that are for it, or that for one replica.
    fn ask_to_be_let_in(&mut self, connection: ConnectionId, identity: IdentityId, only: Option<ReplicaId>) {
        for (replica, secret) in self.admission.requests_to(identity) {
            if only.is_none_or(|only| only == replica) {
                let message = admission::Message::Join { replica, secret: Bytes(secret) };
                self.send(connection, Message::Admission(message));
            }
        }
    }

    /// Which of two connections to the same run of the same program has to go, if there are two. Both sides choose alike:
    /// the one that the smaller instance has dialled stays; of two by the same side, that side closes the newer. But who
    /// dials again long after the first was made has lost that one, even if we have not noticed.
    fn duplicate(&self, new: ConnectionId, known: &hello::Known, now: Duration) -> Option<ConnectionId> {
        let same = |state: &Connection| {
            state.peer.as_ref().is_some_and(|peer| peer.id == known.id && peer.instance == known.instance)
        };
        let (old, old_state) = self.connections.iter().find(|(_, state)| same(state))?;
        let crossing = self.config.hello_within * 3;
        if old_state.since + crossing < now {
            return Some(*old);
        }
        let new_is_ours = self.connections.get(&new)?.dialled.is_some();
        let old_is_ours = old_state.dialled.is_some();
        match (new_is_ours, old_is_ours) {
            (true, true) => Some(new),
            (false, false) => None,
            _ => {
                let ours_stays = self.config.instance < known.instance;
                Some(if ours_stays == new_is_ours { *old } else { new })
            }
        }
    }

    fn met_ourselves(&mut self, connection: ConnectionId, dialled: Option<PeerAddress>, now: Duration) {
        let reason = "this is the program itself that asks";
        self.close(connection, reason, now);
        if let Some(address) = dialled {
            self.group.remove(&address);
            self.event(Event::DialFailed { address, reason: reason.into(), wrong_identity: false });
        }
    }

    /// One of the two programs is too old: nobody's fault, but there is nothing to say.
    fn not_understood(&mut self, connection: ConnectionId, error: &HelloError, now: Duration) {
        let reason = error.to_string();
        let dialled = self.connections.get(&connection).and_then(|state| state.dialled.clone());
        self.close(connection, &reason, now);
        if let Some(address) = dialled {
            self.event(Event::DialFailed { address, reason, wrong_identity: false });
        }
    }

    fn not_who_was_expected(&mut self, connection: ConnectionId, error: &HelloError, now: Duration) {
        let reason = error.to_string();
        if let Some(address) = self.connections.remove(&connection).and_then(|state| state.dialled) {
            self.group.failed(&self.config, &address, Duration::ZERO, now);
            self.event(Event::DialFailed { address, reason, wrong_identity: true });
        }
        let reason = "you are not who I was looking for".to_owned();
        self.outputs.push(Output::Close { connection, reason });
    }

    pub(super) fn add_peer(&mut self, replica: ReplicaId, address: &PeerAddress, now: Duration) {
        self.group.add(&self.config, address, replica, true, now);
        for connection in self.connections_of(address.identity) {
            self.ask_for(connection, replica);
        }
    }

    /// Tells a peer that we share a replica, if we do and have not told it.
    pub(super) fn ask_for(&mut self, connection: ConnectionId, replica: ReplicaId) {
        if !self.gossip.shares(replica) {
            return;
        }
        let Some(state) = self.connections.get_mut(&connection) else { return };
        if state.asked.insert(replica) {
            self.send(connection, Message::Gossip(gossip::Message::Open { replica }));
        }
    }

    /// A peer says that it shares a replica which we share.
    pub(super) fn opened(&mut self, connection: ConnectionId, replica: ReplicaId, now: Duration) {
        if !self.gossip.open(replica, connection, now) {
            return;
        }
        self.ask_for(connection, replica);
        for need in self.needs.all(replica) {
            self.ask_for(connection, need);
        }
        self.tell_of_dependents(replica, now);
        let Some(peer) = self.peer(connection).cloned() else { return };
        let again = |state: &mut Connection| state.join_again.remove(&replica);
        if self.connections.get_mut(&connection).is_some_and(again) {
            self.ask_to_be_let_in(connection, peer.id, Some(replica));
        }
        let introduced = |state: &mut Connection| !state.introduced.insert(replica);
        if self.connections.get_mut(&connection).is_none_or(introduced) {
            // Who opens and closes it again and again makes no noise among the others.
            return;
        }
        // Where it has really been reached comes last, as what is learned last is remembered best.
        let dialled = self.connections.get(&connection).and_then(|state| state.dialled.clone());
        for address in peer.addresses.iter().filter(|address| Some(*address) != dialled.as_ref()).chain(&dialled) {
            self.group.add(&self.config, address, replica, false, now);
            self.event(Event::AddressLearned { replica, address: address.clone() });
        }
        self.introduce(connection, &peer, replica);
    }

    /// Tells a new peer of the others, and the others of it.
    fn introduce(&mut self, connection: ConnectionId, newcomer: &hello::Known, replica: ReplicaId) {
        let mut others = Vec::new();
        for other in self.gossip.peers(replica) {
            let Some(peer) = self.peer(other).filter(|peer| other != connection && peer.id != newcomer.id) else {
                continue;
            };
            others.extend(peer.addresses.iter().map(PeerAddress::to_string));
            if !newcomer.addresses.is_empty() {
                let addresses = newcomer.addresses.iter().map(PeerAddress::to_string).collect();
                self.send(other, Message::Group(group::Message::Peers { replica, addresses }));
            }
        }
        others.truncate(MAX_ADDRESSES);
        if !others.is_empty() {
            self.send(connection, Message::Group(group::Message::Peers { replica, addresses: others }));
        }
    }

    pub(super) fn peers_told(
        &mut self,
        connection: ConnectionId,
        replica: ReplicaId,
        addresses: &[String],
        now: Duration,
    ) {
        // Only from those who share it too: others could make us dial anywhere.
        if !self.gossip.is_open(replica, connection) {
            return;
        }
        let addresses = addresses.iter().filter(|address| address.len() <= MAX_ADDRESS_BYTES).take(MAX_ADDRESSES);
        for address in addresses.filter_map(|address| address.parse::<PeerAddress>().ok()) {
            if address.identity != self.identity {
                self.group.add(&self.config, &address, replica, false, now);
                for other in self.connections_of(address.identity) {
                    self.ask_for(other, replica);
                }
            }
        }
    }

    pub(super) fn disconnected(&mut self, connection: ConnectionId, reason: &str, now: Duration) {
        let Some(state) = self.connections.remove(&connection) else { return };
        if let Some(address) = &state.dialled {
            let lasted = if state.peer.is_some() { now.saturating_sub(state.since) } else { Duration::ZERO };
            self.group.failed(&self.config, address, lasted, now);
        }
        self.gossip.forget(connection);
        self.serves.retain(|(of, _), _| *of != connection);
        let fetching: Vec<ReplicaId> =
            self.fetches.values().filter(|fetch| fetch.connection == connection).map(|fetch| fetch.replica).collect();
        for replica in fetching {
            self.fetches.remove(&(replica, connection));
            self.needs.stir(replica);
            self.check_others(replica, now);
        }
        if let Some(peer) = state.peer {
            let reason = reason.to_owned();
            self.event(Event::PeerDisconnected { connection, identity: peer.id, reason });
        }
    }

    /// Ends a connection from our side.
    pub(super) fn close(&mut self, connection: ConnectionId, reason: &str, now: Duration) {
        self.outputs.push(Output::Close { connection, reason: reason.to_owned() });
        self.disconnected(connection, reason, now);
    }

    /// Ends the connection to who does not keep to the protocols, and leaves them alone for a while.
    pub(super) fn misbehaved(&mut self, connection: ConnectionId, reason: String, now: Duration) {
        let Some(state) = self.connections.get(&connection) else { return };
        let identity = state.peer.as_ref().map(|peer| peer.id);
        let expected = state.dialled.as_ref().map(|address| address.identity);
        tracing::warn!(?identity, %reason, "a peer misbehaved");
        self.event(Event::Misbehaved { identity, reason: reason.clone() });
        self.close(connection, &reason, now);
        if let Some(identity) = identity.or(expected) {
            self.group.penalise(identity, now);
        }
    }

    pub(super) fn time_out(&mut self, now: Duration) {
        let silent = self.connections.iter().filter(|(_, state)| state.peer.is_none() && state.hello_by <= now);
        for connection in silent.map(|(connection, _)| *connection).collect::<Vec<_>>() {
            self.close(connection, "no hello in time", now);
        }
        let late = self.fetches.values().filter(|fetch| fetch.waits_for_peer() && fetch.deadline <= now);
        for (replica, connection) in late.map(|fetch| (fetch.replica, fetch.connection)).collect::<Vec<_>>() {
            self.drop_fetch(replica, connection, now);
        }
        let slow = self.fetches.values_mut().filter(|fetch| !fetch.overtaken && !fetch.holds_up_others(now));
        let slow: Vec<ReplicaId> = slow
            .map(|fetch| {
                fetch.overtaken = true;
                fetch.replica
            })
            .collect();
        for replica in slow {
            self.needs.stir(replica);
            self.check_others(replica, now);
        }
    }

    pub(super) fn peer(&self, connection: ConnectionId) -> Option<&hello::Known> {
        self.connections.get(&connection)?.peer.as_ref()
    }

    pub(super) fn connections_of(&self, identity: IdentityId) -> Vec<ConnectionId> {
        let of_identity = |state: &Connection| state.peer.as_ref().is_some_and(|peer| peer.id == identity);
        self.connections.iter().filter(|(_, state)| of_identity(state)).map(|(connection, _)| *connection).collect()
    }

    pub(super) fn connected_identities(&self) -> BTreeSet<IdentityId> {
        self.connections.values().filter_map(|state| state.peer.as_ref()).map(|peer| peer.id).collect()
    }
}
