//! The ops of a replica that act on authority, as they are listed.

use hhs_model::authority::Seen;
use hhs_model::history::Positions;
use hhs_model::op::Op;

use super::record::OpRecord;
use super::tips::read_act_entry;
use super::{StoreError, corrupted, keys};
use crate::backend::{Backend, Limit, Order, prefix_range};

/// An op that acts on authority.
pub(super) struct ListedAct {
    pub(super) position: u64,
    pub(super) height: u64,
    pub(super) seen: Seen,
    pub(super) op: Op,
    /// Which positions before its own are not in its past, if it withdraws something and that stands there.
    pub(super) unseen: Option<Positions>,
}

/// The acts of a replica, in their order.
///
/// # Errors
/// If what is listed is not there or no act, or the backend cannot read.
pub(super) async fn listed(backend: &dyn Backend, replica: u32) -> Result<Vec<ListedAct>, StoreError> {
    let all = Limit { entries: usize::MAX, bytes: usize::MAX };
    let entries = backend.scan(prefix_range(&keys::acts_of(replica)), Order::Ascending, all).await?;
    let (mut positions, mut unseen) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
    for (nth, (key, value)) in (0..).zip(entries) {
        if keys::number(&key, 5)? != nth {
            return Err(corrupted("an op that acts on authority is not listed"));
        }
        let (position, not_seen) = read_act_entry(&value)?;
        positions.push(position);
        unseen.push(not_seen);
    }
    let mut acts = Vec::with_capacity(positions.len());
    for ((position, record), unseen) in records(backend, replica, &positions).await?.into_iter().zip(unseen) {
        let OpRecord { height, seen, header, .. } = record;
        let op = Op::from_vec(header).map_err(|_| corrupted("the header of an op cannot be read"))?;
        if op.header().act.is_none() {
            return Err(corrupted("an op does not act on authority as the list says"));
        }
        acts.push(ListedAct { position, height, seen, op, unseen });
    }
    Ok(acts)
}

/// The records of some positions.
///
/// # Errors
/// If one is not there, or the backend cannot read.
pub(super) async fn records(
    backend: &dyn Backend,
    replica: u32,
    positions: &[u64],
) -> Result<Vec<(u64, OpRecord)>, StoreError> {
    let mut records = Vec::with_capacity(positions.len());
    for chunk in positions.chunks(AT_ONCE) {
        let wanted: Vec<Vec<u8>> = chunk.iter().map(|position| keys::op(replica, *position)).collect();
        for (position, value) in chunk.iter().zip(backend.get_many(&wanted).await?) {
            let value = value.ok_or_else(|| corrupted("an index names an op that is not there"))?;
            records.push((*position, OpRecord::from_bytes(&value)?));
        }
    }
    Ok(records)
}

/// Records that are read at once.
const AT_ONCE: usize = 512;
