//! Fetching: which peer to ask for what, and what to make of the answers.

use std::time::Duration;

use hhs_model::op::Op;
use hhs_model::{Bytes, OpId, ReplicaId};
use hhs_store::{Bundle, SignedOp};

use super::needs::Stage;
use super::serving::plan;
use super::{Core, Pending};
use crate::proto::Message;
use crate::proto::delta::{self, Fetch, Lack, Phase};
use crate::proto::io::{Answer, ConnectionId, Event, Task};

/// Requests given up that are remembered for one connection: what was on its way may still come.
const MAX_GIVEN_UP: usize = 256;

impl Core {
    /// Looks up which of a peer's heads are new, unless that has to wait. True if the store was asked.
    pub(super) fn check_heads(
        &mut self,
        replica: ReplicaId,
        connection: ConnectionId,
        cause: Option<ConnectionId>,
        now: Duration,
    ) -> bool {
        if !self.gossip.is_looked_up(replica) || self.has_to_wait(replica, connection, now) {
            return false;
        }
        let view = self.gossip.peer(replica, connection);
        let Some(view) = view.filter(|view| view.unchecked && view.retry_at.is_none()) else { return false };
        let (has_claimed, ids) =
            (!view.claimed.is_empty(), view.heads.union(&view.claimed).copied().collect::<Vec<_>>());
        if self.waits_for_needs(replica, now) {
            return false;
        }
        self.gossip.set_unchecked(replica, connection, false);
        let held = self.gossip.held(replica);
        if !has_claimed && held.is_some_and(|(frontier, _)| ids.iter().all(|id| frontier.heads.contains(id))) {
            return false;
        }
        let pending = Pending::Heads { replica, connection, ids: ids.clone() };
        self.run(cause, Task::Unknown { replica, ids }, pending);
        true
    }

    /// Looks at the peers whose heads have not been looked up since something changed.
    pub(super) fn check_others(&mut self, replica: ReplicaId, now: Duration) {
        for connection in self.gossip.unchecked(replica) {
            self.check_heads(replica, connection, None, now);
        }
    }

    /// Whether a replica is being fetched from the peer, or from another one that is quick enough.
    fn has_to_wait(&self, replica: ReplicaId, connection: ConnectionId, now: Duration) -> bool {
        self.fetches_of(replica).any(|fetch| fetch.connection == connection || fetch.holds_up_others(now))
    }

    pub(super) fn heads_checked(
        &mut self,
        (replica, connection): (ReplicaId, ConnectionId),
        asked: &[OpId],
        answer: Answer,
        now: Duration,
    ) {
        // Whether it is asked now or not: it is no longer about to be.
        self.needs.stir(replica);
        let Answer::Unknown(heads) = answer else {
            self.gossip.postpone(&self.config, replica, connection, now);
            return self.go_on(connection, now);
        };
        if heads.is_empty() && self.gossip.held(replica).is_some() {
            self.gossip.take_claimed(replica, connection);
            return self.go_on(connection, now);
        }
        if self.has_to_wait(replica, connection, now) || self.lacks_needs(replica) {
            // Somebody else was faster; this peer's turn comes when that is done.
            self.gossip.set_unchecked(replica, connection, true);
            return self.go_on(connection, now);
        }
        if self.free_places(connection) == 0 {
            self.gossip.set_unchecked(replica, connection, true);
            if let Some(state) = self.connections.get_mut(&connection) {
                state.waiting.insert(replica);
            }
            return;
        }
        let claimed = self.gossip.take_claimed(replica, connection);
        let Some(view) = self.gossip.peer(replica, connection) else { return self.go_on(connection, now) };
        let held = self.gossip.held(replica);
        // What we agreed on, and those of its heads that we have, the peer knows for certain; our heads it may know.
        let told = asked.iter().filter(|id| heads.binary_search(id).is_err());
        let ours = held.iter().flat_map(|(frontier, _)| frontier.heads.iter());
        let mut have: Vec<OpId> = ours.chain(told).chain(&view.agreed_on).copied().collect();
        have.sort_unstable();
        have.dedup();
        let own = held.map_or(0, |(_, ops)| *ops);
        let lack = Lack { heads, claimed, have, own, genesis: held.is_none() };
        self.begin(replica, connection, lack, now);
    }

    fn begin(&mut self, replica: ReplicaId, connection: ConnectionId, lack: Lack, now: Duration) {
        let request = self.next_request;
        self.next_request += 1;
        let mut fetch = Fetch::new(replica, connection, request, lack, now);
        fetch.wait(now, self.patience(replica, connection));
        self.send(connection, Message::Delta(fetch.want()));
        self.fetches.insert((replica, connection), fetch);
    }

