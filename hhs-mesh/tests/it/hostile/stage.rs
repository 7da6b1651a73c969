//! The stage: Alice is honest and holds a room, Mallory is connected to her and says what the test says.

use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::proto::{Config, Event, Message, delta, gossip, hello};
use hhs_model::op::{Header, Op, PayloadRef};
use hhs_model::{Author, Bytes, OpId, ReplicaId};
use hhs_store::{MemoryBackend, SignedOp};

use crate::sim::{NodeId, WireId, World, dump};

/// Alice's store, and somebody hostile who is connected to her.
pub(super) struct Stage {
    pub world: World,
    pub alice: NodeId,
    pub mallory: NodeId,
    /// May write to the room, and is not here.
    pub bob: Author,
    pub room: ReplicaId,
    pub wire: WireId,
    before: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(|_| (), 5)
    }

    /// Alice has so many ops in her room.
    pub(super) fn with(configure: fn(&mut Config), ops: usize) -> Self {
        let mut world = World::new(1);
        world.blame_allowed = true;
        let author = world.author("alice");
        let alice = world.node_of("alice", author, MemoryBackend::new(), configure);
        let mallory = world.puppet("mallory");
        let bob = world.author("bob");
        let room = world.found_with(alice, std::slice::from_ref(&bob));
        world.write_many(alice, room, ops);
        world.run_for(Duration::from_millis(100));
        let before = dump(&world.backend(alice));
        let wire = world.connect(mallory, alice);
        Self { world, alice, mallory, bob, room, wire, before }
    }

    /// Mallory has introduced herself and shares the room.
    pub(super) fn opened() -> Self {
        let mut stage = Self::new();
        stage.open();
        stage
    }

    pub(super) fn open(&mut self) {
        self.say_hello();
        self.say(&Message::Gossip(gossip::Message::Open { replica: self.room }));
        let heard = self.heard();
        let heads = |message: &Message| matches!(message, Message::Gossip(gossip::Message::Heads { .. }));
        assert!(heard.iter().any(heads), "Alice shares the room too: {heard:?}");
    }

    pub(super) fn hello(&self) -> hello::Message {
        hello_of(&self.world.author_of(self.mallory))
    }

    pub(super) fn say_hello(&mut self) {
        let hello = Message::Hello(self.hello());
        self.say(&hello);
    }

    pub(super) fn say(&mut self, message: &Message) {
        self.world.say(self.wire, message);
    }

    pub(super) fn say_delta(&mut self, message: delta::Message) {
        self.say(&Message::Delta(message));
    }

    /// What has come after a while.
    pub(super) fn heard(&mut self) -> Vec<Message> {
        self.world.run_for(Duration::from_millis(300));
        self.world.heard(self.wire)
    }

    /// Mallory says that she has heads; returns the number of the request by which Alice asks for them.
    pub(super) fn lure(&mut self, replica: ReplicaId, mut heads: Vec<OpId>) -> u64 {
        heads.sort();
        self.say(&Message::Gossip(gossip::Message::Heads { replica, heads, ops: 1000 }));
        self.wanted().0
    }

    /// The request that has come: its number, and how much may be listed.
    pub(super) fn wanted(&mut self) -> (u64, u64) {
        let heard = self.heard();
        let wanted = heard.iter().find_map(|message| match message {
            Message::Delta(delta::Message::Want { request, list, .. }) => Some((*request, *list)),
            _ => None,
        });
        wanted.unwrap_or_else(|| panic!("Alice asks for nothing: {heard:?}, {:?}", self.world.events(self.alice)))
    }

    /// An op on top of what Alice has.
    pub(super) fn op(&self, author: &Author, payload: &[u8]) -> SignedOp {
        let heads = block_on(self.world.store(self.alice).frontier(self.room)).unwrap().heads;
        op(author, self.room, heads.into_iter().collect(), payload)
    }

    /// Alice has said who it was, why, and has closed the connection; and her store is as it was.
    pub(super) fn assert_blamed(&mut self, why: &str) {
        self.world.run_for(Duration::from_secs(1));
        self.assert_unchanged();
        let events = self.world.events(self.alice);
        let blamed = events.iter().find_map(|(_, event)| match event {
            Event::Misbehaved { reason, .. } => Some(reason.as_str()),
            _ => None,
        });
        let blamed = blamed.unwrap_or_else(|| panic!("nobody is blamed: {events:?}"));
        assert!(blamed.contains(why), "blamed for another reason: {blamed}");
        assert_eq!(self.world.ended(self.wire), Some(blamed), "she is told why");
    }

    /// Nobody was blamed and nobody disconnected; and Alice's store is as it was.
    pub(super) fn assert_tolerated(&mut self) {
        self.world.run_for(Duration::from_secs(1));
        self.assert_unchanged();
        self.assert_nobody_is_blamed();
        assert_eq!(self.world.ended(self.wire), None);
    }

    pub(super) fn assert_nobody_is_blamed(&self) {
        let events = self.world.events(self.alice);
        let blames = |(_, event): &(Duration, Event)| matches!(event, Event::Misbehaved { .. });
        assert!(!events.iter().any(blames), "{events:?}");
    }

    pub(super) fn assert_unchanged(&self) {
        assert!(dump(&self.world.backend(self.alice)) == self.before, "Alice's store has changed");
    }
}

pub(super) fn hello_of(author: &Author) -> hello::Message {
    let identity = Bytes(author.identity_bytes().to_vec());
    hello::Message { version: 1, identity, instance: Bytes(vec![9; 16]), listen: Vec::new() }
}

pub(super) fn op(author: &Author, target: ReplicaId, parents: Vec<OpId>, payload: &[u8]) -> SignedOp {
    let header = Header {
        target,
        parents,
        deps: Vec::new(),
        grants: Vec::new(),
        act: None,
        author: author.id(),
        time: 0,
        payload: Some(PayloadRef::to(payload)),
    };
    let op = Op::sign(header, &**author.signer()).unwrap();
    SignedOp { header: op.bytes().to_vec(), payload: Some(payload.to_vec()) }
}

pub(super) fn id_of(op: &SignedOp) -> OpId {
    OpId::of(&op.header)
}

/// All that was asked for, in one batch.
pub(super) fn batch(request: u64, identities: &[&Author], ops: Vec<SignedOp>) -> delta::Message {
    let identities = identities.iter().map(|author| Bytes(author.identity_bytes().to_vec())).collect();
    let total = ops.len() as u64;
    delta::Message::Batch { request, total, identities, ops: ops.into_iter().map(Into::into).collect(), last: true }
}
