//! What we have, what each peer has, and when to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hhs_model::{Frontier, OpId, ReplicaId};

use crate::proto::{Config, ConnectionId};

/// Ops that a peer is said to have to have, at most; what is missing beyond that is asked for after these have come.
const MAX_CLAIMED: usize = 256;
/// Failures in a row up to which a peer that was given up for the lack of ops of another replica is asked as soon as there
/// are more of those. Too high lets a peer that depends on what does not exist be asked with everything that comes.
const HASTENED: u32 = 4;

/// What is known of the replicas that are shared.
#[derive(Debug, Default)]
pub struct State {
    shared: BTreeMap<ReplicaId, Shared>,
    /// When to ask whom again; out of date where the peer's view says otherwise.
    retries: BTreeSet<(Duration, ReplicaId, ConnectionId)>,
}

#[derive(Debug, Default)]
struct Shared {
    /// What we have; `None` while even the genesis is missing, or we have not looked.
    held: Option<(Frontier, u64)>,
    /// Whether we have looked.
    looked_up: bool,
    peers: BTreeMap<ConnectionId, PeerView>,
    /// When to tell those who have not been told.
    flush_at: Option<Duration>,
}

/// What has come of noting what we have.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// Nothing was known before.
    pub first: bool,
    /// It is other than what was known.
    pub changed: bool,
}

/// What a peer has of a replica, as far as it has said.
#[derive(Debug, Default, Clone)]
pub struct PeerView {
    /// Its heads.
    pub heads: BTreeSet<OpId>,
    /// How many ops it has.
    pub ops: u64,
    /// Whether it has said anything yet.
    pub told_us: bool,
    /// The heads that we told it last.
    told_it: Option<Frontier>,
    /// Whether it has said something since its heads were last looked up here.
    pub unchecked: bool,
    /// The heads that we last had in common: what it has for certain, whatever it writes next.
    pub agreed_on: BTreeSet<OpId>,
    /// Whether the app has been told that we agree.
    agreed: bool,
    /// Ops that it has to have, as it has sent ops of another replica that depend on them.
    pub claimed: BTreeSet<OpId>,
    /// How often in a row it has not given us what it has.
    pub failures: u32,
    /// Whether it was given up for the lack of ops of another replica.
    lacking: bool,
    /// When to ask it again, if it was given up.
    pub retry_at: Option<Duration>,
}

impl State {
    /// Begins to share a replica.
    pub fn share(&mut self, replica: ReplicaId) {
        self.shared.entry(replica).or_default();
    }

    /// Stops sharing a replica; returns who was told that we do.
    pub fn unshare(&mut self, replica: ReplicaId) -> Vec<ConnectionId> {
        self.shared.remove(&replica).map(|shared| shared.peers.into_keys().collect()).unwrap_or_default()
    }

    /// Whether a replica is shared.
    pub fn shares(&self, replica: ReplicaId) -> bool {
        self.shared.contains_key(&replica)
    }

    /// Whether a peer is known to share a replica.
    pub fn is_open(&self, replica: ReplicaId, connection: ConnectionId) -> bool {
        self.peer(replica, connection).is_some()
    }

    /// Notes that a peer shares a replica. False if that was known.
    pub fn open(&mut self, replica: ReplicaId, connection: ConnectionId, now: Duration) -> bool {
        let Some(shared) = self.shared.get_mut(&replica) else { return false };
        let new = !shared.peers.contains_key(&connection);
        shared.peers.entry(connection).or_default();
        shared.flush_at = Some(now);
        new
    }

    /// Notes that a peer does not share a replica.
    pub fn close(&mut self, replica: ReplicaId, connection: ConnectionId) {
        if let Some(shared) = self.shared.get_mut(&replica) {
            shared.peers.remove(&connection);
        }
    }

    /// Whether a peer shares no replica with us.
    pub fn shares_nothing(&self, connection: ConnectionId) -> bool {
        self.shared.values().all(|shared| !shared.peers.contains_key(&connection))
    }

