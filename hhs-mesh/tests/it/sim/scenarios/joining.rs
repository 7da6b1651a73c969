//! Being let in.

use std::time::Duration;

use hhs_mesh::proto::Event;

use super::SOON;
use crate::sim::World;

/// Somebody joins with the secret of an invitation: it gets the room and is let in, and what it writes is kept by all.
#[test]
fn joining_with_an_invitation() {
    let mut world = World::new(1);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found_open(alice);
    world.invites(alice, room, b"open sesame");
    world.write(alice, room, b"welcome").unwrap();
    world.joins(bob, alice, room, b"open sesame");
    world.run_until(SOON, "he is let in", |world| world.may_write(bob, room));
    world.write(bob, room, b"thanks").unwrap();
    world.run_until_equal(&[alice, bob], room, SOON);
    let answered = |event: &Event| matches!(event, Event::JoinAnswered { refused: None, .. });
    assert!(world.told_after(bob, Duration::ZERO, answered).is_some());
    assert_eq!(world.version(alice, room).unwrap().1, 3);
}

/// Who does not know the secret can read, since the id of the room is the right to read it, but is not let in; and is told
/// so.
#[test]
fn a_wrong_secret() {
    let mut world = World::new(2);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found_open(alice);
    world.invites(alice, room, b"open sesame");
    world.joins(bob, alice, room, b"open barley");
    world.run_for(SOON);
    let refused = |event: &Event| matches!(event, Event::JoinAnswered { refused: Some(_), .. });
    assert!(world.told_after(bob, Duration::ZERO, refused).is_some());
    assert!(!world.may_write(bob, room));
    assert_eq!(world.write(bob, room, b"let me in"), None);
}

/// The member is offline when the invitation is used; the joiner crashes meanwhile. In the end it is in.
#[test]
fn the_member_is_offline_at_first() {
    let mut world = World::new(3);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found_open(alice);
    world.invites(alice, room, b"open sesame");
    world.run_for(Duration::from_secs(1));
    world.crash(alice);
    world.joins(bob, alice, room, b"open sesame");
    world.run_for(Duration::from_secs(20));
    world.crash(bob);
    world.start(bob);
    world.run_for(Duration::from_secs(20));
    world.start(alice);
    world.run_until(Duration::from_secs(30), "he is let in", |world| world.may_write(bob, room));
}

/// The member's program has just started, and is asked before it has opened the room. It need not be asked again by the app.
#[test]
fn the_member_is_asked_too_early() {
    let mut world = World::new(6);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found_open(alice);
    world.invites(alice, room, b"open sesame");
    world.run_for(Duration::from_secs(1));
    world.app_start = 3_000_000..3_000_001;
    world.crash(alice);
    world.joins(bob, alice, room, b"open sesame");
    world.start(alice);
    world.run_until(SOON, "he is let in", |world| world.may_write(bob, room));
    let not_shared = |event: &Event| matches!(event, Event::NotShared { .. });
    assert!(world.told_after(bob, Duration::ZERO, not_shared).is_some(), "he was too early");
}

/// A chain of invitations: everybody lets in the next one. What the last one writes is kept by the first.
#[test]
fn a_chain_of_invitations() {
    let mut world = World::new(4);
    let nodes: Vec<_> = (0..6).map(|number| world.node(&format!("member-{number}"))).collect();
    let room = world.found_open(nodes[0]);
    for pair in nodes.windows(2) {
        let secret = format!("through {:?}", pair[0]);
        world.invites(pair[0], room, secret.as_bytes());
        world.joins(pair[1], pair[0], room, secret.as_bytes());
        let next = pair[1];
        world.run_until(SOON, "the next one is let in", |world| world.may_write(next, room));
    }
    world.write(nodes[5], room, b"I am the last one").unwrap();
    world.run_until_equal(&nodes, room, SOON);
    assert_eq!(world.version(nodes[0], room).unwrap().1, 6);
}

/// Two members let the same person in at the same time, without knowing of each other.
#[test]
fn let_in_by_two_at_once() {
    let mut world = World::new(5);
    let (alice, bob, carol) = (world.node("alice"), world.node("bob"), world.node("carol"));
    let room = world.found_open(alice);
    world.invites(alice, room, b"one");
    world.invites(bob, room, b"two");
    world.joins(bob, alice, room, b"one");
    world.run_until(SOON, "he is let in", |world| world.may_write(bob, room));
    world.cut(alice, bob);
    world.joins(carol, alice, room, b"one");
    world.joins(carol, bob, room, b"two");
    world.run_until(SOON, "she is let in", |world| world.may_write(carol, room));
    world.write(carol, room, b"here I am").unwrap();
    world.heal(alice, bob);
    world.run_until_equal(&[alice, bob, carol], room, Duration::from_secs(30));
    assert!(world.write(carol, room, b"still here").is_some());
    world.run_until_equal(&[alice, bob, carol], room, SOON);
}
