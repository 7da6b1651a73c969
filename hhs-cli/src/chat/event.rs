//! What happens in a chat, as programs read it.

use hhs::model::{IdentityId, OpId};
use serde::{Deserialize, Serialize};

/// Something that happens: one object of JSON on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// Others can join at this address.
    Listening { address: String },
    /// The endpoint of the last time is taken; others have to be given the new address.
    Moved { from: String, reason: String },
    /// Nobody is connected, because that is what was asked for.
    Offline,
    /// We may write: a member has let us in.
    Joined,
    /// A message is in the room, durably. Told once for each message, old ones first.
    Message(MessageLine),
    /// Somebody is connected.
    PeerConnected { identity: String, name: Option<String> },
    /// Somebody is gone.
    PeerDisconnected { identity: String, name: Option<String>, reason: String },
    /// A peer has what we have.
    InSync {
        peer: String,
        name: Option<String>,
        /// Ops that both have.
        ops: u64,
        #[serde(flatten)]
        totals: Totals,
    },
    /// An address cannot be reached; it is tried again. Told once until it is reached.
    Unreachable { address: String, name: Option<String>, reason: String },
    /// A peer has done what no honest peer does, and was disconnected.
    Misbehaved { identity: Option<String>, reason: String },
    /// Something is wrong here.
    Failed { reason: String },
    /// It ends.
    Stopped {
        /// Ops that are here.
        ops: u64,
        #[serde(flatten)]
        totals: Totals,
    },
}

/// What has moved since the program was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Ops that came from others.
    pub(crate) fetched: u64,
    /// Bytes sent, as the network counts them.
    pub(crate) bytes_sent: u64,
    /// Bytes received.
    pub(crate) bytes_received: u64,
}

/// A message as it is printed: the same on every device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageLine {
    /// The op that wrote it.
    pub(crate) id: String,
    /// Who wrote it.
    pub(crate) author: String,
    /// The author's name, if they have one.
    pub(crate) name: Option<String>,
    /// What they wrote.
    pub(crate) text: String,
}

impl MessageLine {
    /// The message that an op has as its `index`-th.
    pub(super) fn new(op: OpId, index: u32, author: IdentityId, name: Option<String>, text: String) -> Self {
        // An op of ours carries one message; several in one op of another program need ids of their own.
        let id = if index == 0 { op.to_string() } else { format!("{op}/{index}") };
        Self { id, author: author.to_string(), name, text }
    }
}
