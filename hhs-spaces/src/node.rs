//! A node: one author's store, connected to peers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::lock::Mutex as AsyncMutex;
use futures::{FutureExt, StreamExt};
use hhs_crdt::Replica;
use hhs_mesh::{Config, Event, Mesh, MeshError, PeerAddress, Transport};
use hhs_model::op::{FieldPath, Genesis, GenesisError, Roles, Rules};
use hhs_model::{Author, Identity, ReplicaId, Runtime};
use hhs_store::{Store, StoreError};
use url::Url;

use crate::address::SpaceAddress;
use crate::admission;
use crate::peers;
use crate::space::Space;

/// One author's store, connected to peers. Cloning gives another handle to the same node, and so does every space. It ends
/// when it is [stopped](Node::stop), or when the last handle is dropped.
#[derive(Clone)]
pub struct Node {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) author: Author,
    pub(crate) store: Store,
    pub(crate) mesh: Mesh,
    pub(crate) runtime: Arc<dyn Runtime>,
    listening: Vec<Url>,
    told: Mutex<Vec<mpsc::UnboundedSender<Event>>>,
    remembering: AsyncMutex<()>,
}

/// What a node is made of.
pub struct NodeBuilder {
    runtime: Arc<dyn Runtime>,
    author: Author,
    store: Store,
    transports: Vec<Arc<dyn Transport>>,
    listen: Vec<Url>,
    config: Option<Config>,
}

/// Why a node cannot start, or do something.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mesh failed.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// A replica cannot begin like this.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
}

/// Why a space could not be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Nobody who has the space was reached in time.
    #[error(
        "{address} could not be reached within {patience:?} ({reason}): check that the peer is running and that the address is complete"
    )]
    Unreachable {
        /// Who was to be reached.
        address: Box<PeerAddress>,
        /// How long it was tried.
        patience: Duration,
        /// What went wrong last.
        reason: String,
    },
    /// Somebody else is at the address.
    #[error("{reason}")]
    WrongIdentity {
        /// Who was expected and who is there.
        reason: String,
    },
    /// The peer does not have the space, or does not share it.
    #[error("the peer at {address} does not share this space: ask for a new address")]
    NotShared {
        /// Who was asked.
        address: Box<PeerAddress>,
    },
    /// The member who was asked has not let us in.
    #[error("not let in: {reason}")]
    Refused {
        /// What the member says.
        reason: String,
    },
}

impl Node {
    /// Begins to set up a node on a store, for an author, on a runtime.
    pub fn builder(runtime: impl Runtime, author: Author, store: Store) -> NodeBuilder {
        let runtime = Arc::new(runtime);
        NodeBuilder { runtime, author, store, transports: Vec::new(), listen: Vec::new(), config: None }
    }

