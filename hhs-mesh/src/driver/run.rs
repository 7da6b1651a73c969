//! The loop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::future::{Either, select};
use futures::stream::StreamExt;
use futures::{FutureExt, SinkExt, select_biased};
use hhs_model::runtime::Runtime;
use hhs_model::{Author, Frontier, ReplicaId};
use hhs_store::{Committed, Store, StoreError};
use url::Url;

use super::connection::{CLOSE_WITHIN, Link, read, write};
use super::handle::MeshError;
use crate::proto::{
    Answer, Config, ConnectionId, Core, Event, Input, Message, MessageError, Output, PeerAddress, Task, TaskId,
};
use crate::tasks::{self, perform};
use crate::transport::{Connection, Listener, Traffic, Transport};

/// How long a dial may take in all.
const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// How long stopping waits for peers to take what was sent.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// What the handle asks for.
pub(super) enum Command {
    Listen { endpoint: Url, reply: oneshot::Sender<Result<Url, MeshError>> },
    Share { replica: ReplicaId },
    Unshare { replica: ReplicaId },
    AddPeer { replica: ReplicaId, address: PeerAddress },
    Join { replica: ReplicaId, address: PeerAddress, secret: Vec<u8> },
    Admit { connection: ConnectionId, replica: ReplicaId, refused: Option<String> },
    Stop { reply: oneshot::Sender<()> },
}

/// What the tasks beside the loop tell it.
pub(super) enum Happened {
    Open { connection: Connection, dialled: Option<PeerAddress> },
    DialFailed { address: PeerAddress, reason: String },
    Listening { listener: Result<Box<dyn Listener>, MeshError>, reply: oneshot::Sender<Result<Url, MeshError>> },
    Received { id: ConnectionId, message: Result<Message, MessageError> },
    Over { id: ConnectionId, reason: String },
    Carried { id: ConnectionId, more: Traffic, drained: bool },
    Closed { id: ConnectionId, more: Traffic },
    Done { id: TaskId, cause: Option<ConnectionId>, answer: Answer, changed: Option<ReplicaId>, held: Option<Held> },
    Held(Held),
}

/// What a replica has here.
pub(super) struct Held {
    replica: ReplicaId,
    state: Option<(Frontier, u64)>,
}

pub(super) struct Loop {
    core: Core,
    store: Store,
    transports: Arc<[Arc<dyn Transport>]>,
    runtime: Arc<dyn Runtime>,
    events: mpsc::UnboundedSender<Event>,
    traffic: Arc<Mutex<Traffic>>,
    links: BTreeMap<ConnectionId, Link>,
    next_connection: u64,
    endpoints: Vec<Url>,
    /// How many tasks are under way that take in something of a replica.
    receiving: BTreeMap<ReplicaId, usize>,
    happened: mpsc::Sender<Happened>,
    inbox: mpsc::Receiver<Happened>,
    /// What the core has to be told, and what came up while its outputs were carried out.
    due: VecDeque<Input>,
    /// Dropped when the loop ends, which ends the tasks that accept connections.
    listeners: Vec<oneshot::Sender<()>>,
}

impl Loop {
    pub(super) fn new(
        config: Config,
        author: Author,
        store: Store,
        transports: Arc<[Arc<dyn Transport>]>,
        runtime: Arc<dyn Runtime>,
        events: mpsc::UnboundedSender<Event>,
        traffic: Arc<Mutex<Traffic>>,
    ) -> Self {
        let (happened, inbox) = mpsc::channel(0);
        Self {
            core: Core::new(config, &author),
            store,
            transports,
            runtime,
            events,
            traffic,
            links: BTreeMap::new(),
            next_connection: 0,
            endpoints: Vec::new(),
            receiving: BTreeMap::new(),
            happened,
            inbox,
            due: VecDeque::new(),
            listeners: Vec::new(),
        }
    }

