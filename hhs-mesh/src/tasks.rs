//! Carries out what the core asks of the store. The driver and the simulator both call it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use hhs_model::op::Act;
use hhs_model::{Frontier, IdentityId, OpId, ReplicaId};
use hhs_store::{BackendError, Bundle, IngestError, ReadLimit, SignedOp, Store, StoreError, StoredOp};

use crate::proto::{Answer, Task};

/// Does what a task says.
pub async fn perform(store: &Store, task: Task) -> Answer {
    let done = match task {
        Task::LookUp { replica } => look_up(store, replica).await,
        Task::Unknown { replica, ids } => unknown(store, replica, ids).await,
        Task::Plan { replica, heads, have, list, below } => plan(store, replica, &heads, &have, list, below).await,
        Task::Genesis { replica } => genesis(store, replica).await,
        Task::Load { replica, ranges, ops, bytes, sent } => {
            load(store, replica, &ranges, ReadLimit { ops, bytes }, sent).await
        }
        Task::Adopt { replica, genesis, identities } => {
            return match store.adopt(replica, genesis, &identities).await {
                Ok(()) => match needs(store, replica).await {
                    Ok(needs) => Answer::Adopted { needs },
                    Err(error) => Answer::Failed(error.to_string()),
                },
                Err(StoreError::NoParent { parent, .. }) => Answer::NoParent(parent),
                // Too many sources: who sent it need not have them.
                Err(error @ (StoreError::Backend(_) | StoreError::Sources(_))) => Answer::Failed(error.to_string()),
                Err(error) => Answer::Refused(error.to_string()),
            };
        }
        Task::Ingest { replica, bundle } => {
            return match store.ingest(replica, bundle).await {
                Ok(ingested) => Answer::Ingested(ingested),
                Err(IngestError::Store(StoreError::NoReplica(_))) => Answer::NotHere,
                Err(error @ IngestError::NoIdentity { .. }) => Answer::NoIdentity(error.to_string()),
                Err(IngestError::MissingDependency { missing, .. }) => Answer::Lacks(vec![missing]),
                Err(IngestError::MissingSource { .. }) => Answer::Lacks(Vec::new()),
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

async fn look_up(store: &Store, replica: ReplicaId) -> Result<Answer, StoreError> {
    match (held(store, replica).await, needs(store, replica).await) {
        (Ok(state), Ok(needs)) => Ok(Answer::LookedUp { state: Some(state), needs }),
        (Err(StoreError::NoReplica(_)), _) => Ok(Answer::LookedUp { state: None, needs: Vec::new() }),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// The heads of a replica that peers are told of, and how many ops it has. Others may be writing: the heads are never older
/// than the count, or heads that are out of date could pass for the latest ones.
///
/// # Errors
/// If it is not here, or the store cannot be read.
pub async fn held(store: &Store, replica: ReplicaId) -> Result<(Frontier, u64), StoreError> {
    let mut before = store.count(replica).await?;
    for _ in 0..4 {
        let frontier = heads(store, replica).await?;
        let after = store.count(replica).await?;
        if before == after {
            return Ok((frontier, after));
        }
        before = after;
    }
    // Somebody writes without a pause, and will cause it to be looked up again.
    Ok((heads(store, replica).await?, before))
}

/// What counts, and what has to be known to judge that.
async fn heads(store: &Store, replica: ReplicaId) -> Result<Frontier, StoreError> {
    let mut frontier = store.frontier(replica).await?;
    frontier.heads.extend(store.kept_heads(replica).await?);
    Ok(frontier)
}

/// The replicas that one needs, by its genesis: its ops cannot be judged without them. Those need others in turn.
async fn needs(store: &Store, replica: ReplicaId) -> Result<Vec<ReplicaId>, StoreError> {
    let founding = store.founding(replica).await?;
    let mut needs = founding.sources();
    needs.extend(founding.place().map(|(parent, _)| parent));
    Ok(needs.into_iter().collect())
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
    heads: &[OpId],
    have: &[OpId],
    list: usize,
    below: Option<OpId>,
) -> Result<Answer, StoreError> {
    let wanted = store.positions(replica, heads).await?;
    let had = store.positions(replica, have).await?;
    let unknown: Vec<OpId> = have.iter().filter(|id| !had.contains_key(id)).copied().collect();
    let missing = store.difference(replica, wanted.into_values(), had.into_values()).await?;
    let end = match below {
        // What is not known here was not listed here.
        Some(id) => store.positions(replica, &[id]).await?.get(&id).copied().unwrap_or(u64::MAX),
        None if unknown.is_empty() => 0,
        None => u64::MAX,
    };
    let unlisted: Vec<Range<u64>> = missing
        .ranges()
        .iter()
        .take_while(|range| range.start < end)
        .map(|range| range.start..range.end.min(end))
        .collect();
    let listed = topmost(store, replica, &unlisted, list).await?;
    let all = listed.len() as u64 == unlisted.iter().map(|range| range.end - range.start).sum::<u64>();
    Ok(Answer::Plan { missing, unknown, listed, all })
}

/// The ids of the `count` topmost ops of some positions, from the top.
async fn topmost(
    store: &Store,
    replica: ReplicaId,
    ranges: &[Range<u64>],
    count: usize,
) -> Result<Vec<OpId>, StoreError> {
    let mut ids = Vec::new();
    for range in ranges.iter().rev() {
        let left = count.saturating_sub(ids.len()) as u64;
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
    let mut loading = Loading { left: limit, bundle: Bundle::default(), named: BTreeSet::new() };
    let mut next = ranges.last().map_or(0, |range| range.end);
    'ranges: for range in ranges {
        let mut start = range.start;
        while start < range.end {
            if loading.is_full() {
                next = start;
                break 'ranges;
            }
            let page = store.ops(replica, start..range.end, loading.left).await?;
            if page.is_empty() {
                let reason = format!("the op at position {start} of the replica {replica} is not there");
                return Err(BackendError::Corrupted { reason }.into());
            }
            for stored in page {
                // Identities count as well: a page that is small without them may not be with them.
                if !loading.is_full() {
                    start = stored.position + 1;
                    loading.add(store, stored, &sent).await?;
                }
            }
        }
    }
    let identities = loading.named.into_iter().collect();
    Ok(Answer::Loaded { bundle: loading.bundle, identities, next })
}

/// A batch that is being put together.
struct Loading {
    left: ReadLimit,
    bundle: Bundle,
    named: BTreeSet<IdentityId>,
}

impl Loading {
    fn is_full(&self) -> bool {
        self.left.ops == 0 || self.left.bytes == 0
    }

    async fn add(&mut self, store: &Store, stored: StoredOp, sent: &BTreeSet<IdentityId>) -> Result<(), StoreError> {
        let header = stored.op.header();
        let granted = header.act.iter().filter_map(Act::grantee);
        let named: BTreeSet<IdentityId> =
            granted.chain([header.author]).filter(|id| !self.named.contains(id)).collect();
        let mut size = stored.op.bytes().len() + stored.payload.as_ref().map_or(0, Vec::len);
        for (id, bytes) in identities(store, named, sent).await? {
            size += bytes.len();
            self.named.insert(id);
            self.bundle.identities.push(bytes);
        }
        self.left.ops = self.left.ops.saturating_sub(1);
        self.left.bytes = self.left.bytes.saturating_sub(size);
        self.bundle.ops.push(SignedOp { header: stored.op.bytes().to_vec(), payload: stored.payload });
        Ok(())
    }
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
