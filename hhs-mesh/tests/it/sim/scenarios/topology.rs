//! Who is connected to whom, and what comes through.

use std::time::Duration;

use hhs_mesh::proto::{Config, Event};
use hhs_store::MemoryBackend;

use super::SOON;
use super::exact::report;
use crate::sim::World;

/// Two share a room. One is offline while both write; when it is back, both have everything.
#[test]
fn two_peers_one_offline_while_both_write() {
    let mut world = World::new(1);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice, bob]);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    world.cut(alice, bob);
    for number in 0..10_u8 {
        world.write(alice, room, &[number]).unwrap();
        world.write(bob, room, &[number]).unwrap();
        world.run_for(Duration::from_secs(1));
    }
    assert!(!world.agree(&[alice, bob], room));
    world.stats.take();
    world.heal(alice, bob);
    world.run_until_equal(&[alice, bob], room, Duration::from_secs(30));
    let stats = report("ten ops each while apart", &mut world);
    assert_eq!((stats.ops, stats.doubles), (20, 0));
}

/// Three in a line: the two at the ends cannot reach each other, and the one in the middle has no idea what the class of
/// the replica is. What one end writes is at the other in the blink of an eye.
#[test]
fn three_in_a_line() {
    let mut world = World::new(2);
    let (alice, relay, bob) = (world.node("alice"), world.node("relay"), world.node("bob"));
    world.cut(alice, bob);
    let room = world.found(&[alice, bob]);
    world.knows(alice, relay, room);
    world.share(relay, room);
    world.knows(bob, relay, room);
    world.run_until_equal(&[alice, relay, bob], room, SOON);
    world.run_for(SOON);
    world.stats.take();
    for (writer, reader) in [(alice, bob), (bob, alice)] {
        world.write(writer, room, b"hello").unwrap();
        let took = world.run_until_equal(&[alice, relay, bob], room, SOON);
        // Two hops of three messages each, every one up to 20 ms, and the store in between.
        println!("through a relay: {took:?}");
        assert!(took < Duration::from_millis(200), "{took:?}");
        // The writer is told that the relay has it, without having to wait for long.
        let since = world.now;
        world.run_for(Duration::from_millis(100));
        let in_sync = |event: &Event| matches!(event, Event::InSync { .. });
        let start = since.saturating_sub(took);
        assert!(
            world.told_after(writer, start, in_sync).is_some() && world.told_after(reader, start, in_sync).is_some()
        );
        world.run_for(SOON);
    }
    let stats = report("two ops through a relay", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (4, 4, 0));
}

/// A diamond: two relays lie between the writer and the reader. Nobody is sent anything twice.
#[test]
fn a_diamond() {
    let mut world = World::new(3);
    let [top, left, right, bottom] = ["top", "left", "right", "bottom"].map(|name| world.node(name));
    world.cut(top, bottom);
    world.cut(left, right);
    let room = world.found(&[top]);
    for relay in [left, right] {
        world.knows(top, relay, room);
        world.share(relay, room);
        world.knows(bottom, relay, room);
    }
    let all = [top, left, right, bottom];
    world.run_until_equal(&all, room, SOON);
    world.stats.take();
    for _ in 0..20 {
        world.write_many(top, room, 25);
        world.run_for(Duration::from_millis(30));
    }
    world.run_until_equal(&all, room, SOON);
    let stats = report("500 ops through a diamond", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (1500, 1500, 0));
}

/// Both know each other's address and dial at the same moment. One connection remains, on both sides the same.
#[test]
fn both_dial_each_other_at_once() {
    for seed in 0..50 {
        let mut world = World::new(seed);
        let (alice, bob) = (world.node("alice"), world.node("bob"));
        let room = world.found(&[alice, bob]);
        world.knows(alice, bob, room);
        world.knows(bob, alice, room);
        world.run_until_equal(&[alice, bob], room, SOON);
        world.run_for(SOON);
        assert_eq!(world.wires_between(alice, bob).len(), 1, "seed {seed}");
        world.write(alice, room, b"hello").unwrap();
        world.run_until_equal(&[alice, bob], room, SOON);
        world.stats.take();
        world.run_for(Duration::from_secs(28));
        assert_eq!(world.stats.take().kinds.get("hello"), None, "nobody dials again");
    }
}

