//! `cargo xtask bench crdt`: replicated types by themselves; and `cargo xtask bench text FILE…`: traces of editing.
//!
//! `bench-crdt` prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `bench-crdt text FILE…` says how long
//! a text takes to go through traces, and whether it ends as they say. Rivals are measured by `benches/rivals`.

mod authority;
mod crowd;
mod log;
mod opening;
mod replica;
mod shapes;
mod text;
mod toggles;
mod volume;

use std::path::PathBuf;
use std::process::ExitCode;

use bench_harness::Outcome;
use clap::{Parser, Subcommand};

/// Benchmarks of replicated types
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Run traces of editing through a text; exit with 1 where the content does not agree
    Text {
        /// JSON of either format of the `editing-traces` collection, gzipped or not
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print one JSON object a file
        #[arg(long)]
        json: bool,
    },
    /// Measure the bars whose names begin so
    Bars {
        /// Such as `log`
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Some(Task::Text { files, json }) => text::run(&files, json),
        Some(Task::Bars { names }) => bars(&names),
        None => bars(&[]),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn bars(names: &[String]) -> Outcome<ExitCode> {
    type Group = (&'static str, fn() -> Outcome<()>);
    let groups: [Group; 7] = [
        ("volume", volume::measure),
        ("opening", opening::measure),
        ("log", log::measure),
        ("authority", authority::measure),
        ("toggles", toggles::measure),
        ("shapes", shapes::measure),
        ("crowd", crowd::measure),
    ];
    for (name, measure) in groups {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            measure()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
