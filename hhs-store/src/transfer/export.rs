//! A space as one CAR file: its replicas with all their ops, and every object that those lead to.
//!
//! Order in the file, so that it can be taken in as it is read: an identity before who names it, a parent's genesis before its
//! child's, an op after its parents and its payload right behind it, an object after what it links to. The last blocks are
//! the manifest. Memory: an id for each object and head, and pages of ops; not the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::io::AsyncWrite;
use hhs_model::object::{self, to_bytes};
use hhs_model::{Cid, Hash, IdentityId, ObjectId, OpId, ReplicaId};

use super::car::{CarError, Writer};
use super::manifest;
use crate::store::{Located, ReadLimit, Store, StoreError, StoredOp, named_identities};

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Blocks in the file.
    pub blocks: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Replicas in it.
    pub replicas: u64,
    /// Ops in it.
    pub ops: u64,
    /// Links in payloads that lead to what this store does not have; the file says so too.
    pub absent: u64,
}

/// Why a space could not be exported. The file is of no use then.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed, or has no such space.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be written.
    #[error(transparent)]
    Car(#[from] CarError),
}

impl Store {
    /// Writes a space to `sink` as a CAR file: the replica `space` as the root, its children, and all that they link to.
    /// Ops that are written meanwhile may be left out. `progress` is told how many blocks were written so far.
    ///
    /// # Errors
    /// If the space is not here, the backend cannot read, or the file cannot be written.
    pub async fn export_car<W: AsyncWrite + Unpin>(
        &self,
        space: ReplicaId,
        sink: &mut W,
        progress: impl FnMut(u64),
    ) -> Result<Exported, ExportError> {
        // Before anything is written: there is no such file then.
        self.genesis(space).await?;
        let writer = Writer::new(sink, space.cid()).await?;
        let mut export = Export {
            store: self,
            writer,
            progress,
            written: BTreeSet::new(),
            replicas: BTreeMap::new(),
            waiting: VecDeque::from([space]),
            objects: Vec::new(),
            heads: Vec::new(),
            absent: BTreeSet::new(),
            ops: 0,
        };
        export.all().await?;
        export.finish(space).await
    }
}

struct Export<'a, W, P> {
    store: &'a Store,
    writer: Writer<'a, W>,
    progress: P,
    /// Objects, identities and geneses in the file.
    written: BTreeSet<Hash>,
    /// Replicas in the file, and how many of their ops. What is written meanwhile may link to later ones.
    replicas: BTreeMap<ReplicaId, u64>,
    /// Replicas that have to be in the file.
    waiting: VecDeque<ReplicaId>,
    /// Objects that have to be in the file.
    objects: Vec<ObjectId>,
    heads: Vec<OpId>,
    absent: BTreeSet<Cid>,
    ops: u64,
}

