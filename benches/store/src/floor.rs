//! The floor: the bare checks, and redb with nothing of ours on top.

use std::hint::black_box;
use std::path::Path;

use bench_harness::Outcome;
use hhs_model::identity::verify_batch;
use hhs_store::backend::{Batch, Write};
use hhs_store_redb::Options;
use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};
use sha2::{Digest, Sha256};

use crate::history::SignedBatch;

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

/// A redb database with the cache that stores have.
pub(crate) struct Raw {
    database: Database,
}

impl Raw {
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        let database = Database::builder().set_cache_size(Options::default().cache_bytes).create(path)?;
        Ok(Self { database })
    }

    /// Writes a batch durably.
    pub(crate) fn write(&self, batch: &Batch) -> Outcome<()> {
        let transaction = self.database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for write in &batch.writes {
            match write {
                Write::Put(key, value) => drop(table.insert(key.as_slice(), value.as_slice())?),
                Write::Delete(key) => drop(table.remove(key.as_slice())?),
            }
        }
        drop(table);
        Ok(transaction.commit()?)
    }

    /// The entries, for reading.
    pub(crate) fn table(&self) -> Outcome<ReadOnlyTable<&'static [u8], &'static [u8]>> {
        Ok(self.database.begin_read()?.open_table(TABLE)?)
    }
}

/// Verifies the signatures of a batch in one go, and hashes all its bytes.
pub(crate) fn check(batch: &SignedBatch) -> Outcome<()> {
    verify_batch(&batch.messages).map_err(|_| "a signature does not hold")?;
    for op in &batch.ops {
        black_box(Sha256::digest(&op.header));
        black_box(op.payload.as_ref().map(Sha256::digest));
    }
    Ok(())
}
