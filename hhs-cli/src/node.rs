//! Opening a store in a file, and starting a node on it.

use std::path::Path;

use hhs::Tokio;
use hhs::mesh::{MeshError, TransportError};
use hhs::model::{Author, Registry};
use hhs::prelude::{Node, QuicTransport, RedbBackend, Store};
use hhs::spaces::NodeError;
use hhs::store::StoreError;

use crate::endpoint::Endpoint;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// QUIC cannot be set up.
    #[error(transparent)]
    Quic(#[from] hhs::quic::QuicError),
    /// The node cannot listen, or its store fails.
    #[error(transparent)]
    Node(#[from] NodeError),
}

impl StartError {
    /// Whether the endpoint to listen on was taken, or is not one of this machine.
    pub(crate) fn cannot_listen(&self) -> bool {
        matches!(self, Self::Node(NodeError::Mesh(MeshError::Transport(TransportError::Listen { .. }))))
    }
}

/// Opens the store in a file; makes a new one where nothing is.
///
/// # Errors
/// If it is in use, is not a store or one of another version, or cannot be read.
pub(crate) async fn open_store(path: &Path) -> Result<Store, StoreError> {
    Store::open_at(&path.display().to_string(), RedbBackend::open(path)?, Registry::new()).await
}

/// Starts a node that speaks QUIC, and listens if it is told where.
///
/// # Errors
/// If it cannot listen there.
pub(crate) async fn start(author: &Author, store: &Store, listen: Option<&Endpoint>) -> Result<Node, StartError> {
    let quic = QuicTransport::new(author.signer().clone())?;
    let mut builder = Node::builder(Tokio::new(), author.clone(), store.clone()).transport(quic);
    if let Some(Endpoint(url)) = listen {
        builder = builder.listen(url.clone());
    }
    Ok(builder.start().await?)
}
