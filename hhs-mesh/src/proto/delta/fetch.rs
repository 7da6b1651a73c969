//! The side that lacks ops.

use std::collections::BTreeSet;
use std::time::Duration;

use hhs_model::op::Op;
use hhs_model::{OpId, ReplicaId};

use super::message::Message;
use super::{LONGEST_LIST, MAX_HAVE};
use crate::proto::ConnectionId;
use crate::proto::gossip::MAX_HEADS;

/// Ids that are listed at first; each further list has four times as many.
const FIRST_LIST: u64 = 64;
/// What lists may cost beside what they save: once so many ids for each op of ours were listed, what comes is taken, doubles
/// included. An id is about a tenth of an op.
const LISTED_PER_OP: u64 = 4;
/// How long a peer may keep others from being asked while it is silent.
const SLACK: Duration = Duration::from_secs(2);
/// What a peer has to send in a second not to use up its slack.
const FAIR_BYTES: u32 = 32 << 10;

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
    /// Whether others were looked at since the peer ran out of slack.
    pub overtaken: bool,
    heads: Vec<OpId>,
    /// Those of them that the peer has told of and have not come.
    awaited: BTreeSet<OpId>,
    /// What the ops that came last depend on.
    deps: Vec<OpId>,
    have: Vec<OpId>,
    /// How many ops we had when it began.
    own: u64,
    list: u64,
    below: Option<OpId>,
    listed_so_far: u64,
    genesis: bool,
    /// Ops that have come and have no child among those that have.
    tips: BTreeSet<OpId>,
    listed: Vec<OpId>,
    all_listed: bool,
    /// Since when it has been the peer's turn.
    waiting_since: Duration,
    slack: Duration,
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

/// What to fetch.
#[derive(Debug)]
pub struct Lack {
    /// The heads that a peer has and we lack, ascending.
    pub heads: Vec<OpId>,
    /// Those of them that it has not told of: it has to have them as ops that it sent depend on them, but may not.
    pub claimed: BTreeSet<OpId>,
    /// All our heads, and others that the peer is likely to know.
    pub have: Vec<OpId>,
    /// How many ops we have.
    pub own: u64,
    /// Whether even the genesis is missing.
    pub genesis: bool,
}

impl Fetch {
    /// Begins to fetch.
    pub fn new(replica: ReplicaId, connection: ConnectionId, request: u64, mut lack: Lack, now: Duration) -> Self {
        lack.heads.truncate(MAX_HEADS);
        lack.have.truncate(MAX_HAVE);
        Self {
            replica,
            connection,
            request,
            phase: Phase::Asked,
            deadline: now,
            received: 0,
            overtaken: false,
            awaited: lack.heads.iter().filter(|head| !lack.claimed.contains(head)).copied().collect(),
            deps: Vec::new(),
            heads: lack.heads,
            have: lack.have,
            own: lack.own,
            list: FIRST_LIST,
            below: None,
            listed_so_far: 0,
            genesis: lack.genesis,
            tips: BTreeSet::new(),
            listed: Vec::new(),
            all_listed: false,
            waiting_since: now,
            slack: SLACK,
        }
    }

    /// The request as it has to be sent now.
    pub fn want(&self) -> Message {
        Message::Want {
            request: self.request,
            replica: self.replica,
            heads: self.heads.clone(),
            have: self.have.clone(),
            list: self.list,
            below: self.below,
            genesis: self.genesis,
        }
    }

    /// The peer does not know `unknown` of what we have, and would send `ids` (from the top), which may be `all` of it.
    /// Returns which of them to look up here, unless the peer may not list that.
    pub fn listed(&mut self, unknown: &[OpId], ids: Vec<OpId>, all: bool) -> Option<Vec<OpId>> {
        if ids.is_empty() || ids.len() as u64 > self.list {
            return None;
        }
        let unknown: BTreeSet<&OpId> = unknown.iter().collect();
        self.have.retain(|id| !unknown.contains(id));
        self.below = ids.last().copied();
        self.listed_so_far += ids.len() as u64;
        self.listed = ids.clone();
        self.all_listed = all;
        self.phase = Phase::Comparing;
        Some(ids)
    }

    /// Of the ops listed last, `unknown` are not here. Returns what to ask for next.
    pub fn compared(&mut self, unknown: &[OpId]) -> Message {
        let unknown: BTreeSet<&OpId> = unknown.iter().collect();
        self.have.extend(self.listed.iter().filter(|id| !unknown.contains(id)));
        self.listed = Vec::new();
        let enough = self.listed_so_far > FIRST_LIST + self.own.saturating_mul(LISTED_PER_OP);
        let exact = self.all_listed || enough || self.have.len() > MAX_HAVE;
        self.have.truncate(MAX_HAVE);
        self.list = if exact { 0 } else { (self.list * 4).min(LONGEST_LIST) };
        self.phase = Phase::Asked;
        self.want()
    }

    /// Notes an op of a batch: what is not below another one is a tip.
    pub fn note(&mut self, op: &Op) {
        let (id, header) = (op.id(), op.header());
        for parent in &header.parents {
            self.tips.remove(parent);
        }
        self.tips.insert(id);
        self.awaited.remove(&id);
        self.received += 1;
        self.deps.extend(&header.deps);
    }

    /// What the ops depend on that were noted since this was last asked.
    pub fn take_deps(&mut self) -> Vec<OpId> {
        std::mem::take(&mut self.deps)
    }

    /// Whether all that has come lies at or below what was asked for.
    pub fn hangs_together(&self) -> bool {
        self.tips.iter().all(|tip| self.heads.binary_search(tip).is_ok())
    }

    /// Whether all has come that the peer said it has.
    pub fn is_complete(&self) -> bool {
        self.awaited.is_empty()
    }

    /// Whether the peer was asked for the genesis and has not sent it.
    pub fn awaits_genesis(&self) -> bool {
        self.genesis
    }

    /// The genesis is here.
    pub fn adopted(&mut self) {
        self.genesis = false;
    }

    /// Whether it is the peer's turn.
    pub fn waits_for_peer(&self) -> bool {
        matches!(self.phase, Phase::Asked | Phase::Receiving)
    }

    /// The peer has sent something of `bytes`.
    pub fn heard(&mut self, bytes: usize, now: Duration) {
        let used = now.saturating_sub(self.waiting_since);
        let earned = Duration::from_secs(1).mul_f64(bytes as f64 / f64::from(FAIR_BYTES));
        self.slack = (self.slack.saturating_sub(used) + earned).min(SLACK);
        self.overtaken = false;
    }

    /// It is the peer's turn again, until a deadline.
    pub fn wait(&mut self, now: Duration, within: Duration) {
        self.waiting_since = now;
        self.deadline = now + within;
    }

    /// When others may be asked although this is not done: the peer has been silent, or slow, for too long.
    pub fn slack_ends(&self) -> Option<Duration> {
        self.waits_for_peer().then(|| self.waiting_since + self.slack)
    }

    /// Whether others have to wait until this is done.
    pub fn holds_up_others(&self, now: Duration) -> bool {
        self.slack_ends().is_none_or(|end| now < end)
    }
}
