//! The handle by which a node speaks to the loop.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use futures::SinkExt;
use futures::channel::{mpsc, oneshot};
use hhs_model::runtime::Runtime;
use hhs_model::{Author, ReplicaId};
use hhs_store::Store;
use url::Url;

use super::run::{Command, Loop, transport_for};
use crate::proto::{Config, ConnectionId, Event, PeerAddress};
use crate::transport::{Traffic, Transport, TransportError};

/// The mesh of one node. Cloning gives another handle; the mesh stops when it is [stopped](Mesh::stop) or the last handle
/// is dropped.
#[derive(Clone)]
pub struct Mesh {
    commands: mpsc::Sender<Command>,
    traffic: Arc<Mutex<Traffic>>,
    transports: Arc<[Arc<dyn Transport>]>,
}

/// Why the mesh cannot do something.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// No transport knows the scheme of a URL.
    #[error("no transport here speaks {scheme:?}: this program has {known:?}")]
    Scheme {
        /// The scheme.
        scheme: String,
        /// Those that are known.
        known: Vec<&'static str>,
    },
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The mesh was stopped.
    #[error("the mesh was stopped")]
    Stopped,
}

impl Mesh {
    /// Starts a mesh on a store. What happens is told through the receiver, which has to be read.
    pub fn start(
        config: Config,
        author: Author,
        store: Store,
        transports: Vec<Arc<dyn Transport>>,
        runtime: Arc<dyn Runtime>,
    ) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (commands, inbox) = mpsc::channel(64);
        let (events, told) = mpsc::unbounded();
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let transports: Arc<[Arc<dyn Transport>]> = transports.into();
        let engine = Loop::new(config, author, store, transports.clone(), runtime.clone(), events, traffic.clone());
        runtime.spawn(Box::pin(engine.run(inbox)));
        (Self { commands, traffic, transports }, told)
    }

    /// Accepts connections at an endpoint, and tells peers so; returns where, with the port that it really got.
    ///
    /// # Errors
    /// If no transport knows the URL, or the endpoint cannot be listened on.
    pub async fn listen(&self, endpoint: Url) -> Result<Url, MeshError> {
        let (reply, answer) = oneshot::channel();
        self.command(Command::Listen { endpoint, reply }).await?;
        answer.await.map_err(|_| MeshError::Stopped)?
    }

    /// Begins to synchronise a replica with whoever shares it. It need not be here yet.
    ///
    /// # Errors
    /// If the mesh was stopped.
    pub async fn share(&self, replica: ReplicaId) -> Result<(), MeshError> {
        self.command(Command::Share { replica }).await
    }

    /// No longer synchronises a replica.
    ///
    /// # Errors
    /// If the mesh was stopped.
    pub async fn unshare(&self, replica: ReplicaId) -> Result<(), MeshError> {
        self.command(Command::Unshare { replica }).await
    }

    /// Says where a peer is that shares a replica. It is dialled now, and again whenever the connection is lost.
    ///
    /// # Errors
    /// If no transport knows the address, or the mesh was stopped.
    pub async fn add_peer(&self, replica: ReplicaId, address: PeerAddress) -> Result<(), MeshError> {
        transport_for(&self.transports, &address.endpoint)?;
        self.command(Command::AddPeer { replica, address }).await
    }

    /// Asks a member to be let in; [`Event::JoinAnswered`] is the answer.
    ///
    /// # Errors
    /// If no transport knows the address, or the mesh was stopped.
    pub async fn join(&self, replica: ReplicaId, address: PeerAddress, secret: Vec<u8>) -> Result<(), MeshError> {
        transport_for(&self.transports, &address.endpoint)?;
        self.command(Command::Join { replica, address, secret }).await
    }

    /// Answers [`Event::JoinRequested`]; `refused` says why not, if not. Who is let in has to have been granted it before.
    ///
    /// # Errors
    /// If the mesh was stopped.
    pub async fn admit(
        &self,
        connection: ConnectionId,
        replica: ReplicaId,
        refused: Option<String>,
    ) -> Result<(), MeshError> {
        self.command(Command::Admit { connection, replica, refused }).await
    }

    /// What all connections so far have carried.
    pub fn traffic(&self) -> Traffic {
        *self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all connections in good order, and then the loop.
    pub async fn stop(&self) {
        let (reply, answer) = oneshot::channel();
        if self.command(Command::Stop { reply }).await.is_ok() {
            // An error means that it has stopped already.
            answer.await.ok();
        }
    }

    async fn command(&self, command: Command) -> Result<(), MeshError> {
        self.commands.clone().send(command).await.map_err(|_| MeshError::Stopped)
    }
}

impl std::fmt::Debug for Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mesh").finish_non_exhaustive()
    }
}
