//! Sharing: which replicas we share with whom, as both sides say it. Who shares a replica with us shares what it needs.

use std::time::Duration;

use hhs_model::ReplicaId;

use super::needs::Stage;
use super::{Connection, Core};
use crate::proto::io::{ConnectionId, Event};
use crate::proto::{Message, gossip};

/// Replicas remembered for one connection that the peer shares and we do not.
const MAX_DECLINED: usize = 4096;

impl Core {
    /// The app shares a replica.
    pub(super) fn share(&mut self, replica: ReplicaId, now: Duration) {
        self.needs.name(replica);
        self.begin_to_share(replica, now);
    }

    /// The app no longer shares a replica. Nor is shared what it alone needed.
    pub(super) fn unshare(&mut self, replica: ReplicaId) {
        self.needs.unname(replica);
        self.end_what_nobody_wants(vec![replica]);
    }

    /// Notes what a replica needs, and shares that with the same peers: who may read a replica may read what its genesis
    /// names.
    pub(super) fn learn(&mut self, replica: ReplicaId, needs: Vec<ReplicaId>, stage: Stage, now: Duration) {
        if !self.gossip.shares(replica) {
            return;
        }
        let before = self.needs.learn(replica, needs.clone(), stage);
        self.end_what_nobody_wants(before);
        for need in needs.into_iter().filter(|need| self.needs.is_wanted(*need)).collect::<Vec<_>>() {
            self.begin_to_share(need, now);
            for connection in self.gossip.peers(replica) {
                self.ask_for(connection, need);
            }
        }
        self.needs.stir(replica);
    }

    /// Begins to share a replica, with those too who have asked for it before.
    fn begin_to_share(&mut self, replica: ReplicaId, now: Duration) {
        if self.gossip.shares(replica) {
            return;
        }
        self.gossip.share(replica);
        self.look_up(replica);
        let asked = |(connection, state): (&ConnectionId, &mut Connection)| {
            state.declined.remove(&replica).then_some(*connection)
        };
        for connection in self.connections.iter_mut().filter_map(asked).collect::<Vec<_>>() {
            self.opened(connection, replica, now);
        }
    }

    fn end_what_nobody_wants(&mut self, mut left: Vec<ReplicaId>) {
        while let Some(replica) = left.pop() {
            if self.gossip.shares(replica) && !self.needs.is_wanted(replica) {
                self.end_sharing(replica);
                left.extend(self.needs.forget(replica));
            }
        }
    }

    fn end_sharing(&mut self, replica: ReplicaId) {
        self.half_agreed.remove(&replica);
        for state in self.connections.values_mut() {
            state.asked.remove(&replica);
            state.waiting.remove(&replica);
            state.introduced.remove(&replica);
        }
        for connection in self.gossip.unshare(replica) {
            self.decline(connection, replica);
        }
        self.group.remove_replica(replica);
        let fetched: Vec<ConnectionId> = self.fetches_of(replica).map(|fetch| fetch.connection).collect();
        for connection in fetched {
            self.give_up(replica, connection);
        }
        self.serves.retain(|_, serve| serve.replica != replica);
    }

    /// Tells a peer that we do not share what it shares, and remembers that it does: that may change.
    pub(super) fn decline(&mut self, connection: ConnectionId, replica: ReplicaId) {
        if let Some(state) = self.connections.get_mut(&connection)
            && state.declined.len() < MAX_DECLINED
        {
            state.declined.insert(replica);
        }
        self.send(connection, Message::Gossip(gossip::Message::Closed { replica }));
    }

    /// A peer does not share a replica, or no longer.
    pub(super) fn closed(&mut self, connection: ConnectionId, replica: ReplicaId, now: Duration) {
        self.drop_fetch(replica, connection, now);
        self.cancelled(connection, |_, serve| serve.replica == replica);
        self.gossip.close(replica, connection);
        let Some(state) = self.connections.get_mut(&connection) else { return };
        state.declined.remove(&replica);
        state.waiting.remove(&replica);
        // Asked again should it share the replica after all.
        let asked = state.asked.remove(&replica);
        if asked {
            state.join_again.insert(replica);
        }
        self.tell_of_dependents(replica, now);
        if asked
            && self.needs.is_named(replica)
            && let Some(peer) = self.peer(connection).map(|peer| peer.id)
        {
            self.event(Event::NotShared { replica, peer });
        }
    }
}
