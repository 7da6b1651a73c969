//! What is allocated at most at a time, counted by a program of its own.

use bench_traces::{Concurrent, Sequential};

use crate::rival::{Content, Failure, Kind, Rival};
use crate::task::{Cell, EDITS_PER_OP, Task, Unit};
use crate::traces::Traces;

/// Says how many bytes are held at most while something runs.
pub type Count = fn(&mut dyn FnMut()) -> u64;

/// The name of the program that counts, beside the one that times.
pub const PROGRAM: &str = "bench-rivals-memory";

/// What opening, typing and merging hold at most.
pub fn tasks(rivals: &[Box<dyn Rival>], traces: &Traces, count: Count) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (name, trace) in &traces.sequential {
        let cells = rivals.iter().map(|rival| cell(opening(rival.as_ref(), trace, count)));
        tasks.push(task(name, "memory to open", cells.collect()));
        let cells = rivals.iter().map(|rival| cell(typing(rival.as_ref(), trace, count)));
        tasks.push(task(name, "memory to type", cells.collect()));
    }
    for (name, trace) in &traces.concurrent {
        let cells = rivals.iter().map(|rival| cell(merging(rival.as_ref(), trace, count)));
        tasks.push(task(name, "memory to merge", cells.collect()));
    }
    tasks
}

fn opening(rival: &dyn Rival, trace: &Sequential, count: Count) -> Result<u64, Failure> {
    let mut document = match rival.typed_signed(trace, EDITS_PER_OP) {
        Ok(document) => document,
        Err(_) => rival.typed(trace)?,
    };
    let saved = document.saved().opens;
    let mut outcome = Err(Failure::Disagrees);
    let peak = count(&mut || outcome = rival.open(Kind::Text, &saved));
    if outcome? == Content::Text(trace.end.clone()) { Ok(peak) } else { Err(Failure::Disagrees) }
}

fn typing(rival: &dyn Rival, trace: &Sequential, count: Count) -> Result<u64, Failure> {
    let mut outcome = Ok(());
    let peak = count(&mut || outcome = rival.typed(trace).map(drop));
    outcome.map(|()| peak)
}

fn merging(rival: &dyn Rival, trace: &Concurrent, count: Count) -> Result<u64, Failure> {
    let ops = rival.ops(trace)?;
    let mut outcome = Err(Failure::Disagrees);
    let peak = count(&mut || outcome = ops.merged());
    if outcome? == trace.end { Ok(peak) } else { Err(Failure::Disagrees) }
}

fn task(subject: &str, work: &str, cells: Vec<Cell>) -> Task {
    Task { subject: subject.to_owned(), work: work.to_owned(), unit: Unit::Megabytes, cells }
}

fn cell(peak: Result<u64, Failure>) -> Cell {
    peak.map_or_else(|failure| Cell::of(&failure), |peak| Cell::Figure(peak as f64 / 1e6))
}
