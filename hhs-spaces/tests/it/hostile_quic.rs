//! Hostile peers over QUIC: a hand-made client, frame by frame, against a node that runs.

use std::ops::Bound;
use std::time::Duration;

use futures::channel::mpsc;
use hhs_mesh::Event;
use hhs_mesh::proto::{Message, delta, gossip, hello};
use hhs_mesh::transport::{Connection, Transport};
use hhs_model::op::{Header, Op, PayloadRef};
use hhs_model::{Author, Bytes, OpId, ReplicaId};
use hhs_spaces::{Node, Space};
use hhs_store::backend::{Limit, Order};
use hhs_store::{Backend, MemoryBackend, SignedOp};
use hhs_transport_quic::QuicTransport;
use tokio::time::timeout;

use crate::people::{Room, lines, say, start, told};

/// Longer than anything here may take, by a real clock.
const LIMIT: Duration = Duration::from_secs(20);

/// Alice's node, and Mallory connected to it.
struct Stage {
    alice: Node,
    backend: MemoryBackend,
    space: Space<Room>,
    /// May write, and is not here.
    bob: Author,
    events: mpsc::UnboundedReceiver<Event>,
    mallory: Author,
    connection: Connection,
    before: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Stage {
    /// Mallory has connected and said nothing.
    async fn new() -> Self {
        let [alice, bob, mallory] = [("alice", 1), ("bob", 2), ("mallory", 3)]
            .map(|(name, seed)| Author::from_seed(name, &[seed; 32]).unwrap());
        let backend = MemoryBackend::new();
        let transport = QuicTransport::new(alice.signer().clone()).unwrap();
        let listen = "quic://127.0.0.1:0".parse().unwrap();
        let alice = start(alice, backend.clone(), transport).listen(listen).start().await.unwrap();
        let space = alice.create_with_writers::<Room>(&[bob.identity().clone()]).await.unwrap();
        space.sync().await.unwrap();
        say(&space, "a room of honest people").await;
        let events = alice.events();
        let transport = QuicTransport::new(mallory.signer().clone()).unwrap();
        let connection = transport.dial(&alice.listening()[0]).await.unwrap();
        let before = dump(&backend).await;
        Self { alice, backend, space, bob, events, mallory, connection, before }
    }

    /// Mallory has introduced herself and shares the room, and has heard that Alice does.
    async fn opened() -> Self {
        let mut stage = Self::new().await;
        let hello = stage.hello(&stage.mallory);
        stage.say(&Message::Hello(hello)).await;
        stage.say(&Message::Gossip(gossip::Message::Open { replica: stage.room() })).await;
        stage.hear(|message| matches!(message, Message::Gossip(gossip::Message::Heads { .. }))).await;
        stage
    }

    fn room(&self) -> ReplicaId {
        self.space.id()
    }

    fn hello(&self, author: &Author) -> hello::Message {
        let identity = Bytes(author.identity_bytes().to_vec());
        hello::Message { version: 1, identity, instance: Bytes(vec![3; 16]), listen: Vec::new() }
    }

    async fn say(&mut self, message: &Message) {
        self.connection.sender.send(&message.to_bytes().unwrap()).await.unwrap();
    }

    /// Waits for a message.
    async fn hear(&mut self, is_it: impl Fn(&Message) -> bool) -> Message {
        let next = async {
            loop {
                let frame = self.connection.receiver.receive().await.unwrap().expect("she is not turned away");
                let message = Message::from_bytes(&frame).unwrap();
                if is_it(&message) {
                    return message;
                }
            }
        };
        timeout(LIMIT, next).await.expect("Alice says something")
    }

    /// Mallory says that she has an op and sends it when she is asked.
    async fn offer(&mut self, op: SignedOp, author: &Author) {
        let heads = vec![OpId::of(&op.header)];
        self.say(&Message::Gossip(gossip::Message::Heads { replica: self.room(), heads, ops: 2 })).await;
        let want = self.hear(|message| matches!(message, Message::Delta(delta::Message::Want { .. }))).await;
        let Message::Delta(delta::Message::Want { request, .. }) = want else { unreachable!() };
        self.say(&batch(request, op, author)).await;
    }

    /// An op on top of what Alice has.
    async fn op(&self, author: &Author, payload: &[u8]) -> SignedOp {
        let header = Header {
            target: self.room(),
            parents: self.space.version().await.unwrap().heads.into_iter().collect(),
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

    /// Alice says who it was and why, and ends the connection; nothing has changed in her store, and she goes on.
    async fn assert_blamed(mut self, why: &str) {
        let event = told(&mut self.events, "Mallory misbehaves", |event| matches!(event, Event::Misbehaved { .. }));
        let Event::Misbehaved { reason, .. } = timeout(LIMIT, event).await.expect("she is blamed") else {
            unreachable!()
        };
        assert!(reason.contains(why), "blamed for another reason: {reason}");
        let end = async { while let Ok(Some(_)) = self.connection.receiver.receive().await {} };
        timeout(LIMIT, end).await.expect("the connection ends");
        assert!(dump(&self.backend).await == self.before, "Alice's store has changed");
        say(&self.space, "where was I?").await;
        self.alice.stop().await;
    }
}

#[tokio::test]
async fn garbage() {
    let mut stage = Stage::opened().await;
    stage.connection.sender.send(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    stage.assert_blamed("a frame is not a message").await;
}

#[tokio::test]
async fn an_identity_that_is_not_proven() {
    let mut stage = Stage::new().await;
    let hello = stage.hello(&stage.bob);
    stage.say(&Message::Hello(hello)).await;
    stage.assert_blamed("whose key it has not proven to hold").await;
}

#[tokio::test]
async fn something_before_hello() {
    let mut stage = Stage::new().await;
    stage.say(&Message::Gossip(gossip::Message::Open { replica: stage.room() })).await;
    stage.assert_blamed("before hello").await;
}

#[tokio::test]
async fn ops_that_nobody_asked_for() {
    let mut stage = Stage::opened().await;
    let op = stage.op(&stage.bob, b"surprise").await;
    let message = batch(0, op, &stage.bob);
    stage.say(&message).await;
    stage.assert_blamed("nobody asked for").await;
}

#[tokio::test]
async fn ops_with_a_bad_signature() {
    let mut stage = Stage::opened().await;
    let good = stage.op(&stage.bob, b"Bob owes me money").await;
    let as_before = |header: &[u8]| {
        let (op, before) = (Op::from_bytes(header), Op::from_bytes(&good.header).unwrap());
        op.is_ok_and(|op| op.header() == before.header() && op.id() != before.id())
    };
    // The signature is what can change while the header says the same.
    let changed = (0..good.header.len()).map(|at| {
        let mut header = good.header.clone();
        header[at] ^= 1;
        header
    });
    let header = changed.rev().find(|header| as_before(header)).unwrap();
    let bob = stage.bob.clone();
    stage.offer(SignedOp { header, payload: good.payload.clone() }, &bob).await;
    stage.assert_blamed("signature").await;
}

#[tokio::test]
async fn ops_by_an_author_without_standing() {
    let mut stage = Stage::opened().await;
    let mallory = stage.mallory.clone();
    let op = stage.op(&mallory, b"I am one of you").await;
    stage.offer(op, &mallory).await;
    stage.assert_blamed("holds no right to write").await;
}

#[tokio::test]
async fn ops_that_do_not_hang_below_what_was_asked() {
    let mut stage = Stage::opened().await;
    let (bob, op) = (stage.bob.clone(), stage.op(&stage.bob, b"another one").await);
    let heads = vec![OpId::of(b"what I said I have")];
    stage.say(&Message::Gossip(gossip::Message::Heads { replica: stage.room(), heads, ops: 2 })).await;
    let want = stage.hear(|message| matches!(message, Message::Delta(delta::Message::Want { .. }))).await;
    let Message::Delta(delta::Message::Want { request, .. }) = want else { unreachable!() };
    stage.say(&batch(request, op, &bob)).await;
    stage.assert_blamed("not below what was asked for").await;
}

/// Bob's program writes what Alice's cannot make sense of, and Mallory relays it: the op is kept and void, and nobody is
/// blamed or disconnected.
#[tokio::test]
async fn a_payload_that_means_nothing_is_kept() {
    let mut stage = Stage::opened().await;
    let (bob, op) = (stage.bob.clone(), stage.op(&stage.bob, b"\xffnonsense").await);
    let id = OpId::of(&op.header);
    stage.offer(op, &bob).await;
    let fetched = told(&mut stage.events, "the op is there", |event| {
        assert!(!matches!(event, Event::Misbehaved { .. }), "{event:?}");
        matches!(event, Event::Fetched { last: true, .. })
    });
    timeout(LIMIT, fetched).await.unwrap();
    assert!(stage.space.version().await.unwrap().heads.contains(&id));
    assert!(stage.space.live().explain(id).await.unwrap().is_some());
    assert_eq!(lines(&stage.space), ["a room of honest people"]);
    // She is still heard.
    say(&stage.space, "what did Bob mean?").await;
    stage.hear(|message| matches!(message, Message::Gossip(gossip::Message::Heads { ops: 3, .. }))).await;
}

fn batch(request: u64, op: SignedOp, author: &Author) -> Message {
    let identities = vec![Bytes(author.identity_bytes().to_vec())];
    Message::Delta(delta::Message::Batch { request, total: 1, identities, ops: vec![op.into()], last: true })
}

/// Everything in a backend.
async fn dump(backend: &MemoryBackend) -> Vec<(Vec<u8>, Vec<u8>)> {
    let everything = Limit { entries: usize::MAX, bytes: usize::MAX };
    backend.scan((Bound::Unbounded, Bound::Unbounded), Order::Ascending, everything).await.unwrap()
}
