//! The work, and what came of it.

use std::fmt;
use std::hint::black_box;

use bench_traces::{Concurrent, Sequential};
use serde::{Deserialize, Serialize};

use crate::rival::{Content, Document, Failure, Kind, Outcome, Rival, Saved};
use crate::traces::Traces;

mod samples;

use samples::{Measured, by_all};

/// What to do.
#[derive(Default)]
pub struct Plan {
    /// At most so many runs of each task, whose median counts; a rival that needs long for a task gets fewer, at least one.
    pub runs: usize,
    /// What is typed and merged.
    pub traces: Traces,
    /// Whether agents replay concurrent traces on replicas of their own; merging is measured in any case.
    pub replay: bool,
    /// How many elements maps, sets and counters get.
    pub elements: Option<usize>,
    /// How many rounds two writers alternate for.
    pub rounds: Option<usize>,
}

/// How many edits go into an op where ops are signed.
pub const EDITS_PER_OP: usize = 1_000;

/// One line of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// The trace or the type.
    pub subject: String,
    /// What is done with it.
    pub work: String,
    /// Of all its figures.
    pub unit: Unit,
    /// One for each rival, in their order.
    pub cells: Vec<Cell>,
}

/// What came of one task for one rival.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// In the task's unit.
    Figure(f64),
    /// The rival cannot do it, for this reason.
    Lacks(String),
    /// It did not do it right.
    Failed(String),
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Thousandths of a second.
    #[serde(rename = "ms")]
    Milliseconds,
    /// 1,000 bytes.
    #[serde(rename = "kB")]
    Kilobytes,
    /// 1,000,000 bytes.
    #[serde(rename = "MB")]
    Megabytes,
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Milliseconds => "ms",
            Self::Kilobytes => "kB",
            Self::Megabytes => "MB",
        })
    }
}

impl Cell {
    /// What a failure is shown as.
    pub fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Lacks(_) | Failure::Slow { .. } => Self::Lacks(failure.to_string()),
            Failure::Broke(_) | Failure::Disagrees => Self::Failed(failure.to_string()),
        }
    }
}

/// Does all of it, and says on standard error what it is at.
pub fn run(rivals: &[Box<dyn Rival>], plan: &Plan) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (name, trace) in &plan.traces.sequential {
        tasks.extend(typed(rivals, plan.runs, name, trace));
    }
    for (name, trace) in &plan.traces.concurrent {
        if plan.replay {
            tasks.extend(replayed(rivals, plan.runs, name, trace));
        }
        tasks.push(merged(rivals, plan.runs, name, trace));
    }
    if let Some(elements) = plan.elements {
        tasks.extend(collections(rivals, plan.runs, elements));
    }
    if let Some(rounds) = plan.rounds {
        tasks.extend(alternating(rivals, plan.runs, rounds));
    }
    tasks
}

fn typed(rivals: &[Box<dyn Rival>], runs: usize, name: &str, trace: &Sequential) -> Vec<Task> {
    let expected = Content::Text(trace.end.clone());
    let typed = by_all(rivals, runs, &format!("{name} typed"), |rival, _| agrees(rival.typed(trace)?, &expected));
    let signed = by_all(rivals, runs, &format!("{name} typed, signed"), |rival, _| {
        agrees(rival.typed_signed(trace, EDITS_PER_OP)?, &expected)
    });
    let mut tasks = vec![
        task(name, "typed edit by edit", Unit::Milliseconds, &typed, Measured::milliseconds),
        task(name, "typed, in signed ops of 1,000 edits", Unit::Milliseconds, &signed, Measured::milliseconds),
    ];
    // What is kept of a document whose ops are signed is larger.
    let kept = typed.into_iter().zip(signed).map(|(typed, signed)| signed.or(typed)).collect();
    tasks.extend(at_rest(rivals, runs, name, Kind::Text, kept, &expected));
    tasks
}

fn replayed(rivals: &[Box<dyn Rival>], runs: usize, name: &str, trace: &Concurrent) -> Vec<Task> {
    let expected = Content::Text(trace.end.clone());
    let replayed =
        by_all(rivals, runs, &format!("{name} replayed"), |rival, _| agrees(rival.replayed(trace)?, &expected));
    let mut tasks = vec![task(name, "replayed by its agents", Unit::Milliseconds, &replayed, Measured::milliseconds)];
    tasks.extend(at_rest(rivals, runs, name, Kind::Text, replayed, &expected));
    tasks
}

