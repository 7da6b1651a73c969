//! A simulated node: what survives a crash, and what one run of it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::PeerAddress;
use hhs_mesh::proto::{Config, ConnectionId, Core, Event};
use hhs_model::{Author, Registry, ReplicaId};
use hhs_store::backend::{Batch, Limit, Order};
use hhs_store::{Backend, CommitStream, MemoryBackend, Store};
use url::Url;

use super::wire::WireId;

/// A node: what survives a crash.
pub(super) struct Node {
    pub name: String,
    pub author: Author,
    pub backend: MemoryBackend,
    pub endpoint: Url,
    pub run: Option<Run>,
    pub runs: u32,
    /// Nobody is at home: what comes is recorded, and a test says what to answer.
    pub puppet: bool,
    /// What its app shares, and whom it has told the mesh of.
    pub shares: BTreeSet<ReplicaId>,
    pub peers: Vec<(ReplicaId, PeerAddress)>,
    /// Invitations that it has and that nobody has answered yet.
    pub joins: Vec<(ReplicaId, PeerAddress, Vec<u8>)>,
    /// The secrets by which it lets others in.
    pub secrets: BTreeMap<ReplicaId, Vec<u8>>,
    /// What it was told, and when.
    pub log: Vec<(Duration, Event)>,
    pub configure: fn(&mut Config),
}

/// One run of a node.
pub(super) struct Run {
    pub core: Core,
    pub store: Store,
    /// What the store tells the driver of.
    pub commits: CommitStream,
    pub connections: BTreeMap<ConnectionId, (WireId, usize)>,
    pub next_connection: u64,
    /// When it will be woken.
    pub wake_at: Option<Duration>,
    /// How often it was woken at the present instant.
    pub woken: (Duration, u32),
}

impl Node {
    /// Starts it; `seed` seeds its core and makes this run distinct from others.
    pub(super) fn start(&mut self, seed: u64) {
        assert!(self.run.is_none(), "{} runs already", self.name);
        self.runs += 1;
        let mut instance = [0; 16];
        instance[..8].copy_from_slice(&seed.to_be_bytes());
        let mut config = Config::new(seed, instance);
        (self.configure)(&mut config);
        let store = block_on(Store::open(self.backend.clone(), Registry::default())).unwrap();
        self.run = Some(Run {
            core: Core::new(config, &self.author),
            commits: store.watch(),
            store,
            connections: BTreeMap::new(),
            next_connection: 0,
            wake_at: None,
            woken: (Duration::ZERO, 0),
        });
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> PeerAddress {
        PeerAddress { endpoint: self.endpoint.clone(), identity: self.author.id() }
    }
}

/// Everything in a backend.
pub(crate) fn dump(backend: &MemoryBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    let everything = Limit { entries: usize::MAX, bytes: usize::MAX };
    let range = (Bound::Unbounded, Bound::Unbounded);
    block_on(backend.scan(range, Order::Ascending, everything)).unwrap()
}

/// A backend of its own with the same contents.
pub(crate) fn copy(backend: &MemoryBackend) -> MemoryBackend {
    let copy = MemoryBackend::new();
    let entries = dump(backend);
    for chunk in entries.chunks(1000) {
        let mut batch = Batch::new();
        for (key, value) in chunk {
            batch.put(key.clone(), value.clone());
        }
        block_on(copy.commit(batch)).unwrap();
    }
    copy
}
