//! The world: virtual time, what is due when, and the nodes in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::PeerAddress;
use hhs_mesh::proto::{Answer, Config, ConnectionId, Event, Input, Output, Task, TaskId};
use hhs_mesh::tasks::perform;
use hhs_model::{Author, Frontier, ReplicaId};
use hhs_store::{MemoryBackend, Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::node::Node;
use super::stats::Stats;
use super::wire::{Arrival, Wire, WireId};

/// A node in the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub usize);

/// A network of nodes under a virtual clock. Everything that happens follows from the seed and from what a test does.
pub(crate) struct World {
    pub now: Duration,
    pub stats: Stats,
    /// How long a frame takes, in microseconds.
    pub latency: Range<u64>,
    /// What a connection carries in a second each way, in bytes.
    pub bandwidth: u64,
    /// How long the store takes, in microseconds.
    pub task_time: Range<u64>,
    /// How long an app takes to say what it shares after its node has started to listen, in microseconds.
    pub app_start: Range<u64>,
    /// How long it takes until a side notices that a connection is broken, in microseconds.
    pub notice_after: Range<u64>,
    /// Of 100 dials that could succeed, how many fail.
    pub failing_dials: u64,
    /// Whether somebody may be said to have misbehaved.
    pub blame_allowed: bool,
    /// Whether apps answer those who ask to be let in.
    pub app_answers: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) wires: Vec<Wire>,
    pub(super) cuts: BTreeSet<(NodeId, NodeId)>,
    agenda: BTreeMap<(Duration, u64), What>,
    random: ChaCha8Rng,
    steps: u64,
    trace: VecDeque<String>,
}

/// What is due.
pub(super) enum What {
    Arrive { wire: WireId, side: usize, arrival: Arrival },
    Connected { wire: WireId },
    Lost { wire: WireId, side: usize },
    Dialled { node: NodeId, run: u32, address: PeerAddress },
    Perform { node: NodeId, run: u32, id: TaskId, cause: Option<(WireId, usize)>, task: Task },
    Feed { node: NodeId, run: u32, inputs: Vec<Input>, frees: Option<(WireId, usize)> },
    LookUp { node: NodeId, run: u32, replica: ReplicaId },
    Wake { node: NodeId, run: u32 },
    Do(Box<dyn FnOnce(&mut World)>),
}