    /// Runs until it is stopped or all handles are gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut commits = self.store.watch().ready_chunks(256).fuse();
        loop {
            let now = self.runtime.elapsed();
            let wake = self.core.next_wake().unwrap_or(now + Duration::from_secs(60)).saturating_sub(now);
            let mut timer = self.runtime.sleep(wake).fuse();
            select_biased! {
                command = commands.next() => match command {
                    Some(Command::Stop { reply }) => {
                        self.stop().await;
                        // Whoever asked may no longer care.
                        reply.send(()).ok();
                        return;
                    }
                    Some(command) => self.command(command),
                    None => return self.stop().await,
                },
                // Before what peers cause, of which there may be no end.
                committed = commits.select_next_some() => self.committed(&committed),
                happened = self.inbox.select_next_some() => self.happened(happened),
                () = timer => self.feed(Input::Tick),
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Listen { endpoint, reply } => self.listen(endpoint, reply),
            Command::Share { replica } => self.feed(Input::Share { replica }),
            Command::Unshare { replica } => self.feed(Input::Unshare { replica }),
            Command::AddPeer { replica, address } => self.feed(Input::AddPeer { replica, address }),
            Command::Join { replica, address, secret } => self.feed(Input::Join { replica, address, secret }),
            Command::Admit { connection, replica, refused } => {
                self.feed(Input::Admit { connection, replica, refused });
            }
            Command::Stop { .. } => {}
        }
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Open { connection, dialled } => self.open(connection, dialled),
            Happened::DialFailed { address, reason } => self.feed(Input::DialFailed { address, reason }),
            Happened::Listening { listener, reply } => self.listening(listener, reply),
            Happened::Received { id, message } => {
                if let Some(link) = self.links.get_mut(&id) {
                    link.waiting = true;
                    self.feed(Input::Received { connection: id, message });
                    self.give_turn(id);
                }
            }
            Happened::Over { id, reason } => {
                if self.links.remove(&id).is_some() {
                    self.feed(Input::Disconnected { connection: id, reason });
                }
            }
            Happened::Carried { id, more, drained } => {
                self.count(more);
                if drained {
                    self.give_turn(id);
                }
            }
            Happened::Closed { id, more } => {
                self.count(more);
                if let Some(link) = self.links.get_mut(&id) {
                    link.writer_has_ended();
                    link.give_turn();
                    self.over_soon(id);
                }
            }
            Happened::Done { id, cause, answer, changed, held } => {
                if let Some(count) = changed.and_then(|replica| self.receiving.get_mut(&replica)) {
                    *count -= 1;
                    self.receiving.retain(|_, count| *count > 0);
                }
                if let Some(held) = held {
                    self.feed(Input::Held { replica: held.replica, state: held.state });
                }
                self.feed(Input::Answered { task: id, answer });
                if let Some(link) = cause.and_then(|cause| self.links.get_mut(&cause)) {
                    link.busy -= 1;
                }
                cause.into_iter().for_each(|cause| self.give_turn(cause));
            }
            Happened::Held(Held { replica, state: None }) => {
                // It was deleted. That is not to bring it back from peers.
                self.feed(Input::Unshare { replica });
            }
            Happened::Held(held) => self.feed(Input::Held { replica: held.replica, state: held.state }),
        }
    }

    /// Nothing more can be sent over a connection. Its reader finds that out, unless the other side goes on speaking: it may
    /// finish, but not go on for ever.
    fn over_soon(&self, id: ConnectionId) {
        let (time, mut happened) = (self.runtime.sleep(CLOSE_WITHIN), self.happened.clone());
        self.runtime.spawn(Box::pin(async move {
            time.await;
            let reason = "the other side takes nothing any more".to_owned();
            // If the loop is gone, nobody wants to know.
            happened.send(Happened::Over { id, reason }).await.ok();
        }));
    }

    /// What the store has committed, here or on another host, whoever wrote it. What comes through a fetch is told with its
    /// answer. Without new ops a replica is gone, or other ops of it have effect.
    fn committed(&mut self, committed: &[Committed]) {
        for one in committed {
            if one.local > 0 || one.added == 0 || !self.receiving.contains_key(&one.replica) {
                self.look_up(one.replica);
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.due.push_back(input);
        while let Some(input) = self.due.pop_front() {
            let now = self.runtime.elapsed();
            for output in self.core.handle(input, now) {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { connection, message } => self.send(connection, &message),
            Output::Close { connection, reason } => {
                if let Some(link) = self.links.remove(&connection) {
                    link.close(reason);
                }
            }
            Output::Dial { address } => self.dial(address),
            Output::Run { id, cause, task } => self.run_task(id, cause, task),
            // An app that does not listen does not want to know.
            Output::Event(event) => drop(self.events.unbounded_send(event)),
        }
    }

    fn send(&mut self, connection: ConnectionId, message: &Message) {
        let Some(link) = self.links.get(&connection) else { return };
        let fits = match message.to_bytes() {
            Ok(frame) => link.send(frame),
            Err(error) => {
                tracing::error!(%error, "a message of ours cannot be sent");
                false
            }
        };
        if !fits && let Some(link) = self.links.remove(&connection) {
            link.abort();
            let reason = "the peer reads too slowly".to_owned();
            self.due.push_back(Input::Disconnected { connection, reason });
        }
    }

    fn open(&mut self, connection: Connection, dialled: Option<PeerAddress>) {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let Connection { proven, remote, sender, receiver } = connection;
        let Some(proven) = proven else {
            if let Some(address) = dialled {
                let reason = "this transport does not prove who is at the other side".into();
                self.feed(Input::DialFailed { address, reason });
            }
            return;
        };
        let (link, tasks) = Link::new();
        self.links.insert(id, link);
        self.runtime.spawn(Box::pin(read(id, receiver, tasks.turns, self.happened.clone(), self.store.clone())));
        self.runtime.spawn(Box::pin(write(id, sender, tasks.outgoing, self.happened.clone(), self.runtime.clone())));
        self.feed(Input::Connected { connection: id, dialled, proven, remote });
        self.give_turn(id);
    }

    fn give_turn(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.give_turn();
        }
    }

    fn run_task(&mut self, id: TaskId, cause: Option<ConnectionId>, task: Task) {
        if let Some(link) = cause.and_then(|cause| self.links.get_mut(&cause)) {
            link.busy += 1;
        }
        let (store, mut happened) = (self.store.clone(), self.happened.clone());
        let changed = match &task {
            Task::Adopt { replica, .. } | Task::Ingest { replica, .. } => Some(*replica),
            _ => None,
        };
        if let Some(replica) = changed {
            *self.receiving.entry(replica).or_default() += 1;
        }
        self.runtime.spawn(Box::pin(async move {
            let answer = perform(&store, task).await;
            let held = match changed {
                Some(replica) => held(&store, replica).await.ok(),
                None => None,
            };
            happened.send(Happened::Done { id, cause, answer, changed, held }).await.ok();
        }));
    }

    fn look_up(&mut self, replica: ReplicaId) {
        if !self.core.shares(replica) {
            return;
        }
        let (store, mut happened) = (self.store.clone(), self.happened.clone());
        self.runtime.spawn(Box::pin(async move {
            match held(&store, replica).await {
                Ok(held) => drop(happened.send(Happened::Held(held)).await),
                Err(error) => tracing::error!(%error, "the heads of a replica cannot be read"),
            }
        }));
    }

    fn dial(&mut self, address: PeerAddress) {
        let transport = transport_for(&self.transports, &address.endpoint);
        let (runtime, mut happened) = (self.runtime.clone(), self.happened.clone());
        self.runtime.spawn(Box::pin(async move {
            let failed = match transport {
                Err(error) => error.to_string(),
                Ok(transport) => {
                    let dialled = match select(transport.dial(&address.endpoint), runtime.sleep(DIAL_WITHIN)).await {
                        Either::Left((dialled, _)) => dialled.map_err(|error| error.to_string()),
                        Either::Right(_) => Err(format!("{} did not answer within {DIAL_WITHIN:?}", address.endpoint)),
                    };
                    match dialled {
                        Err(error) => error,
                        Ok(connection) => {
                            let dialled = Some(address);
                            return drop(happened.send(Happened::Open { connection, dialled }).await);
                        }
                    }
                }
            };
            happened.send(Happened::DialFailed { address, reason: failed }).await.ok();
        }));
    }

    fn listen(&mut self, endpoint: Url, reply: oneshot::Sender<Result<Url, MeshError>>) {
        let transport = transport_for(&self.transports, &endpoint);
        let mut happened = self.happened.clone();
        self.runtime.spawn(Box::pin(async move {
            let listener = match transport {
                Ok(transport) => transport.listen(&endpoint).await.map_err(MeshError::from),
                Err(error) => Err(error),
            };
            happened.send(Happened::Listening { listener, reply }).await.ok();
        }));
    }

    fn listening(
        &mut self,
        listener: Result<Box<dyn Listener>, MeshError>,
        reply: oneshot::Sender<Result<Url, MeshError>>,
    ) {
        let endpoint = listener.map(|listener| {
            let endpoint = listener.endpoint();
            self.endpoints.push(endpoint.clone());
            let (guard, ended) = oneshot::channel();
            self.listeners.push(guard);
            self.runtime.spawn(Box::pin(accept(listener, ended, self.happened.clone())));
            self.feed(Input::Listening { endpoints: self.endpoints.clone() });
            endpoint
        });
        // Whoever asked may no longer care.
        reply.send(endpoint).ok();
    }

    /// Closes every connection and waits, for a bounded time, until what was sent has arrived.
    async fn stop(mut self) {
        self.listeners.clear();
        let mut open: BTreeSet<ConnectionId> = self.links.keys().copied().collect();
        for link in self.links.values() {
            link.close("this peer stops".into());
        }
        let mut deadline = self.runtime.sleep(STOP_WITHIN).fuse();
        while !open.is_empty() {
            select_biased! {
                happened = self.inbox.select_next_some() => {
                    match happened {
                        Happened::Carried { more, .. } => self.count(more),
                        Happened::Closed { id, more } => {
                            self.count(more);
                            open.remove(&id);
                        }
                        _ => {}
                    }
                },
                () = deadline => return,
            }
        }
    }

    fn count(&self, more: Traffic) {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        traffic.sent += more.sent;
        traffic.received += more.received;
    }
}

/// Hands over accepted connections until the loop ends.
async fn accept(
    mut listener: Box<dyn Listener>,
    mut ended: oneshot::Receiver<()>,
    mut happened: mpsc::Sender<Happened>,
) {
    loop {
        let connection = match select(listener.accept(), &mut ended).await {
            Either::Left((Some(connection), _)) => connection,
            _ => return,
        };
        if happened.send(Happened::Open { connection, dialled: None }).await.is_err() {
            return;
        }
    }
}

pub(super) fn transport_for(transports: &[Arc<dyn Transport>], url: &Url) -> Result<Arc<dyn Transport>, MeshError> {
    let found = transports.iter().find(|transport| transport.schemes().contains(&url.scheme()));
    found.cloned().ok_or_else(|| MeshError::Scheme {
        scheme: url.scheme().to_owned(),
        known: transports.iter().flat_map(|transport| transport.schemes().iter().copied()).collect(),
    })
}

/// What a replica has in the store.
async fn held(store: &Store, replica: ReplicaId) -> Result<Held, StoreError> {
    match tasks::held(store, replica).await {
        Ok(state) => Ok(Held { replica, state: Some(state) }),
        Err(StoreError::NoReplica(_)) => Ok(Held { replica, state: None }),
        Err(error) => Err(error),
    }
}
