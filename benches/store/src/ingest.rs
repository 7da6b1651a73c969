//! Taking in signed ops from a peer, at two sizes of the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bench_harness::{Outcome, beside, rate, timed};
use futures::executor::block_on;
use hhs_model::{OpId, Registry, ReplicaId};
use hhs_store::{Bundle, Store};
use hhs_store_redb::RedbBackend;

use crate::floor::{self, Raw};
use crate::history::{BATCH, History, SignedBatch};
use crate::recording::Recording;

/// A large store, and a raw database with the same entries.
pub(crate) struct Built {
    pub(crate) store: Store,
    pub(crate) path: PathBuf,
    pub(crate) raw: Raw,
    pub(crate) replica: ReplicaId,
    pub(crate) ids: Vec<OpId>,
    /// Bytes of the objects themselves.
    pub(crate) object_bytes: usize,
}

/// Builds a store of so many ops and measures on the way.
pub(crate) fn measure(directory: &Path, ops: usize) -> Outcome<Built> {
    let mut building = Building::new(directory)?;
    building.grow(ops / 10)?;
    building.compare("ingest at 100k")?;
    building.grow(ops - MEASURED * BATCH)?;
    building.compare("ingest at 1M")?;
    Ok(building.built)
}

struct Building {
    history: History,
    backend: Recording,
    built: Built,
}

impl Building {
    fn new(directory: &Path) -> Outcome<Self> {
        let (history, path) = (History::new()?, directory.join("store"));
        let backend = Recording::new(RedbBackend::open(&path)?);
        let store = block_on(Store::open(backend.clone(), Registry::new()))?;
        let replica = block_on(store.create(history.genesis(), &history.identities()))?;
        let raw = Raw::create(&directory.join("raw"))?;
        let (ids, object_bytes) = (Vec::new(), history.founding_bytes()?);
        let built = Built { store, path, raw, replica, ids, object_bytes };
        Ok(Self { history, backend, built })
    }

    /// Takes in ops until there are so many.
    fn grow(&mut self, ops: usize) -> Outcome<()> {
        while self.built.ids.len() < ops {
            let batches = self.next(1)?;
            self.take_in(&batches)?;
            self.copy()?;
        }
        Ok(())
    }

    /// Measures some more batches beside their floor, a few of each in turn.
    fn compare(&mut self, name: &'static str) -> Outcome<()> {
        let (mut ours, mut floor) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..MEASURED / TURN {
            let batches = self.next(TURN)?;
            let (taken, time) = timed(|| self.take_in(&batches));
            taken?;
            ours += time;
            let written = self.backend.take();
            let (checked, time) = timed(|| batches.iter().try_for_each(floor::check));
            checked?;
            floor += time;
            let (copied, time) = timed(|| written.iter().try_for_each(|batch| self.built.raw.write(batch)));
            copied?;
            floor += time;
        }
        let ops = MEASURED * BATCH;
        beside(name, rate(ops, ours), "verification, SHA-256 and raw redb", rate(ops, floor))
    }

    fn next(&mut self, count: usize) -> Outcome<Vec<SignedBatch>> {
        let batches: Vec<SignedBatch> = (0..count).map(|_| self.history.next()).collect::<Outcome<_>>()?;
        for batch in &batches {
            self.built.ids.extend(&batch.ids);
            let bytes = |op: &hhs_store::SignedOp| op.header.len() + op.payload.as_ref().map_or(0, Vec::len);
            self.built.object_bytes += batch.ops.iter().map(bytes).sum::<usize>();
        }
        Ok(batches)
    }

    /// As the mesh does: while a batch is being made durable, the next one is checked.
    fn take_in(&self, batches: &[SignedBatch]) -> Outcome<()> {
        let store = &self.built.store;
        block_on(async {
            for (at, batch) in batches.iter().enumerate() {
                let bundle = Bundle { identities: Vec::new(), ops: batch.ops.clone() };
                let next: Vec<&[u8]> =
                    batches.get(at + 1).iter().flat_map(|next| &next.ops).map(|op| op.header.as_slice()).collect();
                let (taken, ahead) =
                    futures::join!(store.ingest(self.built.replica, bundle), store.check_ahead(&[], &next));
                ahead?;
                assert_eq!(taken?.added, BATCH as u64);
            }
            Ok(())
        })
    }

    /// Writes the same entries to the raw database.
    fn copy(&self) -> Outcome<()> {
        self.backend.take().iter().try_for_each(|batch| self.built.raw.write(batch))
    }
}

/// Batches that are measured at each size.
const MEASURED: usize = 40;
/// Batches that are measured in a row.
const TURN: usize = 8;
