//! Sharing: which replicas we share with whom, as both sides say it.

use std::time::Duration;

use hhs_model::ReplicaId;

use super::{Connection, Core};
use crate::proto::io::{ConnectionId, Event};
use crate::proto::{Message, gossip};

/// Replicas remembered for one connection that the peer shares and we do not.
const MAX_DECLINED: usize = 4096;

impl Core {
    /// Begins to share a replica, with those too who have asked for it before.
    pub(super) fn share(&mut self, replica: ReplicaId, now: Duration) {
        self.gossip.share(replica);
        let asked = |(connection, state): (&ConnectionId, &mut Connection)| {
            state.declined.remove(&replica).then_some(*connection)
        };
        for connection in self.connections.iter_mut().filter_map(asked).collect::<Vec<_>>() {
            self.opened(connection, replica, now);
        }
    }

    /// Stops sharing a replica.
    pub(super) fn unshare(&mut self, replica: ReplicaId) {
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
        if asked && let Some(peer) = self.peer(connection).map(|peer| peer.id) {
            self.event(Event::NotShared { replica, peer });
        }
    }
}
