//! Reading a file through before anything of it is taken in: every block is the one of its id, and no link leads out of it.
//!
//! Memory: 8 bytes for each block (the first of its hash; who grinds two alike gets past this check, and not past the store's),
//! and the ids of what was named and has not come yet.

use std::collections::BTreeSet;

use futures::io::AsyncRead;
use hhs_model::codec::{DecodeError, Decoder};
use hhs_model::object::{self, class_of, from_bytes};
use hhs_model::op::{Header, Op};
use hhs_model::{Cid, Hash, Object, PayloadId, ReplicaId};

use super::car::{Block, Reader};
use super::import::ImportError;
use super::manifest::Manifest;

/// A file that was found to be whole: what [`Store::import_car`](crate::Store::import_car) asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    space: ReplicaId,
    blocks: u64,
    absent: u64,
}

impl Verified {
    /// The space in it.
    pub fn space(&self) -> ReplicaId {
        self.space
    }

    /// How many blocks it has.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// How many links in payloads lead to what the exporting store did not have.
    pub fn absent(&self) -> u64 {
        self.absent
    }
}

/// What a file lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// Some of what is missing.
    pub missing: Vec<Cid>,
    /// How much is missing.
    pub count: usize,
}

impl std::fmt::Display for Incomplete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} blocks are missing: ", self.count)?;
        for (at, cid) in self.missing.iter().enumerate() {
            write!(f, "{}{cid}", if at == 0 { "" } else { ", " })?;
        }
        if self.missing.len() < self.count { f.write_str(", …") } else { Ok(()) }
    }
}

/// Reads a CAR file through without taking anything in. `progress` is told how many blocks were read so far.
///
/// # Errors
/// If it is no CAR file of a space, damaged, or a part of one.
pub async fn verify_car<R: AsyncRead + Unpin>(
    source: R,
    mut progress: impl FnMut(u64),
) -> Result<Verified, ImportError> {
    let (mut reader, roots) = Reader::new(source).await?;
    let [root] = roots[..] else { return Err(ImportError::Roots(roots.len())) };
    let mut seen = Seen::new(root);
    while let Some(block) = reader.next().await? {
        if let Err(error) = seen.take(block) {
            // Perhaps what it belongs to is missing, as an op whose payload this is: then that is the reason to tell.
            seen.refused.get_or_insert(error);
        }
        progress(seen.blocks);
    }
    seen.finish(ReplicaId(root.hash))
}

struct Seen {
    blocks: u64,
    ids: BTreeSet<u64>,
    missing: BTreeSet<Cid>,
    absent: BTreeSet<Cid>,
    /// The payload that the header before named.
    payload: Option<PayloadId>,
    /// The last part of the manifest so far.
    manifest: Option<Manifest>,
    /// The manifest does not fit to the blocks.
    is_partial: bool,
    /// Why the first block that is refused is.
    refused: Option<ImportError>,
}

impl Seen {
    fn new(root: Cid) -> Self {
        let missing = BTreeSet::from([root]);
        let (ids, absent) = (BTreeSet::new(), BTreeSet::new());
        Self { blocks: 0, ids, missing, absent, payload: None, manifest: None, is_partial: false, refused: None }
    }

    fn take(&mut self, block: Block) -> Result<(), ImportError> {
        let at = self.blocks;
        self.blocks += 1;
        self.missing.remove(&block.cid);
        self.ids.insert(first(&block.cid));
        let expected = self.payload.take();
        if expected.is_some_and(|payload| payload.cid() == block.cid) {
            // Whatever is in it, its class decides what it means; what is not canonical has no links.
            self.need(object::links(&block.bytes).into_iter().flatten().map(|link| link.cid));
            return Ok(());
        }
        let refused = |source| ImportError::Block { id: block.cid, source };
        match class_of(&block.bytes).map_err(refused)? {
            Manifest::CLASS => {
                self.part(from_bytes(&block.bytes).map_err(refused)?, at);
                return Ok(());
            }
            Header::CLASS => {
                let op = Op::from_bytes(&block.bytes).map_err(|source| ImportError::Op { id: block.cid, source })?;
                self.payload = op.header().payload.map(|payload| payload.id);
            }
            _ => canonical(&block.bytes).map_err(refused)?,
        }
        let links = object::links(&block.bytes).map_err(refused)?;
        self.need(links.into_iter().map(|link| link.cid));
        Ok(())
    }

    fn need(&mut self, links: impl IntoIterator<Item = Cid>) {
        for link in links {
            if !self.ids.contains(&first(&link)) {
                self.missing.insert(link);
            }
        }
    }

    fn part(&mut self, part: Manifest, at: u64) {
        let follows = match &self.manifest {
            None => part.part == 0,
            Some(last) => {
                part.part == last.part + 1
                    && (part.parts, part.blocks, part.space) == (last.parts, last.blocks, last.space)
            }
        };
        self.is_partial |= !follows || part.blocks.checked_add(part.part) != Some(at);
        self.need(part.heads.iter().map(hhs_model::OpId::cid));
        self.absent.extend(&part.absent);
        self.manifest = Some(part);
    }

    /// What is missing is told first: where an op is, its payload is a block that is nothing, and counts are wrong.
    fn finish(mut self, space: ReplicaId) -> Result<Verified, ImportError> {
        self.missing.retain(|cid| !self.absent.contains(cid));
        if !self.missing.is_empty() {
            let missing = self.missing.iter().take(NAMED).copied().collect();
            return Err(ImportError::Incomplete(Incomplete { missing, count: self.missing.len() }));
        }
        let ends = self.manifest.as_ref().is_some_and(|last| last.part + 1 == last.parts && last.space == space);
        match self.refused {
            _ if self.is_partial || !ends => Err(ImportError::Partial),
            Some(refused) => Err(refused),
            None => Ok(Verified { space, blocks: self.blocks, absent: self.absent.len() as u64 }),
        }
    }
}

fn canonical(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(bytes)?;
    decoder.skip()?;
    decoder.finish()
}

fn first(cid: &Cid) -> u64 {
    let Hash([a, b, c, d, e, f, g, h, ..]) = cid.hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// How many missing blocks an error names.
const NAMED: usize = 8;
