//! The network: dialling, sending, breaking, and what a test may do to it.

use std::time::Duration;

use hhs_mesh::PeerAddress;
use hhs_mesh::proto::{ConnectionId, Input, Message};

use super::stats::kind;
use super::wire::{Arrival, End, Wire, WireId};
use super::world::{NodeId, What, World};

impl World {
    /// Cuts the network between two nodes.
    pub(crate) fn cut(&mut self, a: NodeId, b: NodeId) {
        self.note(|world| format!("{} and {} are cut off", world.name(a), world.name(b)));
        self.cuts.insert((a.min(b), a.max(b)));
        for wire in self.wires_between(a, b) {
            self.break_wire(wire);
        }
    }

    /// Mends the network between two nodes.
    pub(crate) fn heal(&mut self, a: NodeId, b: NodeId) {
        self.note(|world| format!("{} and {} can reach each other again", world.name(a), world.name(b)));
        self.cuts.remove(&(a.min(b), a.max(b)));
    }

    /// Mends everything.
    pub(crate) fn heal_all(&mut self) {
        self.cuts.clear();
    }

    /// Ends a node at once: nobody is told, and what it was doing is lost.
    pub(crate) fn crash(&mut self, id: NodeId) {
        self.note(|world| format!("{} crashes", world.name(id)));
        self.nodes[id.0].run = None;
        for wire in self.open_wires(|wire| wire.ends.iter().any(|end| end.node == id)) {
            let side = self.wires[wire.0].ends.iter().position(|end| end.node == id).unwrap();
            self.wires[wire.0].ends[side].open = false;
            self.break_wire(wire);
        }
    }

    /// Breaks a connection; what is under way is lost, and each side notices in its own time.
    pub(crate) fn break_wire(&mut self, wire: WireId) {
        self.wires[wire.0].broken = true;
        for side in 0..2 {
            if self.wires[wire.0].ends[side].open {
                let at = self.now + self.draw(self.notice_after.clone());
                self.at(at, What::Lost { wire, side });
            }
        }
    }

    /// The connections between two nodes that both of them have.
    pub(crate) fn wires_between(&self, a: NodeId, b: NodeId) -> Vec<WireId> {
        self.open_wires(|wire| {
            let [dialler, listener] = [wire.ends[0].node, wire.ends[1].node];
            (dialler, listener) == (a, b) || (dialler, listener) == (b, a)
        })
    }

    /// All connections that are not broken.
    pub(crate) fn all_wires(&self) -> Vec<WireId> {
        self.open_wires(|_| true)
    }

    fn open_wires(&self, which: impl Fn(&Wire) -> bool) -> Vec<WireId> {
        let open = |wire: &Wire| !wire.broken && wire.ends.iter().any(|end| end.open);
        let wires = self.wires.iter().enumerate();
        wires.filter(|(_, wire)| open(wire) && which(wire)).map(|(number, _)| WireId(number)).collect()
    }

    pub(super) fn dialled(&mut self, node: NodeId, run: u32, address: PeerAddress) {
        if !self.is_run(node, run) {
            return;
        }
        let there = self.nodes.iter().position(|other| other.endpoint == address.endpoint).map(NodeId);
        let reachable = |other: &NodeId| {
            let up = self.nodes[other.0].run.is_some() || self.nodes[other.0].puppet;
            up && !self.cuts.contains(&(node.min(*other), node.max(*other)))
        };
        let there = there.filter(reachable);
        let unlucky = self.number(0..100) < self.failing_dials;
        match there.filter(|_| !unlucky) {
            None => {
                let inputs = vec![Input::DialFailed { address, reason: "nobody answers".into() }];
                let at = self.now + self.delay();
                self.at(at, What::Feed { node, run, inputs, frees: None });
            }
            Some(other) => {
                let wire = self.wire(node, other, Some(address));
                let at = self.wires[wire.0].ends[0].last_arrival;
                self.at(at, What::Connected { wire });
                self.connected(wire, 1);
            }
        }
    }

    /// Connects a puppet to a node, as if it had dialled.
    pub(crate) fn connect(&mut self, puppet: NodeId, node: NodeId) -> WireId {
        let wire = self.wire(puppet, node, None);
        self.connected(wire, 1);
        wire
    }

    fn wire(&mut self, dialler: NodeId, listener: NodeId, dialled: Option<PeerAddress>) -> WireId {
        // The dialler learns a moment later that it has succeeded.
        let heard = self.now + self.delay();
        let end = |world: &mut Self, id: NodeId, open_at: Duration| {
            let node = &mut world.nodes[id.0];
            let connection = node.run.as_mut().map_or(ConnectionId(0), |run| {
                run.next_connection += 1;
                ConnectionId(run.next_connection)
            });
            End::new(id, node.runs, connection, open_at)
        };
        let ends = [end(self, dialler, heard), end(self, listener, self.now)];
        self.wires.push(Wire { ends, dialled, broken: false });
        WireId(self.wires.len() - 1)
    }

    pub(super) fn connected(&mut self, wire: WireId, side: usize) {
        let other = self.wires[wire.0].ends[1 - side].node;
        let (proven, remote) = (self.nodes[other.0].author.identity().key, self.nodes[other.0].endpoint.clone());
        let state = &self.wires[wire.0];
        let end = &state.ends[side];
        let (node, run, connection) = (end.node, end.run, end.connection);
        let dialled = state.dialled.clone().filter(|_| side == 0);
        if !end.open || !self.is_run(node, run) {
            return;
        }
        if let Some(run) = self.nodes[node.0].run.as_mut() {
            run.connections.insert(connection, (wire, side));
        }
        self.note(|world| format!("{} and {} are connected by {wire:?}", world.name(node), world.name(other)));
        self.feed(node, Input::Connected { connection, dialled, proven, remote });
    }

