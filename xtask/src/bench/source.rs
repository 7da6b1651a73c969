//! Where measurements come from: programs that print them.

use serde::Deserialize;
use thiserror::Error;

use super::bar::Measurement;
use crate::clock::Deadline;
use crate::command::{self, CommandError};
use crate::workspace::{MetadataError, Workspace};

/// A program that measures.
pub(crate) enum Source {
    /// `hhs replay` of a real history, whose last line is turned into measurements here.
    Replay {
        /// The file, from the root of the repository.
        history: &'static str,
    },
    /// A benchmark program of the workspace, built in release, that prints one [`Measurement`] a line as JSON.
    Program {
        /// Its crate, and the name of its binary.
        package: &'static str,
        arguments: &'static [&'static str],
    },
    /// A program of a workspace of its own that prints the same; the whole of that workspace is built, in release.
    Workspace {
        /// Where the workspace is, from the root of the repository.
        folder: &'static str,
        /// The name of its binary.
        program: &'static str,
        arguments: &'static [&'static str],
    },
}

/// Why a group could not be measured.
#[derive(Debug, Error)]
pub(crate) enum MeasureError {
    /// Building or running failed, or took too long.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Cargo does not say where the program is.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The program broke its contract.
    #[error("a line of the benchmark cannot be read ({source}): {line}")]
    Line { line: String, source: serde_json::Error },
    /// It printed nothing.
    #[error("the benchmark printed nothing: it must print JSON lines on standard output")]
    Silent,
    /// The two stores of a replay differ, so its figures mean nothing.
    #[error("replay ended with two stores that differ; figures of a broken synchronisation do not count")]
    Unequal,
}

/// Builds and runs one after the other, and puts together what they print.
///
/// # Errors
///
/// When one of them cannot be measured.
pub(crate) fn measure_all(
    workspace: &Workspace,
    sources: &[Source],
    deadline: &Deadline,
) -> Result<Vec<Measurement>, MeasureError> {
    let mut measurements = Vec::new();
    for source in sources {
        measurements.extend(measure(workspace, source, deadline)?);
    }
    Ok(measurements)
}

/// Builds and runs `source`.
///
/// # Errors
///
/// When building or running fails, the deadline passes, or the output cannot be read.
fn measure(workspace: &Workspace, source: &Source, deadline: &Deadline) -> Result<Vec<Measurement>, MeasureError> {
    match source {
        Source::Replay { history } => {
            command::output_within(workspace.cargo().args(["build", "--release", "--package", "hhs-cli"]), deadline)?;
            let program = workspace.target_folder()?.join("release").join("hhs");
            let printed =
                command::output_within(workspace.command(program).args(["replay", history, "--json"]), deadline)?;
            replay(&printed)
        }
        Source::Program { package, arguments } => {
            let mut cargo = workspace.cargo();
            cargo.args(["run", "--quiet", "--release", "--package", package, "--bin", package, "--"]).args(*arguments);
            lines(&command::output_within(&mut cargo, deadline)?)
        }
        Source::Workspace { folder, program, arguments } => {
            let manifest = format!("{folder}/Cargo.toml");
            let inside = ["--quiet", "--release", "--manifest-path", &manifest];
            command::output_within(workspace.cargo().arg("build").args(inside), deadline)?;
            let mut cargo = workspace.cargo();
            cargo.arg("run").args(inside).args(["--bin", program, "--"]).args(*arguments);
            lines(&command::output_within(&mut cargo, deadline)?)
        }
    }
}

/// The last line of `hhs replay --json`.
#[derive(Deserialize)]
struct Replay {
    ops_per_s: f64,
    wire_bytes_per_op: f64,
    equal: bool,
}

fn replay(printed: &str) -> Result<Vec<Measurement>, MeasureError> {
    let line = printed.lines().rfind(|line| !line.trim().is_empty()).ok_or(MeasureError::Silent)?;
    let replay: Replay = parse(line)?;
    if !replay.equal {
        return Err(MeasureError::Unequal);
    }
    let measured =
        |name: &str, figure| Measurement { name: name.into(), figure, reference: None, reference_name: None };
    Ok(vec![measured("replay sync", replay.ops_per_s), measured("replay wire", replay.wire_bytes_per_op)])
}

fn lines(printed: &str) -> Result<Vec<Measurement>, MeasureError> {
    let lines: Vec<&str> = printed.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return Err(MeasureError::Silent);
    }
    lines.into_iter().map(parse).collect()
}

fn parse<T: for<'a> Deserialize<'a>>(line: &str) -> Result<T, MeasureError> {
    serde_json::from_str(line).map_err(|source| MeasureError::Line { line: line.to_owned(), source })
}

#[cfg(test)]
mod tests;
