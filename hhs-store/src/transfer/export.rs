//! A space as one CAR file: its replicas with all their ops, and every object that those lead to.
//!
//! Order in the file, so that it can be taken in as it is read: an identity before who names it, a parent's genesis before its
//! child's, an op after its parents and what it depends on and its payload right behind it, an object after what it links to. The last blocks are
//! the manifest. Memory: an id for each object and head, and pages of ops; not the file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::io::AsyncWrite;
use hhs_model::object::{self, to_bytes};
use hhs_model::op::Act;
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
    /// Writes a space to `sink` as a CAR file: the replica `space` as the root, its children, the replicas that give these
    /// authority, and all that they link to.
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
            order: Vec::new(),
            waiting: VecDeque::from([space]),
            objects: Vec::new(),
            elsewhere: BTreeSet::new(),
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
    /// Replicas in the file, and what of them. What is written meanwhile may link to later ops.
    replicas: BTreeMap<ReplicaId, Written>,
    /// The same in the order in which they came.
    order: Vec<ReplicaId>,
    /// Replicas that have to be in the file.
    waiting: VecDeque<ReplicaId>,
    /// Objects that have to be in the file.
    objects: Vec<ObjectId>,
    /// What acts link to in replicas to which theirs gives authority: none of those has to be in the file.
    elsewhere: BTreeSet<Cid>,
    absent: BTreeSet<Cid>,
    ops: u64,
}

/// What of a replica is in the file.
#[derive(Default)]
struct Written {
    /// How many ops.
    ops: u64,
    heads: BTreeSet<OpId>,
    /// The replicas that give it authority, those first on which others rest.
    sources: Vec<ReplicaId>,
    /// Whether its children are as well.
    children: bool,
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

    /// Writes a replica with all its ops, after those above it and those that give it authority. Its children are to follow.
    async fn replica(&mut self, replica: ReplicaId) -> Result<(), ExportError> {
        let sources = self.begin(replica).await?;
        let written = self.replicas.entry(replica).or_default();
        if std::mem::replace(&mut written.children, true) {
            return Ok(());
        }
        self.waiting.extend(self.store.children(replica).await?);
        loop {
            let next = self.replicas.get(&replica).map_or(0, |written| written.ops);
            let page = self.store.ops(replica, next..u64::MAX, PAGE).await?;
            self.sources(&sources).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.ops(replica, page).await?;
        }
    }

    /// Writes the genesis of a replica, unless that was done, after those of its sources; returns those of them that are here.
    async fn begin(&mut self, replica: ReplicaId) -> Result<Vec<ReplicaId>, ExportError> {
        if let Some(written) = self.replicas.get(&replica) {
            return Ok(written.sources.clone());
        }
        let mut here = Vec::new();
        for source in self.store.sources(replica).await? {
            if !self.store.has_replica(source).await? {
                self.absent.insert(source.cid());
                continue;
            }
            if !self.replicas.contains_key(&source) {
                self.genesis(source).await?;
                self.add(source, here.clone());
            }
            here.push(source);
        }
        self.genesis(replica).await?;
        self.add(replica, here.clone());
        Ok(here)
    }

    fn add(&mut self, replica: ReplicaId, sources: Vec<ReplicaId>) {
        self.replicas.insert(replica, Written { sources, ..Written::default() });
        self.order.push(replica);
    }

    /// Writes the ops of sources that are here and not in the file yet: what was read before depends on no others. The order keeps
    /// that true while others write: what a source depends on was there before it was counted.
    async fn sources(&mut self, sources: &[ReplicaId]) -> Result<(), ExportError> {
        let mut ends = Vec::with_capacity(sources.len());
        for source in sources.iter().rev() {
            ends.push((*source, self.store.count(*source).await?));
        }
        for (source, end) in ends.into_iter().rev() {
            loop {
                let next = self.replicas.get(&source).map_or(0, |written| written.ops);
                let page = self.store.ops(source, next..end.max(next), PAGE).await?;
                if page.is_empty() {
                    break;
                }
                self.ops(source, page).await?;
            }
        }
        Ok(())
    }

    async fn ops(&mut self, replica: ReplicaId, page: Vec<StoredOp>) -> Result<(), ExportError> {
        for op in &page {
            self.op(op).await?;
        }
        let written = self.replicas.entry(replica).or_default();
        for op in &page {
            written.heads.insert(op.op.id());
            op.op.header().parents.iter().for_each(|parent| _ = written.heads.remove(parent));
            written.ops = op.position + 1;
        }
        self.follow(&page).await?;
        (self.progress)(self.writer.blocks());
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
            self.block_of(id.into()).await?;
        }
        Ok(())
    }

    async fn op(&mut self, stored: &StoredOp) -> Result<(), ExportError> {
        let header = stored.op.header();
        for identity in named_identities(header) {
            self.identity(identity).await?;
        }
        for (replica, heads) in header.act.iter().filter_map(Act::cut).flat_map(|cut| cut.iter()) {
            self.elsewhere.insert(replica.cid());
            self.elsewhere.extend(heads.iter().map(OpId::cid));
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
        if self.replicas.get(&replica).is_some_and(|written| position >= written.ops) {
            self.absent.insert(link);
        }
    }

    /// Takes note of what acts keep elsewhere and is not in the file.
    async fn note_elsewhere(&mut self) -> Result<(), ExportError> {
        let links: Vec<Cid> = std::mem::take(&mut self.elsewhere).into_iter().collect();
        for links in links.chunks(AT_ONCE) {
            for (link, located) in links.iter().zip(self.store.locate(links).await?) {
                let is_in_file = match located {
                    Some(Located::Replica(replica)) => self.replicas.contains_key(&replica),
                    Some(Located::Op { replica, position }) => {
                        self.replicas.get(&replica).is_some_and(|written| position < written.ops)
                    }
                    Some(Located::Object) => self.written.contains(&link.hash),
                    None => false,
                };
                if !is_in_file {
                    self.absent.insert(*link);
                }
            }
        }
        Ok(())
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
        self.note_elsewhere().await?;
        let absent = std::mem::take(&mut self.absent);
        let count = absent.len() as u64;
        let replicas = self.order.iter().filter_map(|replica| self.replicas.get(replica));
        let heads: Vec<OpId> = replicas.flat_map(|written| written.heads.iter().copied()).collect();
        for part in manifest::parts(space, self.writer.blocks(), heads, absent.into_iter().collect()) {
            let bytes = to_bytes(&part).map_err(StoreError::from)?;
            self.writer.block(Cid::of_object(&bytes), &bytes).await?;
        }
        let (replicas, ops) = (self.replicas.len() as u64, self.ops);
        let (blocks, bytes) = self.writer.finish().await?;
        Ok(Exported { blocks, bytes, replicas, ops, absent: count })
    }
}

/// Links that are looked up at once.
const AT_ONCE: usize = 512;
/// Ops that are read at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
