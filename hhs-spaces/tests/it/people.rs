//! People with nodes on a network in memory, and the room that they share.

use std::time::Duration;

use hhs_crdt::{Log, Members, Register, Replica};
use hhs_mesh::transport::{MemoryNetwork, Transport};
use hhs_mesh::{Event, PeerAddress};
use hhs_model::{Author, Registry};
use hhs_spaces::{Node, Space};
use hhs_store::{MemoryBackend, Store};
use tokio::time::timeout;

use crate::runtime::TestRuntime;

/// Longer than anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
/// How long a join may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Replica)]
#[replica(class = "test/v1/Room")]
pub(crate) struct Room {
    pub(crate) topic: Register<String>,
    pub(crate) lines: Log<String>,
    pub(crate) members: Members,
}

/// Somebody, with what is theirs between two runs of their node.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) author: Author,
    pub(crate) backend: MemoryBackend,
    network: MemoryNetwork,
}

impl Person {
    pub(crate) fn new(network: &MemoryNetwork, name: &'static str) -> Self {
        let mut seed = [0; 32];
        seed[..name.len()].copy_from_slice(name.as_bytes());
        let author = Author::from_seed(name, &seed).unwrap();
        Self { name, author, backend: MemoryBackend::new(), network: network.clone() }
    }

    /// Starts their node, at `mem://NAME`.
    pub(crate) async fn start(&self) -> Node {
        let transport = self.network.transport(self.author.identity().key);
        let endpoint = format!("mem://{}", self.name).parse().unwrap();
        start(self.author.clone(), self.backend.clone(), transport).listen(endpoint).start().await.unwrap()
    }

    /// Starts their node, where nobody can call it.
    pub(crate) async fn start_silently(&self) -> Node {
        let transport = self.network.transport(self.author.identity().key);
        start(self.author.clone(), self.backend.clone(), transport).start().await.unwrap()
    }

    pub(crate) fn address(&self) -> PeerAddress {
        PeerAddress { endpoint: format!("mem://{}", self.name).parse().unwrap(), identity: self.author.id() }
    }

    /// They lose their network.
    pub(crate) fn go_offline(&self) {
        self.network.isolate(self.author.identity().key);
    }

    pub(crate) fn come_online(&self) {
        self.network.rejoin(self.author.identity().key);
    }
}

pub(crate) fn start(author: Author, backend: MemoryBackend, transport: impl Transport) -> hhs_spaces::NodeBuilder {
    let store = futures::executor::block_on(Store::open(backend, Registry::default())).unwrap();
    Node::builder(TestRuntime::new(), author, store).transport(transport)
}

pub(crate) async fn say(space: &Space<Room>, line: &str) {
    space.update(|room| room.lines.append(line.to_owned())).await.unwrap().unwrap();
}

/// All lines, in order.
pub(crate) fn lines(space: &Space<Room>) -> Vec<String> {
    space.read(|room| room.lines.iter().map(|line| line.value.clone()).collect())
}

/// Waits until all have the same version of a room and so many lines in it, the same ones in the same order.
pub(crate) async fn agree(spaces: &[&Space<Room>], count: usize) {
    let all = async {
        loop {
            let first = spaces[0].version().await.unwrap();
            let mut same = lines(spaces[0]).len() == count;
            for space in &spaces[1..] {
                // What is typed shows before there is an op.
                same &= space.version().await.unwrap() == first && lines(space).len() == count;
            }
            if same {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let seen: Vec<_> = spaces.iter().map(|space| lines(space)).collect();
    timeout(LIMIT, all).await.unwrap_or_else(|_| panic!("they agree in the end, having begun with {seen:?}"));
    let first = lines(spaces[0]);
    for space in spaces {
        assert_eq!(lines(space), first);
    }
}

/// Waits for an event.
pub(crate) async fn told(
    events: &mut futures::channel::mpsc::UnboundedReceiver<Event>,
    what: &str,
    is_it: impl Fn(&Event) -> bool,
) -> Event {
    let next = async {
        loop {
            let event = futures::StreamExt::next(events).await.expect("the node runs");
            if is_it(&event) {
                return event;
            }
        }
    };
    timeout(LIMIT, next).await.unwrap_or_else(|_| panic!("not told: {what}"))
}
