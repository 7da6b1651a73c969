//! Builds a replica with the causal shape of a history: one key for each author, parents as in the file, a payload of 32
//! bytes for each op.
//!
//! Keys, times and payloads follow from the file alone, so two builds differ only in the nonce of the genesis.

use std::collections::BTreeMap;

use hhs::model::class::{EditError, Replica as _};
use hhs::model::identity::KeyError;
use hhs::model::op::{Genesis, Header, Op, PayloadRef, SignOpError};
use hhs::model::{Hash, OpId, ReplicaId};
use hhs::prelude::*;
use hhs::store::{Bundle, IngestError, SignedOp, StoreError};

use super::dag::{Dag, DagOp};
use super::report::Reporter;

/// A log and nothing else.
#[derive(Replica)]
#[replica(class = "hhs-replay/v1/History", crate = hhs::crdt)]
pub(super) struct History {
    /// One entry for each op.
    pub(super) log: Log<Bytes>,
}

/// Why a history could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The store failed.
    #[error("the history could not be built: {0}")]
    Store(#[from] StoreError),
    /// The store refuses what was built.
    #[error("the store refuses what was built, which is a bug: {0}")]
    Ingest(#[from] IngestError),
    /// A key could not be made.
    #[error("the key of an author could not be made: {0}")]
    Key(#[from] KeyError),
    /// An op has no payload.
    #[error("the payload of an op could not be made: {0}")]
    Payload(#[from] EditError),
    /// An op has no header.
    #[error("an op could not be signed: {0}")]
    Header(#[from] SignOpError),
}

/// Builds a history in a store, durably, and returns its id.
///
/// # Errors
/// If the store fails. Everything else would be a bug.
pub(super) async fn build(store: &Store, dag: &Dag, reporter: &mut Reporter) -> Result<ReplicaId, BuildError> {
    let authors = authors(dag)?;
    let mut nonce = [0; 16];
    Tokio::new().fill_random(&mut nonce);
    let writers = authors.values().map(Author::id).collect();
    let genesis = Genesis::with_writers(History::CLASS, nonce, writers);
    let identities: Vec<Vec<u8>> = authors.values().map(|author| author.identity_bytes().to_vec()).collect();
    let replica = store.create(&genesis, &identities).await?;

    let blank = History::new();
    let mut ids: Vec<OpId> = Vec::with_capacity(dag.len());
    let mut bundle = Bundle::default();
    for op in dag.ops() {
        let signed = sign(&blank, replica, &authors[&op.author], op, &ids)?;
        ids.push(signed.0);
        bundle.ops.push(signed.1);
        if bundle.ops.len() == BUNDLE_OPS || ids.len() == dag.len() {
            store.ingest(replica, std::mem::take(&mut bundle)).await?;
            reporter.built(ids.len(), dag.len());
        }
    }
    Ok(replica)
}

fn authors(dag: &Dag) -> Result<BTreeMap<u32, Author>, BuildError> {
    let author = |number: u32| {
        // Known to everybody, as it should be: these keys stand for nobody.
        let seed = Hash::of(format!("the key of author {number} of a replayed history").as_bytes());
        Ok((number, Author::from_seed(&format!("author {number}"), &seed.0)?))
    };
    dag.authors().into_iter().map(author).collect()
}

/// The op that stands for the next one of the history; `ids` are those before it.
fn sign(
    blank: &History,
    replica: ReplicaId,
    author: &Author,
    op: DagOp<'_>,
    ids: &[OpId],
) -> Result<(OpId, SignedOp), BuildError> {
    let mut edit = blank.edit();
    edit.log.append(Bytes(Hash::of(format!("the entry of op {}", ids.len()).as_bytes()).0.to_vec()));
    let payload = History::finish(edit)?.payload;
    let mut parents: Vec<OpId> = op.parents.iter().map(|parent| ids[*parent as usize]).collect();
    parents.sort_unstable();
    let header = Header {
        target: replica,
        parents,
        deps: Vec::new(),
        grants: Vec::new(),
        act: None,
        author: author.id(),
        time: op.seconds * 1000,
        payload: payload.as_deref().map(PayloadRef::to),
    };
    let op = Op::sign(header, &**author.signer())?;
    Ok((op.id(), SignedOp { header: op.bytes().to_vec(), payload }))
}

/// Ops that are kept with one durable commit.
const BUNDLE_OPS: usize = 1000;

#[cfg(test)]
mod tests;
