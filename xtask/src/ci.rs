//! `cargo xtask ci`: runs every step, whatever became of the ones before it, and sums up at the end.

use std::process::ExitCode;

use clap::ValueEnum;

use crate::clock::Stopwatch;
use crate::steps::Step;
use crate::workspace::Workspace;

mod report;

pub(crate) use report::{Finished, Outcome};

/// What `cargo xtask ci` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run the long steps too, and fail where a step has to be left out
    #[arg(long)]
    all: bool,
    /// Run this step alone (repeatable)
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
}

/// Runs the steps; exit code 0 only if none failed, and with `--all` none was left out.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> ExitCode {
    let finished: Vec<Finished> = Step::value_variants()
        .iter()
        .filter(|step| match arguments.only.as_slice() {
            [] => arguments.all || !step.is_long(),
            only => only.contains(step),
        })
        .map(|step| run_step(workspace, *step))
        .collect();
    print!("\n{}", report::summary(&finished, arguments.all));
    if report::passed(&finished, arguments.all) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_step(workspace: &Workspace, step: Step) -> Finished {
    println!("\n== {}", step.name());
    let stopwatch = Stopwatch::start();
    let outcome = step.run(workspace);
    let finished = Finished { name: step.name(), outcome, took: stopwatch.elapsed() };
    print!("{}", report::end_of_step(&finished));
    finished
}
