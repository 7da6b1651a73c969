//! What nobody has asked for.

use hhs_mesh::proto::{Config, Event, Message, admission, delta, gossip};
use hhs_model::{Bytes, OpId, ReplicaId};

use super::stage::{Stage, batch, hello_of};

/// Bytes that are no message.
#[test]
fn garbage() {
    for frame in [vec![], vec![0xff; 100], b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0x9b; 1 << 20]] {
        let mut stage = Stage::opened();
        stage.world.say_bytes(stage.wire, frame);
        stage.assert_blamed("a frame is not a message");
    }
}

/// A message that goes on after its end, or claims a list longer than itself.
#[test]
fn frames_that_lie_about_their_length() {
    let message = Message::Delta(delta::Message::More { request: 1 }).to_bytes().unwrap();
    let mut longer = message.clone();
    longer.push(0);
    let mut heads = Message::Gossip(gossip::Message::Heads { replica: ReplicaId::of(b"x"), heads: Vec::new(), ops: 0 })
        .to_bytes()
        .unwrap();
    let empty = heads.iter().rposition(|byte| *byte == 0x80).unwrap();
    heads.splice(empty..=empty, [0x9a, 0x7f, 0xff, 0xff, 0xff]);
    for frame in [longer, message[..message.len() - 1].to_vec(), heads] {
        let mut stage = Stage::opened();
        stage.world.say_bytes(stage.wire, frame);
        stage.assert_blamed("a frame is not a message");
    }
}

/// An op that is valid in every way, but that nobody has asked for.
#[test]
fn ops_that_nobody_asked_for() {
    for request in [0, 1, 77, u64::MAX] {
        let mut stage = Stage::opened();
        let op = stage.op(&stage.bob, b"surprise");
        stage.say_delta(batch(request, &[&stage.bob.clone()], vec![op]));
        stage.assert_blamed("nobody asked for");
    }
}

/// A list, a genesis, as if they were an answer.
#[test]
fn answers_to_nothing() {
    let mut stage = Stage::opened();
    stage.say_delta(delta::Message::Listed { request: 3, unknown: vec![], ids: vec![OpId::of(b"x")], all: true });
    stage.assert_blamed("out of turn");
    let mut stage = Stage::opened();
    stage.say_delta(delta::Message::Genesis { request: 3, genesis: Bytes(b"x".to_vec()), identities: Vec::new() });
    stage.assert_blamed("out of turn");
}

/// She names Bob's identity, whose key she has not proven to hold; or something that is no identity.
#[test]
fn an_identity_that_is_not_proven() {
    let mut stage = Stage::new();
    let hello = hello_of(&stage.bob);
    stage.say(&Message::Hello(hello));
    stage.assert_blamed("whose key it has not proven to hold");
    let mut stage = Stage::new();
    let mut hello = stage.hello();
    hello.identity = Bytes(b"I am who I am".to_vec());
    stage.say(&Message::Hello(hello));
    stage.assert_blamed("identity is refused");
    let mut stage = Stage::new();
    let mut hello = stage.hello();
    hello.instance = Bytes(vec![1; 15]);
    stage.say(&Message::Hello(hello));
    stage.assert_blamed("not 16 bytes");
}

/// A program of another version is turned away, but is not said to have misbehaved.
#[test]
fn another_version() {
    let mut stage = Stage::new();
    let mut hello = stage.hello();
    hello.version = 2;
    stage.say(&Message::Hello(hello));
    stage.heard();
    stage.assert_nobody_is_blamed();
    assert!(stage.world.ended(stage.wire).unwrap().contains("has to be updated"));
}

#[test]
fn hello_twice() {
    let mut stage = Stage::opened();
    stage.say_hello();
    stage.assert_blamed("hello twice");
}

/// Whatever is said before hello.
#[test]
fn no_hello() {
    let replica = Stage::new().room;
    let messages = [
        Message::Gossip(gossip::Message::Open { replica }),
        Message::Delta(delta::Message::More { request: 0 }),
        Message::Admission(admission::Message::Welcome { replica }),
    ];
    for message in messages {
        let mut stage = Stage::new();
        stage.say(&message);
        stage.assert_blamed("before hello");
    }
}

/// Nothing is said at all: the connection is ended after a while, and nobody is blamed.
#[test]
fn silence_instead_of_hello() {
    let mut stage = Stage::new();
    stage.world.run_for(std::time::Duration::from_secs(11));
    stage.assert_nobody_is_blamed();
    assert_eq!(stage.world.ended(stage.wire), Some("no hello in time"));
}

/// Heads in a wrong order, doubled, or too many.
#[test]
fn heads_out_of_order_or_too_many() {
    let mut ids: Vec<OpId> = (0..20_000_u32).map(|number| OpId::of(&number.to_be_bytes())).collect();
    ids.sort();
    for heads in [vec![ids[1], ids[0]], vec![ids[0], ids[0]], ids] {
        let mut stage = Stage::opened();
        let replica = stage.room;
        stage.say(&Message::Gossip(gossip::Message::Heads { replica, heads, ops: 1 }));
        stage.assert_blamed("too long or out of order");
    }
}

/// Heads of a replica that was not opened: it may have crossed our saying that we no longer share it.
#[test]
fn heads_of_what_is_not_shared() {
    let mut stage = Stage::opened();
    let replica = ReplicaId::of(b"something else");
    stage.say(&Message::Gossip(gossip::Message::Heads { replica, heads: vec![OpId::of(b"x")], ops: 1 }));
    assert!(stage.heard().is_empty());
    stage.assert_tolerated();
}

