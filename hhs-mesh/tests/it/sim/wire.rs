//! Connections: frames arrive in order, and are delivered when the law allows.

use std::collections::VecDeque;
use std::time::Duration;

use hhs_mesh::PeerAddress;
use hhs_mesh::proto::{ConnectionId, Message};

use super::world::NodeId;

/// A connection in the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WireId(pub usize);

/// A connection; side 0 has dialled.
#[derive(Debug)]
pub(super) struct Wire {
    pub ends: [End; 2],
    /// The address that side 0 has dialled, if it is not a puppet.
    pub dialled: Option<PeerAddress>,
    /// Nothing more gets through.
    pub broken: bool,
}

/// One side of a connection.
#[derive(Debug)]
pub(super) struct End {
    pub node: NodeId,
    /// Which run of the node.
    pub run: u32,
    pub connection: ConnectionId,
    pub open: bool,
    /// When the last frame arrives: the next one comes no earlier.
    pub last_arrival: Duration,
    /// What has arrived and has to wait for tasks.
    pub waiting: VecDeque<Arrival>,
    /// Tasks under way that the last message has caused.
    pub busy: usize,
    /// What has come, at a puppet.
    pub received: Vec<Message>,
    /// Why it has ended.
    pub reason: Option<String>,
}

/// What arrives at an end.
#[derive(Debug, Clone)]
pub(super) enum Arrival {
    Frame(Vec<u8>),
    Closed(String),
}

impl End {
    pub(super) fn new(node: NodeId, run: u32, connection: ConnectionId, open_at: Duration) -> Self {
        Self {
            node,
            run,
            connection,
            open: true,
            last_arrival: open_at,
            waiting: VecDeque::new(),
            busy: 0,
            received: Vec::new(),
            reason: None,
        }
    }
}
