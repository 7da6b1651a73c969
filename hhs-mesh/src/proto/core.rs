//! The core: joins the layers, routes what comes in, and judges who does not keep to the protocols.

mod deltas;
mod needs;
mod peers;
mod serving;
mod sharing;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hhs_model::{Author, Bytes, IdentityId, OpId, PublicKey, ReplicaId};
use url::Url;

use super::config::Config;
use super::delta::{Fetch, Serve};
use super::io::{Answer, ConnectionId, Event, Input, Output, PeerAddress, Task, TaskId};
use super::{Message, admission, gossip, group, hello};
use needs::Needs;

/// The state of all mesh protocols of one node. See the law of [the module](super).
#[derive(Debug)]
pub struct Core {
    config: Config,
    identity: IdentityId,
    identity_bytes: Vec<u8>,
    listen: Vec<Url>,
    connections: BTreeMap<ConnectionId, Connection>,
    group: group::State,
    gossip: gossip::State,
    needs: Needs,
    /// Replicas on which we agree with somebody, but not on all that they need.
    half_agreed: BTreeSet<ReplicaId>,
    admission: admission::State,
    fetches: BTreeMap<(ReplicaId, ConnectionId), Fetch>,
    serves: BTreeMap<(ConnectionId, u64), Serve>,
    tasks: BTreeMap<TaskId, Pending>,
    next_task: u64,
    next_request: u64,
    repeat_at: Duration,
    outputs: Vec<Output>,
}

/// A connection.
#[derive(Debug)]
struct Connection {
    dialled: Option<PeerAddress>,
    proven: PublicKey,
    remote: Url,
    hello_by: Duration,
    /// Who it is, once said and checked.
    peer: Option<hello::Known>,
    /// Since when that is known.
    since: Duration,
    /// Identities that we have sent over it.
    sent: Arc<BTreeSet<IdentityId>>,
    /// Replicas that we have asked it for.
    asked: BTreeSet<ReplicaId>,
    /// Replicas for which it was told of others, and others of it.
    introduced: BTreeSet<ReplicaId>,
    /// Replicas that it shares and we do not, or not yet.
    declined: BTreeSet<ReplicaId>,
    /// Replicas that it did not share when it was asked to let us in: asked again should it share them after all.
    join_again: BTreeSet<ReplicaId>,
    /// Replicas whose fetch waits until less is being fetched from it.
    waiting: BTreeSet<ReplicaId>,
    /// Requests of ours that were given up: what was on its way may still come.
    given_up: BTreeSet<u64>,
    /// Replicas that it has asked to be let into, and that the app has not answered yet.
    joining: BTreeSet<ReplicaId>,
}

/// What an answer of the store is for.
#[derive(Debug, Clone)]
enum Pending {
    /// What is here of a replica, and what it needs.
    LookUp { replica: ReplicaId },
    /// Which of a peer's heads are new.
    Heads { replica: ReplicaId, connection: ConnectionId, ids: Vec<OpId> },
    /// Which of the listed ops are new.
    Compare { replica: ReplicaId, connection: ConnectionId, request: u64 },
    /// Taking in a genesis or a batch.
    Receive { replica: ReplicaId, request: u64, connection: ConnectionId },
    /// Reading for a peer.
    Serve { connection: ConnectionId, request: u64 },
}

impl Core {
    /// A core that knows nobody and shares nothing.
    pub fn new(config: Config, author: &Author) -> Self {
        Self {
            group: group::State::new(config.seed),
            repeat_at: config.anti_entropy_every,
            config,
            identity: author.id(),
            identity_bytes: author.identity_bytes().to_vec(),
            listen: Vec::new(),
            connections: BTreeMap::new(),
            gossip: gossip::State::default(),
            needs: Needs::default(),
            half_agreed: BTreeSet::new(),
            admission: admission::State::default(),
            fetches: BTreeMap::new(),
            serves: BTreeMap::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            next_request: 0,
            outputs: Vec::new(),
        }
    }