/// Steps after which a simulation is taken for one that never ends.
const MOST_STEPS: u64 = 20_000_000;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Duration::ZERO,
            stats: Stats::default(),
            latency: 5_000..20_000,
            bandwidth: 1 << 40,
            task_time: 0..2_000,
            app_start: 0..1,
            notice_after: 0..100_000,
            failing_dials: 0,
            blame_allowed: false,
            app_answers: true,
            nodes: Vec::new(),
            wires: Vec::new(),
            cuts: BTreeSet::new(),
            agenda: BTreeMap::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
            steps: 0,
            trace: VecDeque::new(),
        }
    }

    /// Adds a node of somebody new and starts it.
    pub(crate) fn node(&mut self, name: &str) -> NodeId {
        let author = self.author(name);
        self.node_of(name, author, MemoryBackend::new(), |_| ())
    }

    /// Adds a node that works on a store which is there already.
    pub(crate) fn node_of(
        &mut self,
        name: &str,
        author: Author,
        backend: MemoryBackend,
        configure: fn(&mut Config),
    ) -> NodeId {
        let id = self.add(name, author, backend, configure, false);
        self.start(id);
        id
    }

    /// Adds somebody whose every message is up to the test.
    pub(crate) fn puppet(&mut self, name: &str) -> NodeId {
        let author = self.author(name);
        self.add(name, author, MemoryBackend::new(), |_| (), true)
    }

    fn add(
        &mut self,
        name: &str,
        author: Author,
        backend: MemoryBackend,
        configure: fn(&mut Config),
        puppet: bool,
    ) -> NodeId {
        self.nodes.push(Node {
            name: name.to_owned(),
            author,
            backend,
            endpoint: format!("mem://{name}").parse().unwrap(),
            run: None,
            runs: 0,
            puppet,
            shares: BTreeSet::new(),
            peers: Vec::new(),
            joins: Vec::new(),
            secrets: BTreeMap::new(),
            log: Vec::new(),
            configure,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// Somebody new.
    pub(crate) fn author(&mut self, name: &str) -> Author {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        Author::from_seed(name, &seed).unwrap()
    }

    /// Starts a node, on the store that it left behind if it ran before.
    pub(crate) fn start(&mut self, id: NodeId) {
        let (seed, delay) = (self.random.next_u64(), self.draw(self.app_start.clone()));
        let node = &mut self.nodes[id.0];
        node.start(seed);
        let (run, endpoints) = (node.runs, vec![node.endpoint.clone()]);
        self.note(|world| format!("{} starts", world.name(id)));
        self.feed(id, Input::Listening { endpoints });
        self.at(self.now + delay, What::Do(Box::new(move |world| world.open_app(id, run))));
    }

    /// Whether a node runs.
    pub(crate) fn runs(&self, id: NodeId) -> bool {
        self.nodes[id.0].run.is_some()
    }

    /// The store of a node that runs.
    pub(crate) fn store(&self, id: NodeId) -> Store {
        self.nodes[id.0].run.as_ref().expect("the node runs").store.clone()
    }

    /// What a node has of a replica.
    pub(crate) fn version(&self, id: NodeId, replica: ReplicaId) -> Option<(Frontier, u64)> {
        self.nodes[id.0].run.as_ref().and_then(|run| held(&run.store, replica))
    }

    pub(crate) fn backend(&self, id: NodeId) -> MemoryBackend {
        self.nodes[id.0].backend.clone()
    }

    pub(crate) fn author_of(&self, id: NodeId) -> Author {
        self.nodes[id.0].author.clone()
    }

    pub(crate) fn address_of(&self, id: NodeId) -> PeerAddress {
        self.nodes[id.0].address()
    }

    /// What a node was told, and when.
    pub(crate) fn events(&self, id: NodeId) -> &[(Duration, Event)] {
        &self.nodes[id.0].log
    }

    pub(super) fn name(&self, id: NodeId) -> &str {
        &self.nodes[id.0].name
    }

    /// Lets some time pass.
    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.agenda.first_key_value().is_some_and(|((at, _), _)| *at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until something holds; says how long it took.
    pub(crate) fn run_until(&mut self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        while !holds(self) {
            assert!(self.now - start < limit, "not within {limit:?}: {what}");
            self.run_for(Duration::from_millis(2));
        }
        self.now - start
    }

    /// Lets time pass until nodes have the same of a replica, and something; says how long it took.
    pub(crate) fn run_until_equal(&mut self, nodes: &[NodeId], replica: ReplicaId, limit: Duration) -> Duration {
        self.run_until(limit, "all have the same", |world| world.agree(nodes, replica))
    }

    /// Whether nodes have the same of a replica, and have it at all.
    pub(crate) fn agree(&self, nodes: &[NodeId], replica: ReplicaId) -> bool {
        let first = self.version(nodes[0], replica);
        first.is_some() && nodes[1..].iter().all(|node| self.version(*node, replica) == first)
    }

    fn step(&mut self) {
        self.steps += 1;
        assert!(self.steps < MOST_STEPS, "the simulation does not end");
        let ((at, _), what) = self.agenda.pop_first().expect("something is due");
        self.now = self.now.max(at);
        match what {
            What::Arrive { wire, side, arrival } => self.arrive(wire, side, arrival),
            What::Connected { wire } => self.connected(wire, 0),
            What::Lost { wire, side } => self.lost(wire, side),
            What::Dialled { node, run, address } => self.dialled(node, run, address),
            What::Perform { node, run, id, cause, task } => self.perform(node, run, id, cause, task),
            What::Feed { node, run, inputs, frees } => {
                if self.is_run(node, run) {
                    self.note(|world| {
                        format!("{} is fed {}", world.name(node), inputs.iter().map(fed).collect::<String>())
                    });
                    inputs.into_iter().for_each(|input| self.feed(node, input));
                }
                if let Some((wire, side)) = frees {
                    self.wires[wire.0].ends[side].busy -= 1;
                    self.pump(wire, side);
                }
            }
            What::LookUp { node, run, replica } => {
                if self.is_run(node, run) {
                    let state = self.version(node, replica);
                    let at = self.now + self.draw(0..2_000);
                    // What is gone was deleted.
                    let inputs = match state {
                        Some(_) => vec![Input::Held { replica, state }],
                        None => vec![Input::Unshare { replica }],
                    };
                    self.at(at, What::Feed { node, run, inputs, frees: None });
                }
            }
            What::Wake { node, run } => self.wake(node, run),
            What::Do(what) => what(self),
        }
    }

    fn perform(&mut self, node: NodeId, run: u32, id: TaskId, cause: Option<(WireId, usize)>, task: Task) {
        if !self.is_run(node, run) {
            return;
        }
        let changed = match &task {
            Task::Adopt { replica, .. } | Task::Ingest { replica, .. } => Some(*replica),
            _ => None,
        };
        let answer = block_on(perform(&self.store(node), task));
        self.hear_commits(node, changed);
        match &answer {
            Answer::Ingested(ingested) => {
                self.stats.added += ingested.added;
                self.stats.doubles += ingested.known;
            }
            Answer::Lacks(_) => self.stats.lacking += 1,
            _ => {}
        }
        let held = changed.map(|replica| Input::Held { replica, state: self.version(node, replica) });
        let inputs = held.into_iter().chain([Input::Answered { task: id, answer }]).collect();
        let at = self.now + self.draw(0..1_000);
        self.at(at, What::Feed { node, run, inputs, frees: cause });
    }

    pub(super) fn feed(&mut self, id: NodeId, input: Input) {
        let now = self.now;
        let Some(run) = self.nodes[id.0].run.as_mut() else { return };
        for output in run.core.handle(input, now) {
            self.carry_out(id, output);
        }
        self.schedule_wake(id);
    }

    fn carry_out(&mut self, id: NodeId, output: Output) {
        match output {
            Output::Send { connection, message } => self.send(id, connection, message),
            Output::Close { connection, reason } => self.close(id, connection, reason),
            Output::Dial { address } => {
                let (node, run) = (id, self.nodes[id.0].runs);
                let at = self.now + self.delay();
                self.at(at, What::Dialled { node, run, address });
            }
            Output::Run { id: task_id, cause, task } => {
                let cause = cause.and_then(|cause| self.end_of(id, cause));
                if let Some((wire, side)) = cause {
                    self.wires[wire.0].ends[side].busy += 1;
                }
                let (at, run) = (self.now + self.draw(self.task_time.clone()), self.nodes[id.0].runs);
                self.at(at, What::Perform { node: id, run, id: task_id, cause, task });
            }
            Output::Event(event) => self.told(id, event),
        }
    }

    fn told(&mut self, id: NodeId, event: Event) {
        self.note(|world| format!("{} is told {}", world.name(id), brief(&event)));
        let blames = matches!(event, Event::Misbehaved { .. });
        assert!(self.blame_allowed || !blames, "{} was told {event:?}", self.name(id));
        self.nodes[id.0].log.push((self.now, event.clone()));
        self.notice(id, event);
    }

    fn wake(&mut self, id: NodeId, run: u32) {
        let (now, name) = (self.now, self.name(id).to_owned());
        if !self.is_run(id, run) {
            return;
        }
        let Some(state) = self.nodes[id.0].run.as_mut().filter(|state| state.wake_at == Some(now)) else { return };
        state.wake_at = None;
        state.woken = if state.woken.0 == now { (now, state.woken.1 + 1) } else { (now, 1) };
        assert!(state.woken.1 < 4, "{name} asks to be woken again and again at {now:?}");
        self.feed(id, Input::Tick);
    }

    fn schedule_wake(&mut self, id: NodeId) {
        let (now, run) = (self.now, self.nodes[id.0].runs);
        let Some(state) = self.nodes[id.0].run.as_mut() else { return };
        let Some(at) = state.core.next_wake().map(|at| at.max(now)) else { return };
        if state.wake_at.is_none_or(|planned| at < planned) {
            state.wake_at = Some(at);
            self.at(at, What::Wake { node: id, run });
        }
    }

    pub(super) fn is_run(&self, id: NodeId, run: u32) -> bool {
        self.nodes[id.0].runs == run && self.nodes[id.0].run.is_some()
    }

    /// The end of a connection at a node, while it is open.
    pub(super) fn end_of(&self, id: NodeId, connection: ConnectionId) -> Option<(WireId, usize)> {
        self.nodes[id.0].run.as_ref()?.connections.get(&connection).copied()
    }

    pub(super) fn at(&mut self, when: Duration, what: What) {
        self.steps += 1;
        self.agenda.insert((when, self.steps), what);
    }

    /// Does something later.
    pub(crate) fn later(&mut self, after: Duration, what: impl FnOnce(&mut Self) + 'static) {
        self.at(self.now + after, What::Do(Box::new(what)));
    }

    pub(super) fn delay(&mut self) -> Duration {
        self.draw(self.latency.clone())
    }

    /// A random time from a range of microseconds.
    pub(super) fn draw(&mut self, range: Range<u64>) -> Duration {
        Duration::from_micros(self.number(range))
    }

    /// A random number.
    pub(crate) fn number(&mut self, range: Range<u64>) -> u64 {
        range.start + self.random.next_u64() % (range.end - range.start).max(1)
    }

    pub(super) fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        let line = format!("{:>12?} {}", self.now, line(self));
        if self.trace.len() >= 200 {
            self.trace.pop_front();
        }
        self.trace.push_back(line);
    }
}

/// Tells what happened last before a test failed.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.trace.iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// An input for the trace.
fn fed(input: &Input) -> String {
    match input {
        Input::Held { state, .. } => {
            format!("Held {:?} ", state.as_ref().map(|(heads, ops)| (heads.heads.len(), *ops)))
        }
        Input::Answered { task, .. } => format!("Answered {task:?} "),
        Input::DialFailed { .. } => "DialFailed ".into(),
        _ => "something ".into(),
    }
}

/// An event for the trace: ids and addresses make it hard to read.
fn brief(event: &Event) -> String {
    let text = format!("{event:?}");
    let name: String = text.chars().take_while(|one| one.is_alphanumeric()).collect();
    match event {
        Event::Fetched { ops, total, last, .. } => format!("{name} {ops} of {total}, last: {last}"),
        Event::PeerDisconnected { reason, .. } | Event::DialFailed { reason, .. } => format!("{name}: {reason}"),
        Event::Misbehaved { reason, .. } | Event::StoreFailed { reason } => format!("{name}: {reason}"),
        Event::JoinAnswered { refused, .. } => format!("{name}: {refused:?}"),
        _ => name,
    }
}

/// What a store has of a replica.
pub(super) fn held(store: &Store, replica: ReplicaId) -> Option<(Frontier, u64)> {
    match block_on(hhs_mesh::tasks::held(store, replica)) {
        Ok(held) => Some(held),
        Err(StoreError::NoReplica(_)) => None,
        Err(error) => panic!("{error}"),
    }
}
