//! Somebody is removed, and does not know it, or does not care.

use futures::executor::block_on;
use hhs_model::{Frontier, ReplicaId};

use super::SOON;
use crate::sim::{NodeId, World};

fn frontier(world: &World, node: NodeId, room: ReplicaId) -> Option<Frontier> {
    world.version(node, room).map(|(frontier, _)| frontier)
}

/// Whether all stand on the same, whatever they keep besides.
fn stand_together(world: &World, nodes: &[NodeId], room: ReplicaId) -> bool {
    let first = frontier(world, nodes[0], room);
    first.is_some() && nodes.iter().all(|node| frontier(world, *node, room) == first)
}

/// Bob is removed while nobody reaches him, and goes on writing; Carol, who is with him, has built on some of it. When they
/// all meet again, everybody stands on the same, nobody is blamed, and what Bob wrote in vain is told to nobody who comes
/// later.
#[test]
fn a_removed_member_goes_on_writing() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|name| world.node(name));
        let room = world.found_open(alice);
        let admitted = world.grant(alice, room, &world.author_of(bob));
        world.grant(alice, room, &world.author_of(carol));
        world.knows(bob, alice, room);
        world.knows(carol, alice, room);
        world.knows(carol, bob, room);
        world.run_until_equal(&[alice, bob, carol], room, SOON);
        world.cut(alice, bob);
        world.cut(alice, carol);
        let removed = world.revoke(alice, room, &[admitted]);
        world.write_many(bob, room, 30);
        world.run_until_equal(&[bob, carol], room, SOON);
        world.write(carol, room, b"on top of what bob wrote").unwrap();
        world.cut(bob, carol);
        world.write_many(bob, room, 40);
        for (one, other) in [(alice, bob), (alice, carol), (bob, carol)] {
            world.heal(one, other);
        }
        let nodes = [alice, bob, carol];
        world.run_until(60 * SOON, "all stand on the same", |world| stand_together(world, &nodes, room));
        let heads = frontier(&world, alice, room).unwrap().heads;
        assert!(heads.contains(&removed) && heads.len() == 2, "{heads:?}");
        assert!(world.write(bob, room, b"let me").is_none());
        let next = world.write(alice, room, b"and on").unwrap();
        let expected: Frontier = [next].into_iter().collect();
        world.run_until(SOON, "they go on", |world| {
            nodes.iter().all(|node| frontier(world, *node, room) == Some(expected.clone()))
        });
        // Who comes later hears of what the others stand on, and of nothing else.
        world.knows(dave, alice, room);
        world.run_until(SOON, "who comes later has it", |world| frontier(world, dave, room) == Some(expected.clone()));
        let ops = |node: NodeId| block_on(world.store(node).count(room)).unwrap();
        assert_eq!((ops(dave), ops(bob)), (2 + 30 + 1 + 1 + 1, 2 + 30 + 1 + 1 + 1 + 40));
    }
}
