//! The driver over the transport in memory, on tokio with a clock that jumps ahead when everybody waits.

mod meeting;
mod raw;
mod runtime;
mod stopping;
mod store;

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use hhs_mesh::proto::Config;
use hhs_mesh::transport::{MemoryNetwork, Transport};
use hhs_mesh::{Event, Mesh, PeerAddress};
use hhs_model::class::Draft;
use hhs_model::op::Genesis;
use hhs_model::{Author, Frontier, Registry, ReplicaId};
use hhs_store::{MemoryBackend, Store};
use tokio::time::timeout;

use runtime::TestRuntime;

/// Longer than anything here may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A mesh on a store in memory.
struct Peer {
    name: &'static str,
    author: Author,
    store: Store,
    mesh: Mesh,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Peer {
    /// Starts somebody who listens at `mem://NAME`.
    async fn start(network: &MemoryNetwork, name: &'static str, seed: u8) -> Self {
        Self::start_on(network, name, seed, MemoryBackend::new()).await
    }

    async fn start_on(network: &MemoryNetwork, name: &'static str, seed: u8, backend: MemoryBackend) -> Self {
        let author = Author::from_seed(name, &[seed; 32]).unwrap();
        let store = Store::open(backend, Registry::default()).await.unwrap();
        let transport: std::sync::Arc<dyn Transport> = std::sync::Arc::new(network.transport(author.identity().key));
        let runtime = std::sync::Arc::new(TestRuntime::new());
        let config = Config::new(u64::from(seed), runtime.instance());
        let (mesh, events) = Mesh::start(config, author.clone(), store.clone(), vec![transport], runtime);
        mesh.listen(format!("mem://{name}").parse().unwrap()).await.unwrap();
        Self { name, author, store, mesh, events }
    }

    fn address(&self) -> PeerAddress {
        PeerAddress { endpoint: format!("mem://{}", self.name).parse().unwrap(), identity: self.author.id() }
    }

    /// Founds a replica that all of these may write to, and shares it.
    async fn found(&self, others: &[&Author]) -> ReplicaId {
        let all: Vec<&Author> = [&self.author].into_iter().chain(others.iter().copied()).collect();
        let genesis = Genesis::with_writers("test/v1/Room", [1; 16], all.iter().map(|author| author.id()).collect());
        let identities: Vec<Vec<u8>> = all.iter().map(|author| author.identity_bytes().to_vec()).collect();
        let room = self.store.create(&genesis, &identities).await.unwrap();
        self.mesh.share(room).await.unwrap();
        room
    }

    /// Shares a replica with somebody.
    async fn meet(&self, room: ReplicaId, other: PeerAddress) {
        self.mesh.share(room).await.unwrap();
        self.mesh.add_peer(room, other).await.unwrap();
    }

    async fn write(&self, room: ReplicaId, text: &str) {
        write(&self.store, &self.author, room, text.as_bytes()).await;
    }

    async fn frontier(&self, room: ReplicaId) -> Option<Frontier> {
        self.store.frontier(room).await.ok()
    }

    /// Waits for an event.
    async fn told(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Event {
        let next = async {
            loop {
                let event = self.events.next().await.expect("the mesh runs");
                if is_it(&event) {
                    return event;
                }
            }
        };
        timeout(LIMIT, next).await.unwrap_or_else(|_| panic!("{} is not told: {what}", self.name))
    }
}

async fn write(store: &Store, author: &Author, room: ReplicaId, payload: &[u8]) {
    let draft = || Ok(Some(Draft { act: None, payload: Some(payload.to_vec()), ..Draft::default() }));
    store.append(room, author, 0, draft).await.unwrap();
}

/// Waits until all have the same of a replica.
async fn agree(peers: &[&Peer], room: ReplicaId) {
    let all = async {
        loop {
            let first = peers[0].frontier(room).await;
            let mut same = first.is_some();
            for peer in &peers[1..] {
                same &= peer.frontier(room).await == first;
            }
            if same {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, all).await.expect("all have the same in the end");
}
