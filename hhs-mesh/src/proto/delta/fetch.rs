//! The side that lacks ops.

use std::collections::BTreeSet;
use std::time::Duration;

use hhs_model::{OpId, ReplicaId};

use super::message::Message;
use crate::proto::ConnectionId;

/// Ids that are listed at first; each further list has twice as many.
const FIRST_LIST: u64 = 64;
/// Ids in one list at most. A list that long is answered by taking what comes, doubles included: the histories share next
/// to nothing.
const LONGEST_LIST: u64 = 16_384;
/// Ops that are named as had. Heads first, then what lists have shown.
const MAX_HAVE: usize = 1024;

/// One request of ours, under way.
#[derive(Debug)]
pub struct Fetch {
    /// The replica.
    pub replica: ReplicaId,
    /// Whom we ask.
    pub connection: ConnectionId,
    /// Our number for it.
    pub request: u64,
    /// Where it stands.
    pub phase: Phase,
    /// When the peer has to have sent the next part.
    pub deadline: Duration,
    /// Ops that have come.
    pub received: u64,
    heads: Vec<OpId>,
    have: Vec<OpId>,
    list: u64,
    genesis: bool,
    /// Ops that have come and have no child among those that have.
    tips: BTreeSet<OpId>,
    listed: Vec<OpId>,
    all_listed: bool,
}

/// Where a fetch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The peer has been asked.
    Asked,
    /// A list has come, and the store looks which of its ops are here.
    Comparing,
    /// The genesis has come and is being taken in.
    Adopting,
    /// Batches come.
    Receiving,
    /// A batch is being taken in.
    Ingesting {
        /// Whether it is the last one.
        last: bool,
        /// Ops in all.
        total: u64,
    },
}

/// What to do next.
#[derive(Debug)]
pub enum FetchStep {
    /// Send this and wait.
    Send(Message),
    /// Find out which of these are not here.
    Compare(Vec<OpId>),
}

impl Fetch {
    /// Begins to fetch. `have` is what we have that the peer is likely to know, the likeliest first.
    pub fn new(
        replica: ReplicaId,
        connection: ConnectionId,
        request: u64,
        heads: Vec<OpId>,
        mut have: Vec<OpId>,
        genesis: bool,
        deadline: Duration,
    ) -> Self {
        have.truncate(MAX_HAVE);
        Self {
            replica,
            connection,
            request,
            phase: Phase::Asked,
            deadline,
            received: 0,
            heads,
            have,
            list: FIRST_LIST,
            genesis,
            tips: BTreeSet::new(),
            listed: Vec::new(),
            all_listed: false,
        }
    }

    /// The request as it has to be sent first.
    pub fn first_want(&self) -> Message {
        self.want(false)
    }

    /// The peer knows `known` of what we have, and would send `ids` (from the top), which may be `all` of it.
    pub fn listed(&mut self, known: Vec<OpId>, ids: Vec<OpId>, all: bool) -> FetchStep {
        let had: BTreeSet<OpId> = self.have.iter().copied().collect();
        self.have = known.into_iter().filter(|id| had.contains(id)).collect();
        self.listed = ids.clone();
        self.all_listed = all;
        self.phase = Phase::Comparing;
        FetchStep::Compare(ids)
    }

    /// Of the ops listed last, `unknown` are not here.
    pub fn compared(&mut self, unknown: &[OpId]) -> FetchStep {
        let unknown: BTreeSet<&OpId> = unknown.iter().collect();
        let ours = self.listed.iter().filter(|id| !unknown.contains(id));
        // The topmost first: what lies below them need not be named.
        self.have.extend(ours);
        self.have.truncate(MAX_HAVE + self.listed.len());
        let exact = self.all_listed || self.list >= LONGEST_LIST;
        self.list = (self.list * 2).min(LONGEST_LIST);
        self.listed = Vec::new();
        self.phase = Phase::Asked;
        FetchStep::Send(self.want(exact))
    }

    /// Notes the ops of a batch: what is not below another one is a tip.
    pub fn note(&mut self, op: OpId, parents: &[OpId]) {
        for parent in parents {
            self.tips.remove(parent);
        }
        self.tips.insert(op);
        self.received += 1;
    }

    /// Whether all that has come lies at or below what was asked for.
    pub fn hangs_together(&self) -> bool {
        self.tips.iter().all(|tip| self.heads.contains(tip))
    }

    /// Whether the peer was asked for the genesis and has not sent it.
    pub fn awaits_genesis(&self) -> bool {
        self.genesis
    }

    /// The genesis is here.
    pub fn adopted(&mut self) {
        self.genesis = false;
    }

    fn want(&self, exact: bool) -> Message {
        Message::Want {
            request: self.request,
            replica: self.replica,
            heads: self.heads.clone(),
            have: self.have.clone(),
            list: self.list,
            exact,
            genesis: self.genesis,
        }
    }
}
