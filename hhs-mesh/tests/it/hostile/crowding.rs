//! Peers that take up room: connections, addresses.

use std::time::Duration;

use hhs_mesh::proto::{Event, Message, gossip, group};
use hhs_model::IdentityId;

use super::stage::{Stage, hello_of};

/// She opens connection upon connection, some under many names, and says nothing more. Bob still gets through.
#[test]
fn connections_without_end() {
    let mut stage = Stage::new();
    for number in 0..100 {
        let who = stage.world.puppet(&format!("mallory-{number}"));
        let wire = stage.world.connect(who, stage.alice);
        let hello = Message::Hello(hello_of(&stage.world.author_of(who)));
        stage.world.say(wire, &hello);
    }
    stage.world.run_for(Duration::from_secs(1));
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.knows(bob, stage.alice, stage.room);
    let took = stage.world.run_until_equal(&[stage.alice, bob], stage.room, Duration::from_secs(40));
    println!("with all places taken by idle connections, it takes {took:?} to get through");
    stage.assert_nobody_is_blamed();
}

/// All the same Alice can call whom she wants.
#[test]
fn there_is_room_left_to_call_others() {
    let mut stage = Stage::new();
    for number in 0..100 {
        let who = stage.world.puppet(&format!("mallory-{number}"));
        stage.world.connect(who, stage.alice);
    }
    stage.world.run_for(Duration::from_millis(100));
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.share(bob, stage.room);
    stage.world.knows(stage.alice, bob, stage.room);
    stage.world.run_until_equal(&[stage.alice, bob], stage.room, Duration::from_secs(5));
}

/// She tells of thousands of addresses where nobody is. They are forgotten sooner or later, and neither do they keep Alice
/// from learning where Bob is, nor from calling him.
#[test]
fn addresses_of_nobody() {
    let mut stage = Stage::opened();
    let replica = stage.room;
    for number in 0..100_u32 {
        let address = |one: u32| format!("mem://nobody-{number}-{one}/{}", IdentityId::of(&number.to_be_bytes()));
        let addresses = (0..32).map(address).collect();
        stage.say(&Message::Group(group::Message::Peers { replica, addresses }));
        stage.world.run_for(Duration::from_millis(100));
    }
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.share(bob, replica);
    let addresses = vec![stage.world.address_of(bob).to_string(), "x".repeat(100_000), "mem://x".into()];
    stage.say(&Message::Group(group::Message::Peers { replica, addresses }));
    let took = stage.world.run_until_equal(&[stage.alice, bob], replica, Duration::from_secs(60));
    println!("among thousands of addresses of nobody, Bob's takes {took:?}");
    stage.assert_nobody_is_blamed();
}

/// She opens and closes the room again and again. The others need not hear of it each time, nor Alice's app.
#[test]
fn in_and_out_and_in_again() {
    let mut stage = Stage::new();
    let author = stage.bob.clone();
    let bob = stage.world.node_of("bob", author, hhs_store::MemoryBackend::new(), |_| ());
    stage.world.knows(bob, stage.alice, stage.room);
    stage.world.run_until_equal(&[stage.alice, bob], stage.room, Duration::from_secs(5));
    let mut hello = stage.hello();
    hello.listen = vec!["mem://mallory".into()];
    stage.say(&Message::Hello(hello));
    let (alice, replica) = (stage.alice, stage.room);
    stage.say(&Message::Gossip(gossip::Message::Open { replica }));
    stage.heard();
    stage.world.stats.take();
    let events = stage.world.events(alice).len();
    for _ in 0..1000 {
        stage.say(&Message::Gossip(gossip::Message::Closed { replica }));
        stage.say(&Message::Gossip(gossip::Message::Open { replica }));
    }
    stage.heard();
    let stats = stage.world.stats.take();
    assert_eq!(stats.kinds.get("peers"), None, "{stats:?}");
    // She is asked for it each time, as she takes it back each time.
    let told =
        stage.world.events(alice)[events..].iter().filter(|(_, event)| !matches!(event, Event::NotShared { .. }));
    assert_eq!(told.count(), 0);
    stage.assert_nobody_is_blamed();
}
