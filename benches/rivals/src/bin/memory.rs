//! `bench-rivals-memory --traces NAME,… [--rivals NAME,…]`: what the rivals allocate, as one JSON list of tasks.
//!
//! Linking the counter replaces the allocator, and only here: what is timed runs on the usual one.

use std::process::ExitCode;

use bench_rivals::memory;
use bench_rivals::rival;
use bench_rivals::traces::Traces;
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Traces, by name
    #[arg(long, value_delimiter = ',')]
    traces: Vec<String>,
    /// Rivals, by name; all if none is named
    #[arg(long, value_delimiter = ',')]
    rivals: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rivals = rival::named(&arguments.rivals);
    let traces = match Traces::find(&arguments.traces) {
        Ok(traces) => traces,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let count: memory::Count = |work| allocation_counter::measure(work).bytes_max;
    let tasks = memory::tasks(&rivals, &traces, count);
    match serde_json::to_string(&tasks) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: the figures cannot be printed: {error}");
            ExitCode::FAILURE
        }
    }
}
