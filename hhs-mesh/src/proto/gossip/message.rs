//! What is said.

use hhs_model::{Decode, Encode, OpId, ReplicaId};

/// What I share and have.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// I share a replica, or want to; tell me your heads and I tell you mine. Only said to who is known to share it: the
    /// id of a replica is the right to read it.
    Open {
        /// The replica.
        replica: ReplicaId,
    },
    /// I do not share it, or no longer.
    Closed {
        /// The replica.
        replica: ReplicaId,
    },
    /// The heads that I have, all of them whole with their pasts.
    Heads {
        /// The replica.
        replica: ReplicaId,
        /// The heads, ascending.
        heads: Vec<OpId>,
        /// How many ops I have.
        ops: u64,
    },
}