/// Ops of a replica that she has not said she shares, though she knows its id; and of one that Alice does not share.
#[test]
fn wanting_what_is_not_open() {
    let mut stage = Stage::new();
    stage.say_hello();
    stage.heard();
    for replica in [stage.room, ReplicaId::of(b"something else")] {
        stage.say_delta(delta::Message::Want {
            request: 1,
            replica,
            heads: Vec::new(),
            have: Vec::new(),
            list: 0,
            below: None,
            genesis: true,
        });
        let heard = stage.heard();
        assert_eq!(heard, [Message::Gossip(gossip::Message::Closed { replica })]);
    }
    stage.assert_tolerated();
}

/// More requests than are answered at once, none of which she lets come to an end.
#[test]
fn too_many_requests_at_once() {
    let slow = |config: &mut Config| {
        config.batch_ops = 1;
        config.window = 1;
    };
    let mut stage = Stage::with(slow, 5);
    stage.open();
    let heads: Vec<OpId> = stage.world.version(stage.alice, stage.room).unwrap().0.heads.into_iter().collect();
    for request in 0..9 {
        stage.say_delta(want(stage.room, request, heads.clone()));
    }
    stage.assert_blamed("too much at once");
}

/// One request that names more than anybody has.
#[test]
fn a_request_without_measure() {
    let mut stage = Stage::opened();
    let heads = (0..20_000_u32).map(|number| OpId::of(&number.to_be_bytes())).collect();
    stage.say_delta(want(stage.room, 1, heads));
    stage.assert_blamed("too much at once");
}

/// The same number for two requests.
#[test]
fn a_request_twice() {
    let slow = |config: &mut Config| {
        config.batch_ops = 1;
        config.window = 1;
    };
    let mut stage = Stage::with(slow, 5);
    stage.open();
    let heads: Vec<OpId> = stage.world.version(stage.alice, stage.room).unwrap().0.heads.into_iter().collect();
    for _ in 0..2 {
        stage.say_delta(want(stage.room, 1, heads.clone()));
    }
    stage.assert_blamed("too much at once");
}

/// Credit without end is no credit: no more is sent ahead than the window.
#[test]
fn credit_without_end() {
    let slow = |config: &mut Config| {
        config.batch_ops = 1;
        config.window = 2;
    };
    let mut stage = Stage::with(slow, 50);
    stage.open();
    let heads: Vec<OpId> = stage.world.version(stage.alice, stage.room).unwrap().0.heads.into_iter().collect();
    stage.say_delta(want(stage.room, 1, heads));
    assert_eq!(stage.heard().len(), 2);
    // Each of them may bring one more, whatever it is that she says between them.
    for _ in 0..5 {
        stage.say_delta(delta::Message::More { request: 1 });
        stage.say_delta(delta::Message::More { request: 2 });
    }
    assert_eq!(stage.heard().len(), 5);
    stage.say_delta(delta::Message::Cancel { request: 1 });
    stage.say_delta(delta::Message::More { request: 1 });
    assert_eq!(stage.heard().len(), 0);
    stage.assert_tolerated();
}

/// She says that she does not share what nobody has asked her for, over and over. The app is not told.
#[test]
fn closing_what_was_never_open() {
    let mut stage = Stage::opened();
    let before = stage.world.events(stage.alice).len();
    for number in 0..1000_u32 {
        let replica = ReplicaId::of(&number.to_be_bytes());
        stage.say(&Message::Gossip(gossip::Message::Closed { replica }));
    }
    stage.assert_tolerated();
    assert_eq!(stage.world.events(stage.alice).len(), before);
}

/// She asks to be let in with secret upon secret. The app is asked about one at a time.
#[test]
fn asking_to_be_let_in_without_end() {
    let mut stage = Stage::opened();
    let replica = stage.room;
    stage.world.app_answers = false;
    for number in 0..1000_u32 {
        let secret = Bytes(number.to_be_bytes().to_vec());
        stage.say(&Message::Admission(admission::Message::Join { replica, secret }));
    }
    stage.assert_tolerated();
    let asked = |event: &Event| matches!(event, Event::JoinRequested { .. });
    assert_eq!(stage.world.events(stage.alice).iter().filter(|(_, event)| asked(event)).count(), 1);
    let secret = Bytes(vec![7; 1000]);
    stage.say(&Message::Admission(admission::Message::Join { replica, secret }));
    stage.assert_blamed("too long");
}

/// She says that Alice is welcome, or is not, in what Alice has not asked to be let into.
#[test]
fn welcome_to_what_nobody_asked_for() {
    let mut stage = Stage::opened();
    let replica = stage.room;
    let before = stage.world.events(stage.alice).len();
    stage.say(&Message::Admission(admission::Message::Welcome { replica }));
    stage.say(&Message::Admission(admission::Message::Refused { replica, reason: "no".into() }));
    stage.assert_tolerated();
    assert_eq!(stage.world.events(stage.alice).len(), before);
}

fn want(replica: ReplicaId, request: u64, heads: Vec<OpId>) -> delta::Message {
    delta::Message::Want { request, replica, heads, have: Vec::new(), list: 0, below: None, genesis: false }
}
