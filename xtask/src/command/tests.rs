//! Commands that end, fail, and run out of time.

use std::process::Command;
use std::time::Duration;

use super::{CommandError, line, output_within, works};
use crate::clock::Deadline;

/// A benchmark hangs: it is stopped at the limit, and the message names it.
#[test]
fn a_command_that_outlives_the_deadline_is_stopped() {
    let mut command = Command::new("sh");
    command.args(["-c", "exec sleep 600"]);
    let error = output_within(&mut command, &Deadline::within(Duration::from_millis(50))).unwrap_err();
    assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
    assert!(error.to_string().contains("sleep 600"), "{error}");
}

/// A benchmark prints more than a pipe holds before it ends: all of it arrives.
#[test]
fn output_larger_than_a_pipe_is_read_whole() {
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 300000 /dev/zero | tr '\\0' x"]);
    let printed = output_within(&mut command, &Deadline::within(Duration::from_secs(60))).unwrap();
    assert_eq!(printed.len(), 300_000);
}

/// A command that exits with another code than 0 is an error, whatever it printed.
#[test]
fn a_command_that_fails_is_an_error() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo fine; exit 3"]);
    let error = output_within(&mut command, &Deadline::within(Duration::from_secs(60))).unwrap_err();
    assert!(matches!(error, CommandError::Failed { .. }), "{error}");
}

/// A program that is not there does not work, and a message names programs without their folder.
#[test]
fn a_missing_program_does_not_work() {
    assert!(!works(&mut Command::new("/nowhere/no-such-program")));
    assert_eq!(line(Command::new("/usr/bin/cargo").arg("check")), "cargo check");
}
