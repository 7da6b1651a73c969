//! What happens in a chat, as people read it.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use super::event::{Event, MessageLine};
use crate::output::{Output, Paint, printable};

/// Prints what happens, for people or for programs.
pub(super) struct Show {
    output: Output,
    /// Whether somebody types where we print.
    interactive: bool,
    /// Whether the last line on the terminal is one that was typed.
    typed_last: Cell<bool>,
}

/// Moves to the beginning of the line and clears it.
const CLEAR_LINE: &str = "\r\x1b[2K";
/// Moves to the line above and clears it.
const CLEAR_LINE_ABOVE: &str = "\x1b[1A\r\x1b[2K";

impl Show {
    pub(super) fn new(output: Output) -> Self {
        let interactive = !output.is_json() && io::stdin().is_terminal() && io::stdout().is_terminal();
        Self { output, interactive, typed_last: Cell::new(false) }
    }

    /// Prints an event. `news` says whether people want to know it; programs are told all.
    pub(super) fn event(&self, event: &Event, news: bool) -> io::Result<()> {
        if self.output.is_json() {
            return self.output.json(event);
        }
        if let Event::Message(message) = event {
            return self.put(CLEAR_LINE, &line(&self.output, message));
        }
        match notice(event) {
            Some(text) if news => self.notice(&text)?,
            _ => {}
        }
        match event {
            // By itself, and in full light, to be copied.
            Event::Listening { address } => self.put("", address),
            _ => Ok(()),
        }
    }

    /// Whether somebody types where we print.
    pub(super) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Notes that somebody has typed a line.
    pub(super) fn typed(&self) {
        self.typed_last.set(true);
    }

    /// Prints a message that was typed here, in place of what was typed.
    pub(super) fn own_message(&self, message: MessageLine) -> io::Result<()> {
        if !self.interactive || !self.typed_last.get() {
            return self.event(&Event::Message(message), true);
        }
        self.put(CLEAR_LINE_ABOVE, &line(&self.output, &message))
    }

    /// Says to people how this works.
    pub(super) fn introduction(&self, name: &str, directory: &str) -> io::Result<()> {
        if !self.interactive {
            return Ok(());
        }
        self.notice(&format!("You are {name}; everything is kept in {directory}."))?;
        self.notice("A line is a message. Ctrl-D leaves; `hhs chat open` comes back.")
    }

    /// Says something to people alone.
    fn notice(&self, text: &str) -> io::Result<()> {
        self.put(CLEAR_LINE, &self.output.paint(Paint::Dim, &format!("· {text}")))
    }

    /// Prints a line for people; on a terminal where somebody types, it takes the place that `clear` makes.
    fn put(&self, clear: &str, line: &str) -> io::Result<()> {
        self.typed_last.set(false);
        let clear = if self.interactive { clear } else { "" };
        self.output.line(&format!("{clear}{line}"))
    }
}

/// A message on a line.
pub(super) fn line(output: &Output, message: &MessageLine) -> String {
    let name = shown_name(message.name.as_deref(), &message.author);
    // The same colour for the same person, wherever it is shown.
    let colour = Paint::Person(message.author.bytes().fold(0, u8::wrapping_add));
    format!("{} {}", output.paint(colour, &format!("{name}:")), printable(&message.text))
}

/// What people are told; `None` where it says nothing to them.
fn notice(event: &Event) -> Option<String> {
    Some(match event {
        Event::Listening { .. } => {
            "Others join with `hhs chat join ADDRESS --store DIR --name NAME`; this address lets them in:".into()
        }
        Event::Moved { from, reason } => {
            format!("{from} is not free ({}), so others have to be given a new address.", printable(reason))
        }
        Event::Offline => "Offline: nobody hears of this until you open it again.".into(),
        Event::Joined => "You have been let in.".into(),
        Event::InSync { name, peer, .. } => format!("{} is here.", shown_name(name.as_deref(), peer)),
        Event::PeerDisconnected { name, identity, .. } => {
            format!("{} has left.", shown_name(name.as_deref(), identity))
        }
        Event::Unreachable { address, name, reason } => {
            format!("{} is not reached so far: {}", shown_name(name.as_deref(), address), printable(reason))
        }
        Event::Misbehaved { identity, reason } => {
            let who = shown_name(None, identity.as_deref().unwrap_or("an unknown peer"));
            format!("{who} was disconnected: {}", printable(reason))
        }
        Event::Failed { reason } => format!("Something failed: {}", printable(reason)),
        Event::Message(_) | Event::PeerConnected { .. } | Event::Stopped { .. } => return None,
    })
}

/// A name as it is shown, or the end of an id for want of one.
fn shown_name(name: Option<&str>, id: &str) -> String {
    match name {
        Some(name) if !name.trim().is_empty() => printable(name),
        _ => format!("…{}", &id[id.len().saturating_sub(8)..]),
    }
}
