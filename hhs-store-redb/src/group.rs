//! A group of batches as one transaction.
//!
//! redb splits a full leaf in the middle, so keys that come one by one in ascending order leave leaves that are half full
//! for ever. Through a cursor it packs what is inserted between two neighbours into full leaves. So a group is sorted, and
//! its runs of new keys (the ops of a bundle, their payloads) go in through a cursor.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hhs_store::backend::{Batch, Write};
use redb::{CursorError, Database, Durability, ReadableTable, StorageError, Table};

use crate::format::ENTRIES;

/// Writes batches durably, in their order; which of them were left out because their guard did not hold.
pub(crate) fn apply<'a>(
    database: &Database,
    batches: impl Iterator<Item = &'a Batch>,
    quick_repair: bool,
) -> Result<BTreeSet<usize>, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(quick_repair);
    let mut entries = transaction.open_table(ENTRIES)?;
    let (last, conflicts) = merge(batches, &entries)?;
    write(&mut entries, last)?;
    drop(entries);
    transaction.commit()?;
    Ok(conflicts)
}

/// The last write to each key, by key; none where it is a delete.
type Last<'a> = BTreeMap<&'a [u8], Option<&'a [u8]>>;
type OpenTable<'a> = Table<'a, &'static [u8], &'static [u8]>;

/// What all batches whose guard holds come to, each guard seeing what the batches before it wrote.
fn merge<'a>(
    batches: impl Iterator<Item = &'a Batch>,
    entries: &OpenTable<'_>,
) -> Result<(Last<'a>, BTreeSet<usize>), StorageError> {
    let mut last = Last::new();
    let mut conflicts = BTreeSet::new();
    for (at, batch) in batches.enumerate() {
        if let Some(guard) = &batch.guard {
            let holds = match last.get(guard.key.as_slice()) {
                Some(found) => *found == guard.expected.as_deref(),
                None => {
                    entries.get(guard.key.as_slice())?.as_ref().map(|value| value.value()) == guard.expected.as_deref()
                }
            };
            if !holds {
                conflicts.insert(at);
                continue;
            }
        }
        last.extend(batch.writes.iter().map(|write| match write {
            Write::Put(key, value) => (key.as_slice(), Some(value.as_slice())),
            Write::Delete(key) => (key.as_slice(), None),
        }));
    }
    Ok((last, conflicts))
}

fn write(entries: &mut OpenTable<'_>, last: Last<'_>) -> Result<(), redb::Error> {
    let writes: Vec<_> = last.into_iter().collect();
    let mut rest = writes.as_slice();
    while !rest.is_empty() {
        let run = run_length(rest);
        let inserted = if run >= MIN_RUN { insert_run(entries, &rest[..run])? } else { 0 };
        // Where a cursor inserts nothing the key is there already, and so are those behind it, as a rule.
        let done = if inserted == 0 { run } else { inserted };
        for (key, value) in &rest[inserted..done] {
            match value {
                Some(value) => drop(entries.insert(key, value)?),
                None => drop(entries.remove(key)?),
            }
        }
        rest = &rest[done..];
    }
    Ok(())
}

/// How many of the writes, at least one, are puts to keys that differ in their last number only.
fn run_length(writes: &[(&[u8], Option<&[u8]>)]) -> usize {
    let continues = |pair: &&[(&[u8], Option<&[u8]>)]| {
        let [(key, value), (next, next_value)] = pair else { return false };
        let shared = key.len().saturating_sub(NUMBER_BYTES);
        key.len() == next.len() && key[..shared] == next[..shared] && value.is_some() && next_value.is_some()
    };
    1 + writes.windows(2).take_while(continues).count()
}

/// Inserts as many of a run as come before the next key that is there already, and says how many.
fn insert_run(entries: &mut OpenTable<'_>, run: &[(&[u8], Option<&[u8]>)]) -> Result<usize, redb::Error> {
    let mut inserted = 0;
    let mut cursor = entries.lower_bound_mut(Bound::Included(run[0].0))?;
    for (key, value) in run {
        match cursor.insert_before(*key, value.unwrap_or_default()) {
            Ok(()) => inserted += 1,
            Err(CursorError::UnorderedKey) => break,
            Err(error) => return Err(error.into()),
        }
    }
    cursor.close()?;
    Ok(inserted)
}

/// The shortest run for which opening a cursor pays. Shorter ones leave half-full leaves with a cursor too.
const MIN_RUN: usize = 4;
/// The numbers at the end of keys that count up.
const NUMBER_BYTES: usize = 8;

#[cfg(test)]
mod tests;
