//! Losing each other, and coming back.

use std::time::Duration;

use hhs_mesh::proto::{Config, Event};
use hhs_store::MemoryBackend;

use super::SOON;
use super::exact::report;
use crate::sim::World;

const MINUTE: Duration = Duration::from_secs(60);

/// Two have met through a third one, which has gone for good. The network between them fails for a quarter of an hour:
/// neither was told the other's address by a person, but they find each other again.
#[test]
fn a_long_cut_between_those_who_met_through_another() {
    let mut world = World::new(1);
    let (alice, bob, carol) = (world.node("alice"), world.node("bob"), world.node("carol"));
    let room = world.found(&[alice, bob, carol]);
    world.knows(bob, alice, room);
    world.knows(carol, alice, room);
    world.run_until_equal(&[alice, bob, carol], room, SOON);
    world.run_until(SOON, "they have met", |world| !world.wires_between(bob, carol).is_empty());
    world.run_for(SOON);
    world.crash(alice);
    world.cut(bob, carol);
    world.run_for(15 * MINUTE);
    world.write(bob, room, b"are you there?").unwrap();
    world.heal(bob, carol);
    world.run_until_equal(&[bob, carol], room, 10 * MINUTE);
}

/// A node comes back and is called by its peer before its app has said what it shares. Once it has, they go on.
#[test]
fn called_before_the_app_has_opened_its_spaces() {
    let mut world = World::new(2);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice, bob]);
    // Bob knows where Alice is; Alice does not know where Bob is, who listens nowhere that she could reach.
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    world.app_start = 2_000_000..2_000_001;
    world.crash(alice);
    world.write(bob, room, b"while you were away").unwrap();
    world.run_for(MINUTE);
    world.start(alice);
    world.run_until_equal(&[alice, bob], room, Duration::from_secs(20));
    // The same the other way round: both know each other.
    world.knows(alice, bob, room);
    world.crash(alice);
    world.run_for(Duration::from_secs(1));
    world.start(alice);
    world.run_for(Duration::from_secs(20));
    world.write(bob, room, b"and again").unwrap();
    world.run_until_equal(&[alice, bob], room, Duration::from_secs(1));
}

/// Somebody stops sharing a replica for a while, in the middle of a fetch even, and takes it up again.
#[test]
fn unshared_and_shared_again() {
    let mut world = World::new(3);
    let small = |config: &mut Config| config.batch_ops = 10;
    let author = world.author("alice");
    let alice = world.node_of("alice", author, MemoryBackend::new(), small);
    let bob = world.node("bob");
    let room = world.found(&[alice, bob]);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    for round in 0..12 {
        world.write_many(alice, room, 200);
        world.run_for(Duration::from_millis(40 + 7 * round));
        world.unshare(bob, room);
        world.run_for(Duration::from_secs(1));
        world.resume(bob, room);
        world.run_until_equal(&[alice, bob], room, Duration::from_secs(5));
    }
    assert_eq!(world.wires_between(alice, bob).len(), 1);
}

/// Three have a room, and a fourth one fetches it. Whom it asks vanishes in the middle; another one is asked for the rest,
/// and what had come is not fetched again.
#[test]
fn a_peer_vanishes_in_the_middle_of_a_fetch() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let small = |config: &mut Config| config.batch_ops = 100;
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| {
            let author = world.author(name);
            world.node_of(name, author, MemoryBackend::new(), small)
        });
        let room = world.found(&[alice]);
        world.write_many(alice, room, 3000);
        world.knows(bob, alice, room);
        world.run_until_equal(&[alice, bob], room, SOON);
        world.knows(carol, alice, room);
        world.knows(carol, bob, room);
        world.stats.take();
        let half = |world: &World| world.version(carol, room).is_some_and(|(_, ops)| ops >= 1500);
        world.run_until(SOON, "half of it has come", half);
        let from = world.events(carol).iter().rev().find_map(|(_, event)| match event {
            Event::Fetched { from, .. } => Some(*from),
            _ => None,
        });
        let from = if from == Some(world.author_of(alice).id()) { alice } else { bob };
        world.crash(from);
        let other = if from == alice { bob } else { alice };
        world.run_until_equal(&[other, carol], room, SOON);
        let stats = report("a peer vanishes in the middle of a fetch", &mut world);
        assert_eq!((stats.added, stats.doubles), (3000, 0));
        // What was under way when it vanished is all that was sent in vain.
        assert!(stats.ops <= 3000 + 5 * 100, "{} ops were sent", stats.ops);
    }
}

