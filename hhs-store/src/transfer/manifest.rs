//! The manifest at the end of an exported file: by it one can tell a whole file from a part of one.

use hhs_model::{Cid, Object, OpId, ReplicaId};

/// One part of a manifest. A file ends with all parts, in order; the last block of a file is the last part.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[object(class = "hhs/v1/Export")]
pub(super) struct Manifest {
    /// The number of this part, from 0.
    pub(super) part: u64,
    /// How many parts there are.
    pub(super) parts: u64,
    /// How many blocks come before the first part.
    pub(super) blocks: u64,
    /// The space, which is also the root of the file.
    pub(super) space: ReplicaId,
    /// The heads of all replicas in the file, a part of them in each part.
    pub(super) heads: Vec<OpId>,
    /// What payloads in the file link to and the exporting store did not have, a part of it in each part.
    pub(super) absent: Vec<Cid>,
}

/// Splits a manifest so that every part is a block.
pub(super) fn parts(space: ReplicaId, blocks: u64, heads: Vec<OpId>, absent: Vec<Cid>) -> Vec<Manifest> {
    let parts = (heads.len() + absent.len()).div_ceil(LINKS_PER_PART).max(1);
    let (mut heads, mut absent) = (heads.into_iter(), absent.into_iter());
    let part = |part| {
        let heads: Vec<OpId> = heads.by_ref().take(LINKS_PER_PART).collect();
        let absent = absent.by_ref().take(LINKS_PER_PART - heads.len()).collect();
        Manifest { part: part as u64, parts: parts as u64, blocks, space, heads, absent }
    };
    (0..parts).map(part).collect()
}

/// Some 42 bytes each: far below the bounds on links and bytes of a block.
const LINKS_PER_PART: usize = 10_000;
