//! What a person or a program gets to read.

use std::io::{self, IsTerminal};

use serde::Serialize;
use serde_json::json;

use crate::output::{Output, reader_is_gone};

/// The figures, as the last line of `--json` holds them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    /// Ops of the history.
    pub(super) ops: usize,
    /// Keys that wrote them.
    pub(super) authors: usize,
    /// Ops with several parents.
    pub(super) merges: usize,
    /// Seconds to sign, check and keep them.
    pub(super) build_s: f64,
    /// Seconds until the second process had them, durably.
    pub(super) sync_s: f64,
    /// Ops per second of that.
    pub(super) ops_per_s: f64,
    /// Bytes of UDP payload, both ways, for each op.
    pub(super) wire_bytes_per_op: f64,
    /// The most memory of the first process, in bytes; 0 if unknown.
    pub(super) peak_bytes_builder: u64,
    /// The most memory of the second process, in bytes; 0 if unknown.
    pub(super) peak_bytes_fetcher: u64,
    /// Whether both have the same frontier and the same state.
    pub(super) equal: bool,
}

/// Prints what happens.
#[derive(Debug)]
pub(super) struct Reporter {
    output: Output,
    /// Whether a person watches: progress goes to a line of its own that is written over.
    watched: bool,
}

impl Reporter {
    pub(super) fn new(json: bool) -> Self {
        Self { output: Output::new(json), watched: !json && io::stderr().is_terminal() }
    }

    /// So many ops are built.
    pub(super) fn built(&mut self, ops: usize, total: usize) {
        self.progress("built", ops as u64, total as u64);
    }

    /// So many ops have been fetched.
    pub(super) fn fetched(&mut self, ops: u64, total: u64) {
        self.progress("fetched", ops, total);
    }

    /// Prints the figures.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(super) fn done(&mut self, report: &Report) -> io::Result<()> {
        if self.watched {
            eprint!("\r{CLEAR_LINE}");
        }
        let printed = match self.output.is_json() {
            true => self.output.json(report),
            false => self.output.line(&summary(report)),
        };
        match printed {
            // The exit code still tells.
            Err(error) if reader_is_gone(&error) => Ok(()),
            printed => printed,
        }
    }

    fn progress(&mut self, event: &str, ops: u64, total: u64) {
        if self.output.is_json() {
            // What keeps this from being written will keep the figures too, and is reported then.
            self.output.json(&json!({ "event": event, "ops": ops, "total": total })).ok();
        } else if self.watched {
            eprint!("\r{CLEAR_LINE}{event} {} of {} ops", grouped(ops), grouped(total));
        }
    }
}

fn summary(report: &Report) -> String {
    let megabytes = |bytes: u64| if bytes == 0 { "unknown".into() } else { format!("{:.0} MB", bytes as f64 / 1e6) };
    let verdict = if report.equal { "yes: same frontier, same state" } else { "NO" };
    let wire = report.wire_bytes_per_op;
    let lines = [
        ("ops", grouped(report.ops as u64)),
        ("authors", grouped(report.authors as u64)),
        ("merges", grouped(report.merges as u64)),
        ("built in", format!("{:.2} s", report.build_s)),
        ("synchronised in", format!("{:.2} s: {} ops/s", report.sync_s, grouped(report.ops_per_s as u64))),
        ("on the wire", format!("{wire:.0} bytes/op: {:.1} MB", wire * report.ops as f64 / 1e6)),
        ("memory, builder", megabytes(report.peak_bytes_builder)),
        ("memory, fetcher", megabytes(report.peak_bytes_fetcher)),
        ("equal", verdict.into()),
    ];
    let lines: Vec<String> = lines.iter().map(|(name, value)| format!("{name:<16} {value}")).collect();
    lines.join("\n")
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Erases to the end of the line.
const CLEAR_LINE: &str = "\x1b[K";

#[cfg(test)]
mod tests;