    pub(super) fn delta(&mut self, connection: ConnectionId, message: delta::Message, now: Duration) {
        use delta::Message as M;
        match message {
            M::Want { request, replica, heads, have, list, below, genesis } => {
                match plan(replica, heads, have, list, below).filter(|_| self.may_want(connection, request)) {
                    Some(task) => self.wanted(connection, request, genesis, task),
                    None => self.misbehaved(connection, "it asks for too much at once".into(), now),
                }
            }
            M::More { request } => self.more(connection, request, now),
            M::Cancel { request } => self.cancelled(connection, |other, _| other == request),
            M::Listed { request, unknown, ids, all } => self.listed(connection, request, &unknown, ids, all, now),
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
                    self.drop_fetch(replica, connection, now);
                }
            }
        }
    }

    fn listed(
        &mut self,
        connection: ConnectionId,
        request: u64,
        unknown: &[OpId],
        ids: Vec<OpId>,
        all: bool,
        now: Duration,
    ) {
        let bytes = size_of_val(unknown) + size_of_val(ids.as_slice());
        let Some(fetch) = self.expect(connection, request, bytes, now) else { return };
        let replica = fetch.replica;
        let Some(ids) = fetch.listed(unknown, ids, all) else {
            return self.misbehaved(connection, "it lists what it was not asked for".into(), now);
        };
        self.run(Some(connection), Task::Unknown { replica, ids }, Pending::Compare { replica, connection, request });
    }

    pub(super) fn compared(
        &mut self,
        replica: ReplicaId,
        connection: ConnectionId,
        request: u64,
        answer: Answer,
        now: Duration,
    ) {
        let within = self.patience(replica, connection);
        let Some(fetch) = self.fetch_of(connection, request) else { return };
        let Answer::Unknown(unknown) = answer else { return self.drop_fetch(replica, connection, now) };
        fetch.wait(now, within);
        let message = fetch.compared(&unknown);
        self.send(connection, Message::Delta(message));
    }

    fn genesis_came(
        &mut self,
        connection: ConnectionId,
        request: u64,
        genesis: Vec<u8>,
        identities: Vec<Bytes>,
        now: Duration,
    ) {
        let bytes = genesis.len() + identities.iter().map(|bytes| bytes.0.len()).sum::<usize>();
        let Some(fetch) = self.expect(connection, request, bytes, now) else { return };
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
        let most = self.config.largest_batch_accepted();
        if self.was_given_up(connection, request) {
            return;
        }
        let Some(fetch) = self.fetch_of(connection, request) else {
            return self.misbehaved(connection, "it sent ops that nobody asked for".into(), now);
        };
        if !fetch.waits_for_peer() || fetch.awaits_genesis() {
            return self.misbehaved(connection, "it sent ops out of turn".into(), now);
        }
        if bundle.ops.len() > most || (bundle.ops.is_empty() && !last) {
            return self.misbehaved(connection, "it sent a batch of a size that is not allowed".into(), now);
        }
        let size = |op: &SignedOp| op.header.len() + op.payload.as_ref().map_or(0, Vec::len);
        fetch.heard(bundle.ops.iter().map(size).sum(), now);
        fetch.phase = Phase::Ingesting { last, total };
        let replica = fetch.replica;
        for op in &bundle.ops {
            match Op::from_bytes(&op.header) {
                Ok(op) => fetch.note(&op),
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
        match answer {
            Answer::Adopted { ref needs } => self.learn(replica, needs.clone(), Stage::Whole, now),
            Answer::NoParent(parent) => self.learn(replica, vec![parent], Stage::Above, now),
            Answer::Refused(reason) => return self.misbehaved(connection, reason, now),
            // What has come with a batch that was given up does not come again, until the peer knows.
            Answer::NoIdentity(reason) if !self.has_given_up(connection) => {
                return self.misbehaved(connection, reason, now);
            }
            _ => {}
        }
        let within = self.patience(replica, connection);
        let from = self.peer(connection).map(|peer| peer.id);
        let has_needs = self.has_needs(replica);
        let Some(fetch) = self.fetch_of(connection, request) else { return };
        match (fetch.phase, answer) {
            (Phase::Adopting, Answer::Adopted { .. }) => {
                fetch.adopted();
                fetch.phase = Phase::Receiving;
                fetch.wait(now, within);
                self.event(Event::Arrived { replica });
                if !has_needs {
                    self.put_off(replica, connection, now);
                }
            }
            (Phase::Adopting, Answer::NoParent(_)) => self.put_off(replica, connection, now),
            (Phase::Ingesting { .. }, Answer::Lacks(mut missing)) => {
                // All of them, so that not each of those that are missing costs a round trip.
                missing.extend(fetch.take_deps());
                self.lack(replica, connection, &missing, now);
            }
            (Phase::Ingesting { last, total }, Answer::Ingested(_)) => {
                let ops = fetch.received;
                fetch.take_deps();
                fetch.phase = Phase::Receiving;
                fetch.wait(now, within);
                if let Some(from) = from {
                    self.event(Event::Fetched { replica, from, ops, total, last });
                }
                if last {
                    self.fetched(replica, connection, now);
                } else {
                    self.send(connection, Message::Delta(delta::Message::More { request }));
                }
            }
            // The store failed: give up for now.
            _ => self.drop_fetch(replica, connection, now),
        }
    }

    fn fetched(&mut self, replica: ReplicaId, connection: ConnectionId, now: Duration) {
        match self.fetches.remove(&(replica, connection)) {
            Some(fetch) if fetch.is_complete() => self.gossip.succeeded(replica, connection),
            // It said that it has what it did not send. If nobody else has it either, it may be asked again, but not at once.
            _ => self.gossip.postpone(&self.config, replica, connection, now),
        }
        self.needs.stir(replica);
        // No further batch changes the heads, so that there is nothing to wait for.
        self.gossip.hasten(replica, now + self.config.gossip_delay);
        self.check_others(replica, now);
        self.go_on(connection, now);
    }

    /// Gives up fetching from a peer for a while, and asks others.
    pub(super) fn drop_fetch(&mut self, replica: ReplicaId, connection: ConnectionId, now: Duration) {
        if !self.give_up(replica, connection) {
            return;
        }
        self.gossip.postpone(&self.config, replica, connection, now);
        self.needs.stir(replica);
        self.check_others(replica, now);
        self.go_on(connection, now);
    }

    /// Tells a peer that we no longer want what we have asked for, and remembers that it may still come. False if nothing
    /// was asked for.
    pub(super) fn give_up(&mut self, replica: ReplicaId, connection: ConnectionId) -> bool {
        let Some(Fetch { request, .. }) = self.fetches.remove(&(replica, connection)) else { return false };
        if let Some(state) = self.connections.get_mut(&connection) {
            if state.given_up.len() >= MAX_GIVEN_UP {
                state.given_up.pop_first();
            }
            state.given_up.insert(request);
            self.send(connection, Message::Delta(delta::Message::Cancel { request }));
        }
        true
    }

    /// Begins with what had to wait because enough was being fetched from a peer already.
    pub(super) fn go_on(&mut self, connection: ConnectionId, now: Duration) {
        let mut free = self.free_places(connection);
        while free > 0 {
            let next = self.connections.get_mut(&connection).and_then(|state| state.waiting.pop_first());
            let Some(replica) = next else { return };
            free -= usize::from(self.check_heads(replica, connection, None, now));
        }
    }

    /// How much more may be fetched from a peer at once.
    fn free_places(&self, connection: ConnectionId) -> usize {
        let under_way = self.fetches.values().filter(|fetch| fetch.connection == connection).count();
        self.config.fetches_per_peer.saturating_sub(under_way)
    }

    /// How long a peer may take with the next part of an answer: the longer the more often it was given up, since its link
    /// may be slow.
    fn patience(&self, replica: ReplicaId, connection: ConnectionId) -> Duration {
        let failures = self.gossip.peer(replica, connection).map_or(0, |view| view.failures);
        self.config.answer_within * (1 + failures.min(7))
    }

    pub(super) fn fetches_of(&self, replica: ReplicaId) -> impl Iterator<Item = &Fetch> {
        let all = (replica, ConnectionId(0))..=(replica, ConnectionId(u64::MAX));
        self.fetches.range(all).map(|(_, fetch)| fetch)
    }

    /// Whether a replica is being fetched.
    pub(super) fn is_fetching(&self, replica: ReplicaId) -> bool {
        self.fetches_of(replica).next().is_some()
    }

    fn fetch_of(&mut self, connection: ConnectionId, request: u64) -> Option<&mut Fetch> {
        self.fetches.values_mut().find(|fetch| fetch.connection == connection && fetch.request == request)
    }

    fn was_given_up(&self, connection: ConnectionId, request: u64) -> bool {
        self.connections.get(&connection).is_some_and(|state| state.given_up.contains(&request))
    }

    fn has_given_up(&self, connection: ConnectionId) -> bool {
        self.connections.get(&connection).is_some_and(|state| !state.given_up.is_empty())
    }

    /// The fetch whose `Want` this is the first answer to, of so many bytes. Who answers out of turn has to leave; an answer
    /// to what was given up is passed over.
    fn expect(&mut self, connection: ConnectionId, request: u64, bytes: usize, now: Duration) -> Option<&mut Fetch> {
        if self.was_given_up(connection, request) {
            return None;
        }
        if self.fetch_of(connection, request).is_none_or(|fetch| fetch.phase != Phase::Asked) {
            self.misbehaved(connection, "it answered out of turn".into(), now);
            return None;
        }
        let fetch = self.fetch_of(connection, request)?;
        fetch.heard(bytes, now);
        Some(fetch)
    }
}
