//! Versions of a document, and who wrote what.

use hhs_model::Frontier;
use hhs_model::class::{Change, Changes, PathSegment, Replica};
use hhs_model::replay::{Replay, VersionBuilder, Wrote};

use super::{Document, VersionError};

impl<R: Replica> Document<R> {
    /// The state of a version, judged from that version alone: what it showed to who had it and nothing else.
    ///
    /// # Errors
    /// If an op that the version names is not here.
    pub fn at(&self, version: &Frontier) -> Result<R, VersionError> {
        let heads = self.history.positions(&version.heads).map_err(VersionError::Unknown)?;
        Ok(self.state_at(&heads))
    }

    /// What is different in the version `newer`. Changes are told under one of its heads.
    ///
    /// # Errors
    /// If an op that a version names is not here.
    pub fn diff(&self, older: &Frontier, newer: &Frontier) -> Result<Vec<Change>, VersionError> {
        let (mut from, to) = (self.at(older)?, self.at(newer)?);
        let Some(head) = newer.heads.last().or(older.heads.last()) else { return Ok(Vec::new()) };
        let Some((op, _)) = self.get(head) else { return Err(VersionError::Unknown(*head)) };
        let mut changes = Changes::of(op.id(), op.header().author);
        let heads = self.history.positions(&newer.heads).map_err(VersionError::Unknown)?;
        from.authorise(&self.authority.holders_for(&self.seen_above(&heads)), &mut changes);
        from.diff(&to, &mut changes);
        Ok(changes.into_vec())
    }

    /// The ops that wrote to a field of the replica, those without effect among them, in an order that is the same everywhere.
    pub fn history(&self, field: &str) -> Vec<Wrote> {
        let wrote = (0..self.len()).filter_map(|position| {
            Wrote::of(&self.history.kept(position), self.graph().height(position), self.replay.void(position), field)
        });
        let mut wrote: Vec<Wrote> = wrote.collect();
        Wrote::sort(&mut wrote);
        wrote
    }

    /// What has changed at a path and below it, from the beginning, op by op, as verdicts are now. Concurrent ops come in the order in
    /// which they came to be here. Who may do what is judged as now from the start, so that nothing of that is told. It costs what applying
    /// all ops costs.
    pub fn history_of(&self, path: &[PathSegment]) -> Vec<Change> {
        let (mut replay, mut found) = (Replay::<R>::new(&self.authority), Vec::new());
        for position in 0..self.len() {
            let op = &self.history.get(position).op;
            let mut changes = Changes::of(op.id(), op.header().author);
            replay.apply(self.history.kept(position), &self.authority, &mut changes);
            found.extend(changes.into_vec().into_iter().filter(|change| change.path.starts_with(path)));
        }
        found
    }

    /// The state of the version with these heads; from the latest checkpoint that is part of it.
    pub(super) fn state_at(&self, heads: &[u64]) -> R {
        let (version, _) = self.graph().difference(heads, &[]);
        let seen = self.seen_above(heads);
        let mut saved = self.checkpoints.latest_first();
        let saved = saved.find_map(|saved| VersionBuilder::from_saved(saved, &version, seen.clone(), &self.authority));
        let mut builder = saved.unwrap_or_else(|| VersionBuilder::new(&version, seen.clone(), &self.authority));
        while let Some(range) = builder.wants() {
            range.for_each(|position| builder.feed(self.history.kept(position), &self.authority));
        }
        builder.finish()
    }
}
