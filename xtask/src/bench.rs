//! `cargo xtask bench GROUP`: measures a group and judges every figure against its bar.
//!
//! A group's bars stand in [`groups`]; what is measured comes from programs ([`source`]), so that the harness knows
//! neither the crates nor their rivals. A bar without a measurement, or a measurement without a bar, is an error.

use std::path::{self, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::clock::Deadline;
use crate::command;
use crate::workspace::Workspace;

mod bar;
mod groups;
mod source;
mod table;

use groups::Group;

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure
    group: Group,
    /// For `text`: traces of editing, to be run through a text instead; exit with 1 where the content does not agree
    files: Vec<PathBuf>,
    /// Print one JSON object a line, one line a bar
    #[arg(long)]
    json: bool,
    /// Exit with 1 where a bar is missed
    #[arg(long)]
    check: bool,
}

/// For everything: building what is measured, and measuring it. Rivals take most of it.
const TIME_LIMIT: Duration = Duration::from_secs(1800);

/// Exit code 0; 1 when nothing could be measured, or with `--check` a bar is missed; 2 when the group has no bars yet.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> ExitCode {
    let group = arguments.group;
    if !arguments.files.is_empty() {
        return traces(workspace, arguments);
    }
    let Some(plan) = group.plan() else {
        eprintln!(
            "error: the group `{}` has no bars yet, so there is nothing to measure; groups with bars: {}",
            group.name(),
            Group::with_bars()
        );
        return ExitCode::from(2);
    };
    let judged = source::measure_all(workspace, plan.sources, &Deadline::within(TIME_LIMIT))
        .map_err(|error| error.to_string())
        .and_then(|measurements| bar::judge(&plan.bars, &measurements).map_err(|error| error.to_string()));
    match judged {
        Ok(bars) => {
            print!(
                "{}",
                if arguments.json {
                    table::json_lines(&group.name(), &bars)
                } else {
                    table::table(&group.name(), &bars)
                }
            );
            let missed = bars.iter().any(|bar| !bar.met);
            if missed && arguments.check { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs traces through a text: whether they agree is the verdict, and there are no bars.
fn traces(workspace: &Workspace, arguments: &Arguments) -> ExitCode {
    if !matches!(arguments.group, Group::Text) || arguments.check {
        eprintln!("error: files go with the group `text` alone, and without --check: they have no bars");
        return ExitCode::from(2);
    }
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "bench-crdt", "--", "text"]);
    if arguments.json {
        cargo.arg("--json");
    }
    // The program runs in the root of the workspace, wherever this one was started.
    let absolute = |file: &PathBuf| path::absolute(file).unwrap_or_else(|_| file.clone());
    match command::run(cargo.args(arguments.files.iter().map(absolute))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
