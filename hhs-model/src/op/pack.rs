//! Packs: ops with their payloads in few bytes, for keeping and sending many at once.
//!
//! What follows from elsewhere is left out: the target, which all share; ids of parents that are in the pack, which are
//! numbers; hashes and sizes of payloads that come along; the ids of the ops. The rest but the signatures is deflated (RFC 1951) as one
//! stream, as the payloads of neighbours resemble each other. Nothing in a pack is trusted: ops are put together again from it,
//! and are what their signatures make of them. The layout stands in `docs/format.md`, section 10.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::act::Act;
use super::header::{Header, Op, PayloadRef};
use crate::bounds::{MAX_BLOCK_BYTES, MAX_DEPS, MAX_GRANTS, MAX_PACK_BYTES, MAX_PACK_OPS, MAX_PARENTS};
use crate::class::{LoadError, Loader, Saver};
use crate::codec::EncodeError;
use crate::id::{Hash, IdentityId, OpId, PayloadId, ReplicaId};
use crate::identity::Signature;

#[cfg(test)]
mod tests;

/// An op and its payload, as far as that is at hand.
pub type PackedOp = (Op, Option<Vec<u8>>);

/// Why ops do not go into one pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// More ops than a pack takes, or more bytes.
    #[error("a pack takes {MAX_PACK_OPS} ops of {MAX_PACK_BYTES} bytes together: make several")]
    Full,
    /// Ops of different replicas.
    #[error("the ops of a pack are all of one replica")]
    Target,
}

/// Why bytes are not a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// They are not laid out as one.
    #[error("these bytes are not a pack of ops: {0}")]
    Layout(#[from] LoadError),
    /// They cannot be inflated, or to more than a pack may hold.
    #[error("the pack cannot be inflated to at most {MAX_PACK_BYTES} bytes")]
    Deflate,
    /// An op in it is not one.
    #[error("an op in the pack is not one: {0}")]
    Op(#[from] EncodeError),
}

/// Packs ops of one replica, parents first.
///
/// # Errors
/// If they are too many for one pack, or not of one replica.
pub fn pack<'a>(ops: impl IntoIterator<Item = (&'a Op, Option<&'a [u8]>)>) -> Result<Vec<u8>, PackError> {
    let mut packer = Packer::new();
    for (op, payload) in ops {
        packer.add(op, payload)?;
    }
    Ok(packer.finish())
}

/// Takes a pack apart. The signatures are still to be verified.
///
/// # Errors
/// If it is not one.
pub fn unpack(bytes: &[u8]) -> Result<Vec<PackedOp>, UnpackError> {
    let mut outer = Loader::new(bytes);
    if outer.uint()? != VERSION {
        return Err(LoadError::Damaged("its version is not known").into());
    }
    let (signatures, []) = outer.bytes()?.as_chunks::<64>() else { return Err(LoadError::Short.into()) };
    if signatures.len() > MAX_PACK_OPS {
        return Err(LoadError::Damaged("it has too many ops").into());
    }
    let inflated = inflate(outer.bytes()?)?;
    outer.finish()?;
    let mut loader = Loader::new(&inflated);
    let mut unpacker = Unpacker { ids: ids(&mut loader)?, ops: Vec::new(), time: 0 };
    for signature in signatures {
        let op = unpacker.op(&mut loader, Signature(*signature))?;
        unpacker.ops.push(op);
    }
    loader.finish()?;
    Ok(unpacker.ops)
}

/// Makes a pack, op by op.
#[derive(Debug, Default)]
pub struct Packer {
    target: Option<ReplicaId>,
    /// Ids that are named and are not those of ops in the pack, by when they were first named.
    outside: BTreeMap<Hash, u64>,
    listed: Vec<Hash>,
    inside: BTreeMap<OpId, u64>,
    time: u64,
    signatures: Vec<u8>,
    heads: Saver,
    bytes: usize,
}

impl Packer {
    /// Begins with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an op no longer fits. One always fits into an empty pack.
    pub fn is_full_for(&self, op: &Op, payload: Option<&[u8]>) -> bool {
        self.count() == MAX_PACK_OPS || self.bytes + size(op, payload) > MAX_PACK_BYTES / 2
    }

    /// Adds an op, with the payload that it names if that is to come along.
    ///
    /// # Errors
    /// If the pack is full, or of another replica. Then nothing was added.
    pub fn add(&mut self, op: &Op, payload: Option<&[u8]>) -> Result<(), PackError> {
        let header = op.header();
        if self.is_full_for(op, payload) {
            return Err(PackError::Full);
        }
        if *self.target.get_or_insert(header.target) != header.target {
            return Err(PackError::Target);
        }
        self.bytes += size(op, payload);
        let author = self.outside(header.author.0);
        self.heads.uint(author).int(header.time.wrapping_sub(self.time).cast_signed());
        self.time = header.time;
        for list in [&header.parents, &header.deps, &header.grants] {
            self.heads.uint(list.len() as u64);
            for id in list {
                let reference = self.reference(id);
                self.heads.uint(reference);
            }
        }
        match &header.act {
            Some(act) => self.heads.value(act),
            None => self.heads.bytes(&[]),
        };
        match (header.payload, payload) {
            (None, _) => self.heads.uint(NO_PAYLOAD),
            (Some(_), Some(payload)) => self.heads.uint(PAYLOAD).bytes(payload),
            (Some(payload), None) => self.heads.uint(NAMED_PAYLOAD).uint(payload.size).op(&OpId(payload.id.0)),
        };
        self.inside.insert(op.id(), self.count() as u64);
        self.signatures.extend_from_slice(&op.signature().0);
        Ok(())
    }

