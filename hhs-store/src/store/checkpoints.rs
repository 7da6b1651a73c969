//! Checkpoints: what a live replica holds, written down, so that opening it costs what its state costs.
//!
//! They are a cache. One that is damaged, of another version of the program, or from before ops were judged otherwise, is
//! dropped, and history is read instead.

use std::ops::Bound;

use hhs_model::authority::Authority;
use hhs_model::class::{LoadError, Loader, Saver};
use hhs_model::{OpId, ReplicaId};

use super::listeners::Applies;
use super::{Store, StoreError, keys};
use crate::backend::{Batch, Limit, Order, prefix_range};

/// What a checkpoint holds.
#[derive(Clone, Copy)]
pub(crate) struct CheckpointBytes<'a> {
    /// How many ops have been applied in it.
    pub(crate) position: u64,
    /// The state.
    pub(crate) bytes: &'a [u8],
}

/// What stands over the parts of a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Of what it is a checkpoint, and by which version of the program.
    kind: String,
    /// The last op in it.
    pub(super) last: OpId,
    /// How many bytes it has.
    pub(super) length: u64,
    /// CRC-32 of them.
    check: u32,
}

impl Head {
    fn new(kind: String, last: OpId, bytes: &[u8]) -> Self {
        Self { kind, last, length: bytes.len() as u64, check: crc32fast::hash(bytes) }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut saver = Saver::new();
        saver.bytes(self.kind.as_bytes()).op(&self.last).uint(self.length).uint(self.check.into());
        saver.finish()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut loader = Loader::new(bytes);
        let kind =
            String::from_utf8(loader.bytes()?.to_vec()).map_err(|_| LoadError::Damaged("its kind is no text"))?;
        let (last, length) = (loader.op()?, loader.uint()?);
        let check = u32::try_from(loader.uint()?).map_err(|_| LoadError::Damaged("its sum is too large"))?;
        loader.finish()?;
        Ok(Self { kind, last, length, check })
    }

    /// How many parts it has.
    pub(super) fn parts(&self) -> u64 {
        self.length.div_ceil(PART_BYTES as u64)
    }
}

