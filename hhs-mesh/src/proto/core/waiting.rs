//! Waiting: a replica is fetched after those that it needs. Without their geneses its ops cannot be judged, and without
//! the acts in them not be taken in.

use std::time::Duration;

use hhs_model::{Frontier, OpId, ReplicaId};

use super::needs::Stage;
use super::{Core, Pending};
use crate::proto::io::{Answer, ConnectionId, Event, Task};

/// How long a replica waits while those that it needs are being fetched. Too low: it is fetched too early, which may be in
/// vain. Too high: who has much to send of those, or says so, keeps others from sending this one.
const HOLD: Duration = Duration::from_secs(4);

impl Core {
    /// Asks the store what is here of a replica, and what it needs.
    pub(super) fn look_up(&mut self, replica: ReplicaId) {
        self.run(None, Task::LookUp { replica }, Pending::LookUp { replica });
    }

    /// Asks again where that has failed or was overtaken.
    pub(super) fn look_up_again(&mut self) {
        for replica in self.gossip.replicas() {
            let unknown = self.gossip.held(replica).is_some() && self.needs.stage(replica) == Stage::Unknown;
            if unknown || !self.gossip.is_looked_up(replica) {
                self.look_up(replica);
            }
        }
    }

    /// The store has looked what is here of a replica.
    pub(super) fn looked_up(&mut self, replica: ReplicaId, answer: Answer, now: Duration) {
        let Answer::LookedUp { state, needs } = answer else { return };
        if state.is_some() {
            self.learn(replica, needs, Stage::Whole, now);
        }
        self.held(replica, state, now);
    }

    /// What is here of a replica has changed, or is told for the first time.
    pub(super) fn held(&mut self, replica: ReplicaId, state: Option<(Frontier, u64)>, now: Duration) {
        let (fetching, here) = (self.is_fetching(replica), state.is_some());
        let delay = if fetching { self.config.gossip_delay_fetching } else { self.config.gossip_delay };
        let noted = self.gossip.set_held(replica, state, now, delay);
        let is_known = matches!(self.needs.stage(replica), Stage::Whole | Stage::TooMuch);
        if here && !fetching && !is_known && self.gossip.shares(replica) {
            // It has come by another way than through us.
            self.look_up(replica);
        }
        if noted.first {
            self.check_others(replica, now);
        }
        if noted.changed {
            self.needs.stir(replica);
        }
        self.report_agreement(replica);
    }

    /// Tells the app with whom we have come to agree on a replica, and on those that had to wait for this one.
    pub(super) fn report_agreement(&mut self, replica: ReplicaId) {
        if !self.report_agreement_on(replica) || self.half_agreed.is_empty() {
            return;
        }
        let needs_it = |one: &ReplicaId| self.needs.all(*one).contains(&replica);
        for dependent in self.half_agreed.iter().copied().filter(needs_it).collect::<Vec<_>>() {
            self.report_agreement_on(dependent);
        }
    }

    /// Whether there is somebody new with whom we agree on a replica.
    fn report_agreement_on(&mut self, replica: ReplicaId) -> bool {
        let (agreed, in_part) = self.gossip.newly_agreed(replica, &self.needs.all(replica));
        match in_part {
            true => self.half_agreed.insert(replica),
            false => self.half_agreed.remove(&replica),
        };
        for (connection, ops) in &agreed {
            if let Some(peer) = self.peer(*connection).map(|peer| peer.id) {
                self.event(Event::InSync { replica, peer, ops: *ops });
            }
        }
        !agreed.is_empty()
    }

    /// Whether a replica has to wait for others that it needs. Then it is looked at again when something of those changes.
    pub(super) fn waits_for_needs(&mut self, replica: ReplicaId, now: Duration) -> bool {
        if self.lacks_needs(replica) {
            return true;
        }
        let held_up = self.needs.waits_until(replica).is_none_or(|until| now < until);
        let held_up = held_up && self.needs.all(replica).iter().any(|need| self.comes_first(*need, now));
        if held_up {
            self.needs.wait(replica, Some(now + HOLD));
        }
        held_up
    }

