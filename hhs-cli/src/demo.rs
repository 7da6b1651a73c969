//! `hhs demo`: three people, three processes, three stores. One of them is cut off while all three write; once he is back
//! they agree again. What is shown is what happens; at the end the three stores are compared.

mod check;
mod person;
mod report;
mod story;

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;

use crate::chat::HomeError;
use crate::output::{Output, reader_is_gone};
use crate::signals::Signals;

/// How to show it.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print what happens as JSON, one object on a line
    #[arg(long)]
    json: bool,
}

/// Why the demo did not come to a good end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// There is no place for the stores.
    #[error("the temporary directory cannot be used, set TMPDIR to another one: {0}")]
    Temporary(#[source] io::Error),
    /// This program does not know where it is.
    #[error("the program cannot find itself to start more processes: {0}")]
    Program(#[source] io::Error),
    /// A process cannot be started, or spoken to.
    #[error("the process of {person} cannot be started or reached: {source}")]
    Process { person: &'static str, source: io::Error },
    /// A process has ended too early.
    #[error("the process of {person} has ended ({status}) before this happened: {awaited}{said}", said = after(.said))]
    Ended { person: &'static str, awaited: &'static str, status: ExitStatus, said: String },
    /// Something did not happen.
    #[error("this did not happen within {within:?}: {awaited} (seen by {person}): the machine is very busy, or this is a fault of the program{said}", said = after(.said))]
    Late { person: &'static str, awaited: &'static str, within: Duration, said: String },
    /// A process has printed something else than events.
    #[error("the process of {person} has printed {line:?}, which is no event: this is a fault of the program")]
    Garbled { person: &'static str, line: String },
    /// A store cannot be read at the end.
    #[error("the store of {person} cannot be read: {source}")]
    Store { person: &'static str, source: HomeError },
    /// The stores differ.
    #[error("the three stores are not equal: this is a fault of the program")]
    Unequal,
    /// Somebody has ended it.
    #[error("ended before the end; the three processes were ended too")]
    Interrupted,
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to: {0}")]
    Output(#[source] io::Error),
    /// The system does not tell us of signals.
    #[error("signals cannot be waited for: {0}")]
    Signals(#[source] io::Error),
}

/// Runs the demo.
///
/// # Errors
/// What went wrong, the stores being unequal included.
pub(crate) async fn run(arguments: Arguments) -> Result<(), DemoError> {
    let mut signals = Signals::new().map_err(DemoError::Signals)?;
    // Dropping the story, at whatever point, ends its processes and removes its stores.
    let done = tokio::select! {
        biased;
        // First: Ctrl-C on a terminal ends the three processes too, which is then no surprise.
        () = signals.next() => Err(DemoError::Interrupted),
        done = story::tell(Output::new(arguments.json)) => done,
    };
    match done {
        Err(DemoError::Output(error)) if reader_is_gone(&error) => Ok(()),
        done => done,
    }
}

/// What a process has said on standard error, as the end of a sentence.
fn after(said: &str) -> String {
    if said.trim().is_empty() { String::new() } else { format!("; it said: {}", said.trim()) }
}
