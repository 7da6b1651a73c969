//! What a group of batches comes to: which guards hold, and the last write to each key.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Client;
use hhs_store::backend::{Batch, Write};
use tokio_postgres::Statement;

use crate::error::Trouble;
use crate::sql::Sql;

/// The keys that the guards of a group ask about, each once.
pub(super) fn guarded_keys<'a>(batches: &[&'a Batch]) -> Vec<&'a [u8]> {
    let keys = batches.iter().filter_map(|batch| batch.guard.as_ref()).map(|guard| guard.key.as_slice());
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}

/// What is to be written for a group.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan<'a> {
    /// The value that each key gets; none where it is deleted.
    pub(super) writes: BTreeMap<&'a [u8], Option<&'a [u8]>>,
    /// The batches that are left out because their guard does not hold.
    pub(super) conflicts: BTreeSet<usize>,
}

impl<'a> Plan<'a> {
    /// Judges the batches one after the other, each on what those before it have written over `found`.
    pub(super) fn new(batches: &[&'a Batch], found: &BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        let mut plan = Self { writes: BTreeMap::new(), conflicts: BTreeSet::new() };
        for (at, batch) in batches.iter().enumerate() {
            if let Some(guard) = &batch.guard {
                let stored = || found.get(&guard.key).map(Vec::as_slice);
                let now = plan.writes.get(guard.key.as_slice()).copied().unwrap_or_else(stored);
                if now != guard.expected.as_deref() {
                    plan.conflicts.insert(at);
                    continue;
                }
            }
            plan.writes.extend(batch.writes.iter().map(|write| match write {
                Write::Put(key, value) => (key.as_slice(), Some(value.as_slice())),
                Write::Delete(key) => (key.as_slice(), None),
            }));
        }
        plan
    }

    /// The statements that write it; any number of entries takes few.
    pub(super) fn steps(&self) -> Vec<Step<'a>> {
        let deleted = self.writes.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key);
        let deleted: Vec<_> = deleted.collect();
        let mut steps: Vec<_> = deleted.chunks(STEP_ENTRIES).map(|keys| Step::Delete(keys.to_vec())).collect();
        let (mut keys, mut values, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (key, value) in self.writes.iter().filter_map(|(key, value)| Some((*key, (*value)?))) {
            if keys.len() == STEP_ENTRIES || bytes >= STEP_BYTES {
                steps.push(Step::Put(std::mem::take(&mut keys), std::mem::take(&mut values)));
                bytes = 0;
            }
            keys.push(key);
            values.push(value);
            bytes += key.len() + value.len();
        }
        if !keys.is_empty() {
            steps.push(Step::Put(keys, values));
        }
        steps
    }
}

/// One statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Put(Vec<&'a [u8]>, Vec<&'a [u8]>),
    Delete(Vec<&'a [u8]>),
}

impl Step<'_> {
    pub(super) async fn prepare(&self, client: &Client, sql: &Sql) -> Result<Statement, Trouble> {
        let text = match self {
            Self::Put(..) => &sql.put,
            Self::Delete(_) => &sql.delete,
        };
        Ok(client.prepare_cached(text).await?)
    }

    /// Sends it at once; what comes back resolves when it has run.
    pub(super) async fn run(&self, client: &Client, statement: &Statement) -> Result<(), Trouble> {
        match self {
            Self::Put(keys, values) => client.execute(statement, &[keys, values]).await?,
            Self::Delete(keys) => client.execute(statement, &[keys]).await?,
        };
        Ok(())
    }
}

/// The bytes of keys and values in a batch.
pub(super) fn size(batch: &Batch) -> usize {
    let size = |write: &Write| match write {
        Write::Put(key, value) => key.len() + value.len(),
        Write::Delete(key) => key.len(),
    };
    batch.writes.iter().map(size).sum()
}

/// The most entries of one statement; the server makes an array of them first.
const STEP_ENTRIES: usize = 16_384;
/// No further entry joins a statement with this many bytes; the server takes up to 1 GiB.
const STEP_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests;