    /// Takes in what has happened; returns what has to be done.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Output> {
        match input {
            Input::Connected { connection, dialled, proven, remote } => {
                self.connected(connection, dialled, proven, remote, now);
            }
            Input::Disconnected { connection, reason } => self.disconnected(connection, &reason, now),
            Input::Received { connection, message: Ok(message) } => self.received(connection, message, now),
            Input::Received { connection, message: Err(error) } => {
                self.misbehaved(connection, error.to_string(), now);
            }
            Input::DialFailed { address, reason } => {
                self.group.failed(&self.config, &address, Duration::ZERO, now);
                self.event(Event::DialFailed { address, reason, wrong_identity: false });
            }
            Input::Listening { endpoints } => self.listen = endpoints,
            Input::Share { replica } => self.share(replica, now),
            Input::Unshare { replica } => self.unshare(replica),
            Input::AddPeer { replica, address } => self.add_peer(replica, &address, now),
            Input::Join { replica, address, secret } => self.join(replica, &address, secret, now),
            Input::Admit { connection, replica, refused } => self.admit(connection, replica, refused),
            Input::Held { replica, state } => self.held(replica, state, now),
            Input::Answered { task, answer } => self.answered(task, answer, now),
            Input::Tick => {}
        }
        self.tick(now);
        std::mem::take(&mut self.outputs)
    }

    /// Whether a replica is shared, because the app wants it or because one that is shared needs it.
    pub fn shares(&self, replica: ReplicaId) -> bool {
        self.gossip.shares(replica)
    }

    /// When the core wants to be woken next, at the latest.
    pub fn next_wake(&self) -> Option<Duration> {
        let hello = self.connections.values().filter(|connection| connection.peer.is_none());
        let waiting = self.fetches.values().filter(|fetch| fetch.waits_for_peer());
        let slack = self.fetches.values().filter(|fetch| !fetch.overtaken).filter_map(Fetch::slack_ends);
        let dial = (self.dials_allowed() > 0).then(|| self.group.next_wake(&self.connected_identities())).flatten();
        hello
            .map(|connection| connection.hello_by)
            .chain(waiting.map(|fetch| fetch.deadline))
            .chain(slack)
            .chain(self.gossip.next_wake())
            .chain(self.needs.next_wake())
            .chain(dial)
            .chain([self.repeat_at])
            .min()
    }

    fn tick(&mut self, now: Duration) {
        if self.repeat_at <= now {
            self.repeat_at = now + self.config.anti_entropy_every;
            self.gossip.repeat_all(now);
            self.look_up_again();
        }
        self.time_out(now);
        for (replica, connection) in self.gossip.retries_due(now) {
            self.check_heads(replica, connection, None, now);
        }
        self.go_on_waiting(now);
        self.tell_due(now);
        self.dial_due(now);
    }

    /// Tells peers of heads, of a replica after those that it needs.
    fn tell_due(&mut self, now: Duration) {
        let mut due = self.gossip.due(now);
        // What one needs needs less than that one.
        due.sort_by_cached_key(|(replica, _)| self.needs.all(*replica).len());
        for (replica, connections) in due {
            for connection in connections {
                match self.holds_back(replica, connection) {
                    true => self.gossip.untell(replica, connection),
                    false => self.tell_heads(connection, replica),
                }
            }
        }
    }

    fn dial_due(&mut self, now: Duration) {
        let most = self.dials_allowed();
        for address in self.group.due(&self.connected_identities(), most, now) {
            self.outputs.push(Output::Dial { address });
        }
    }

    /// How many addresses may be dialled now.
    fn dials_allowed(&self) -> usize {
        let dialling = self.group.dialling();
        let room = self.config.connections.saturating_sub(self.connections.len() + dialling);
        room.min(self.config.dials.saturating_sub(dialling))
    }

    fn received(&mut self, connection: ConnectionId, message: Message, now: Duration) {
        let Some(known) = self.connections.get(&connection) else { return };
        match (known.peer.is_some(), message) {
            (false, Message::Hello(message)) => self.hello(connection, message, now),
            (true, Message::Group(group::Message::Peers { replica, addresses })) => {
                self.peers_told(connection, replica, &addresses, now);
            }
            (true, Message::Gossip(message)) => self.gossip(connection, message, now),
            (true, Message::Delta(message)) => self.delta(connection, message, now),
            (true, Message::Admission(message)) => self.admission(connection, message, now),
            (false, _) => self.misbehaved(connection, "it said something before hello".into(), now),
            (true, Message::Hello(_)) => self.misbehaved(connection, "it said hello twice".into(), now),
        }
    }

    fn gossip(&mut self, connection: ConnectionId, message: gossip::Message, now: Duration) {
        match message {
            gossip::Message::Open { replica } => {
                if !self.gossip.shares(replica) {
                    return self.decline(connection, replica);
                }
                self.opened(connection, replica, now);
            }
            gossip::Message::Closed { replica } => self.closed(connection, replica, now),
            gossip::Message::Heads { replica, heads, ops } => {
                if !self.gossip.is_open(replica, connection) {
                    // It may have crossed our saying that we no longer share it.
                    return;
                }
                if heads.len() > gossip::MAX_HEADS || !heads.is_sorted_by(|a, b| a < b) {
                    return self.misbehaved(connection, "its list of heads is too long or out of order".into(), now);
                }
                self.gossip.hear(replica, connection, heads, ops);
                self.check_heads(replica, connection, Some(connection), now);
                self.report_agreement(replica);
            }
        }
    }

    fn admission(&mut self, connection: ConnectionId, message: admission::Message, now: Duration) {
        let Some(peer) = self.peer(connection).cloned() else { return };
        match message {
            admission::Message::Join { replica, secret } => {
                if secret.0.len() > admission::MAX_SECRET_BYTES {
                    return self.misbehaved(connection, "the secret of its invitation is too long".into(), now);
                }
                if !self.gossip.shares(replica) {
                    return self.send(connection, Message::Gossip(gossip::Message::Closed { replica }));
                }
                self.join_requested(connection, peer, replica, secret.0);
            }
            admission::Message::Welcome { replica } => self.join_answered(peer.id, replica, None),
            admission::Message::Refused { replica, reason } => self.join_answered(peer.id, replica, Some(reason)),
        }
    }

    /// Asks the app whether to let a peer in, unless it is asking already.
    fn join_requested(&mut self, connection: ConnectionId, peer: hello::Known, replica: ReplicaId, secret: Vec<u8>) {
        let Some(state) = self.connections.get_mut(&connection) else { return };
        if state.joining.len() >= admission::MAX_JOINING {
            let reason = "you ask to be let into too many at once: try again".into();
            return self.send(connection, Message::Admission(admission::Message::Refused { replica, reason }));
        }
        if state.joining.insert(replica) {
            let (identity, identity_bytes) = (peer.id, peer.identity);
            self.event(Event::JoinRequested { connection, identity, identity_bytes, replica, secret });
        }
    }

    fn join(&mut self, replica: ReplicaId, address: &PeerAddress, secret: Vec<u8>, now: Duration) {
        self.admission.want(address.identity, replica, secret.clone());
        self.add_peer(replica, address, now);
        for connection in self.connections_of(address.identity) {
            let secret = Bytes(secret.clone());
            self.send(connection, Message::Admission(admission::Message::Join { replica, secret }));
        }
    }

    fn join_answered(&mut self, by: IdentityId, replica: ReplicaId, refused: Option<String>) {
        if self.admission.answered(by, replica) {
            self.event(Event::JoinAnswered { replica, by, refused });
        }
    }

    fn admit(&mut self, connection: ConnectionId, replica: ReplicaId, refused: Option<String>) {
        // The peer may have gone meanwhile; it asks again when it is back.
        if !self.connections.get_mut(&connection).is_some_and(|state| state.joining.remove(&replica)) {
            return;
        }
        let message = match refused {
            None => admission::Message::Welcome { replica },
            Some(reason) => admission::Message::Refused { replica, reason },
        };
        self.send(connection, Message::Admission(message));
    }

    fn tell_heads(&mut self, connection: ConnectionId, replica: ReplicaId) {
        let Some((frontier, ops)) = self.gossip.held(replica) else { return };
        let heads = frontier.heads.iter().copied().take(self.config.heads.min(gossip::MAX_HEADS)).collect();
        let message = gossip::Message::Heads { replica, heads, ops: *ops };
        self.send(connection, Message::Gossip(message));
    }

    fn send(&mut self, connection: ConnectionId, message: Message) {
        self.outputs.push(Output::Send { connection, message });
    }

    fn event(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    fn run(&mut self, cause: Option<ConnectionId>, task: Task, pending: Pending) {
        let id = TaskId(self.next_task);
        self.next_task += 1;
        self.tasks.insert(id, pending);
        self.outputs.push(Output::Run { id, cause, task });
    }

    fn answered(&mut self, task: TaskId, answer: Answer, now: Duration) {
        let Some(pending) = self.tasks.remove(&task) else { return };
        if let Answer::Failed(reason) = &answer {
            self.event(Event::StoreFailed { reason: reason.clone() });
        }
        match pending {
            Pending::LookUp { replica } => self.looked_up(replica, answer, now),
            Pending::Heads { replica, connection, ids } => {
                self.heads_checked((replica, connection), &ids, answer, now);
            }
            Pending::Compare { replica, connection, request } => {
                self.compared(replica, connection, request, answer, now);
            }
            Pending::Receive { replica, request, connection } => {
                self.taken_in(replica, request, connection, answer, now);
            }
            Pending::Serve { connection, request } => self.read_for(connection, request, answer, now),
        }
    }
}