fn merged(rivals: &[Box<dyn Rival>], runs: usize, name: &str, trace: &Concurrent) -> Task {
    let title = format!("{name} merged");
    let ops: Vec<_> = rivals.iter().map(|rival| rival.ops(trace)).collect();
    let merged = by_all(rivals, runs, &title, |_, index| match &ops[index] {
        Ok(ops) => ops.merged().and_then(|text| if text == trace.end { Ok(()) } else { Err(Failure::Disagrees) }),
        Err(failure) => Err(failure.clone()),
    });
    task(name, "merged into an empty replica", Unit::Milliseconds, &merged, Measured::milliseconds)
}

fn collections(rivals: &[Box<dyn Rival>], runs: usize, elements: usize) -> Vec<Task> {
    let keys: Vec<String> = (0..elements).map(|number| format!("key {number}")).collect();
    let mut tasks = Vec::new();
    for (subject, kind) in [("map", Kind::Map), ("set", Kind::Set), ("counter", Kind::Counter)] {
        let expected =
            if kind == Kind::Counter { Content::Number(elements as i64) } else { Content::Entries(elements) };
        let written = by_all(rivals, runs, &format!("{subject} written"), |rival, _| {
            let document = match kind {
                Kind::Map | Kind::Text => rival.map(&keys),
                Kind::Set => rival.set(&keys),
                Kind::Counter => rival.counter(elements),
            };
            agrees(document?, &expected)
        });
        let subject = format!("{subject} of {}", grouped(elements));
        tasks.push(task(&subject, "written", Unit::Milliseconds, &written, Measured::milliseconds));
        tasks.extend(at_rest(rivals, runs, &subject, kind, written, &expected));
    }
    tasks
}

fn alternating(rivals: &[Box<dyn Rival>], runs: usize, rounds: usize) -> Vec<Task> {
    let text: String = (0..rounds).map(crate::rival::word).collect();
    let exchanged = by_all(rivals, runs, "two writers", |rival, _| {
        let exchange = rival.alternating(rounds)?;
        if exchange.texts.iter().all(|read| *read == text) { Ok(exchange.bytes) } else { Err(Failure::Disagrees) }
    });
    let subject = format!("two writers, {} rounds", grouped(rounds));
    vec![
        task(&subject, "written and read", Unit::Milliseconds, &exchanged, Measured::milliseconds),
        task(&subject, "exchanged", Unit::Kilobytes, &exchanged, |measured| kilobytes(measured.result)),
    ]
}

/// How large a document is at rest, and how long it takes to open.
fn at_rest(
    rivals: &[Box<dyn Rival>],
    runs: usize,
    subject: &str,
    kind: Kind,
    written: Vec<Outcome<Measured<Box<dyn Document>>>>,
    expected: &Content,
) -> Vec<Task> {
    let saved: Vec<Outcome<Saved>> =
        written.into_iter().map(|written| written.map(|mut written| written.result.saved())).collect();
    let stored = saved.iter().map(|saved| cell(saved, |saved| kilobytes(saved.size))).collect();
    let opened = by_all(rivals, runs, &format!("{subject} opened"), |rival, index| match &saved[index] {
        Ok(saved) if rival.open(kind, black_box(&saved.opens))? == *expected => Ok(()),
        Ok(_) => Err(Failure::Disagrees),
        Err(failure) => Err(failure.clone()),
    });
    vec![
        Task { subject: subject.to_owned(), work: "stored".to_owned(), unit: Unit::Kilobytes, cells: stored },
        task(subject, "opened", Unit::Milliseconds, &opened, Measured::milliseconds),
    ]
}

fn agrees(document: Box<dyn Document>, expected: &Content) -> Outcome<Box<dyn Document>> {
    if document.content() == *expected { Ok(document) } else { Err(Failure::Disagrees) }
}

fn task<T>(
    subject: &str,
    work: &str,
    unit: Unit,
    measured: &[Outcome<Measured<T>>],
    figure: impl Fn(&Measured<T>) -> f64,
) -> Task {
    let cells = measured.iter().map(|measured| cell(measured, &figure)).collect();
    Task { subject: subject.to_owned(), work: work.to_owned(), unit, cells }
}

fn cell<T>(outcome: &Outcome<T>, figure: impl Fn(&T) -> f64) -> Cell {
    outcome.as_ref().map_or_else(Cell::of, |result| Cell::Figure(figure(result)))
}

fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
