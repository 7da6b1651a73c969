//! What is said.

use hhs_model::{Decode, Encode, ReplicaId};

/// Where others are.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Peers that share a replica which we both share.
    Peers {
        /// The replica.
        replica: ReplicaId,
        /// Their addresses, as URLs that name the identity.
        addresses: Vec<String>,
    },
}
