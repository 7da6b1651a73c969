//! Running other programs: to their end, or to a deadline, with errors that name the command line.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::clock::Deadline;

/// Why a command did not do what it was started for.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    /// The program is missing or may not be run.
    #[error("`{line}` could not be started ({source}): is it installed and on the PATH?")]
    Start { line: String, source: io::Error },
    /// The operating system gave no exit status.
    #[error("`{line}` could not be waited for: {source}")]
    Wait { line: String, source: io::Error },
    /// It ran and reported failure.
    #[error("`{line}` failed ({status}); its own output says why")]
    Failed { line: String, status: ExitStatus },
    /// It was stopped because the time was up.
    #[error("`{line}` was stopped: the limit of {limit:?} for all of it had passed")]
    TimedOut { line: String, limit: Duration },
    /// It printed bytes that are no text.
    #[error("`{line}` printed something that is not UTF-8")]
    NotText { line: String },
}

/// Runs `command` with the terminal's own streams.
///
/// # Errors
///
/// When it cannot be started or its exit code is not 0.
pub(crate) fn run(command: &mut Command) -> Result<(), CommandError> {
    let status = command.status().map_err(|source| CommandError::Start { line: line(command), source })?;
    succeeded(command, status)
}

/// Runs `command` and returns what it printed on standard output; standard error goes to the terminal.
///
/// # Errors
///
/// When it cannot be started, its exit code is not 0, or the output is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String, CommandError> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| CommandError::Start { line: line(command), source })?;
    succeeded(command, output.status)?;
    String::from_utf8(output.stdout).map_err(|_| CommandError::NotText { line: line(command) })
}

/// Whether `command` can be started and exits with 0; what it prints is thrown away.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// As [`output`], but the command is killed when `deadline` passes.
///
/// # Errors
///
/// As for [`output`], and when the time was up.
pub(crate) fn output_within(command: &mut Command, deadline: &Deadline) -> Result<String, CommandError> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| CommandError::Start { line: line(command), source })?;
    let printed = child.stdout.take().map(collect);
    let status = wait_within(&mut child, deadline)
        .map_err(|source| CommandError::Wait { line: line(command), source })?
        .ok_or_else(|| CommandError::TimedOut { line: line(command), limit: deadline.limit() })?;
    succeeded(command, status)?;
    let bytes = match printed.map(|printed| printed.recv_timeout(deadline.remaining())) {
        None => Vec::new(),
        Some(Ok(result)) => result.map_err(|source| CommandError::Wait { line: line(command), source })?,
        // Somebody that the command left behind still holds its output.
        Some(Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) => {
            return Err(CommandError::TimedOut { line: line(command), limit: deadline.limit() });
        }
    };
    String::from_utf8(bytes).map_err(|_| CommandError::NotText { line: line(command) })
}

/// The command line as one would type it, for messages.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    command.get_args().fold(name, |line, argument| format!("{line} {}", argument.to_string_lossy()))
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<(), CommandError> {
    if status.success() { Ok(()) } else { Err(CommandError::Failed { line: line(command), status }) }
}

/// Reads on a thread of its own: a child that fills the pipe would otherwise wait for us while we wait for it.
fn collect(mut stdout: ChildStdout) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = stdout.read_to_end(&mut bytes).map(|_| bytes);
        // Nobody listens any more once the deadline has passed.
        let _ = sender.send(result);
    });
    receiver
}

/// `None` when the deadline passed first; the child is dead then.
fn wait_within(child: &mut Child, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if deadline.remaining().is_zero() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // The standard library has no wait with a timeout, and its signals cannot be awaited without unsafe code.
        thread::park_timeout(POLL.min(deadline.remaining()));
    }
}

const POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests;