impl<W: AsyncWrite + Unpin, P: FnMut(u64)> Export<'_, W, P> {
    async fn all(&mut self) -> Result<(), ExportError> {
        loop {
            if let Some(replica) = self.waiting.pop_front() {
                self.replica(replica).await?;
            } else if let Some(object) = self.objects.pop() {
                self.object(object).await?;
            } else {
                return Ok(());
            }
        }
    }

    /// Writes a replica with all its ops, after those above it.
    async fn replica(&mut self, replica: ReplicaId) -> Result<(), ExportError> {
        if self.replicas.contains_key(&replica) {
            return Ok(());
        }
        self.replicas.insert(replica, 0);
        self.genesis(replica).await?;
        self.waiting.extend(self.store.children(replica).await?);
        let mut heads = BTreeSet::new();
        let mut next = 0;
        loop {
            let page = self.store.ops(replica, next..u64::MAX, PAGE).await?;
            let Some(last) = page.last() else { break };
            next = last.position + 1;
            for op in &page {
                heads.insert(op.op.id());
                for parent in &op.op.header().parents {
                    heads.remove(parent);
                }
                self.op(op).await?;
            }
            self.replicas.insert(replica, next);
            self.follow(&page).await?;
            (self.progress)(self.writer.blocks());
        }
        self.heads.extend(heads);
        Ok(())
    }

    /// Writes a genesis and the identities it names, after the geneses above it.
    async fn genesis(&mut self, replica: ReplicaId) -> Result<(), ExportError> {
        let mut above = Vec::new();
        let mut next = Some(replica);
        while let Some(id) = next.filter(|id| !self.written.contains(&id.0)) {
            let genesis = self.store.genesis(id).await?;
            next = genesis.parent();
            above.push((id, genesis));
        }
        for (id, genesis) in above.into_iter().rev() {
            for holder in genesis.holders() {
                self.identity(holder).await?;
            }
            // The child's ops are judged by what those above it grant.
            if id != replica {
                self.waiting.push_back(id);
            }
            self.block_of(id.into()).await?;
        }
        Ok(())
    }

    async fn op(&mut self, stored: &StoredOp) -> Result<(), ExportError> {
        let header = stored.op.header();
        for identity in named_identities(header) {
            self.identity(identity).await?;
        }
        self.writer.block(stored.op.id().cid(), stored.op.bytes()).await?;
        if let (Some(reference), Some(payload)) = (&header.payload, &stored.payload) {
            self.writer.block(reference.id.cid(), payload).await?;
        }
        self.ops += 1;
        Ok(())
    }

    /// Looks into the payloads of a page for what else has to be in the file.
    async fn follow(&mut self, page: &[StoredOp]) -> Result<(), ExportError> {
        let mut links: BTreeSet<Cid> = BTreeSet::new();
        for payload in page.iter().filter_map(|op| op.payload.as_deref()) {
            // What is not canonical has no links: no class can make sense of it.
            links.extend(object::links(payload).into_iter().flatten().map(|link| link.cid));
        }
        let links: Vec<Cid> = links.into_iter().collect();
        for (link, located) in links.iter().zip(self.store.locate(&links).await?) {
            match located {
                Some(Located::Object) => self.objects.push(ObjectId(link.hash)),
                Some(Located::Replica(replica)) => self.wait_for(replica),
                Some(Located::Op { replica, position }) => {
                    self.wait_for(replica);
                    self.note_absent(*link, replica, position);
                }
                None => drop(self.absent.insert(*link)),
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, replica: ReplicaId) {
        if !self.replicas.contains_key(&replica) {
            self.waiting.push_back(replica);
        }
    }

    /// Takes note of a link to an op that came after its replica was written.
    fn note_absent(&mut self, link: Cid, replica: ReplicaId, position: u64) {
        if self.replicas.get(&replica).is_some_and(|written| position >= *written) {
            self.absent.insert(link);
        }
    }

    async fn identity(&mut self, identity: IdentityId) -> Result<(), ExportError> {
        if self.written.contains(&identity.0) { Ok(()) } else { self.block_of(identity.into()).await }
    }

    /// Writes an object after all that it leads to. Iterative: how deep objects hang is bounded by nothing.
    async fn object(&mut self, object: ObjectId) -> Result<(), ExportError> {
        let mut entered = BTreeSet::new();
        let mut path = vec![object];
        while let Some(id) = path.last().copied() {
            if self.written.contains(&id.0) {
                path.pop();
                continue;
            }
            if !entered.insert(id) {
                // What it leads to was above it on the path, and is written.
                path.pop();
                self.block_of(id).await?;
                continue;
            }
            let bytes = self.bytes(id).await?;
            let links: BTreeSet<Cid> =
                object::links(&bytes).map_err(StoreError::from)?.into_iter().map(|link| link.cid).collect();
            let links: Vec<Cid> = links.into_iter().collect();
            for (link, located) in links.iter().zip(self.store.locate(&links).await?) {
                match located {
                    Some(Located::Object) => path.push(ObjectId(link.hash)),
                    Some(Located::Replica(replica)) => self.replica(replica).await?,
                    Some(Located::Op { replica, position }) => {
                        self.replica(replica).await?;
                        self.note_absent(*link, replica, position);
                    }
                    None => drop(self.absent.insert(*link)),
                }
            }
        }
        Ok(())
    }

    async fn block_of(&mut self, id: ObjectId) -> Result<(), ExportError> {
        let bytes = self.bytes(id).await?;
        self.writer.block(id.cid(), &bytes).await?;
        self.written.insert(id.0);
        (self.progress)(self.writer.blocks());
        Ok(())
    }

    async fn bytes(&self, id: ObjectId) -> Result<Vec<u8>, StoreError> {
        self.store.get_bytes(id).await?.ok_or(StoreError::Gone(id))
    }

    async fn finish(mut self, space: ReplicaId) -> Result<Exported, ExportError> {
        let absent = std::mem::take(&mut self.absent);
        let count = absent.len() as u64;
        let heads = std::mem::take(&mut self.heads);
        for part in manifest::parts(space, self.writer.blocks(), heads, absent.into_iter().collect()) {
            let bytes = to_bytes(&part).map_err(StoreError::from)?;
            self.writer.block(Cid::of_object(&bytes), &bytes).await?;
        }
        let (replicas, ops) = (self.replicas.len() as u64, self.ops);
        let (blocks, bytes) = self.writer.finish().await?;
        Ok(Exported { blocks, bytes, replicas, ops, absent: count })
    }
}

/// Ops that are read at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
