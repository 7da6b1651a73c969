//! Standard input: each line a message.

use std::io::{self, BufRead, Read};
use std::thread;

use tokio::sync::mpsc;

use super::room::MAX_TEXT_BYTES;

/// Why the input cannot be taken any further. The lines before were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// A line is too long.
    #[error(
        "line {line} of the input is longer than a message can be, 1 MiB: what came before is written; go on with shorter lines after it"
    )]
    TooLong { line: u64 },
    /// A line is not text.
    #[error("line {line} of the input is not UTF-8: what came before is written; convert the rest and go on with it")]
    NotText { line: u64 },
    /// The system does not give it to us.
    #[error("standard input cannot be read any further: {0}")]
    Read(#[from] io::Error),
}

/// The lines of standard input, empty ones left out; ends with the input, or after an error.
///
/// They are read in a thread that nothing waits for, so that a program can end while its input is open.
pub(super) fn lines() -> mpsc::Receiver<Result<String, InputError>> {
    let (sender, lines) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut reader = Lines::new(io::stdin().lock());
        while let Some(line) = reader.next() {
            let over = line.is_err();
            // If nobody takes lines any more, there is nothing to do.
            if sender.blocking_send(line).is_err() || over {
                return;
            }
        }
    });
    lines
}

/// Reads lines with a bound on their length.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Option<Result<String, InputError>> {
        loop {
            let mut bytes = Vec::new();
            self.number += 1;
            // One more than a line that fits, with its end.
            match self.reader.by_ref().take(MAX_TEXT_BYTES as u64 + 3).read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error.into())),
            }
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
                if bytes.last() == Some(&b'\r') {
                    bytes.pop();
                }
            }
            if bytes.len() > MAX_TEXT_BYTES {
                return Some(Err(InputError::TooLong { line: self.number }));
            }
            match String::from_utf8(bytes) {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => return Some(Ok(text)),
                Err(_) => return Some(Err(InputError::NotText { line: self.number })),
            }
        }
    }
}

/// Lines that are read before they are asked for.
const AHEAD: usize = 16;

#[cfg(test)]
mod tests;
