//! The room: a replica of messages and the people who may write them.

use hhs::prelude::*;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[object(class = "chat/v1/Message", validate = Message::check)]
pub(super) struct Message {
    pub(super) text: String,
}

/// A room.
#[derive(Debug, Replica)]
#[replica(class = "chat/v1/Room")]
pub(super) struct Room {
    pub(super) members: Members,
    pub(super) messages: Log<Message>,
}

impl Message {
    fn check(&self) -> Result<(), &'static str> {
        if self.text.len() > MAX_TEXT_BYTES { Err("a message is over 1 MiB") } else { Ok(()) }
    }
}

/// Bytes of the text of a message: 1 MiB.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 20;