    fn count(&self) -> usize {
        self.signatures.len() / 64
    }

    fn outside(&mut self, id: Hash) -> u64 {
        *self.outside.entry(id).or_insert_with(|| {
            self.listed.push(id);
            self.listed.len() as u64 - 1
        })
    }

    /// Ops in the pack by how far back they are, others by their place among those outside: even and odd numbers.
    fn reference(&mut self, id: &OpId) -> u64 {
        match self.inside.get(id) {
            Some(number) => (self.count() as u64 - number) << 1,
            None => self.outside(id.0) << 1 | 1,
        }
    }

    /// The pack.
    pub fn finish(self) -> Vec<u8> {
        let mut inner = Saver::new();
        inner.op(&OpId(self.target.map_or(Hash([0; 32]), |target| target.0))).uint(self.listed.len() as u64);
        self.listed.iter().for_each(|id| _ = inner.op(&OpId(*id)));
        let mut stream = inner.finish();
        stream.extend(self.heads.finish());
        let mut pack = Saver::new();
        pack.uint(VERSION).bytes(&self.signatures).bytes(&deflate(&stream));
        pack.finish()
    }
}

fn size(op: &Op, payload: Option<&[u8]>) -> usize {
    op.bytes().len() + payload.map_or(0, <[u8]>::len)
}

struct Ids {
    target: ReplicaId,
    outside: Vec<Hash>,
}

fn ids(loader: &mut Loader<'_>) -> Result<Ids, LoadError> {
    let target = ReplicaId(loader.op()?.0);
    let count = loader.count(32)?;
    let outside = (0..count).map(|_| Ok(loader.op()?.0)).collect::<Result<_, LoadError>>()?;
    Ok(Ids { target, outside })
}

struct Unpacker {
    ids: Ids,
    ops: Vec<PackedOp>,
    time: u64,
}

impl Unpacker {
    fn op(&mut self, loader: &mut Loader<'_>, signature: Signature) -> Result<PackedOp, UnpackError> {
        let author = IdentityId(self.outside(loader.uint()?)?);
        self.time = self.time.wrapping_add(loader.int()?.cast_unsigned());
        let parents = self.references(loader, MAX_PARENTS)?;
        let deps = self.references(loader, MAX_DEPS)?;
        let grants = self.references(loader, MAX_GRANTS)?;
        let act = match loader.bytes()? {
            [] => None,
            act => Some(crate::codec::decode::<Act>(act).map_err(LoadError::from)?),
        };
        let (named, payload) = match loader.uint()? {
            NO_PAYLOAD => (None, None),
            PAYLOAD => {
                let payload = loader.bytes()?;
                (Some(PayloadRef::to(payload)), Some(payload.to_vec()))
            }
            NAMED_PAYLOAD => {
                let size = loader.uint()?.min(MAX_BLOCK_BYTES as u64 + 1);
                (Some(PayloadRef { size, id: PayloadId(loader.op()?.0) }), None)
            }
            _ => return Err(LoadError::Damaged("a payload of an unknown kind").into()),
        };
        let (target, time) = (self.ids.target, self.time);
        let header = Header { target, parents, deps, grants, act, author, time, payload: named };
        Ok((Op::with_signature(header, signature)?, payload))
    }

    /// In the order of headers, which is not that of numbers.
    fn references(&self, loader: &mut Loader<'_>, most: usize) -> Result<Vec<OpId>, LoadError> {
        let count = loader.count(1)?;
        if count > most {
            return Err(LoadError::Damaged("an op names too many others"));
        }
        let mut ids = (0..count).map(|_| self.reference(loader.uint()?)).collect::<Result<Vec<_>, _>>()?;
        ids.sort_unstable();
        Ok(ids)
    }

    fn reference(&self, reference: u64) -> Result<OpId, LoadError> {
        if reference & 1 == 1 {
            return Ok(OpId(self.outside(reference >> 1)?));
        }
        let back = usize::try_from(reference >> 1).unwrap_or(usize::MAX);
        let number = self.ops.len().checked_sub(back).filter(|_| back > 0);
        number.map(|number| self.ops[number].0.id()).ok_or(LoadError::Damaged("an op that is not in the pack"))
    }

    fn outside(&self, number: u64) -> Result<Hash, LoadError> {
        let id = usize::try_from(number).ok().and_then(|number| self.ids.outside.get(number));
        id.copied().ok_or(LoadError::Damaged("an id that is not listed"))
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all that is written");
    encoder.finish().expect("memory takes all that is written")
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut inflated = Vec::new();
    let limit = MAX_PACK_BYTES as u64;
    let read = DeflateDecoder::new(bytes).take(limit + 1).read_to_end(&mut inflated);
    match read {
        Ok(read) if read <= MAX_PACK_BYTES => Ok(inflated),
        _ => Err(UnpackError::Deflate),
    }
}

/// The layout that is written here.
const VERSION: u64 = 1;
/// The op has no payload.
const NO_PAYLOAD: u64 = 0;
/// The payload follows.
const PAYLOAD: u64 = 1;
/// The payload is not at hand: its size and hash follow.
const NAMED_PAYLOAD: u64 = 2;
