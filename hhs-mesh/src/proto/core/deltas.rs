//! Fetching: which peer to ask for what, and what to make of the answers.

use std::time::Duration;

use hhs_model::op::Op;
use hhs_model::{Bytes, OpId, ReplicaId};
use hhs_store::{Bundle, SignedOp};

use super::{Core, Pending};
use crate::proto::Message;
use crate::proto::delta::{self, Fetch, FetchStep, Phase, Serve};
use crate::proto::io::{Answer, ConnectionId, Event, Task};

impl Core {
    /// Looks up which of a peer's heads are new, unless something is being fetched already.
    pub(super) fn check_heads(&mut self, replica: ReplicaId, connection: ConnectionId, cause: Option<ConnectionId>) {
        if self.fetches.contains_key(&replica) {
            return;
        }
        let Some(view) = self.gossip.peer(replica, connection).filter(|view| view.unchecked) else { return };
        let ids: Vec<OpId> = view.heads.iter().copied().collect();
        self.gossip.set_unchecked(replica, connection, false);
        let held = self.gossip.held(replica);
        if held.is_some_and(|(frontier, _)| ids.iter().all(|id| frontier.heads.contains(id))) {
            return;
        }
        self.run(cause, Task::Unknown { replica, ids }, Pending::Heads { replica, connection });
    }

    /// Looks at the peers whose heads have not been looked up since something changed.
    pub(super) fn check_others(&mut self, replica: ReplicaId) {
        for connection in self.gossip.unchecked(replica) {
            self.check_heads(replica, connection, None);
        }
    }

    pub(super) fn heads_checked(
        &mut self,
        replica: ReplicaId,
        connection: ConnectionId,
        answer: Answer,
        now: Duration,
    ) {
        let Answer::Unknown(heads) = answer else { return };
        let Some(view) = self.gossip.peer(replica, connection) else { return };
        let held = self.gossip.held(replica);
        if heads.is_empty() && held.is_some() {
            return;
        }
        if self.fetches.contains_key(&replica) {
            // Somebody else was faster; this peer's turn comes when that is done.
            self.gossip.set_unchecked(replica, connection, true);
            return;
        }
        // What we agreed on, and those of its heads that we have, the peer knows for certain; our heads it may know.
        let told = view.heads.iter().filter(|id| heads.binary_search(id).is_err());
        let ours = held.iter().flat_map(|(frontier, _)| frontier.heads.iter());
        let mut have: Vec<OpId> = ours.chain(told).chain(&view.agreed_on).copied().collect();
        have.sort_unstable();
        have.dedup();
        let request = self.next_request;
        self.next_request += 1;
        let deadline = now + self.config.answer_within;
        let fetch = Fetch::new(replica, connection, request, heads, have, held.is_none(), deadline);
        self.send(connection, Message::Delta(fetch.first_want()));
        self.fetches.insert(replica, fetch);
    }

    pub(super) fn delta(&mut self, connection: ConnectionId, message: delta::Message, now: Duration) {
        use delta::Message as M;
        match message {
            M::Want { request, replica, heads, have, list, exact, genesis } => {
                let serve = Serve::new(replica, (!exact).then_some(list), genesis, self.config.window);
                self.wanted(connection, request, serve, heads, have, now);
            }
            M::More { request } => self.more(connection, request),
            M::Cancel { request } => drop(self.serves.remove(&(connection, request))),
            M::Listed { request, known, ids, all } => self.listed(connection, request, known, ids, all, now),
            M::Genesis { request, genesis, identities } => {
                self.genesis_came(connection, request, genesis.0, identities, now);
            }
            M::Batch { request, total, identities, ops, last } => {
                let identities = identities.into_iter().map(|bytes| bytes.0).collect();
                let bundle = Bundle { identities, ops: ops.into_iter().map(SignedOp::from).collect() };
                self.batch_came(connection, request, bundle, (total, last), now);
            }
            M::Unavailable { request, reason } => {
                if let Some(replica) = self.fetch_of(connection, request).map(|fetch| fetch.replica) {
                    tracing::debug!(%reason, "a peer cannot answer");
                    self.drop_fetch(replica, connection);
                }
            }
        }
    }

    fn listed(
        &mut self,
        connection: ConnectionId,
        request: u64,
        known: Vec<OpId>,
        ids: Vec<OpId>,
        all: bool,
        now: Duration,
    ) {
        let Some(fetch) = self.expect(connection, request, now) else { return };
        let replica = fetch.replica;
        let FetchStep::Compare(ids) = fetch.listed(known, ids, all) else { return };
        self.run(Some(connection), Task::Unknown { replica, ids }, Pending::Compare { replica, request });
    }

    pub(super) fn compared(&mut self, replica: ReplicaId, request: u64, answer: Answer, now: Duration) {
        let deadline = now + self.config.answer_within;
        let Some(fetch) = self.fetches.get_mut(&replica).filter(|fetch| fetch.request == request) else { return };
        let connection = fetch.connection;
        let Answer::Unknown(unknown) = answer else { return self.drop_fetch(replica, connection) };
        fetch.deadline = deadline;
        if let FetchStep::Send(message) = fetch.compared(&unknown) {
            self.send(connection, Message::Delta(message));
        }
    }

