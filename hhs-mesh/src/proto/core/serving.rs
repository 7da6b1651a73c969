//! Serving: answering what peers ask for, a bounded amount ahead of what they have dealt with.

use std::sync::Arc;
use std::time::Duration;

use hhs_model::{Bytes, IdentityId, OpId};
use hhs_store::Bundle;

use super::{Core, Pending};
use crate::proto::delta::{self, Serve};
use crate::proto::io::{Answer, ConnectionId, Task};
use crate::proto::{Message, gossip};

/// Identities remembered as sent over one connection; beyond that they are sent again.
const MAX_SENT: usize = 65_536;

impl Core {
    /// A peer asks for what `task` will find out, and for the genesis before that perhaps.
    pub(super) fn wanted(&mut self, connection: ConnectionId, request: u64, genesis: bool, task: Task) {
        let Task::Plan { replica, .. } = task else { return };
        if !self.gossip.is_open(replica, connection) {
            return self.send(connection, Message::Gossip(gossip::Message::Closed { replica }));
        }
        let mut serve = Serve::new(replica, self.config.window);
        let pending = Pending::Serve { connection, request };
        let first = if genesis {
            // One after the other: tasks may be answered in any order, and ops before their genesis are no use.
            serve.planning = Some(task);
            Task::Genesis { replica }
        } else {
            task
        };
        self.serves.insert((connection, request), serve);
        self.run(Some(connection), first, pending);
    }

    /// Whether a peer may ask for one thing more.
    pub(super) fn may_want(&self, connection: ConnectionId, request: u64) -> bool {
        let under_way = self.serves.range((connection, 0)..=(connection, u64::MAX)).count();
        under_way < self.config.serves_per_peer && !self.serves.contains_key(&(connection, request))
    }

    pub(super) fn more(&mut self, connection: ConnectionId, request: u64, now: Duration) {
        if let Some(serve) = self.serves.get_mut(&(connection, request)) {
            serve.more(&self.config, now);
            self.load(connection, request);
        }
    }

    /// A peer no longer wants what it has asked for. What it was sent of it may have come to nothing.
    pub(super) fn cancelled(&mut self, connection: ConnectionId, which: impl Fn(u64, &Serve) -> bool) {
        self.serves.retain(|(of, request), serve| *of != connection || !which(*request, serve));
        if let Some(state) = self.connections.get_mut(&connection) {
            state.sent = Arc::default();
        }
    }

    /// The store has read something for a peer.
    pub(super) fn read_for(&mut self, connection: ConnectionId, request: u64, answer: Answer, now: Duration) {
        let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
        let message = match answer {
            Answer::Genesis { genesis, identities } => {
                if let Some(task) = serve.planning.take() {
                    self.run(Some(connection), task, Pending::Serve { connection, request });
                }
                self.note_sent(connection, identities.iter().map(|bytes| IdentityId::of(bytes)));
                let identities = identities.into_iter().map(Bytes).collect();
                delta::Message::Genesis { request, genesis: Bytes(genesis), identities }
            }
            Answer::Plan { missing, listed, .. } if listed.is_empty() => {
                serve.busy = false;
                serve.plan = Some(missing);
                return self.load(connection, request);
            }
            Answer::Plan { unknown, listed, all, .. } => {
                self.serves.remove(&(connection, request));
                delta::Message::Listed { request, unknown, ids: listed, all }
            }
            Answer::Loaded { bundle, identities, next } => {
                return self.loaded(connection, request, bundle, (identities, next), now);
            }
            _ => {
                self.serves.remove(&(connection, request));
                delta::Message::Unavailable { request, reason: "it cannot be read here now".into() }
            }
        };
        self.send(connection, Message::Delta(message));
    }

    fn loaded(
        &mut self,
        connection: ConnectionId,
        request: u64,
        bundle: Bundle,
        (identities, next): (Vec<IdentityId>, u64),
        now: Duration,
    ) {
        let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
        let last = serve.sent(next, now);
        let total = serve.total();
        if last {
            self.serves.remove(&(connection, request));
        }
        self.note_sent(connection, identities);
        let identities = bundle.identities.into_iter().map(Bytes).collect();
        let ops = bundle.ops.into_iter().map(delta::OpBytes::from).collect();
        self.send(connection, Message::Delta(delta::Message::Batch { request, total, identities, ops, last }));
        self.load(connection, request);
    }

    fn note_sent(&mut self, connection: ConnectionId, identities: impl IntoIterator<Item = IdentityId>) {
        if let Some(state) = self.connections.get_mut(&connection)
            && state.sent.len() < MAX_SENT
        {
            Arc::make_mut(&mut state.sent).extend(identities);
        }
    }

    /// Reads the next batch for a peer, if it may have one.
    fn load(&mut self, connection: ConnectionId, request: u64) {
        let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
        let Some(ranges) = serve.next_ranges() else { return };
        serve.busy = true;
        let (replica, bytes) = (serve.replica, serve.batch_bytes.min(self.config.batch_bytes));
        let Some(state) = self.connections.get(&connection) else { return };
        let (ops, sent) = (self.config.batch_ops, state.sent.clone());
        let task = Task::Load { replica, ranges, ops, bytes, sent };
        self.run(Some(connection), task, Pending::Serve { connection, request });
    }
}

/// What a peer asks for, if it is not more than it may ask for at once.
pub(super) fn plan(
    replica: hhs_model::ReplicaId,
    heads: Vec<OpId>,
    have: Vec<OpId>,
    list: u64,
    below: Option<OpId>,
) -> Option<Task> {
    let fits = heads.len() <= gossip::MAX_HEADS && have.len() <= delta::MAX_HAVE;
    let list = list.min(delta::LONGEST_LIST) as usize;
    fits.then_some(Task::Plan { replica, heads, have, list, below })
}