    pub(super) fn send(&mut self, id: NodeId, connection: ConnectionId, message: Message) {
        let bytes = message.to_bytes().expect("a message of the core can be encoded");
        let Some((wire, side)) = self.end_of(id, connection) else {
            let known = self.nodes[id.0].run.as_ref().is_some_and(|run| connection.0 <= run.next_connection);
            assert!(known, "{} speaks over {connection:?}, which it never had", self.name(id));
            return;
        };
        self.stats.sent(&message, bytes.len());
        self.note(|world| {
            let other = world.wires[wire.0].ends[1 - side].node;
            format!("{} to {}: {} of {} bytes", world.name(id), world.name(other), kind(&message), bytes.len())
        });
        self.transmit(wire, side, Arrival::Frame(bytes));
    }

    /// A puppet says something.
    pub(crate) fn say(&mut self, wire: WireId, message: &Message) {
        self.say_bytes(wire, message.to_bytes().unwrap());
    }

    /// A puppet sends a frame, whatever it is.
    pub(crate) fn say_bytes(&mut self, wire: WireId, frame: Vec<u8>) {
        let side = self.puppet_side(wire);
        self.transmit(wire, side, Arrival::Frame(frame));
    }

    /// A puppet ends its connection.
    pub(crate) fn hang_up(&mut self, wire: WireId) {
        let side = self.puppet_side(wire);
        self.wires[wire.0].ends[side].open = false;
        self.transmit(wire, side, Arrival::Closed("goodbye".into()));
    }

    /// What has come at a puppet since this was last asked.
    pub(crate) fn heard(&mut self, wire: WireId) -> Vec<Message> {
        let side = self.puppet_side(wire);
        std::mem::take(&mut self.wires[wire.0].ends[side].received)
    }

    /// Why the connection of a puppet was ended, if it was.
    pub(crate) fn ended(&self, wire: WireId) -> Option<&str> {
        self.wires[wire.0].ends[self.puppet_side(wire)].reason.as_deref()
    }

    /// The connections that nodes have made to a puppet, the ended ones too.
    pub(crate) fn wires_to(&self, puppet: NodeId) -> Vec<WireId> {
        let wires = self.wires.iter().enumerate();
        wires.filter(|(_, wire)| wire.ends[1].node == puppet).map(|(number, _)| WireId(number)).collect()
    }

    fn puppet_side(&self, wire: WireId) -> usize {
        self.wires[wire.0].ends.iter().position(|end| self.nodes[end.node.0].puppet).expect("it is a puppet's")
    }

    pub(super) fn close(&mut self, id: NodeId, connection: ConnectionId, reason: String) {
        let end = self.nodes[id.0].run.as_mut().and_then(|run| run.connections.remove(&connection));
        let Some((wire, side)) = end else { return };
        self.note(|world| format!("{} closes {wire:?}: {reason}", world.name(id)));
        self.wires[wire.0].ends[side].open = false;
        self.transmit(wire, side, Arrival::Closed(reason));
    }

    fn transmit(&mut self, wire: WireId, from: usize, arrival: Arrival) {
        let to = 1 - from;
        let bytes = if let Arrival::Frame(frame) = &arrival { frame.len() as u64 } else { 0 };
        let carrying = Duration::from_micros(bytes * 1_000_000 / self.bandwidth);
        let at = (self.now + self.delay()).max(self.wires[wire.0].ends[to].last_arrival) + carrying;
        self.wires[wire.0].ends[to].last_arrival = at;
        self.at(at, What::Arrive { wire, side: to, arrival });
    }

    pub(super) fn arrive(&mut self, wire: WireId, side: usize, arrival: Arrival) {
        let state = &mut self.wires[wire.0];
        if !state.broken && state.ends[side].open {
            state.ends[side].waiting.push_back(arrival);
            self.pump(wire, side);
        }
    }

    /// Delivers what has arrived, for as long as the law allows.
    pub(super) fn pump(&mut self, wire: WireId, side: usize) {
        loop {
            let end = &mut self.wires[wire.0].ends[side];
            if !end.open || end.busy > 0 {
                return;
            }
            let (node, run, connection) = (end.node, end.run, end.connection);
            let Some(arrival) = end.waiting.pop_front() else { return };
            match arrival {
                Arrival::Frame(frame) if self.nodes[node.0].puppet => {
                    let message = Message::from_bytes(&frame).expect("honest nodes send messages");
                    self.wires[wire.0].ends[side].received.push(message);
                }
                Arrival::Frame(frame) if self.is_run(node, run) => {
                    let message = Message::from_bytes(&frame);
                    self.feed(node, Input::Received { connection, message });
                }
                Arrival::Frame(_) => return,
                Arrival::Closed(reason) => self.over(wire, side, reason),
            }
        }
    }

    pub(super) fn lost(&mut self, wire: WireId, side: usize) {
        if self.wires[wire.0].ends[side].open {
            self.over(wire, side, "the connection broke".into());
        }
    }

    fn over(&mut self, wire: WireId, side: usize, reason: String) {
        let end = &mut self.wires[wire.0].ends[side];
        let (node, run, connection) = (end.node, end.run, end.connection);
        end.open = false;
        end.reason = Some(reason.clone());
        if self.is_run(node, run) {
            // The dialler may not even know yet that it was connected.
            let known = self.nodes[node.0].run.as_mut().and_then(|run| run.connections.remove(&connection));
            if known.is_some() {
                self.feed(node, Input::Disconnected { connection, reason });
            } else if let Some(address) = self.wires[wire.0].dialled.clone() {
                self.feed(node, Input::DialFailed { address, reason });
            }
        }
    }
}
