//! Serving: answering what peers ask for, a bounded amount ahead of what they have dealt with.

use std::sync::Arc;
use std::time::Duration;

use hhs_model::{Bytes, OpId};

use super::{Core, Pending};
use crate::proto::delta::{self, Serve};
use crate::proto::io::{Answer, ConnectionId, Task};
use crate::proto::{Message, gossip};

/// Identities remembered as sent over one connection; beyond that they are sent again.
const MAX_SENT: usize = 65_536;

impl Core {
    pub(super) fn wanted(
        &mut self,
        connection: ConnectionId,
        request: u64,
        serve: Serve,
        heads: Vec<OpId>,
        have: Vec<OpId>,
        now: Duration,
    ) {
        let replica = serve.replica;
        if !self.gossip.is_open(replica, connection) {
            return self.send(connection, Message::Gossip(gossip::Message::Closed { replica }));
        }
        let under_way = self.serves.range((connection, 0)..=(connection, u64::MAX)).count();
        if self.serves.contains_key(&(connection, request)) || under_way >= self.config.serves_per_peer {
            return self.misbehaved(connection, "it asks for too much at once".into(), now);
        }
        let (genesis, list) = (serve.genesis, serve.list.unwrap_or(0) as usize);
        self.serves.insert((connection, request), serve);
        let pending = Pending::Serve { connection, request };
        if genesis {
            self.run(Some(connection), Task::Genesis { replica }, pending.clone());
        }
        self.run(Some(connection), Task::Plan { replica, heads, have, list }, pending);
    }

    pub(super) fn more(&mut self, connection: ConnectionId, request: u64) {
        if let Some(serve) = self.serves.get_mut(&(connection, request)) {
            serve.credit = (serve.credit + 1).min(self.config.window);
            self.load(connection, request);
        }
    }

    /// The store has read something for a peer.
    pub(super) fn read_for(&mut self, connection: ConnectionId, request: u64, answer: Answer) {
        let message = match answer {
            Answer::Genesis { genesis, identities } if self.serves.contains_key(&(connection, request)) => {
                let identities = identities.into_iter().map(Bytes).collect();
                delta::Message::Genesis { request, genesis: Bytes(genesis), identities }
            }
            Answer::Plan { missing, known, all_known, found, listed } => {
                let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
                serve.busy = false;
                if serve.list.is_some() && found && !all_known {
                    let all = listed.len() as u64 == missing.len();
                    self.serves.remove(&(connection, request));
                    delta::Message::Listed { request, known, ids: listed, all }
                } else {
                    serve.plan = Some(missing);
                    return self.load(connection, request);
                }
            }
            Answer::Loaded { bundle, identities, next } => {
                let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
                let last = serve.sent(next);
                let total = serve.total();
                if let Some(state) = self.connections.get_mut(&connection)
                    && state.sent.len() < MAX_SENT
                {
                    Arc::make_mut(&mut state.sent).extend(identities);
                }
                if last {
                    self.serves.remove(&(connection, request));
                }
                let identities = bundle.identities.into_iter().map(Bytes).collect();
                let ops = bundle.ops.into_iter().map(delta::OpBytes::from).collect();
                let batch = delta::Message::Batch { request, total, identities, ops, last };
                self.send(connection, Message::Delta(batch));
                return self.load(connection, request);
            }
            _ => {
                if self.serves.remove(&(connection, request)).is_none() {
                    return;
                }
                delta::Message::Unavailable { request, reason: "it cannot be read here now".into() }
            }
        };
        self.send(connection, Message::Delta(message));
    }

    /// Reads the next batch for a peer, if it may have one.
    fn load(&mut self, connection: ConnectionId, request: u64) {
        let Some(serve) = self.serves.get_mut(&(connection, request)) else { return };
        let Some(ranges) = serve.next_ranges() else { return };
        serve.busy = true;
        let replica = serve.replica;
        let Some(state) = self.connections.get(&connection) else { return };
        let (ops, bytes, sent) = (self.config.batch_ops, self.config.batch_bytes, state.sent.clone());
        let task = Task::Load { replica, ranges, ops, bytes, sent };
        self.run(Some(connection), task, Pending::Serve { connection, request });
    }
}
