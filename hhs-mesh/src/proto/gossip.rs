//! Gossip: who shares which replica, and the heads that each has. New heads are told to everybody who shares the replica,
//! coalesced for a moment, and told again from time to time in case something got lost.

mod message;
mod state;

pub use message::Message;
pub use state::{Noted, PeerView, State};

/// Heads in one message at most.
pub(crate) const MAX_HEADS: usize = 16_384;
