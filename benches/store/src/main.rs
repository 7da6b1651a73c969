//! `cargo xtask bench store`: the store on redb, each figure beside its floor in the same run.
//!
//! Prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `bench-store OPS [DIRECTORY]` builds a store of
//! that many ops (default: 1,000,000), on that disk (default: the system's place for temporary files).

mod clock;
mod commits;
mod floor;
mod history;
mod ingest;
mod memory;
mod opening;
mod reading;
mod recording;

use std::error::Error;
use std::path::Path;

use serde::Serialize;

/// Whatever goes wrong ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// One bar, as `cargo xtask bench` reads it.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    figure: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference_name: Option<&'static str>,
}

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

/// Prints a figure that is judged by itself.
fn alone(name: &'static str, figure: f64) -> Outcome<()> {
    print(&Line { name, figure, reference: None, reference_name: None })
}

/// Prints a figure that is judged beside another one of the same run.
fn beside(name: &'static str, figure: f64, reference_name: &'static str, reference: f64) -> Outcome<()> {
    print(&Line { name, figure, reference: Some(reference), reference_name: Some(reference_name) })
}

fn print(line: &Line) -> Outcome<()> {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}

/// The bytes of a file.
fn size(path: &Path) -> Outcome<u64> {
    Ok(path.metadata()?.len())
}
