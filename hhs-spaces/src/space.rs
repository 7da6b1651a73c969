//! A space: a root replica that is read, written, watched and synchronised.

use futures::StreamExt;
use hhs_crdt::Replica;
use hhs_mesh::{MeshError, PeerAddress};
use hhs_model::op::Capability;
use hhs_model::{Frontier, Identity, IdentityId, OpId, ReplicaId};
use hhs_store::{AppendError, ChangeStream, Live, StoreError};
use url::Url;

use crate::address::SpaceAddress;
use crate::node::Node;
use crate::peers;

/// A space whose root is a replica of class `R`. Cloning gives another handle to the same state.
pub struct Space<R: Replica> {
    node: Node,
    live: Live<R>,
}

/// Why something cannot be done with a space.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The mesh failed.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// This node listens nowhere, so that nobody can be told where to join.
    #[error("this node listens nowhere, so nobody can join through it: start it with an endpoint to listen on")]
    NotListening,
}

impl<R: Replica> Space<R> {
    pub(crate) fn new(node: Node, live: Live<R>) -> Self {
        Self { node, live }
    }

    /// The space's id, which is that of its root.
    pub fn id(&self) -> ReplicaId {
        self.live.id()
    }

    /// The node that it is open in.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The root replica.
    pub fn live(&self) -> &Live<R> {
        &self.live
    }

    /// Synchronises the space from now on, with whoever was a peer before and whoever comes; and with it the replicas that give
    /// it authority and those that it is a part of, without which nobody could judge what is written in it.
    ///
    /// # Errors
    /// If the node has stopped or the store cannot be read.
    pub async fn sync(&self) -> Result<(), SpaceError> {
        let inner = &self.node.inner;
        inner.mesh.share(self.id()).await?;
        for address in peers::known(&inner.store, self.id()).await? {
            match inner.mesh.add_peer(self.id(), address).await {
                // It was reached by a program that could: this one does without.
                Ok(()) | Err(MeshError::Scheme { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Where peers of the space were reached before, the latest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn known_peers(&self) -> Result<Vec<PeerAddress>, SpaceError> {
        Ok(peers::known(&self.node.inner.store, self.id()).await?)
    }

    /// Says where a peer is that shares the space.
    ///
    /// # Errors
    /// If the node has stopped.
    pub async fn add_peer(&self, address: PeerAddress) -> Result<(), SpaceError> {
        Ok(self.node.inner.mesh.add_peer(self.id(), address).await?)
    }

    /// Reads the state. While `read` runs nothing is applied, so it should be short.
    pub fn read<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        self.live.read(read)
    }

    /// Writes one op with all that `edit` records; returns once it is durable and applied. `None` if nothing was recorded.
    ///
    /// # Errors
    /// If we may not write here, a value cannot be saved, or the store fails. Then nothing was written.
    pub async fn update<F>(&self, edit: F) -> Result<Option<OpId>, AppendError>
    where
        F: FnOnce(&mut R::Edit<'_>),
    {
        let time = self.node.inner.runtime.wall_clock_ms();
        self.live.update(&self.node.inner.author, time, edit).await
    }

    /// Lets somebody in: grants an identity capabilities, which we have to hold ourselves.
    ///
    /// # Errors
    /// If we may not, or the store fails. Then nothing was granted.
    pub async fn grant(
        &self,
        to: &Identity,
        can: impl IntoIterator<Item = Capability>,
    ) -> Result<Option<OpId>, AppendError> {
        let inner = &self.node.inner;
        let (bytes, id) = to.encoded().map_err(StoreError::from)?;
        inner.store.put_identity(bytes).await?;
        self.live.grant(&inner.author, inner.runtime.wall_clock_ms(), id, can).await
    }

    /// Removes a member: withdraws all that was granted to them, with as few ops as that takes. What they wrote and we have
    /// seen stays; what they write apart from that has no effect. The founder's rights cannot be withdrawn.
    ///
    /// # Errors
    /// If we may not, or are not senior to whoever let them in, or the store fails.
    pub async fn revoke(&self, member: IdentityId) -> Result<Vec<OpId>, AppendError> {
        let inner = &self.node.inner;
        self.live.revoke(&inner.author, inner.runtime.wall_clock_ms(), member).await
    }

    /// Writes down what the space holds, so that opening it again is quick however long its history is. That happens by
    /// itself from time to time; an app does it before it ends.
    ///
    /// # Errors
    /// If the store cannot write.
    pub async fn checkpoint(&self) -> Result<(), SpaceError> {
        Ok(self.live.checkpoint().await?)
    }

    /// Gives back all that was granted to us.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn renounce(&self) -> Result<Vec<OpId>, AppendError> {
        let inner = &self.node.inner;
        self.live.renounce(&inner.author, inner.runtime.wall_clock_ms()).await
    }

    /// Undoes removals, by the ops of [`revoke`](Self::revoke): what they made void has effect again.
    ///
    /// # Errors
    /// If we are junior to who removed, one of the ops is no revocation that is here, or the store fails.
    pub async fn reinstate(&self, revocations: &[OpId]) -> Result<Option<OpId>, AppendError> {
        let inner = &self.node.inner;
        self.live.reinstate(&inner.author, inner.runtime.wall_clock_ms(), revocations.iter().copied()).await
    }

    /// What changes from now on, by us and by others. Who does not read gets [`Lagged`](hhs_store::Lagged) in place of what
    /// was too much to keep.
    pub fn changes(&self) -> ChangeStream {
        self.live.changes()
    }

    /// The version that is here.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn version(&self) -> Result<Frontier, SpaceError> {
        Ok(self.node.inner.store.frontier(self.id()).await?)
    }

    /// Whether we may write here, as far as is known by now.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn is_writable(&self) -> Result<bool, SpaceError> {
        let inner = &self.node.inner;
        Ok(inner.store.may(self.id(), inner.author.id(), Capability::WRITE).await?)
    }

    /// Waits until we may write here: until the op by which a member lets us in has come.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn writable(&self) -> Result<(), SpaceError> {
        let mut commits = self.node.inner.store.watch();
        while !self.is_writable().await? {
            // The store lives as long as we do, and so does the stream.
            commits.next().await;
        }
        Ok(())
    }

    /// An address by which others can join and become members, through this node.
    ///
    /// The secret in it is good for as long as this node has the space: give it only to whom you want in.
    ///
    /// # Errors
    /// If this node listens nowhere, or the store fails.
    pub async fn invite(&self) -> Result<SpaceAddress, SpaceError> {
        let inner = &self.node.inner;
        let endpoint = self.node.listening().first().ok_or(SpaceError::NotListening)?;
        let secret = peers::secret_or_new(&inner.store, self.id(), &*inner.runtime).await?;
        Ok(self.address(endpoint, Some(secret)))
    }

    fn address(&self, endpoint: &Url, secret: Option<[u8; 16]>) -> SpaceAddress {
        let peer = PeerAddress { endpoint: endpoint.clone(), identity: self.node.author().id() };
        SpaceAddress { peer, space: self.id(), secret }
    }
}

impl<R: Replica> Clone for Space<R> {
    fn clone(&self) -> Self {
        Self { node: self.node.clone(), live: self.live.clone() }
    }
}

impl<R: Replica> std::fmt::Debug for Space<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Space").field("id", &self.id()).finish_non_exhaustive()
    }
}
