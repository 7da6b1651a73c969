//! What is said.

use hhs_model::{Bytes, Decode, Encode, ReplicaId};

/// Being let in.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Let me in: I know the secret.
    Join {
        /// The replica.
        replica: ReplicaId,
        /// The secret of the invitation. Only said to the identity that the invitation names, over an encrypted channel.
        secret: Bytes,
    },
    /// You are in; the op that says so is on its way.
    Welcome {
        /// The replica.
        replica: ReplicaId,
    },
    /// You are not let in.
    Refused {
        /// The replica.
        replica: ReplicaId,
        /// Why, for a person to read.
        reason: String,
    },
}
