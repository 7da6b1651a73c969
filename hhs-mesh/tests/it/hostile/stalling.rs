//! Peers that do nothing wrong, but take their time so that others wait.

use std::time::Duration;

use hhs_mesh::proto::{Event, Message, delta, gossip};
use hhs_model::OpId;

use super::stage::{Stage, hello_of, id_of, op};
use crate::sim::NodeId;

/// Bob joins in as an honest node with one op that Alice lacks; says how long it takes until she has it.
fn bob_comes_with_news(stage: &mut Stage) -> (NodeId, Duration) {
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.knows(bob, stage.alice, stage.room);
    let (alice, room) = (stage.alice, stage.room);
    stage.world.run_until(Duration::from_secs(10), "Bob has the room", |world| {
        world.version(bob, room) == world.version(alice, room)
    });
    (bob, news(stage, bob))
}

fn news(stage: &mut Stage, bob: NodeId) -> Duration {
    let written = stage.world.write(bob, stage.room, b"news").unwrap();
    let (alice, room) = (stage.alice, stage.room);
    let has_it = |world: &crate::sim::World| {
        futures::executor::block_on(world.store(alice).unknown(room, &[written])).unwrap().is_empty()
    };
    stage.world.run_until(Duration::from_secs(60), "Alice has Bob's news", has_it)
}

/// She says that she has something and never answers when she is asked for it, again and again. Bob's news come all the
/// same, and soon.
#[test]
fn a_want_that_is_never_answered() {
    let mut stage = Stage::opened();
    stage.lure(stage.room, vec![OpId::of(b"what I never send")]);
    let (bob, first) = bob_comes_with_news(&mut stage);
    let mut worst = first;
    for number in 0..100_u32 {
        let heads = vec![OpId::of(&number.to_be_bytes())];
        stage.say(&Message::Gossip(gossip::Message::Heads { replica: stage.room, heads, ops: 1000 }));
        stage.world.run_for(Duration::from_millis(700));
        worst = worst.max(news(&mut stage, bob));
    }
    println!("with a peer that never answers, news take {worst:?} at most");
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    stage.assert_nobody_is_blamed();
    let wants = stage.world.heard(stage.wire).into_iter();
    let wants = wants.filter(|message| matches!(message, Message::Delta(delta::Message::Want { .. }))).count();
    assert!(wants < 12, "she is asked {wants} times in more than a minute");
}

/// Nobody else has what she says she has: she is asked again now and then, less and less often, and never in a hurry.
#[test]
fn the_only_one_who_has_something_never_answers() {
    let mut stage = Stage::opened();
    stage.lure(stage.room, vec![OpId::of(b"what I never send")]);
    stage.world.run_for(Duration::from_secs(3600));
    let heard = stage.world.heard(stage.wire);
    let wants = heard.iter().filter(|message| matches!(message, Message::Delta(delta::Message::Want { .. }))).count();
    assert!((5..=40).contains(&wants), "{wants} requests in an hour");
    stage.assert_tolerated();
}

/// She answers in drops, one op every other second, from a history of which Alice lacks much. Bob need not wait for her.
#[test]
fn an_answer_in_drops() {
    let mut stage = Stage::opened();
    let mut parent = stage.world.version(stage.alice, stage.room).unwrap().0.heads.into_iter().collect::<Vec<_>>();
    let mut ops = Vec::new();
    for number in 0..30_u32 {
        let next = op(&stage.bob, stage.room, parent, &number.to_be_bytes());
        parent = vec![id_of(&next)];
        ops.push(next);
    }
    let request = stage.lure(stage.room, parent);
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.knows(bob, stage.alice, stage.room);
    stage.world.run_for(Duration::from_secs(1));
    let mut worst = Duration::ZERO;
    for (number, op) in ops.into_iter().enumerate() {
        stage.say_delta(delta::Message::Batch {
            request,
            total: 30,
            identities: Vec::new(),
            ops: vec![op.into()],
            last: false,
        });
        stage.world.run_for(Duration::from_millis(1800));
        if number % 5 == 1 {
            worst = worst.max(news(&mut stage, bob));
        }
    }
    println!("beside an answer in drops, news take {worst:?} at most");
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    stage.assert_nobody_is_blamed();
}

/// She lets everybody in and drops them at once. She is not called more often than somebody who is not there.
#[test]
fn a_peer_that_accepts_and_drops_at_once() {
    let mut stage = Stage::new();
    let mallory = stage.mallory;
    stage.world.knows(stage.alice, mallory, stage.room);
    let hello = Message::Hello(hello_of(&stage.world.author_of(mallory)));
    let mut seen = 0;
    let before = stage.world.wires_to(mallory).len();
    for _ in 0..6000 {
        stage.world.run_for(Duration::from_millis(100));
        let wires = stage.world.wires_to(mallory);
        for wire in wires.iter().skip(seen) {
            stage.world.say(*wire, &hello);
            stage.world.run_for(Duration::from_millis(50));
            stage.world.hang_up(*wire);
        }
        seen = wires.len();
    }
    let calls = stage.world.wires_to(mallory).len() - before;
    let connected = |event: &Event| matches!(event, Event::PeerConnected { .. });
    assert!(stage.world.events(stage.alice).iter().any(|(_, event)| connected(event)));
    assert!((30..=100).contains(&calls), "{calls} calls in ten minutes");
}