/// A connection broke, and only one side has noticed: it dials again. The other one must not turn it away for the sake of
/// the connection that it still takes to be alive.
#[test]
fn one_side_has_not_noticed_that_the_connection_broke() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        let (alice, bob) = (world.node("alice"), world.node("bob"));
        let room = world.found(&[alice, bob]);
        world.knows(alice, bob, room);
        world.knows(bob, alice, room);
        world.run_for(Duration::from_secs(60));
        // Each side notices at a time of its own within two minutes.
        world.notice_after = 0..120_000_000;
        let wire = world.wires_between(alice, bob)[0];
        world.break_wire(wire);
        world.run_for(Duration::from_millis(10));
        world.write(alice, room, b"hello").unwrap();
        world.write(bob, room, b"hello").unwrap();
        let lost = |world: &World| {
            [alice, bob].iter().any(|node| {
                let gone = |event: &Event| matches!(event, Event::PeerDisconnected { .. });
                world.told_after(*node, Duration::from_secs(60), gone).is_some()
            })
        };
        world.run_until(Duration::from_secs(130), "one side notices", lost);
        let took = world.run_until_equal(&[alice, bob], room, Duration::from_secs(130));
        assert!(took < Duration::from_secs(5), "seed {seed}: {took:?} after one side has noticed");
    }
}

/// A phone and a laptop of the same person, and a friend: all three agree, and two devices are not taken for one.
#[test]
fn two_devices_of_one_identity() {
    let mut world = World::new(4);
    let person = world.author("person");
    let laptop = world.node_of("laptop", person.clone(), MemoryBackend::new(), |_| ());
    let phone = world.node_of("phone", person, MemoryBackend::new(), |_| ());
    let friend = world.node("friend");
    let room = world.found(&[laptop, friend]);
    world.knows(phone, laptop, room);
    world.knows(friend, laptop, room);
    world.run_until_equal(&[laptop, phone, friend], room, SOON);
    world.write(laptop, room, b"from the laptop").unwrap();
    world.write(phone, room, b"from the phone").unwrap();
    world.write(friend, room, b"from the friend").unwrap();
    world.run_until_equal(&[laptop, phone, friend], room, SOON);
    assert_eq!(world.version(friend, room).unwrap().1, 3);
}

/// A node has more addresses than it may have connections. It uses what it may and does not wake for the rest.
#[test]
fn more_addresses_than_connections() {
    let mut world = World::new(5);
    let few = |config: &mut Config| config.connections = 4;
    let author = world.author("hub");
    let hub = world.node_of("hub", author, MemoryBackend::new(), few);
    let room = world.found(&[hub]);
    let others: Vec<_> = (0..8).map(|number| world.node(&format!("peer-{number}"))).collect();
    for other in &others {
        world.share(*other, room);
        world.knows(hub, *other, room);
    }
    for (a, other) in others.iter().enumerate() {
        others[a + 1..].iter().for_each(|another| world.cut(*other, *another));
    }
    world.run_for(Duration::from_secs(5));
    let connected = |world: &World| others.iter().filter(|other| !world.wires_between(hub, **other).is_empty()).count();
    assert_eq!(connected(&world), 4);
    // Those who are connected go away; the others get their turn.
    let first: Vec<_> = others.iter().copied().filter(|other| !world.wires_between(hub, *other).is_empty()).collect();
    first.iter().for_each(|other| world.crash(*other));
    world.run_until(Duration::from_secs(30), "the others are connected", |world| connected(world) == 4);
    world.write(hub, room, b"hello").unwrap();
    let rest: Vec<_> = others.iter().copied().filter(|other| !first.contains(other)).chain([hub]).collect();
    world.run_until_equal(&rest, room, SOON);
}

/// Two share forty replicas with thousands of ops each. All of them come over the one connection, and nobody is blamed for
/// asking for too much at once.
#[test]
fn forty_replicas_over_one_connection() {
    let mut world = World::new(6);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    world.cut(alice, bob);
    let small = |config: &mut Config| config.batch_ops = 8;
    let author = world.author("carol");
    let carol = world.node_of("carol", author, MemoryBackend::new(), small);
    let rooms: Vec<_> = (0..40).map(|_| world.found(&[carol])).collect();
    for room in &rooms {
        world.write_many(carol, *room, 50);
        world.knows(bob, carol, *room);
    }
    let all = |world: &World| rooms.iter().all(|room| world.agree(&[carol, bob], *room));
    world.run_until(Duration::from_secs(20), "all replicas are there", all);
    let stats = report("40 replicas over one connection", &mut world);
    assert_eq!((stats.ops, stats.doubles), (2000, 0));
    let _ = alice;
}