    /// Who writes here.
    pub fn author(&self) -> &Author {
        &self.inner.author
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The mesh.
    pub fn mesh(&self) -> &Mesh {
        &self.inner.mesh
    }

    /// Where this node listens.
    pub fn listening(&self) -> &[Url] {
        &self.inner.listening
    }

    /// What happens between this node and its peers, from now on.
    pub fn events(&self) -> mpsc::UnboundedReceiver<Event> {
        let (sender, receiver) = mpsc::unbounded();
        self.inner.told.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Creates a space whose root is a new replica of class `R`, which only we may write to and let others into.
    ///
    /// # Errors
    /// If the store cannot write.
    pub async fn create<R: Replica>(&self) -> Result<Space<R>, NodeError> {
        let genesis = Genesis::with_founder(R::CLASS, self.nonce(), self.inner.author.id());
        self.create_from(&genesis, &[]).await
    }

    /// Creates a space that we and these others may write to, and nobody else ever.
    ///
    /// # Errors
    /// If there are too many, or the store cannot write.
    pub async fn create_with_writers<R: Replica>(&self, others: &[Identity]) -> Result<Space<R>, NodeError> {
        let mut writers = BTreeSet::from([self.inner.author.id()]);
        let mut encoded = Vec::new();
        for other in others {
            let (bytes, id) = other.encoded().map_err(StoreError::from)?;
            writers.insert(id);
            encoded.push(bytes);
        }
        let genesis = Genesis::with_writers(R::CLASS, self.nonce(), writers);
        self.create_from(&genesis, &encoded).await
    }

    /// Creates a space with rules of its own: who holds what from the start, and what it takes to use it. Rules can ask about
    /// other replicas, such as a list of staff: whoever shares the space with us is sent those as well. Identities that these
    /// name have to be among `others`, or in the store.
    ///
    /// # Errors
    /// If a bound is exceeded, an identity is missing, or the store cannot write.
    pub async fn create_with_rules<R: Replica>(
        &self,
        roles: Roles,
        rules: Rules,
        others: &[Identity],
    ) -> Result<Space<R>, NodeError> {
        let mut encoded = Vec::new();
        for other in others {
            encoded.push(other.encoded().map_err(StoreError::from)?.0);
        }
        let genesis = Genesis::with_rules(R::CLASS, self.nonce(), roles, rules);
        self.create_from(&genesis, &encoded).await
    }

    /// Creates a part of a space, at a place in it, or opens it if it is there: who may write to the space may write to its
    /// parts. Its address says all that others need to join it.
    ///
    /// # Errors
    /// If the space is not in the store, or the store cannot write.
    pub async fn create_part<R: Replica>(&self, of: ReplicaId, path: FieldPath) -> Result<Space<R>, NodeError> {
        self.create_from(&Genesis::child(of, path, R::CLASS), &[]).await
    }

    async fn create_from<R: Replica>(&self, genesis: &Genesis, others: &[Vec<u8>]) -> Result<Space<R>, NodeError> {
        let mut identities = others.to_vec();
        identities.push(self.inner.author.identity_bytes().to_vec());
        let id = self.inner.store.create(genesis, &identities).await?;
        self.open(id).await
    }

    /// Opens a space that is in the store.
    ///
    /// # Errors
    /// If it is not there, or of another class.
    pub async fn open<R: Replica>(&self, id: ReplicaId) -> Result<Space<R>, NodeError> {
        let live = self.inner.store.open_replica::<R>(id).await?;
        Ok(Space::new(self.clone(), live))
    }

    /// Joins a space at an address: asks there to be let in if the address has an invitation, and waits until the space is
    /// here. It goes on synchronising, also after `patience` has run out without success.
    ///
    /// Being let in is an op that comes with the others: see [`Space::writable`].
    ///
    /// # Errors
    /// If nobody was reached within `patience`, the peer does not share the space, or does not let us in.
    pub async fn join<R: Replica>(&self, address: &SpaceAddress, patience: Duration) -> Result<Space<R>, JoinError> {
        let mut events = self.events();
        let inner = &self.inner;
        let mesh_failed = |error| JoinError::Node(NodeError::Mesh(error));
        inner.mesh.share(address.space).await.map_err(mesh_failed)?;
        match address.secret {
            Some(secret) => inner.mesh.join(address.space, address.peer.clone(), secret.to_vec()).await,
            None => inner.mesh.add_peer(address.space, address.peer.clone()).await,
        }
        .map_err(mesh_failed)?;
        let mut timer = inner.runtime.sleep(patience).fuse();
        let mut reason = "no answer".to_owned();
        let mut answered = address.secret.is_none();
        loop {
            let here = inner.store.has_replica(address.space).await.map_err(NodeError::from)?;
            if here && answered {
                break;
            }
            match select(events.next(), &mut timer).await {
                Either::Left((Some(event), _)) => answered |= notice(event, address, &mut reason)?,
                Either::Left((None, _)) => return Err(mesh_failed(MeshError::Stopped)),
                Either::Right(_) => {
                    return Err(JoinError::Unreachable { address: Box::new(address.peer.clone()), patience, reason });
                }
            }
        }
        let joined = self.open(address.space).await?;
        self.remember(address.space, &address.peer).await;
        Ok(joined)
    }

    /// Stops: tells peers so and ends all connections, and makes durable what is being typed; what was written is already. Writes
    /// checkpoints, so that the next start is quick.
    pub async fn stop(&self) {
        self.inner.mesh.stop().await;
        if let Err(error) = self.inner.store.flush().await {
            tracing::warn!(%error, "something that was typed last could not be kept, or no checkpoint be written");
        }
    }

    fn nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.inner.runtime.fill_random(&mut nonce);
        nonce
    }

    /// Takes care of what the mesh tells, for as long as it runs and anybody has a handle to the node.
    async fn attend(inner: Weak<Inner>, mut events: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = events.next().await {
            let Some(inner) = inner.upgrade() else { return };
            Self { inner }.take_care_of(event).await;
        }
        // Ends the streams of all who listen.
        if let Some(inner) = inner.upgrade() {
            inner.told.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    async fn take_care_of(&self, event: Event) {
        match &event {
            Event::JoinRequested { connection, identity, identity_bytes, replica, secret } => {
                let (store, author) = (&self.inner.store, &self.inner.author);
                let (who, time) = ((*identity, identity_bytes.clone()), self.inner.runtime.wall_clock_ms());
                let refused = admission::admit(store, author, time, *replica, who, secret).await.err();
                // If the mesh has stopped, so have we.
                self.inner.mesh.admit(*connection, *replica, refused).await.ok();
            }
            Event::AddressLearned { replica, address } => self.remember(*replica, address).await,
            _ => {}
        }
        let mut told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|sender| sender.unbounded_send(event.clone()).is_ok());
    }

    async fn remember(&self, space: ReplicaId, address: &PeerAddress) {
        // What is remembered is read, changed and written.
        let _one_at_a_time = self.inner.remembering.lock().await;
        if let Err(error) = peers::remember(&self.inner.store, space, address).await {
            tracing::warn!(%error, "the address of a peer could not be remembered");
        }
    }
}

/// What an event means for a join under way: whether the member who was asked has let us in.
fn notice(event: Event, address: &SpaceAddress, last: &mut String) -> Result<bool, JoinError> {
    match event {
        Event::DialFailed { address: failed, reason, wrong_identity } if failed == address.peer => {
            if wrong_identity {
                return Err(JoinError::WrongIdentity { reason });
            }
            *last = reason;
        }
        Event::NotShared { replica, peer } if replica == address.space && peer == address.peer.identity => {
            return Err(JoinError::NotShared { address: Box::new(address.peer.clone()) });
        }
        Event::JoinAnswered { replica, refused, .. } if replica == address.space => {
            return match refused {
                Some(reason) => Err(JoinError::Refused { reason }),
                None => Ok(true),
            };
        }
        _ => {}
    }
    Ok(false)
}

impl NodeBuilder {
    /// Adds a way to reach peers. Several are told apart by the schemes of addresses.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transports.push(Arc::new(transport));
        self
    }

    /// Accepts connections at an endpoint, such as `quic://0.0.0.0:0`; port 0 is any free one.
    #[must_use]
    pub fn listen(mut self, endpoint: Url) -> Self {
        self.listen.push(endpoint);
        self
    }

    /// Uses other settings for the mesh than the defaults.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Starts the node.
    ///
    /// # Errors
    /// If an endpoint cannot be listened on.
    pub async fn start(self) -> Result<Node, NodeError> {
        let Self { runtime, author, store, transports, listen, config } = self;
        let config = config.unwrap_or_else(|| {
            let (mut seed, mut instance) = ([0; 8], [0; 16]);
            runtime.fill_random(&mut seed);
            runtime.fill_random(&mut instance);
            Config::new(u64::from_be_bytes(seed), instance)
        });
        let (mesh, events) = Mesh::start(config, author.clone(), store.clone(), transports, runtime.clone());
        let mut listening = Vec::new();
        for endpoint in listen {
            listening.push(mesh.listen(endpoint).await?);
        }
        let (told, remembering) = (Mutex::default(), AsyncMutex::default());
        let inner = Arc::new(Inner { author, store, mesh, runtime: runtime.clone(), listening, told, remembering });
        let node = Node { inner };
        runtime.spawn(Box::pin(Node::attend(Arc::downgrade(&node.inner), events)));
        Ok(node)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("author", &self.inner.author.id()).finish_non_exhaustive()
    }
}
