//! What a simulated network has carried.

use std::collections::BTreeMap;

use hhs_mesh::proto::{Message, delta};

/// Counts since the last [`take`](Stats::take).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Messages that were sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Ops in them.
    pub ops: u64,
    /// Requests for ops, each a round trip.
    pub wants: u64,
    /// Ops that were taken in and new.
    pub added: u64,
    /// Ops that were taken in and had been there already.
    pub doubles: u64,
    /// Bundles that were not taken in as something in another replica was missing.
    pub lacking: u64,
    /// Messages by kind.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl Stats {
    /// Counts a message that is sent.
    pub(crate) fn sent(&mut self, message: &Message, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
        *self.kinds.entry(kind(message)).or_default() += 1;
        match message {
            Message::Delta(delta::Message::Want { .. }) => self.wants += 1,
            Message::Delta(delta::Message::Batch { ops, .. }) => self.ops += ops.len() as u64,
            _ => {}
        }
    }

    /// What was counted; begins anew.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

/// A name for a kind of message.
pub(crate) fn kind(message: &Message) -> &'static str {
    use delta::Message as D;
    match message {
        Message::Hello(_) => "hello",
        Message::Group(_) => "peers",
        Message::Gossip(hhs_mesh::proto::gossip::Message::Open { .. }) => "open",
        Message::Gossip(hhs_mesh::proto::gossip::Message::Closed { .. }) => "closed",
        Message::Gossip(hhs_mesh::proto::gossip::Message::Heads { .. }) => "heads",
        Message::Delta(D::Want { .. }) => "want",
        Message::Delta(D::Listed { .. }) => "listed",
        Message::Delta(D::Genesis { .. }) => "genesis",
        Message::Delta(D::Batch { .. }) => "batch",
        Message::Delta(D::More { .. }) => "more",
        Message::Delta(D::Cancel { .. }) => "cancel",
        Message::Delta(D::Unavailable { .. }) => "unavailable",
        Message::Admission(_) => "admission",
    }
}
