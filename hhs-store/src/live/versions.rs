//! The replica as it was, what differs between two versions, and who wrote what.

use hhs_model::class::{Change, Changes, Replica};
use hhs_model::replay::{VersionBuilder, Voided, writes};
use hhs_model::{Frontier, IdentityId, OpId};

use super::Live;
use crate::store::{ReadLimit, StoreError, Version};

/// An op that wrote to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrote {
    /// The op.
    pub op: OpId,
    /// One more than the greatest height of its parents.
    pub height: u64,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970.
    pub time: u64,
    /// In what way it has no effect now, if it has none.
    pub void: Option<Voided>,
}

impl<R: Replica> Live<R> {
    /// The state of a version, judged from that version alone: what it showed to who had it and nothing else.
    ///
    /// It is made from the latest checkpoint that is part of the version, and the ops after it.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] if an op that the version names is not here, or if the backend cannot read.
    pub async fn at(&self, version: &Frontier) -> Result<R, StoreError> {
        let version = self.store.seen_version(self.id, version).await?;
        let mut builder = self.begin_version(&version).await?;
        while let Some(range) = builder.wants() {
            let ops = self.store.ops(self.id, range, PAGE).await?;
            if ops.is_empty() {
                return Err(StoreError::Gone(self.id.into()));
            }
            ops.iter().for_each(|stored| builder.feed(stored.kept(), &version.authority));
        }
        Ok(builder.finish())
    }

    async fn begin_version(&self, version: &Version) -> Result<VersionBuilder<R>, StoreError> {
        let Version { heads, seen, authority } = version;
        let graph = {
            let state = self.shared.lock();
            let graph = state.replay().graph();
            match heads.last().is_none_or(|last| *last < graph.len()) {
                true => graph.clone(),
                // It is being made anew, and has not come so far.
                false => return Err(StoreError::NoReplica(self.id)),
            }
        };
        let end = heads.last().map_or(0, |last| last + 1);
        for saved in self.store.saved_before(self.id, &*self.shared, end).await? {
            let Some(saved) = self.store.saved_bytes(self.id, &saved).await? else { continue };
            if let Some(builder) = VersionBuilder::from_saved(&saved, &graph, heads, seen.clone(), authority) {
                return Ok(builder);
            }
        }
        Ok(VersionBuilder::new(&graph, heads, seen.clone(), authority))
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
        let Version { seen, authority, .. } = self.store.seen_version(self.id, newer).await?;
        from.authorise(&authority.holders_for(&seen), &mut changes);
        from.diff(&to, &mut changes);
        Ok(changes.into_vec())
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
            for stored in ops {
                if !stored.payload.as_ref().is_some_and(|payload| writes(payload, field)) {
                    continue;
                }
                let (header, shown) = (stored.op.header(), stored.position < state.replay().applied());
                let void = if shown { state.replay().void(stored.position) } else { None };
                let (op, author) = (stored.op.id(), header.author);
                wrote.push(Wrote { op, height: stored.height, author, time: header.time, void });
            }
        }
        wrote.sort_unstable_by_key(|wrote| (wrote.height, wrote.op));
        Ok(wrote)
    }
}

/// How much of a history is read at once.
const PAGE: ReadLimit = ReadLimit { ops: 1024, bytes: 4 << 20 };
