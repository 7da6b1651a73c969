//! `cargo xtask bench crdt`: replicated types by themselves; and `cargo xtask bench text FILE…`: traces of editing.
//!
//! `bench-crdt` prints one JSON line a bar; `xtask/src/bench/groups.rs` has the targets. `bench-crdt text FILE…` says how long
//! a text takes to go through traces, and whether it ends as they say. Rivals are measured by `benches/rivals`.

mod authority;
mod clock;
mod log;
mod opening;
mod replica;
mod shapes;
mod text;
mod toggles;
mod volume;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

/// Whatever goes wrong ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

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
    let groups: [Group; 6] = [
        ("volume", volume::measure),
        ("opening", opening::measure),
        ("log", log::measure),
        ("authority", authority::measure),
        ("toggles", toggles::measure),
        ("shapes", shapes::measure),
    ];
    for (name, measure) in groups {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            measure()?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