impl Store {
    /// Lets a live replica begin anew at its newest checkpoint that holds; whether there is one.
    pub(super) async fn begin_at_checkpoint(
        &self,
        id: ReplicaId,
        live: &dyn Applies,
        authority: &Authority,
    ) -> Result<bool, StoreError> {
        let number = self.replica_number(id).await?;
        for (position, head) in self.checkpoints_like(number, live).await?.into_iter().rev() {
            if let Some(bytes) = self.checkpoint_bytes(number, id, position, &head).await?
                && live.begin(Some(CheckpointBytes { position, bytes: &bytes }), authority)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The checkpoints of a replica that are of the kind of a live one, the oldest first.
    pub(super) async fn checkpoints_like(
        &self,
        replica: u32,
        live: &dyn Applies,
    ) -> Result<Vec<(u64, Head)>, StoreError> {
        let kind = kind_of(live);
        let all = self.checkpoints(replica).await?.into_iter();
        let alike = all.filter_map(|(position, head)| Some((position, head.filter(|head| head.kind == kind)?)));
        Ok(alike.collect())
    }

    /// The checkpoints of a replica, the oldest first; those that cannot be read without their heads.
    async fn checkpoints(&self, replica: u32) -> Result<Vec<(u64, Option<Head>)>, StoreError> {
        let entries = self.all(&keys::checkpoints_of(replica)).await?;
        entries.iter().map(|(key, value)| Ok((keys::number(key, 5)?, Head::from_bytes(value).ok()))).collect()
    }

    /// What a checkpoint holds, if that is what was written, and of this history.
    pub(super) async fn checkpoint_bytes(
        &self,
        replica: u32,
        id: ReplicaId,
        position: u64,
        head: &Head,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(last) = position.checked_sub(1) else { return Ok(None) };
        if self.op_ids(id, last..position).await? != [head.last] {
            return Ok(None);
        }
        let (mut bytes, mut start) = (Vec::new(), Bound::Included(keys::checkpoint_part(replica, position, 0)));
        let end = Bound::Excluded(keys::checkpoint_part(replica, position, head.parts()));
        loop {
            let page = self.backend().scan((start, end.clone()), Order::Ascending, PAGE).await?;
            let Some((key, _)) = page.last() else { break };
            start = Bound::Excluded(key.clone());
            page.iter().for_each(|(_, part)| bytes.extend_from_slice(part));
        }
        Ok((bytes.len() as u64 == head.length && crc32fast::hash(&bytes) == head.check).then_some(bytes))
    }

    /// Writes a checkpoint of a live replica, if there is none yet of what it shows.
    pub(crate) async fn write_checkpoint(&self, id: ReplicaId, live: &dyn Applies) -> Result<(), StoreError> {
        let mut writer = self.quiet_writer().await?;
        self.renew(&mut writer, id).await?;
        let number = self.replica_number(id).await?;
        let Some((position, bytes)) = live.save().filter(|(position, _)| *position > 0) else { return Ok(()) };
        let Some(last) = self.op_ids(id, position - 1..position).await?.pop() else { return Ok(()) };
        let head = Head::new(kind_of(live), last, &bytes);
        let mut batch = Batch::new();
        let old = self.checkpoints(number).await?;
        let (kept, dropped): (Vec<_>, Vec<_>) = old.into_iter().partition(|(_, old)| fits(old.as_ref(), &head));
        let kept: Vec<u64> = kept.into_iter().map(|(position, _)| position).collect();
        let thinned = thinned(position, &kept);
        let dropped = dropped.into_iter().map(|(position, _)| position).chain(thinned);
        for old in dropped {
            self.drop_checkpoint(&mut batch, number, old).await?;
        }
        batch.put(keys::checkpoint(number, position), head.to_bytes());
        for (part, bytes) in (0..).zip(bytes.chunks(PART_BYTES)) {
            batch.put(keys::checkpoint_part(number, position, part), bytes);
        }
        self.commit(&mut writer, batch).await?;
        live.saved(position, bytes.len());
        Ok(())
    }

    /// Writes checkpoints of a replica that are due. What goes wrong harms nothing: the next one is written instead.
    pub(crate) async fn checkpoint_if_due(&self, id: ReplicaId) {
        let live = self.listeners().live(id);
        for live in live.iter().filter(|live| live.wants_checkpoint(false)) {
            self.write_checkpoint(id, &**live).await.ok();
        }
    }

    /// Adds to a batch that a checkpoint goes.
    async fn drop_checkpoint(&self, batch: &mut Batch, replica: u32, position: u64) -> Result<(), StoreError> {
        batch.delete(keys::checkpoint(replica, position));
        let mut range = prefix_range(&keys::checkpoint_parts(replica, position));
        loop {
            let page = self.backend().scan(range.clone(), Order::Ascending, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            range.0 = Bound::Excluded(last.clone());
            for (key, _) in page {
                batch.delete(key);
            }
        }
    }
}

/// What tells checkpoints of this program and class from others.
fn kind_of(live: &dyn Applies) -> String {
    format!("{} {}", env!("CARGO_PKG_VERSION"), live.kind())
}

/// Whether an older checkpoint is of the same kind, so that it may be needed.
fn fits(old: Option<&Head>, new: &Head) -> bool {
    old.is_some_and(|old| old.kind == new.kind)
}

/// Those of the older checkpoints that go when there is one at `position`: of those that are about equally far away the
/// oldest stays, and of all so many.
fn thinned(position: u64, older: &[u64]) -> Vec<u64> {
    let distance = |old: u64| position.saturating_sub(old).max(1).ilog(THINNING);
    let mut gone = Vec::new();
    let mut kept: Vec<u64> = Vec::new();
    for old in older {
        match kept.last() {
            _ if *old >= position => gone.push(*old),
            Some(last) if distance(*last) == distance(*old) => gone.push(*old),
            _ => kept.push(*old),
        }
    }
    let many = kept.len().saturating_sub(MAX_OLDER);
    gone.extend(kept.drain(..many));
    gone
}

/// Bytes of a checkpoint under one key.
pub(super) const PART_BYTES: usize = 1 << 20;
/// How many times as far away the next older checkpoint is.
const THINNING: u64 = 4;
/// How many checkpoints are kept beside the newest. Too low: an act that changes what old ops are worth makes much of the
/// history be applied again. Too high: they take room, each as much as the state.
const MAX_OLDER: usize = 3;
/// How much of a checkpoint is read at once.
const PAGE: Limit = Limit { entries: 8, bytes: 8 << 20 };

#[cfg(test)]
mod tests;
