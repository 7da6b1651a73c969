//! Opening a large store after a clean close and after a crash, and the room that it takes.

use std::fs;
use std::path::Path;

use bench_harness::{Outcome, alone, timed};
use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::Store;
use hhs_store_redb::{Options, RedbBackend};

use crate::ingest::Built;
use crate::size;

/// Measures openings, then compacts.
pub(crate) fn measure(built: Built, directory: &Path) -> Outcome<()> {
    let Built { store, path, raw, object_bytes, .. } = built;
    drop(raw);
    let crashed = directory.join("crashed");
    // A file that is open is what a crash leaves: everything that was acknowledged is in it.
    fs::copy(&path, &crashed)?;
    drop(store);
    alone("open clean", open(&path)?)?;
    alone("open crashed", open(&crashed)?)?;
    fs::remove_file(&crashed)?;
    hhs_store_redb::compact(&path, &Options::default(), |_| ())?;
    alone("room", size(&path)? as f64 / object_bytes as f64)?;
    open(&path)?;
    Ok(())
}

/// How many milliseconds it takes to open a store and to see what it has.
fn open(path: &Path) -> Outcome<f64> {
    let (opened, time) = timed(|| -> Outcome<Store> {
        let store = block_on(Store::open(RedbBackend::open(path)?, Registry::new()))?;
        for replica in block_on(store.replicas())? {
            assert!(block_on(store.count(replica))? > 0);
        }
        Ok(store)
    });
    opened?;
    Ok(time.as_secs_f64() * 1000.0)
}
