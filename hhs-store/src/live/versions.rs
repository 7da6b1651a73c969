//! The replica as it was, what differs between two versions, and who wrote what.

use hhs_model::Frontier;
use hhs_model::authority::{Authority, Seen};
use hhs_model::class::{Change, Changes, PathSegment, Replica};
use hhs_model::history::Positions;
use hhs_model::replay::{VersionBuilder, Wrote};

use super::Live;
use crate::store::{ReadLimit, StoreError, StoredOp, Version};

impl<R: Replica> Live<R> {
    /// The state of a version, judged from that version alone: what it showed to who had it and nothing else.
    ///
    /// It is made from the latest checkpoint that is part of the version, and the ops after it.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] if an op that the version names is not here, or if the backend cannot read.
    pub async fn at(&self, version: &Frontier) -> Result<R, StoreError> {
        let Version { heads, seen } = self.store.seen_version(self.id, version).await?;
        let mut builder = self.begin_version(&heads, seen).await?;
        while let Some(range) = builder.wants() {
            let ops = self.store.ops(self.id, range, PAGE).await?;
            if ops.is_empty() {
                return Err(StoreError::Gone(self.id.into()));
            }
            let feed = |authority: &Authority| ops.iter().for_each(|stored| builder.feed(stored.kept(), authority));
            self.store.with_authority(self.id, feed).await?;
        }
        Ok(builder.finish())
    }

    async fn begin_version(&self, heads: &[u64], seen: Seen) -> Result<VersionBuilder<R>, StoreError> {
        let version = self.version_of(heads)?;
        let end = heads.last().map_or(0, |last| last + 1);
        for saved in self.store.saved_before(self.id, &*self.shared, end).await? {
            let Some(saved) = self.store.saved_bytes(self.id, &saved).await? else { continue };
            let load = |authority: &Authority| VersionBuilder::from_saved(&saved, &version, seen.clone(), authority);
            if let Some(builder) = self.store.with_authority(self.id, load).await? {
                return Ok(builder);
            }
        }
        self.store.with_authority(self.id, |authority| VersionBuilder::new(&version, seen, authority)).await
    }

    /// The ops of the version with these heads.
    fn version_of(&self, heads: &[u64]) -> Result<Positions, StoreError> {
        let state = self.shared.lock();
        match heads.last().is_none_or(|last| *last < state.count()) {
            true => Ok(state.replay.graph().difference(heads, &[]).0),
            // It is being made anew, and has not come so far.
            false => Err(StoreError::NoReplica(self.id)),
        }
    }

    /// What is different in the version `newer`. Changes are told under one of its heads.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub async fn diff(&self, older: &Frontier, newer: &Frontier) -> Result<Vec<Change>, StoreError> {
        let (mut from, to) = (self.at(older).await?, self.at(newer).await?);
        let Some(head) = newer.heads.last().or(older.heads.last()) else { return Ok(Vec::new()) };
        let position = self.store.positions(self.id, &[*head]).await?.remove(head).ok_or(StoreError::NoOp(*head))?;
        let stored = self.store.op_at(self.id, position).await?.ok_or(StoreError::NoOp(*head))?;
        let mut changes = Changes::of(*head, stored.op.header().author);
        let Version { seen, .. } = self.store.seen_version(self.id, newer).await?;
        let holders = self.store.with_authority(self.id, |authority| authority.holders_for(&seen)).await?;
        from.authorise(&holders, &mut changes);
        from.diff(&to, &mut changes);
        Ok(changes.into_vec())
    }

    /// What has changed at a path and below it, from the beginning, op by op, as verdicts are now. Concurrent ops come in the order in
    /// which they came to be here. Who may do what is judged as now from the start, so that nothing of that is told. It reads and
    /// applies all of the history.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn history_of(&self, path: &[PathSegment]) -> Result<Vec<Change>, StoreError> {
        let Version { heads, seen } = self.store.seen_version(self.id, &self.store.frontier(self.id).await?).await?;
        let version = self.version_of(&heads)?;
        let new = |authority: &Authority| VersionBuilder::<R>::new(&version, seen, authority);
        let mut builder = self.store.with_authority(self.id, new).await?;
        let mut found = Vec::new();
        while let Some(range) = builder.wants() {
            let ops = self.store.ops(self.id, range, PAGE).await?;
            if ops.is_empty() {
                return Err(StoreError::Gone(self.id.into()));
            }
            let feed = |authority: &Authority| {
                for stored in &ops {
                    let mut changes = Changes::of(stored.op.id(), stored.op.header().author);
                    builder.feed_watched(stored.kept(), authority, &mut changes);
                    found.extend(changes.into_vec().into_iter().filter(|change| change.path.starts_with(path)));
                }
            };
            self.store.with_authority(self.id, feed).await?;
        }
        Ok(found)
    }

    /// The ops that wrote to a field of the replica, those without effect among them, in an order that is the same
    /// everywhere. It reads all of the history.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn history(&self, field: &str) -> Result<Vec<Wrote>, StoreError> {
        let (mut wrote, mut next) = (Vec::new(), 0);
        loop {
            let ops = self.store.ops(self.id, next..u64::MAX, PAGE).await?;
            let Some(last) = ops.last() else { break };
            next = last.position + 1;
            let state = self.shared.lock();
            let written =
                |stored: &StoredOp| Wrote::of(&stored.kept(), stored.height, state.void(stored.position), field);
            wrote.extend(ops.iter().filter_map(written));
        }
        Wrote::sort(&mut wrote);
        Ok(wrote)
    }
}

/// How much of a history is read at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
