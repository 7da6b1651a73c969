//! What came of the work, for people and for programs.

use std::env;
use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;

use crate::rival::Rival;
use crate::task::{Cell, Task};

pub mod chart;
pub mod table;

/// All figures of one run, and what they were measured on.
#[derive(Serialize)]
pub struct Report {
    /// Kind of processor and how many there are of it, operating system.
    pub machine: String,
    /// Of the run, in UTC.
    pub date: String,
    /// The compiler.
    pub compiler: String,
    /// At most so many runs of a task.
    pub runs: usize,
    /// In the order of the cells of every task.
    pub rivals: Vec<Version>,
    /// The figures.
    pub tasks: Vec<Task>,
    /// What was not measured, and why.
    pub left_out: Vec<String>,
}

/// Of which library the figures are.
#[derive(Serialize)]
pub struct Version {
    /// As in the table.
    pub name: &'static str,
    /// Of the crate.
    pub version: String,
    /// What to know when reading its figures.
    pub notes: &'static [&'static str],
}

impl Report {
    /// A report of what was measured here and now.
    pub fn new(runs: usize, rivals: &[Box<dyn Rival>], tasks: Vec<Task>, left_out: Vec<String>) -> Self {
        let version =
            |rival: &Box<dyn Rival>| Version { name: rival.name(), version: rival.version(), notes: rival.notes() };
        let rivals = rivals.iter().map(version);
        Self {
            machine: machine(),
            date: today(),
            compiler: compiler(),
            runs,
            rivals: rivals.collect(),
            tasks,
            left_out,
        }
    }

    /// Whether a rival did something wrong.
    pub fn has_failures(&self) -> bool {
        self.tasks.iter().flat_map(|task| &task.cells).any(|cell| matches!(cell, Cell::Failed(_)))
    }

    /// What the figures were measured on, and with which versions, in sentences.
    pub fn footer(&self) -> Vec<String> {
        let versions: Vec<String> =
            self.rivals.iter().map(|rival| format!("{} {}", rival.name, rival.version)).collect();
        vec![
            format!("{}, {}, {}.", self.machine, self.compiler, self.date),
            format!("{}.", versions.join(", ")),
            format!(
                "Median of up to {} runs, the libraries in turn, in one process; without signatures unless the line says so.",
                self.runs
            ),
        ]
    }

    /// What to know when reading the figures, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = |rival: &Version| {
            let name = rival.name;
            rival.notes.iter().map(move |note| format!("{name}: {note}."))
        };
        self.rivals.iter().flat_map(notes).collect()
    }

    /// Why some figures are not there, one sentence for each rival and reason.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        for task in &self.tasks {
            for (rival, cell) in self.rivals.iter().zip(&task.cells) {
                let reason = match cell {
                    Cell::Figure(_) => continue,
                    Cell::Lacks(reason) => format!("— {}: {reason}.", rival.name),
                    Cell::Failed(reason) => format!("✗ {}, {} {}: {reason}.", rival.name, task.subject, task.work),
                };
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
        reasons
    }
}

/// A figure with three digits, the others rounded away.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => grouped(value.round() as u64),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("processor of unknown kind", |(_, model)| model.trim());
    let count = thread::available_parallelism().map_or(1, usize::from);
    format!("{count} × {model}, {}", env::consts::OS)
}

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let words: Vec<&str> = version.split_whitespace().take(2).collect();
    if words.is_empty() { "rustc of unknown version".to_owned() } else { words.join(" ") }
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
