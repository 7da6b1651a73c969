//! A transport within one process: for tests, simulations and examples, with links that can be cut.
//!
//! It behaves as a network does where that matters: queues are bounded, so that senders wait; a cut loses what is under
//! way; nothing is delivered to a key other than the one that dialled or listened.

mod connection;
mod pipe;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt;
use futures::channel::mpsc;
use hhs_model::{PublicKey, seam};
use url::Url;

use super::{Connection, Listener, Transport, TransportError};
use connection::Link;

/// A network in memory: the endpoints `mem://NAME`, or `mem://NAME:PORT`, that its transports listen on. Clones are the
/// same network.
///
/// ```
/// # use hhs_mesh::transport::{MemoryNetwork, Transport, TransportError};
/// # use hhs_model::{SecretKey, Signer};
/// # futures::executor::block_on(async {
/// let network = MemoryNetwork::new();
/// let (alice, bob) = (SecretKey::from_seed(&[1; 32]).public_key(), SecretKey::from_seed(&[2; 32]).public_key());
/// let endpoint = "mem://alice".parse().unwrap();
/// let mut listener = network.transport(alice).listen(&endpoint).await?;
///
/// let mut dialled = network.transport(bob).dial(&endpoint).await?;
/// let mut accepted = listener.accept().await.unwrap();
/// assert_eq!((dialled.proven, accepted.proven), (Some(alice), Some(bob)));
///
/// dialled.sender.send(b"hello").await?;
/// assert_eq!(accepted.receiver.receive().await?.as_deref(), Some(&b"hello"[..]));
///
/// network.cut(alice, bob);
/// assert!(dialled.sender.send(b"are you there?").await.is_err());
/// # Ok::<(), TransportError>(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct MemoryNetwork {
    state: Arc<Mutex<State>>,
}

/// The transport of one key on a [`MemoryNetwork`].
pub struct MemoryTransport {
    network: MemoryNetwork,
    key: PublicKey,
}

#[derive(Default)]
struct State {
    endpoints: BTreeMap<String, Endpoint>,
    links: Vec<Link>,
    cuts: BTreeSet<(PublicKey, PublicKey)>,
    isolated: BTreeSet<PublicKey>,
    last_port: u16,
    dials: u64,
}

struct Endpoint {
    key: PublicKey,
    url: Url,
    accepted: mpsc::Sender<Connection>,
}

/// How many connections may wait to be accepted at an endpoint; more are turned away.
const BACKLOG: usize = 64;

impl MemoryNetwork {
    /// A network with no endpoints.
    pub fn new() -> Self {
        Self::default()
    }

    /// A transport that proves `key`. Several may prove the same: they are cut off together.
    pub fn transport(&self, key: PublicKey) -> MemoryTransport {
        MemoryTransport { network: self.clone(), key }
    }

    /// Cuts the link between two keys: their connections break, what is under way is lost, and neither reaches the other
    /// until the link is healed.
    pub fn cut(&self, a: PublicKey, b: PublicKey) {
        self.break_links(|state| {
            state.cuts.insert(ordered(a, b));
        });
    }

    /// Undoes [`cut`](Self::cut). What was broken stays broken; it can be dialled again.
    pub fn heal(&self, a: PublicKey, b: PublicKey) {
        self.lock().cuts.remove(&ordered(a, b));
    }

    /// Cuts a key off from everybody, other transports of the same key included, as if it had lost its network.
    pub fn isolate(&self, key: PublicKey) {
        self.break_links(|state| {
            state.isolated.insert(key);
        });
    }

    /// Undoes [`isolate`](Self::isolate); links that were cut one by one stay cut.
    pub fn rejoin(&self, key: PublicKey) {
        self.lock().isolated.remove(&key);
    }

    fn break_links(&self, cut: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        cut(&mut state);
        let links = std::mem::take(&mut state.links);
        let (broken, kept): (Vec<Link>, Vec<Link>) =
            links.into_iter().partition(|link| state.is_cut(link.keys.0, link.keys.1));
        state.links = kept;
        drop(state);
        broken.iter().for_each(|link| link.break_off("the link was cut"));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the network")
    }
}