    /// Forgets a connection.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.shared.values_mut().for_each(|shared| drop(shared.peers.remove(&connection)));
    }

    /// Whether what we have of a replica is known by now.
    pub fn is_looked_up(&self, replica: ReplicaId) -> bool {
        self.shared.get(&replica).is_some_and(|shared| shared.looked_up)
    }

    /// What we have of a replica.
    pub fn held(&self, replica: ReplicaId) -> Option<&(Frontier, u64)> {
        self.shared.get(&replica)?.held.as_ref()
    }

    /// Notes what we have of a replica now, and tells peers after `delay`. What is older than what is known already (fewer
    /// ops) is passed over.
    pub fn set_held(
        &mut self,
        replica: ReplicaId,
        held: Option<(Frontier, u64)>,
        now: Duration,
        delay: Duration,
    ) -> Noted {
        let Some(shared) = self.shared.get_mut(&replica) else { return Noted { first: false, changed: false } };
        let ops = |held: &Option<(Frontier, u64)>| held.as_ref().map(|(_, ops)| *ops);
        let changed = shared.held != held && ops(&held) >= ops(&shared.held);
        if changed {
            shared.held = held;
            shared.flush_at = Some(shared.flush_at.map_or(now + delay, |at| at.min(now + delay)));
        }
        Noted { first: !std::mem::replace(&mut shared.looked_up, true), changed }
    }

    /// Tells peers what we have by `at`, if there is something to tell.
    pub fn hasten(&mut self, replica: ReplicaId, at: Duration) {
        if let Some(flush_at) = self.shared.get_mut(&replica).and_then(|shared| shared.flush_at.as_mut()) {
            *flush_at = at.min(*flush_at);
        }
    }

    /// Notes the heads that a peer tells of.
    pub fn hear(&mut self, replica: ReplicaId, connection: ConnectionId, heads: Vec<OpId>, ops: u64) {
        if let Some(view) = self.peer_mut(replica, connection) {
            let heads = heads.into_iter().collect();
            view.agreed &= view.heads == heads;
            view.heads = heads;
            view.ops = ops;
            view.told_us = true;
            view.unchecked = true;
        }
    }

    /// What a peer has of a replica.
    pub fn peer(&self, replica: ReplicaId, connection: ConnectionId) -> Option<&PeerView> {
        self.shared.get(&replica)?.peers.get(&connection)
    }

    /// Peers whose heads have to be looked up.
    pub fn unchecked(&self, replica: ReplicaId) -> Vec<ConnectionId> {
        let peers = self.shared.get(&replica).map(|shared| shared.peers.iter());
        peers.into_iter().flatten().filter(|(_, view)| view.unchecked).map(|(connection, _)| *connection).collect()
    }

    /// Whether a peer's heads have to be looked up.
    pub fn set_unchecked(&mut self, replica: ReplicaId, connection: ConnectionId, unchecked: bool) {
        if let Some(view) = self.peer_mut(replica, connection) {
            view.unchecked = unchecked;
        }
    }

    /// Notes that a peer has not given us what it has: it is asked again later, each time later still.
    pub fn postpone(&mut self, config: &Config, replica: ReplicaId, connection: ConnectionId, now: Duration) {
        if let Some(view) = self.peer_mut(replica, connection) {
            let wait = config.retry_first.saturating_mul(1 << view.failures.min(20)).min(3 * config.answer_within);
            view.failures = view.failures.saturating_add(1);
            view.retry_at = Some(now + wait);
            view.unchecked = true;
            self.retries.insert((now + wait, replica, connection));
        }
    }

    /// Notes that a peer has given us what it had.
    pub fn succeeded(&mut self, replica: ReplicaId, connection: ConnectionId) {
        if let Some(view) = self.peer_mut(replica, connection) {
            (view.failures, view.lacking) = (0, false);
        }
    }

    /// As [`postpone`](Self::postpone), for the lack of ops of another replica: it may be asked sooner when those come.
    pub fn postpone_lacking(&mut self, config: &Config, replica: ReplicaId, connection: ConnectionId, now: Duration) {
        self.postpone(config, replica, connection, now);
        if let Some(view) = self.peer_mut(replica, connection) {
            view.lacking = true;
        }
    }

    /// Peers that were given up for the lack of ops of another replica may be asked now, as there are more of those. Not
    /// after many failures: then it is the peer.
    pub fn hasten_lacking(&mut self, replica: ReplicaId) {
        let Some(shared) = self.shared.get_mut(&replica) else { return };
        for view in shared.peers.values_mut().filter(|view| view.lacking && view.failures <= HASTENED) {
            view.retry_at = None;
        }
    }

    /// Whether a peer was given up for the lack of ops of another replica.
    pub fn is_lacking(&self, replica: ReplicaId) -> bool {
        self.shared.get(&replica).is_some_and(|shared| shared.peers.values().any(|view| view.lacking))
    }

    /// Notes that a peer has to have ops. Those of which nothing is known are looked up with its heads.
    pub fn claim(&mut self, replica: ReplicaId, connection: ConnectionId, ops: &[OpId]) {
        if let Some(view) = self.peer_mut(replica, connection) {
            view.claimed = ops.iter().take(MAX_CLAIMED).copied().collect();
            view.unchecked = true;
        }
    }

    /// What a peer was said to have to have; that is asked for once.
    pub fn take_claimed(&mut self, replica: ReplicaId, connection: ConnectionId) -> BTreeSet<OpId> {
        self.peer_mut(replica, connection).map(|view| std::mem::take(&mut view.claimed)).unwrap_or_default()
    }

    /// Peers that were given up and may be asked again now.
    pub fn retries_due(&mut self, now: Duration) -> Vec<(ReplicaId, ConnectionId)> {
        let mut due = Vec::new();
        while let Some((at, replica, connection)) = self.retries.first().copied().filter(|(at, ..)| *at <= now) {
            self.retries.pop_first();
            if let Some(view) = self.peer_mut(replica, connection).filter(|view| view.retry_at == Some(at)) {
                view.retry_at = None;
                due.push((replica, connection));
            }
        }
        due
    }

    /// Peers with whom we have come to agree since this was last asked, on the replicas that it `needs` as well, and how
    /// many ops both have; and whether there are some with whom we agree on this one alone.
    pub fn newly_agreed(&mut self, replica: ReplicaId, needs: &[ReplicaId]) -> (Vec<(ConnectionId, u64)>, bool) {
        let (mut agreed, mut in_part) = (Vec::new(), false);
        let agreed_on_needs = self.agreed_on(needs);
        let Some(shared) = self.shared.get_mut(&replica) else { return (agreed, in_part) };
        let Some((frontier, ops)) = &shared.held else { return (agreed, in_part) };
        for (connection, view) in &mut shared.peers {
            let agrees = view.told_us && view.heads == frontier.heads;
            if agrees {
                view.agreed_on.clone_from(&view.heads);
            }
            let agrees_on_needs = agreed_on_needs.as_ref().is_none_or(|all| all.contains(connection));
            if agrees && !view.agreed && agrees_on_needs {
                agreed.push((*connection, *ops));
            }
            in_part |= agrees && !view.agreed && !agrees_on_needs;
            // What those others have later is their own affair.
            view.agreed = agrees && (view.agreed || agrees_on_needs);
        }
        (agreed, in_part)
    }

    /// With whom we agree on all of these; `None` if they are none.
    fn agreed_on(&self, replicas: &[ReplicaId]) -> Option<BTreeSet<ConnectionId>> {
        let agreed_on_one = |replica: &ReplicaId| -> BTreeSet<ConnectionId> {
            let shared = self.shared.get(replica);
            let held = shared.and_then(|shared| Some((&shared.held.as_ref()?.0.heads, &shared.peers)));
            let agrees = |view: &PeerView, heads: &BTreeSet<OpId>| view.told_us && view.heads == *heads;
            let peers = held.into_iter().flat_map(|(heads, peers)| peers.iter().map(move |peer| (heads, peer)));
            peers.filter(|(heads, (_, view))| agrees(view, heads)).map(|(_, (connection, _))| *connection).collect()
        };
        replicas.iter().map(agreed_on_one).reduce(|all, one| all.intersection(&one).copied().collect())
    }

    /// Whom to tell our heads now.
    pub fn due(&mut self, now: Duration) -> Vec<(ReplicaId, Vec<ConnectionId>)> {
        let mut due = Vec::new();
        for (replica, shared) in &mut self.shared {
            if shared.flush_at.is_none_or(|at| at > now) {
                continue;
            }
            shared.flush_at = None;
            let Some((frontier, _)) = &shared.held else { continue };
            let mut tell = Vec::new();
            for (connection, view) in &mut shared.peers {
                if view.told_it.as_ref() != Some(frontier) {
                    view.told_it = Some(frontier.clone());
                    tell.push(*connection);
                }
            }
            due.push((*replica, tell));
        }
        due
    }

    /// Notes that a peer was not told after all.
    pub fn untell(&mut self, replica: ReplicaId, connection: ConnectionId) {
        if let Some(view) = self.peer_mut(replica, connection) {
            view.told_it = None;
        }
    }

    /// Tells those who have not been told, at once.
    pub fn tell_now(&mut self, replica: ReplicaId, now: Duration) {
        if let Some(shared) = self.shared.get_mut(&replica) {
            shared.flush_at = Some(now);
        }
    }

    /// Makes everybody be told again.
    pub fn repeat_all(&mut self, now: Duration) {
        for shared in self.shared.values_mut() {
            shared.flush_at = Some(now);
            shared.peers.values_mut().for_each(|view| view.told_it = None);
        }
    }

    /// When there is something to tell next.
    pub fn next_wake(&self) -> Option<Duration> {
        let retry = self.retries.first().map(|(at, ..)| *at);
        self.shared.values().filter_map(|shared| shared.flush_at).chain(retry).min()
    }

    /// Who shares a replica.
    pub fn peers(&self, replica: ReplicaId) -> Vec<ConnectionId> {
        self.shared.get(&replica).map(|shared| shared.peers.keys().copied().collect()).unwrap_or_default()
    }

    /// The replicas that are shared.
    pub fn replicas(&self) -> Vec<ReplicaId> {
        self.shared.keys().copied().collect()
    }

    fn peer_mut(&mut self, replica: ReplicaId, connection: ConnectionId) -> Option<&mut PeerView> {
        self.shared.get_mut(&replica)?.peers.get_mut(&connection)
    }
}
