//! What is said. `request` is chosen by who asks, and used once per connection.

use hhs_model::{Bytes, Decode, Encode, OpId, ReplicaId};
use hhs_store::SignedOp;

/// Moving ops.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Send me what lies at or below `heads`, and not at or below any of `have`.
    Want {
        /// The request.
        request: u64,
        /// The replica.
        replica: ReplicaId,
        /// Heads that you have told me of and I lack.
        heads: Vec<OpId>,
        /// Ops that I have. Without `below` these are all my heads, and others; with it, what lists have shown besides.
        have: Vec<OpId>,
        /// How many ids you may list, if you do not know all that I have; 0 if you may not, and have to send.
        list: u64,
        /// Down to this op you have listed what you would send, and what I have of that is among `have`.
        below: Option<OpId>,
        /// I lack the genesis.
        genesis: bool,
    },
    /// I do not know all that you have. This is what I would send, from the top, or from below what I listed last.
    Listed {
        /// The request.
        request: u64,
        /// Those of your `have` that I do not know.
        unknown: Vec<OpId>,
        /// What I would send, from the top: at least one, at most as many as asked for.
        ids: Vec<OpId>,
        /// Whether I would send nothing else than what was listed.
        all: bool,
    },
    /// The genesis; batches follow.
    Genesis {
        /// The request.
        request: u64,
        /// Its bytes.
        genesis: Bytes,
        /// The identities that it names.
        identities: Vec<Bytes>,
    },
    /// Some of what you want, parents first.
    Batch {
        /// The request.
        request: u64,
        /// How many ops there are in all.
        total: u64,
        /// Identities that these ops name and I have not sent over this connection yet.
        identities: Vec<Bytes>,
        /// The ops.
        ops: Vec<OpBytes>,
        /// Whether that was the last batch.
        last: bool,
    },
    /// I have dealt with a batch; send one more.
    More {
        /// The request.
        request: u64,
    },
    /// I no longer want it.
    Cancel {
        /// The request.
        request: u64,
    },
    /// I cannot answer.
    Unavailable {
        /// The request.
        request: u64,
        /// Why, for a person to read.
        reason: String,
    },
}

/// An op as it travels: header and payload.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct OpBytes {
    /// The header's canonical bytes.
    #[hhs(rename = "h")]
    pub header: Bytes,
    /// The payload, if the header names one.
    #[hhs(rename = "p")]
    pub payload: Option<Bytes>,
}

impl From<SignedOp> for OpBytes {
    fn from(op: SignedOp) -> Self {
        Self { header: Bytes(op.header), payload: op.payload.map(Bytes) }
    }
}

impl From<OpBytes> for SignedOp {
    fn from(op: OpBytes) -> Self {
        Self { header: op.header.0, payload: op.payload.map(|payload| payload.0) }
    }
}