#[seam]
impl Transport for MemoryTransport {
    fn schemes(&self) -> &'static [&'static str] {
        &["mem"]
    }

    async fn listen(&self, endpoint: &Url) -> Result<Box<dyn Listener>, TransportError> {
        let (host, port) = name(endpoint)?;
        let mut state = self.network.lock();
        let port = match port {
            Some(0) => Some(state.free_port(&host, endpoint)?),
            given => given,
        };
        let name = full_name(&host, port);
        if state.endpoints.contains_key(&name) {
            return Err(TransportError::Listen { url: endpoint.clone(), source: io::ErrorKind::AddrInUse.into() });
        }
        let url = url_of(&name, endpoint)?;
        let (accepted, waiting) = mpsc::channel(BACKLOG);
        state.endpoints.insert(name.clone(), Endpoint { key: self.key, url: url.clone(), accepted });
        Ok(Box::new(MemoryListener { network: self.network.clone(), name, url, waiting }))
    }

    async fn dial(&self, endpoint: &Url) -> Result<Connection, TransportError> {
        let (host, port) = name(endpoint)?;
        let unreachable = || TransportError::Unreachable { url: endpoint.clone() };
        let mut state = self.network.lock();
        let (key, url) = match state.endpoints.get(&full_name(&host, port)) {
            Some(listening) => (listening.key, listening.url.clone()),
            None => return Err(unreachable()),
        };
        if state.is_cut(self.key, key) {
            return Err(unreachable());
        }
        let remote = state.address_of(self.key, endpoint)?;
        let (link, ours, theirs) = Link::new((self.key, remote), (key, url));
        let listening = state.endpoints.get_mut(&full_name(&host, port)).ok_or_else(unreachable)?;
        if listening.accepted.try_send(theirs).is_err() {
            let reason = "too many connections wait to be accepted there".to_owned();
            return Err(TransportError::Handshake { url: endpoint.clone(), reason });
        }
        state.links.retain(Link::is_in_use);
        state.links.push(link);
        Ok(ours)
    }
}

struct MemoryListener {
    network: MemoryNetwork,
    name: String,
    url: Url,
    waiting: mpsc::Receiver<Connection>,
}

#[seam]
impl Listener for MemoryListener {
    fn endpoint(&self) -> Url {
        self.url.clone()
    }

    async fn accept(&mut self) -> Option<Connection> {
        self.waiting.next().await
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        self.network.lock().endpoints.remove(&self.name);
    }
}

impl State {
    fn is_cut(&self, a: PublicKey, b: PublicKey) -> bool {
        self.cuts.contains(&ordered(a, b)) || self.isolated.contains(&a) || self.isolated.contains(&b)
    }

    /// Where a dialler can be reached itself, if it listens; else a name that nobody listens on.
    fn address_of(&mut self, key: PublicKey, dialled: &Url) -> Result<Url, TransportError> {
        if let Some(listening) = self.endpoints.values().find(|endpoint| endpoint.key == key) {
            return Ok(listening.url.clone());
        }
        self.dials += 1;
        url_of(&format!("dialler-{}", self.dials), dialled)
    }

    fn free_port(&mut self, host: &str, endpoint: &Url) -> Result<u16, TransportError> {
        for _ in 0..u16::MAX {
            self.last_port = self.last_port.checked_add(1).unwrap_or(1);
            if !self.endpoints.contains_key(&full_name(host, Some(self.last_port))) {
                return Ok(self.last_port);
            }
        }
        Err(TransportError::Listen { url: endpoint.clone(), source: io::ErrorKind::AddrInUse.into() })
    }
}

fn name(url: &Url) -> Result<(String, Option<u16>), TransportError> {
    let wrong = |reason| TransportError::Address { url: url.clone(), reason };
    if url.scheme() != "mem" {
        return Err(wrong("it begins with mem://"));
    }
    match url.host_str() {
        Some(host) if !host.is_empty() => Ok((host.to_owned(), url.port())),
        _ => Err(wrong("it needs a name, as in mem://alice")),
    }
}

fn full_name(host: &str, port: Option<u16>) -> String {
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn url_of(name: &str, given: &Url) -> Result<Url, TransportError> {
    Url::parse(&format!("mem://{name}"))
        .map_err(|_| TransportError::Address { url: given.clone(), reason: "its name cannot be part of a URL" })
}

fn ordered(a: PublicKey, b: PublicKey) -> (PublicKey, PublicKey) {
    if a <= b { (a, b) } else { (b, a) }
}
