//! Checking signatures ahead of their turn: while one bundle is being made durable, which takes the disk's time, the next
//! one can be checked, which takes the processor's.
//!
//! That a signature holds follows from the id of the op alone: it is the hash of the header with the signature, and the
//! header names by hash the identity with the key. So it can be found out at any time, and remembered by id.

use std::collections::BTreeMap;

use hhs_model::identity::{Identity, PublicKey, verify_batch};
use hhs_model::op::Op;
use hhs_model::{IdentityId, OpId};

use super::error::IngestError;
use super::{Store, StoreError};

impl Store {
    /// Checks signatures that a later [`ingest`](Self::ingest) then need not check. `identities` and `headers` are the
    /// bytes in the bundle that is waiting.
    ///
    /// Nothing is kept and nothing refused: what cannot be checked yet, or does not hold, is left to `ingest`.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn check_ahead(&self, identities: &[&[u8]], headers: &[&[u8]]) -> Result<(), StoreError> {
        let mut keys = BTreeMap::new();
        for bytes in identities {
            if let Ok(identity) = Identity::from_bytes(bytes) {
                keys.insert(IdentityId::of(bytes), identity.key);
            }
        }
        for headers in headers.chunks(VERIFIED_AT_ONCE).take(REMEMBERED / VERIFIED_AT_ONCE) {
            let mut ops = Vec::with_capacity(headers.len());
            for op in headers.iter().filter_map(|header| Op::from_bytes(header).ok()) {
                let author = op.header().author;
                if !keys.contains_key(&author)
                    && let Some(key) = self.key_of(author).await?
                {
                    keys.insert(author, key);
                }
                if keys.contains_key(&author) {
                    ops.push(op);
                }
            }
            let ops: Vec<&Op> = ops.iter().collect();
            if verify(&ops, &keys).is_ok() {
                let mut verified = self.verified();
                ops.iter().for_each(|op| verified.put(op.id(), ()));
            }
        }
        Ok(())
    }

    /// Checks the signatures of ops, but for those that were checked ahead.
    pub(super) fn check_signatures<'a>(
        &self,
        ops: impl Iterator<Item = &'a Op>,
        keys: &BTreeMap<IdentityId, PublicKey>,
    ) -> Result<(), IngestError> {
        let unchecked: Vec<&Op> = {
            let mut verified = self.verified();
            ops.filter(|op| verified.take(&op.id()).is_none()).collect()
        };
        unchecked.chunks(VERIFIED_AT_ONCE).try_for_each(|ops| verify(ops, keys)).map_err(IngestError::Signature)
    }
}

/// Checks the signatures of ops, all of whose authors have a key in `keys`.
///
/// # Errors
/// The first op whose signature does not hold.
fn verify(ops: &[&Op], keys: &BTreeMap<IdentityId, PublicKey>) -> Result<(), OpId> {
    let messages: Vec<_> = ops.iter().map(|op| op.signed_message(keys[&op.header().author])).collect();
    verify_batch(&messages).map_err(|bad| ops[bad].id())
}

/// Signatures that are checked in one go. Too low: each costs more; too high: memory, some kilobyte each.
const VERIFIED_AT_ONCE: usize = 2048;
/// Ops that are remembered as checked in each of two generations, some 60 bytes each. Too low: those at the end of a large
/// bundle are checked in their turn only.
pub(super) const REMEMBERED: usize = 16_384;

#[cfg(test)]
mod tests;
