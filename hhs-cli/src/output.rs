//! Standard output: lines for people, with colours where they are wanted, or JSON lines for programs.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

/// How a program writes to standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    colour: bool,
}

/// How a part of a line looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Bold,
    Dim,
    Green,
    /// One of a few colours by which people are told apart.
    Person(u8),
}

impl Output {
    /// Standard output as it is: colours only on a terminal, and not where `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let able = std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { json, colour: !json && wanted && able && io::stdout().is_terminal() }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes a line, at once.
    ///
    /// # Errors
    /// If nobody reads any more, or the disk is full.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    }

    /// Writes an object of JSON on a line, at once.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn json(&self, object: &impl Serialize) -> io::Result<()> {
        self.line(&serde_json::to_string(object)?)
    }

    /// A part of a line, painted if that is wanted.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Bold => 1,
            Paint::Dim => 2,
            Paint::Green => 32,
            Paint::Person(number) => PEOPLE[usize::from(number) % PEOPLE.len()],
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Cyan, yellow, magenta, blue, bright green: readable on dark and on light backgrounds.
const PEOPLE: [u8; 5] = [36, 33, 35, 34, 92];

/// Whether an error of writing means that the reader has gone, as `head` does: that is no failure of ours.
pub(crate) fn reader_is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

/// A text of others on one line, without what would make a terminal do something.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .map(|c| if shows(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Whether a character neither controls a terminal nor turns the direction of what stands beside it.
fn shows(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
