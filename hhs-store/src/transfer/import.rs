//! Taking in a space from a CAR file: read through once to see that it is whole, then again to take it in, through the same
//! checks as what a peer sends. Doing it twice, or going on after a crash, changes nothing.

use futures::io::AsyncRead;
use hhs_model::codec::DecodeError;
use hhs_model::object::class_of;
use hhs_model::op::{Genesis, Header, Op, OpError};
use hhs_model::{Cid, Identity, Object, OpId, PayloadId, ReplicaId};

use super::car::{Block, CarError, Reader};
use super::manifest::Manifest;
use super::verify::{Incomplete, Verified};
use crate::store::{Bundle, IngestError, SignedOp, Store, StoreError};

/// What was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The space.
    pub space: ReplicaId,
    /// Replicas in the file.
    pub replicas: u64,
    /// Ops that are new here.
    pub added: u64,
    /// Ops that were here before.
    pub known: u64,
    /// Objects in the file, identities included.
    pub objects: u64,
    /// Links in payloads that lead to what the exporting store did not have.
    pub absent: u64,
}

/// Why a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no CAR file, or damaged.
    #[error(transparent)]
    Car(#[from] CarError),
    /// The file has no root or several.
    #[error("the file has {0} roots, and an exported space has one: it is not one")]
    Roots(usize),
    /// The file ends before its manifest does.
    #[error("the file is a part of an exported space, without its end: get all of it")]
    Partial,
    /// Links lead out of the file.
    #[error("the file is a part of an exported space, get all of it; {0}")]
    Incomplete(Incomplete),
    /// A block is not an object.
    #[error("the block {id} is refused: {source}")]
    Block {
        /// Its id.
        id: Cid,
        /// Why.
        source: DecodeError,
    },
    /// A block is not an op.
    #[error("the op {id} is refused: {source}")]
    Op {
        /// Its id.
        id: Cid,
        /// Why.
        source: OpError,
    },
    /// The payload of an op does not follow its header.
    #[error(
        "the payload of the op {0} does not follow it: the file was put together by another program; export it anew"
    )]
    Order(OpId),
    /// Ops do not belong to the replica whose genesis is in the file.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Takes in the space of a CAR file, which was read through before and is read again from its start. `progress` is told
    /// how many blocks were read so far.
    ///
    /// Everything is checked as what a peer sends: a file that has changed since it was verified harms nothing.
    ///
    /// # Errors
    /// If what is in it is refused, or the store fails. Then it may be there in part; doing it again goes on from there.
    pub async fn import_car<R: AsyncRead + Unpin>(
        &self,
        source: R,
        verified: &Verified,
        mut progress: impl FnMut(u64),
    ) -> Result<Imported, ImportError> {
        let (mut reader, _) = Reader::new(source).await?;
        let mut import = Import::new(self, verified);
        while let Some(block) = reader.next().await? {
            import.take(block).await?;
            progress(import.blocks);
        }
        import.flush().await?;
        Ok(import.imported)
    }
}

struct Import<'a> {
    store: &'a Store,
    imported: Imported,
    blocks: u64,
    /// What waits to be taken in together: objects first, then the ops of one replica.
    objects: Vec<Vec<u8>>,
    replica: Option<ReplicaId>,
    ops: Vec<SignedOp>,
    bytes: usize,
    /// The op whose payload is the next block.
    expects: Option<(OpId, PayloadId)>,
}

impl<'a> Import<'a> {
    fn new(store: &'a Store, verified: &Verified) -> Self {
        let (space, absent) = (verified.space(), verified.absent());
        let imported = Imported { space, replicas: 0, added: 0, known: 0, objects: 0, absent };
        Self {
            store,
            imported,
            blocks: 0,
            objects: Vec::new(),
            replica: None,
            ops: Vec::new(),
            bytes: 0,
            expects: None,
        }
    }

    async fn take(&mut self, block: Block) -> Result<(), ImportError> {
        self.blocks += 1;
        if let Some((op, payload)) = self.expects.take() {
            if payload.cid() != block.cid {
                return Err(ImportError::Order(op));
            }
            self.bytes += block.bytes.len();
            let op = self.ops.last_mut().expect("the op whose payload this is");
            op.payload = Some(block.bytes);
            return Ok(());
        }
        if self.bytes >= BATCH_BYTES || self.ops.len() >= BATCH_OPS || self.objects.len() >= BATCH_OPS {
            self.flush().await?;
        }
        let class = class_of(&block.bytes).map_err(|source| ImportError::Block { id: block.cid, source })?;
        let is_identity = class == Identity::CLASS;
        match class {
            Manifest::CLASS => Ok(()),
            Header::CLASS => self.op(block).await,
            Genesis::CLASS => self.genesis(block).await,
            _ => self.object(block, is_identity).await,
        }
    }

    async fn op(&mut self, block: Block) -> Result<(), ImportError> {
        let op = Op::from_bytes(&block.bytes).map_err(|source| ImportError::Op { id: block.cid, source })?;
        let header = op.header();
        if self.replica != Some(header.target) {
            self.flush().await?;
            self.replica = Some(header.target);
        }
        self.expects = header.payload.map(|payload| (op.id(), payload.id));
        self.bytes += block.bytes.len();
        self.ops.push(SignedOp { header: block.bytes, payload: None });
        Ok(())
    }

    async fn genesis(&mut self, block: Block) -> Result<(), ImportError> {
        self.flush().await?;
        self.store.adopt(ReplicaId(block.cid.hash), block.bytes, &[]).await?;
        self.imported.replicas += 1;
        Ok(())
    }

    /// Identities stand among the ops that they have written; other objects lead to ops, and wait until those are there.
    async fn object(&mut self, block: Block, is_identity: bool) -> Result<(), ImportError> {
        if !is_identity && !self.ops.is_empty() {
            self.flush().await?;
        }
        self.bytes += block.bytes.len();
        self.objects.push(block.bytes);
        self.imported.objects += 1;
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), ImportError> {
        self.bytes = 0;
        if !self.objects.is_empty() {
            self.store.put_all(std::mem::take(&mut self.objects)).await?;
        }
        if let (Some(replica), false) = (self.replica, self.ops.is_empty()) {
            let bundle = Bundle { identities: Vec::new(), ops: std::mem::take(&mut self.ops) };
            let ingested = self.store.ingest(replica, bundle).await?;
            self.imported.added += ingested.added;
            self.imported.known += ingested.known;
        }
        Ok(())
    }
}

/// Ops, or objects, that are taken in together. Too low: a durable commit for few; too high: memory.
const BATCH_OPS: usize = 1000;
/// No further block joins those that are taken in together once they have this many bytes.
const BATCH_BYTES: usize = 4 << 20;
