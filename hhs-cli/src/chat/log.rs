//! `hhs chat log`: the messages of a room in the order that all agree on.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use hhs::model::{Frontier, IdentityId, OpId};
use hhs::store::Live;

use super::event::MessageLine;
use super::home::{Home, HomeError};
use super::people::People;
use super::room::Room;
use super::{ChatError, show};
use crate::output::Output;

/// What a store has of a room.
pub(crate) struct RoomLog {
    /// The heads.
    pub(crate) frontier: Frontier,
    /// How many ops there are.
    pub(crate) ops: u64,
    /// The messages, in their order.
    pub(crate) messages: Vec<MessageLine>,
}

/// Reads what a directory has of its room, with nobody's key.
///
/// # Errors
/// If there is no room, or it is open elsewhere.
pub(crate) async fn read(directory: &Path) -> Result<RoomLog, HomeError> {
    let (home, room) = Home::open(directory).await?;
    let store = home.store();
    let live = store.open_replica::<Room>(room).await?;
    let mut people = People::new(store.clone());
    let messages = messages(&live, &mut people).await?;
    Ok(RoomLog { frontier: store.frontier(room).await?, ops: store.count(room).await?, messages })
}

/// All messages of a room that is open.
async fn messages(live: &Live<Room>, people: &mut People) -> Result<Vec<MessageLine>, HomeError> {
    lines(live.read(entries), people).await
}

/// A message in its place: op, index within it, author, text.
pub(super) type Entry = (OpId, u32, IdentityId, String);

/// The messages of a room, in their order.
pub(super) fn entries(room: &Room) -> Vec<Entry> {
    room.messages.iter().map(|entry| (entry.op, entry.index, entry.author, entry.value.text.clone())).collect()
}

/// Messages with the names of who wrote them.
pub(super) async fn lines(entries: Vec<Entry>, people: &mut People) -> Result<Vec<MessageLine>, HomeError> {
    let mut lines = Vec::with_capacity(entries.len());
    for (op, index, author, text) in entries {
        lines.push(MessageLine::new(op, index, author, people.name(author).await?, text));
    }
    Ok(lines)
}

/// Prints the messages of a directory.
///
/// # Errors
/// As [`read`], and if nobody reads what is printed.
pub(super) async fn print(directory: &Path, output: Output) -> Result<(), ChatError> {
    let log = read(directory).await?;
    write_all(&log.messages, output).map_err(ChatError::Output)
}

fn write_all(messages: &[MessageLine], output: Output) -> io::Result<()> {
    let mut stdout = BufWriter::new(io::stdout().lock());
    for message in messages {
        if output.is_json() {
            serde_json::to_writer(&mut stdout, message)?;
            stdout.write_all(b"\n")?;
        } else {
            writeln!(stdout, "{}", show::line(&output, message))?;
        }
    }
    stdout.flush()
}