    fn genesis_came(
        &mut self,
        connection: ConnectionId,
        request: u64,
        genesis: Vec<u8>,
        identities: Vec<Bytes>,
        now: Duration,
    ) {
        let Some(fetch) = self.expect(connection, request, now) else { return };
        if !fetch.awaits_genesis() {
            return self.misbehaved(connection, "it sent a genesis that nobody asked for".into(), now);
        }
        fetch.phase = Phase::Adopting;
        let replica = fetch.replica;
        let identities = identities.into_iter().map(|bytes| bytes.0).collect();
        let task = Task::Adopt { replica, genesis, identities };
        self.run(Some(connection), task, Pending::Receive { replica, request, connection });
    }

    fn batch_came(
        &mut self,
        connection: ConnectionId,
        request: u64,
        bundle: Bundle,
        (total, last): (u64, bool),
        now: Duration,
    ) {
        let asked = request < self.next_request;
        let (most, deadline) = (self.config.largest_batch_accepted(), now + self.config.answer_within);
        let Some(fetch) = self.fetch_of(connection, request) else {
            // What was cancelled may still be on its way, if it was asked for at all.
            if !asked {
                self.misbehaved(connection, "it sent ops that nobody asked for".into(), now);
            }
            return;
        };
        if !fetch.waits_for_peer() || fetch.awaits_genesis() {
            return self.misbehaved(connection, "it sent ops out of turn".into(), now);
        }
        if bundle.ops.len() > most || (bundle.ops.is_empty() && !last) {
            return self.misbehaved(connection, "it sent a batch of a size that is not allowed".into(), now);
        }
        fetch.phase = Phase::Ingesting { last, total };
        fetch.deadline = deadline;
        let replica = fetch.replica;
        for op in &bundle.ops {
            match Op::from_bytes(&op.header) {
                Ok(op) => fetch.note(op.id(), &op.header().parents),
                Err(error) => return self.misbehaved(connection, error.to_string(), now),
            }
        }
        if last && !fetch.hangs_together() {
            return self.misbehaved(connection, "it sent ops that are not below what was asked for".into(), now);
        }
        self.run(Some(connection), Task::Ingest { replica, bundle }, Pending::Receive { replica, request, connection });
    }

    /// A genesis or batch has been taken in, or not.
    pub(super) fn taken_in(
        &mut self,
        replica: ReplicaId,
        request: u64,
        connection: ConnectionId,
        answer: Answer,
        now: Duration,
    ) {
        if let Answer::Refused(reason) = answer {
            return self.misbehaved(connection, reason, now);
        }
        let deadline = now + self.config.answer_within;
        let from = self.peer(connection).map(|peer| peer.id);
        let Some(fetch) = self.fetch_of(connection, request) else { return };
        fetch.deadline = deadline;
        match (fetch.phase, answer) {
            (Phase::Adopting, Answer::Adopted) => {
                fetch.adopted();
                fetch.phase = Phase::Receiving;
                self.event(Event::Arrived { replica });
            }
            (Phase::Ingesting { last, total }, Answer::Ingested(_)) => {
                let ops = fetch.received;
                fetch.phase = Phase::Receiving;
                if let Some(from) = from {
                    self.event(Event::Fetched { replica, from, ops, total, last });
                }
                if last {
                    self.fetches.remove(&replica);
                    self.check_others(replica);
                } else {
                    self.send(connection, Message::Delta(delta::Message::More { request }));
                }
            }
            // The store failed: give up for now, and try again when heads are told again.
            _ => self.drop_fetch(replica, connection),
        }
    }

    /// Gives up fetching from a peer, and asks others.
    pub(super) fn drop_fetch(&mut self, replica: ReplicaId, connection: ConnectionId) {
        let Some(fetch) = self.fetches.get(&replica).filter(|fetch| fetch.connection == connection) else { return };
        let request = fetch.request;
        self.fetches.remove(&replica);
        self.send(connection, Message::Delta(delta::Message::Cancel { request }));
        self.check_others(replica);
    }

    fn fetch_of(&mut self, connection: ConnectionId, request: u64) -> Option<&mut Fetch> {
        self.fetches.values_mut().find(|fetch| fetch.connection == connection && fetch.request == request)
    }

    /// The fetch whose `Want` this is the first answer to. Who answers out of turn has to leave; an answer to what was
    /// given up is passed over.
    fn expect(&mut self, connection: ConnectionId, request: u64, now: Duration) -> Option<&mut Fetch> {
        let deadline = now + self.config.answer_within;
        match self.fetch_of(connection, request).map(|fetch| fetch.phase) {
            Some(Phase::Asked) => {}
            None if request < self.next_request => return None,
            _ => {
                self.misbehaved(connection, "it answered out of turn".into(), now);
                return None;
            }
        }
        let fetch = self.fetch_of(connection, request)?;
        fetch.deadline = deadline;
        Some(fetch)
    }
}
