//! `bench-rivals [--json] [--svg FILE] [--bars]`: the same work through several libraries of replicated types, in one table.

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use bench_rivals::report::{Report, chart, table};
use bench_rivals::rival::{self, Rival};
use bench_rivals::task::{self, Plan, Task};
use bench_rivals::traces::Traces;
use bench_rivals::{bars, memory};
use clap::Parser;

/// Runs the same work through several libraries of replicated types
#[derive(Parser)]
struct Arguments {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Write a chart, too
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Print what `cargo xtask bench` judges, one JSON object a line, and measure only that
    #[arg(long, conflicts_with_all = ["json", "svg", "rivals", "traces"])]
    bars: bool,
    /// Runs of each task, whose median counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only these, by name
    #[arg(long, value_delimiter = ',')]
    rivals: Vec<String>,
    /// Only these, by name
    #[arg(long, value_delimiter = ',', default_values_t = ["automerge-paper", "seph-blog1", "friendsforever"].map(str::to_owned))]
    traces: Vec<String>,
    /// Only the traces; no maps, sets and counters, no writers who alternate
    #[arg(long)]
    only_traces: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = if arguments.bars { print_bars(arguments.runs) } else { print_report(&arguments) };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Exit code 1 where a rival did something wrong.
fn print_report(arguments: &Arguments) -> Outcome<ExitCode> {
    let rivals = rival::named(&arguments.rivals);
    let traces = Traces::find(&arguments.traces)?;
    let left_out = traces.left_out();
    let peaks = peaks(&arguments.traces, &rivals)?;
    let (elements, rounds) = if arguments.only_traces { (None, None) } else { (Some(100_000), Some(1_000)) };
    let plan = Plan { runs: arguments.runs, traces, replay: true, elements, rounds };
    let tasks = with_peaks(task::run(&rivals, &plan), peaks);
    let report = Report::new(arguments.runs, &rivals, tasks, left_out);
    if let Some(path) = &arguments.svg {
        fs::write(path, chart::svg(&report))?;
    }
    match arguments.json {
        true => println!("{}", serde_json::to_string(&report)?),
        false => print!("{}", table::table(&report)),
    }
    Ok(if report.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_bars(runs: usize) -> Outcome<ExitCode> {
    let rivals = rival::named(&bars::RIVALS.map(str::to_owned));
    let names = bars::TRACES.map(str::to_owned);
    let traces = Traces::find(&names)?;
    if let Some(missing) = traces.left_out().first() {
        return Err(format!("{missing}: set HHS_DATA to a folder that has it in `traces`").into());
    }
    let peaks = peaks(&names, &rivals)?;
    let tasks = with_peaks(task::run(&rivals, &Plan { runs, traces, ..Plan::default() }), peaks);
    for bar in bars::measured(&rivals, &tasks)? {
        bar.print()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the other program counts.
fn peaks(traces: &[String], rivals: &[Box<dyn Rival>]) -> Outcome<Vec<Task>> {
    let program = env::current_exe()?.with_file_name(memory::PROGRAM).with_extension(env::consts::EXE_EXTENSION);
    let rivals: Vec<&str> = rivals.iter().map(|rival| rival.name()).collect();
    eprintln!("memory");
    let output = Command::new(&program)
        .args(["--traces", &traces.join(","), "--rivals", &rivals.join(",")])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| missing(&error))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", program.display(), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn missing(error: &io::Error) -> String {
    format!("{} cannot be started ({error}): build both programs, `cargo build --release`", memory::PROGRAM)
}

/// Puts the peaks of a subject behind its other figures.
fn with_peaks(tasks: Vec<Task>, mut peaks: Vec<Task>) -> Vec<Task> {
    let mut all: Vec<Task> = Vec::new();
    let mut tasks = tasks.into_iter().peekable();
    while let Some(task) = tasks.next() {
        let subject = task.subject.clone();
        let last = tasks.peek().is_none_or(|next| next.subject != subject);
        all.push(task);
        if last {
            all.extend(peaks.extract_if(.., |peak| peak.subject == subject));
        }
    }
    all.extend(peaks);
    all
}
