//! Carries out what the core asks of the store. The driver and the simulator both call it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use hhs_model::history::Positions;
use hhs_model::op::Act;
use hhs_model::{IdentityId, OpId, ReplicaId};
use hhs_store::{Bundle, IngestError, ReadLimit, SignedOp, Store, StoreError};

use crate::proto::{Answer, Task};

/// Does what a task says.
pub async fn perform(store: &Store, task: Task) -> Answer {
    let done = match task {
        Task::Unknown { replica, ids } => unknown(store, replica, ids).await,
        Task::Plan { replica, heads, have, list } => plan(store, replica, heads, have, list).await,
        Task::Genesis { replica } => genesis(store, replica).await,
        Task::Load { replica, ranges, ops, bytes, sent } => {
            load(store, replica, &ranges, ReadLimit { ops, bytes }, sent).await
        }
        Task::Adopt { replica, genesis, identities } => {
            return match store.adopt(replica, genesis, &identities).await {
                Ok(()) => Answer::Adopted,
                Err(StoreError::Backend(error)) => Answer::Failed(error.to_string()),
                Err(error) => Answer::Refused(error.to_string()),
            };
        }
        Task::Ingest { replica, bundle } => {
            return match store.ingest(replica, bundle).await {
                Ok(ingested) => Answer::Ingested(ingested),
                Err(IngestError::Store(StoreError::NoReplica(_))) => Answer::NotHere,
                Err(error) if error.blames_sender() => Answer::Refused(error.to_string()),
                Err(error) => Answer::Failed(error.to_string()),
            };
        }
    };
    done.unwrap_or_else(|error| match error {
        StoreError::NoReplica(_) => Answer::NotHere,
        error => Answer::Failed(error.to_string()),
    })
}

async fn unknown(store: &Store, replica: ReplicaId, ids: Vec<OpId>) -> Result<Answer, StoreError> {
    match store.unknown(replica, &ids).await {
        Ok(unknown) => Ok(Answer::Unknown(unknown)),
        Err(StoreError::NoReplica(_)) => Ok(Answer::Unknown(ids)),
        Err(error) => Err(error),
    }
}

async fn plan(
    store: &Store,
    replica: ReplicaId,
    heads: Vec<OpId>,
    have: Vec<OpId>,
    list: usize,
) -> Result<Answer, StoreError> {
    let wanted = store.positions(replica, &heads).await?;
    let had = store.positions(replica, &have).await?;
    let (found, all_known) = (!wanted.is_empty(), have.iter().all(|id| had.contains_key(id)));
    let missing = store.difference(replica, wanted.into_values(), had.values().copied()).await?;
    let listed = if all_known { Vec::new() } else { topmost(store, replica, &missing, list).await? };
    Ok(Answer::Plan { missing, known: had.into_keys().collect(), all_known, found, listed })
}

/// The ids of the `count` topmost of some ops, from the top.
async fn topmost(
    store: &Store,
    replica: ReplicaId,
    positions: &Positions,
    count: usize,
) -> Result<Vec<OpId>, StoreError> {
    let mut ids = Vec::new();
    for range in positions.ranges().iter().rev() {
        let left = (count - ids.len()) as u64;
        if left == 0 {
            break;
        }
        let start = range.start.max(range.end.saturating_sub(left));
        ids.extend(store.op_ids(replica, start..range.end).await?.into_iter().rev());
    }
    Ok(ids)
}

async fn genesis(store: &Store, replica: ReplicaId) -> Result<Answer, StoreError> {
    let holders = store.genesis(replica).await?.holders();
    let genesis = store.get_bytes(replica.into()).await?.ok_or(StoreError::NoReplica(replica))?;
    let identities = identities(store, holders, &BTreeSet::new()).await?;
    Ok(Answer::Genesis { genesis, identities: identities.into_iter().map(|(_, bytes)| bytes).collect() })
}

async fn load(
    store: &Store,
    replica: ReplicaId,
    ranges: &[Range<u64>],
    limit: ReadLimit,
    sent: Arc<BTreeSet<IdentityId>>,
) -> Result<Answer, StoreError> {
    let mut left = limit;
    let mut bundle = Bundle::default();
    let mut named = BTreeSet::new();
    let mut next = ranges.last().map_or(0, |range| range.end);
    'ranges: for range in ranges {
        let mut start = range.start;
        while start < range.end {
            if left.ops == 0 || left.bytes == 0 {
                next = start;
                break 'ranges;
            }
            for stored in store.ops(replica, start..range.end, left).await? {
                start = stored.position + 1;
                let header = stored.op.header();
                named.insert(header.author);
                named.extend(header.act.iter().map(|Act::Grant { to, .. }| *to));
                let size = stored.op.bytes().len() + stored.payload.as_ref().map_or(0, Vec::len);
                left = ReadLimit { ops: left.ops.saturating_sub(1), bytes: left.bytes.saturating_sub(size) };
                bundle.ops.push(SignedOp { header: stored.op.bytes().to_vec(), payload: stored.payload });
            }
        }
    }
    let named = identities(store, named, &sent).await?;
    let (ids, identities) = named.into_iter().unzip();
    bundle.identities = identities;
    Ok(Answer::Loaded { bundle, identities: ids, next })
}

/// The bytes of some identities, without those that were `sent`.
async fn identities(
    store: &Store,
    ids: BTreeSet<IdentityId>,
    sent: &BTreeSet<IdentityId>,
) -> Result<Vec<(IdentityId, Vec<u8>)>, StoreError> {
    let mut found = Vec::new();
    for id in ids.into_iter().filter(|id| !sent.contains(id)) {
        found.push((id, store.get_bytes(id.into()).await?.ok_or(StoreError::NoIdentity(id))?));
    }
    Ok(found)
}
