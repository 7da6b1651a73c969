//! `cargo xtask bench store`: the store on redb, each figure beside its floor in the same run.
//!
//! Prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `bench-store OPS [DIRECTORY]` builds a store of
//! that many ops (default: 1,000,000), on that disk (default: the system's place for temporary files).

mod commits;
mod floor;
mod history;
mod ingest;
mod memory;
mod opening;
mod reading;
mod recording;

use std::path::Path;

use bench_harness::Outcome;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let ops = arguments.next().map_or(Ok(1_000_000), |ops| ops.parse())?;
    let directory = match arguments.next() {
        Some(path) => tempfile::tempdir_in(path)?,
        None => tempfile::tempdir()?,
    };
    commits::measure(directory.path())?;
    let built = ingest::measure(directory.path(), ops)?;
    reading::measure(&built)?;
    opening::measure(built, directory.path())
}

/// The bytes of a file.
fn size(path: &Path) -> Outcome<u64> {
    Ok(path.metadata()?.len())
}