    /// Whether something of a replica is being fetched, or about to be.
    fn comes_first(&self, replica: ReplicaId, now: Duration) -> bool {
        let is_of = |pending: &Pending| matches!(pending, Pending::Heads { replica: of, .. } if *of == replica);
        self.fetches_of(replica).any(|fetch| fetch.holds_up_others(now)) || self.tasks.values().any(is_of)
    }

    /// Whether something that a replica needs is not here. Then it is looked at again when something of that changes.
    pub(super) fn lacks_needs(&mut self, replica: ReplicaId) -> bool {
        let lacks = !self.has_needs(replica);
        if lacks {
            self.needs.wait(replica, None);
        }
        lacks
    }

    /// Whether all that a replica needs is here, so that its ops can be judged, or its genesis be taken in.
    pub(super) fn has_needs(&self, replica: ReplicaId) -> bool {
        let here = |replica: ReplicaId| self.gossip.held(replica).is_some();
        let whole = |replica: ReplicaId| self.needs.stage(replica) == Stage::Whole;
        let stage = self.needs.stage(replica);
        stage != Stage::TooMuch
            && (stage == Stage::Whole || !here(replica))
            && self.needs.all(replica).into_iter().all(|need| here(need) && whole(need))
    }

    /// Gives up a fetch until what the replica needs is here. That is nobody's fault.
    pub(super) fn put_off(&mut self, replica: ReplicaId, connection: ConnectionId, now: Duration) {
        self.give_up(replica, connection);
        self.gossip.set_unchecked(replica, connection, true);
        self.needs.wait(replica, None);
        self.go_on(connection, now);
    }

    /// Gives up a fetch, as ops depend on others that are not here. The peer has to have those: they are asked for by their
    /// ids, as they may be void and left out where heads are told of.
    pub(super) fn lack(&mut self, replica: ReplicaId, connection: ConnectionId, missing: &[OpId], now: Duration) {
        self.give_up(replica, connection);
        self.gossip.postpone_lacking(&self.config, replica, connection, now);
        self.needs.wait(replica, None);
        for need in self.needs.all(replica) {
            self.gossip.claim(need, connection, missing);
            self.check_heads(need, connection, None, now);
        }
        self.check_others(replica, now);
        self.go_on(connection, now);
    }

    /// Goes on with what has waited for what has come.
    pub(super) fn go_on_waiting(&mut self, now: Duration) {
        let mut due = self.needs.due(now);
        due.sort_by_cached_key(|(replica, _)| self.needs.all(*replica).len());
        for (replica, changed) in due {
            if self.waits_for_needs(replica, now) {
                self.needs.time_is_up(replica, now);
                continue;
            }
            if changed {
                self.gossip.hasten_lacking(replica);
            }
            self.check_others(replica, now);
            self.needs.go_on(replica);
            if self.gossip.is_lacking(replica) {
                self.needs.wait(replica, None);
            }
        }
    }

    /// Whether a peer is not told of our heads yet: it was told that we share something that the replica needs, and has not
    /// said whether it does, too. It is told of that first.
    pub(super) fn holds_back(&self, replica: ReplicaId, connection: ConnectionId) -> bool {
        let Some(state) = self.connections.get(&connection) else { return false };
        let unanswered = |need: &ReplicaId| state.asked.contains(need) && !self.gossip.is_open(*need, connection);
        self.needs.all(replica).iter().any(unanswered)
    }

    /// A peer has said whether it shares a replica: it may be told of others that need it.
    pub(super) fn tell_of_dependents(&mut self, replica: ReplicaId, now: Duration) {
        for dependent in self.needs.dependents(replica) {
            self.gossip.tell_now(dependent, now);
        }
    }
}