/// The same when the connection stays and the peer is silent: it is given up after a time, and another one is asked.
#[test]
fn a_peer_falls_silent_in_the_middle_of_a_fetch() {
    let mut world = World::new(5);
    let small = |config: &mut Config| config.batch_ops = 100;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| {
        let author = world.author(name);
        world.node_of(name, author, MemoryBackend::new(), small)
    });
    let room = world.found(&[alice]);
    world.write_many(alice, room, 3000);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    // Nobody notices for ten minutes that a connection is broken.
    world.notice_after = 600_000_000..600_000_001;
    world.knows(carol, alice, room);
    let half = |world: &World| world.version(carol, room).is_some_and(|(_, ops)| ops >= 1500);
    world.run_until(SOON, "half of it has come", half);
    world.stats.take();
    world.crash(alice);
    world.knows(carol, bob, room);
    let took = world.run_until_equal(&[bob, carol], room, MINUTE);
    println!("a silent peer is given up after {took:?}");
    let stats = report("a peer falls silent in the middle of a fetch", &mut world);
    assert_eq!(stats.doubles, 0);
}

/// A link is so slow that a fetch is given up while batches are under way. When it is taken up again, nobody is blamed for
/// not sending the identities again that went with what was given up.
#[test]
fn a_fetch_is_given_up_and_taken_up_again() {
    let mut world = World::new(6);
    let small = |config: &mut Config| config.batch_ops = 10;
    let author = world.author("alice");
    let alice = world.node_of("alice", author, MemoryBackend::new(), small);
    let bob = world.node("bob");
    let room = world.found_open(alice);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    for number in 0..40 {
        let guest = world.author(&format!("guest {number}"));
        world.grant(alice, room, &guest);
    }
    world.latency = 15_000_000..25_000_000;
    world.run_for(3 * MINUTE);
    world.latency = 5_000..20_000;
    world.run_until_equal(&[alice, bob], room, 2 * MINUTE);
}

/// A peer restarts again and again. Those who want it back neither give up nor knock without end.
#[test]
fn knocking_is_neither_given_up_nor_endless() {
    let mut world = World::new(7);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice, bob]);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    world.crash(alice);
    let since = world.now;
    world.run_for(10 * MINUTE);
    let failed = |event: &Event| matches!(event, Event::DialFailed { .. });
    let dials = world.events(bob).iter().filter(|(at, event)| *at >= since && failed(event)).count();
    assert!((30..=100).contains(&dials), "{dials} dials in ten minutes");
    world.start(alice);
    world.write(alice, room, b"back").unwrap();
    // At most one and a half times the longest wait.
    world.run_until_equal(&[alice, bob], room, Duration::from_secs(24));
    // After a good while together the first attempt comes soon again.
    world.run_for(MINUTE);
    world.crash(alice);
    world.run_for(Duration::from_millis(200));
    world.start(alice);
    world.write(alice, room, b"back again").unwrap();
    let took = world.run_until_equal(&[alice, bob], room, SOON);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// A link that carries three kilobytes in a second. A thousand ops take as long as their bytes do, and are sent once.
#[test]
fn a_very_slow_link() {
    let mut world = World::new(8);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice]);
    world.write_many(alice, room, 1000);
    world.bandwidth = 3000;
    world.knows(bob, alice, room);
    let took = world.run_until_equal(&[alice, bob], room, 5 * MINUTE);
    let stats = report("1,000 ops over 3 kB/s", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (1000, 1000, 0));
    let least = Duration::from_secs(stats.bytes / 3000);
    println!("{took:?}, where the bytes alone take {least:?}");
    assert!(took < least + Duration::from_secs(10), "{took:?}");
}
