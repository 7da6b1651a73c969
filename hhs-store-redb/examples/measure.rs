//! Measures what durable commits and openings after a crash cost: `cargo run -p hhs-store-redb --example measure`.
//!
//! `-- DIRECTORY` says on which disk (default: the system's place for temporary files), `-- DIRECTORY ENTRIES` how large
//! the larger store is (default: 100,000). In a development build redb's own assertions make every figure worse, that of
//! openings most; compare figures of one build only.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::future::join_all;
use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_redb::{Options, RedbBackend};
use redb::{Database, TableDefinition};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = match arguments.next() {
        Some(path) => tempfile::tempdir_in(path)?,
        None => tempfile::tempdir()?,
    };
    let entries = arguments.next().map_or(Ok(100_000), |number| number.parse())?;
    for entries in [1000, entries] {
        println!("store of {entries} entries of 300 bytes:");
        let raw = directory.path().join("raw");
        report("raw redb, one insert per durable commit", COMMITS, raw_commits(&raw, entries)?);
        for quick_repair in [false, true] {
            let options = Options { quick_repair, ..Options::default() };
            measure(directory.path(), entries, &options)?;
        }
    }
    Ok(())
}

fn measure(directory: &Path, entries: u64, options: &Options) -> Result<(), Box<dyn Error>> {
    println!("  quick_repair: {}", options.quick_repair);
    let path = directory.join("store");
    let store = RedbBackend::open_with(&path, options)?;
    for first in (0..entries).step_by(1000) {
        let mut batch = Batch::new();
        for number in first..first + 1000 {
            batch.put(number.to_be_bytes(), VALUE);
        }
        block_on(store.commit(batch))?;
    }
    let write = |number: u64| {
        let mut batch = Batch::new();
        batch.put(scattered(number), VALUE);
        store.commit(batch)
    };
    report("one writer", COMMITS, timed(|| (0..COMMITS).try_for_each(|number| block_on(write(number))))?);
    let writer = async |writer: u64| {
        for number in 0..COMMITS / 4 {
            write(writer << 32 | number).await?;
        }
        Ok::<_, BackendError>(())
    };
    let writers = timed(|| block_on(join_all((1..=64).map(writer))).into_iter().collect())?;
    report("64 writers", COMMITS / 4 * 64, writers);

    let crashed = directory.join("crashed");
    fs::copy(&path, &crashed)?;
    println!("    file: {} MB", path.metadata()?.len() / 1_000_000);
    let closing = now();
    drop(store);
    println!("    close: {:?}", closing.elapsed());
    for (what, path) in [("after a crash", &crashed), ("after a close", &path)] {
        println!("    open {what}: {:?}", timed(|| RedbBackend::open_with(path, options).map(drop))?);
    }
    fs::remove_file(path)?;
    Ok(())
}

/// The floor: the same inserts, with the same cache, without anything of ours.
fn raw_commits(path: &Path, entries: u64) -> Result<Duration, Box<dyn Error>> {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
    let database = Database::builder().set_cache_size(Options::default().cache_bytes).create(path)?;
    let insert = |numbers: &mut dyn Iterator<Item = [u8; 8]>| -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for number in numbers {
            table.insert(number.as_slice(), VALUE.as_slice())?;
        }
        drop(table);
        Ok(transaction.commit()?)
    };
    for first in (0..entries).step_by(1000) {
        insert(&mut (first..first + 1000).map(u64::to_be_bytes))?;
    }
    let start = now();
    for number in 0..COMMITS {
        insert(&mut std::iter::once(scattered(number)))?;
    }
    let time = start.elapsed();
    fs::remove_file(path)?;
    Ok(time)
}

fn report(what: &str, commits: u64, time: Duration) {
    println!("    {what}: {:.0} durable commits/s", commits as f64 / time.as_secs_f64());
}

fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let start = now();
    work()?;
    Ok(start.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "a native program that measures is itself the edge")]
fn now() -> Instant {
    Instant::now()
}

/// A key somewhere among the others.
fn scattered(number: u64) -> [u8; 8] {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20).to_be_bytes()
}

const COMMITS: u64 = 1000;
const VALUE: [u8; 300] = [7; 300];
