//! What became of the steps, in words.

use std::fmt::Write;
use std::time::Duration;

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Passed,
    /// What is wrong, one sentence each; never empty.
    Failed(Vec<String>),
    /// It could not run on this machine.
    LeftOut {
        /// What it lacks.
        why: String,
        /// The one command that would change that.
        remedy: &'static str,
        /// Where that command works.
        needs: &'static str,
    },
}

impl Outcome {
    /// A failure with one cause.
    pub(crate) fn failed(cause: String) -> Self {
        Self::Failed(vec![cause])
    }

    /// Passed when nothing was found.
    pub(crate) fn of(findings: Vec<String>) -> Self {
        if findings.is_empty() { Self::Passed } else { Self::Failed(findings) }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed(_) => "FAILED",
            Self::LeftOut { .. } => "left out",
        }
    }
}

/// A step that has run, or has been left out.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// Whether the whole run counts as passed; with `all`, a step left out does not.
pub(crate) fn passed(finished: &[Finished], all: bool) -> bool {
    finished.iter().all(|step| match step.outcome {
        Outcome::Passed => true,
        Outcome::Failed(_) => false,
        Outcome::LeftOut { .. } => !all,
    })
}

/// Printed when a step ends: its findings, its name and its seconds.
pub(crate) fn end_of_step(step: &Finished) -> String {
    let mut text = String::new();
    if let Outcome::Failed(causes) = &step.outcome {
        for cause in causes {
            line(&mut text, format_args!("{cause}"));
        }
    }
    line(&mut text, format_args!("== {}: {}, {}", step.name, step.outcome.word(), seconds(step.took)));
    text
}

/// Printed at the very end: every step with its seconds, then all that failed, then all that was left out.
pub(crate) fn summary(finished: &[Finished], all: bool) -> String {
    let mut text = String::from("steps:\n");
    for step in finished {
        line(&mut text, format_args!("  {:<8} {:<8} {:>9}", step.name, step.outcome.word(), seconds(step.took)));
    }
    let total = finished.iter().map(|step| step.took).sum();
    line(&mut text, format_args!("  {:<8} {:<8} {:>9}", "total", "", seconds(total)));
    failures(&mut text, finished);
    left_out(&mut text, finished, all);
    line(&mut text, format_args!("ci: {}", if passed(finished, all) { "ok" } else { "FAILED" }));
    text
}

fn failures(text: &mut String, finished: &[Finished]) {
    for step in finished {
        if let Outcome::Failed(causes) = &step.outcome {
            line(text, format_args!("failed: {} (again with `cargo xtask ci --only {}`)", step.name, step.name));
            for cause in causes {
                line(text, format_args!("  {cause}"));
            }
        }
    }
}

fn left_out(text: &mut String, finished: &[Finished], all: bool) {
    for step in finished {
        if let Outcome::LeftOut { why, remedy, needs } = &step.outcome {
            let counts = if all { ", which counts as a failure with --all" } else { "" };
            line(text, format_args!("left out: {}{counts}", step.name));
            line(text, format_args!("  why: {why}"));
            line(text, format_args!("  to change that: `{remedy}` ({needs})"));
        }
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests;
