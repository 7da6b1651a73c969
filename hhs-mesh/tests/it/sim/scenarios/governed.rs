//! Replicas that give each other authority: who shares one shares those on which it rests.

use std::time::Duration;

use hhs_mesh::proto::Event;
use hhs_model::{OpId, ReplicaId};

use super::SOON;
use crate::sim::{NodeId, World};

/// Ana has let Ben and Carol into her staff, and both may write notes. Dan has heard of nothing.
struct Notes {
    ana: NodeId,
    ben: NodeId,
    carol: NodeId,
    dan: NodeId,
    staff: ReplicaId,
    notes: ReplicaId,
    /// The grant to Ben.
    admitted: OpId,
}

impl Notes {
    fn found(world: &mut World) -> Self {
        let [ana, ben, carol, dan] = ["ana", "ben", "carol", "dan"].map(|name| world.node(name));
        let staff = world.found_open(ana);
        let notes = world.found_governed(ana, staff);
        let admitted = world.grant(ana, staff, &world.author_of(ben));
        world.grant(ana, staff, &world.author_of(carol));
        for (one, other) in [(ben, ana), (carol, ana), (carol, ben)] {
            world.knows(one, other, notes);
        }
        world.run_until(SOON, "both may write", |world| world.may_write(ben, notes) && world.may_write(carol, notes));
        Self { ana, ben, carol, dan, staff, notes, admitted }
    }
}

/// Ana founds a staff, and notes in which the staff write. Ben is told of the notes alone, and is on the staff: both come to
/// him, he writes, and Ana has it. When the notes are no longer shared, neither is the staff.
#[test]
fn the_staff_comes_with_the_notes() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let (ana, ben) = (world.node("ana"), world.node("ben"));
        let staff = world.found_open(ana);
        let notes = world.found_governed(ana, staff);
        world.grant(ana, staff, &world.author_of(ben));
        world.write_line(ana, notes, "first").unwrap();
        world.unshare(ana, staff);
        world.knows(ben, ana, notes);
        world.run_until(SOON, "Ben may write", |world| world.may_write(ben, notes));
        world.run_until_equal(&[ana, ben], notes, SOON);
        world.write_line(ben, notes, "second").unwrap();
        world.run_until_equal(&[ana, ben], notes, SOON);
        assert!(world.agree(&[ana, ben], staff));
        assert_eq!(world.lines(ana, notes), ["first", "second"]);
        let arrived = |event: &Event| matches!(event, Event::Arrived { replica } if *replica == staff);
        assert!(world.told_after(ben, Duration::ZERO, arrived).is_some());
        let not_shared = |event: &Event| matches!(event, Event::NotShared { .. });
        assert!(world.told_after(ana, Duration::ZERO, not_shared).is_none(), "she named the notes alone");

        world.unshare(ben, notes);
        world.run_for(SOON);
        let cleo = world.author("cleo");
        world.grant(ana, staff, &cleo);
        world.run_for(SOON);
        assert!(!world.agree(&[ana, ben], staff), "Ben wants neither");
        world.resume(ben, notes);
        world.run_until_equal(&[ana, ben], staff, SOON);
    }
}

/// A board says who is on the staff, which says who writes notes. Carol, who knows of the notes alone, gets all three, though
/// through Ben, who knew of no more. That costs each op once.
#[test]
fn a_chain_of_three_through_a_relay() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let [ana, ben, carol] = ["ana", "ben", "carol"].map(|name| world.node(name));
        world.cut(ana, carol);
        let board = world.found_open(ana);
        let staff = world.found_governed(ana, board);
        let notes = world.found_governed(ana, staff);
        world.grant(ana, board, &world.author_of(ben));
        world.grant(ana, board, &world.author_of(carol));
        world.knows(ben, ana, notes);
        world.run_until_equal(&[ana, ben], board, SOON);
        world.run_until(SOON, "Ben may let people into the staff", |world| world.may_write(ben, staff));
        world.grant(ben, staff, &world.author_of(carol));
        world.grant(ben, staff, &world.author_of(ben));
        world.write_line(ben, notes, "by Ben").unwrap();
        world.knows(carol, ben, notes);
        world.run_until(SOON, "Carol may write", |world| world.may_write(carol, notes));
        world.run_until_equal(&[ben, carol], notes, SOON);
        world.write_line(carol, notes, "by Carol").unwrap();
        let all = [ana, ben, carol];
        world.run_until(SOON, "all stand together", |world| world.stand_together(&all, &[board, staff, notes]));
        assert_eq!(world.lines(ana, notes), ["by Ben", "by Carol"]);
        let stats = world.stats.take();
        assert_eq!((stats.added, stats.doubles), (12, 0), "six ops to two each");
    }
}

/// A room has a list, and the list has pages. Ben is told of a page alone. He cannot take it in without what it is a part of.
#[test]
fn a_part_of_a_part() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let (ana, ben) = (world.node("ana"), world.node("ben"));
        let room = world.found_open(ana);
        let list = world.found_child(ana, room, "list");
        let page = world.found_child(ana, list, "page");
        for replica in [room, list] {
            world.unshare(ana, replica);
        }
        world.grant(ana, room, &world.author_of(ben));
        world.write_line(ana, page, "welcome").unwrap();
        world.knows(ben, ana, page);
        world.run_until(SOON, "Ben may write", |world| world.may_write(ben, page));
        world.run_until_equal(&[ana, ben], page, SOON);
        world.write_line(ben, page, "thanks").unwrap();
        world.run_until_equal(&[ana, ben], page, SOON);
        assert_eq!(world.lines(ana, page), ["welcome", "thanks"]);
    }
}

/// Both have everything, and are apart. Ana lets Carol into the staff, and Carol, who is with her, writes much. When Ben is
/// back he gets the staff first and then the notes, each op once, as if one were asked for.
#[test]
fn what_was_missed_comes_in_order() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let [ana, ben, carol] = ["ana", "ben", "carol"].map(|name| world.node(name));
        let staff = world.found_open(ana);
        let notes = world.found_governed(ana, staff);
        for other in [ben, carol] {
            world.knows(other, ana, notes);
        }
        let all = [ana, ben, carol];
        world.write_line(ana, notes, "first").unwrap();
        world.run_until(SOON, "all have it", |world| world.stand_together(&all, &[staff, notes]));
        world.cut(ana, ben);
        world.cut(carol, ben);
        world.grant(ana, staff, &world.author_of(carol));
        world.run_until(SOON, "Carol may write", |world| world.may_write(carol, notes));
        for number in 0..50 {
            world.write_line(carol, notes, &format!("{number}")).unwrap();
        }
        world.run_until(SOON, "they have it", |world| world.stand_together(&[ana, carol], &[staff, notes]));
        world.stats.take();
        world.heal(ana, ben);
        world.run_until(6 * SOON, "Ben has it", |world| world.stand_together(&all, &[staff, notes]));
        let stats = world.stats.take();
        assert_eq!((stats.added, stats.doubles, stats.ops), (51, 0, 51), "seed {seed}");
    }
}

/// Ben is removed from the staff and goes on writing notes, which Carol has built on. What Ana had seen of him stays.
/// Everybody stands on the same and shows the same, and what he writes in vain is told to nobody who comes later. He is
/// reinstated, and all of it is back with everybody.
#[test]
fn a_removed_member_goes_on_writing_notes() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let Notes { ana, ben, carol, dan, staff, notes, admitted } = Notes::found(&mut world);
        let all = [ana, ben, carol];
        let together = |world: &World, nodes: &[NodeId]| world.stand_together(nodes, &[staff, notes]);
        world.write_line(ben, notes, "seen").unwrap();
        world.run_until(SOON, "all have it", |world| together(world, &all));
        let live: Vec<_> = all.iter().map(|node| world.open_notes(*node, notes)).collect();
        world.cut(ana, ben);
        world.cut(ana, carol);
        let removed = world.try_to_revoke(ana, staff, &[admitted]).unwrap();
        world.write_line(ben, notes, "not seen").unwrap();
        world.run_until(SOON, "Carol has it", |world| together(world, &[ben, carol]));
        world.write_line(carol, notes, "on top of that").unwrap();
        world.cut(ben, carol);
        for number in 0..20 {
            world.write_line(ben, notes, &format!("in vain {number}")).unwrap();
        }
        for (one, other) in [(ana, ben), (ana, carol), (ben, carol)] {
            world.heal(one, other);
        }
        world.run_until(6 * SOON, "all stand together", |world| together(world, &all));
        for (node, live) in all.iter().zip(&live) {
            assert_eq!(world.lines(*node, notes), ["seen", "on top of that"], "seed {seed}, {node:?}");
            assert_eq!(crate::sim::shown(live), ["seen", "on top of that"], "seed {seed}, {node:?}");
        }
        assert!(world.write_line(ben, notes, "let me").is_none());
        world.knows(dan, ana, notes);
        world.run_until(SOON, "who comes later has it", |world| together(world, &[ana, dan]));
        assert_eq!(world.version(dan, notes).unwrap().1, 3, "and no more");

        world.try_to_reinstate(ana, staff, removed).unwrap();
        world.run_until(6 * SOON, "all is back", |world| {
            together(world, &[ana, ben, carol, dan]) && world.lines(dan, notes).len() == 23
        });
        for live in &live {
            assert_eq!(crate::sim::shown(live).len(), 23);
        }
    }
}

/// Carol writes a note when she has seen that Ben let somebody in. But Ana has removed Ben, before she heard of that: it is
/// void, and no head of the staff leads to it. Carol's note counts, and everybody gets what it depends on.
#[test]
fn a_note_that_depends_on_what_is_void() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let Notes { ana, ben, carol, dan, staff, notes, admitted } = Notes::found(&mut world);
        world.cut(ana, ben);
        world.cut(ana, carol);
        let friend = world.author("friend");
        let lets_in = world.grant(ben, staff, &friend);
        world.run_until(SOON, "Carol has seen it", |world| world.stand_together(&[ben, carol], &[staff]));
        world.write_line(carol, notes, "I have seen that").unwrap();
        world.cut(ben, carol);
        world.try_to_revoke(ana, staff, &[admitted]).unwrap();
        world.heal(ana, carol);
        world.run_until(6 * SOON, "Ana has it", |world| world.stand_together(&[ana, carol], &[staff, notes]));
        let heads = world.version(ana, staff).unwrap().0.heads;
        assert!(!heads.contains(&lets_in), "it is void");
        world.knows(dan, ana, notes);
        world.run_until(6 * SOON, "Dan has it", |world| world.stand_together(&[ana, dan], &[staff, notes]));
        assert_eq!(world.lines(dan, notes), ["I have seen that"]);
    }
}

/// Ben writes a note, and Cleo one on top of it. Ana removes Ben and keeps all that is there: her cut names Cleo's note. Dan, who
/// has not seen that, removes Cleo, so that her note is void and no head. Ben's stays, for whoever has Cleo's: everybody gets it.
#[test]
fn a_void_note_that_a_cut_names() {
    for seed in 0..5 {
        let mut world = World::new(seed);
        let [ana, dan, ben, cleo, eve] = ["ana", "dan", "ben", "cleo", "eve"].map(|name| world.node(name));
        let staff = world.found_open(ana);
        let notes = world.found_governed(ana, staff);
        world.grant(ana, staff, &world.author_of(dan));
        let [bens, cleos] = [ben, cleo].map(|node| world.grant(ana, staff, &world.author_of(node)));
        for other in [dan, ben, cleo] {
            world.knows(other, ana, notes);
        }
        let all = [ana, dan, ben, cleo];
        world.run_until(SOON, "all are in", |world| world.stand_together(&all, &[staff, notes]));
        world.run_until(SOON, "Ben may write", |world| world.may_write(ben, notes));
        for other in [ana, ben, cleo] {
            world.cut(dan, other);
        }
        world.write_line(ben, notes, "by Ben").unwrap();
        world.run_until(SOON, "Cleo has it", |world| world.stand_together(&[ana, ben, cleo], &[notes]));
        world.write_line(cleo, notes, "by Cleo").unwrap();
        world.run_until(SOON, "Ana has it", |world| world.stand_together(&[ana, ben, cleo], &[notes]));
        world.try_to_revoke(ana, staff, &[bens]).unwrap();
        world.try_to_revoke(dan, staff, &[cleos]).unwrap();
        for other in [ana, ben, cleo] {
            world.heal(dan, other);
        }
        world.run_until(6 * SOON, "all stand together", |world| world.stand_together(&all, &[staff, notes]));
        world.knows(eve, dan, notes);
        world.run_until(SOON, "Eve has it", |world| world.stand_together(&[dan, eve], &[staff, notes]));
        for node in [ana, dan, ben, cleo, eve] {
            assert_eq!(world.lines(node, notes), ["by Ben"], "seed {seed}, {node:?}");
        }
    }
}

/// A peer is told that it agrees with another one on the notes when it agrees on the staff as well.
#[test]
fn agreement_covers_the_staff() {
    let mut world = World::new(1);
    let (ana, ben) = (world.node("ana"), world.node("ben"));
    let staff = world.found_open(ana);
    let notes = world.found_governed(ana, staff);
    world.write_many(ana, staff, 3000);
    world.write_line(ana, notes, "first").unwrap();
    world.bandwidth = 100_000;
    world.knows(ben, ana, notes);
    let agrees_on = |replica| move |event: &Event| matches!(event, Event::InSync { replica: on, .. } if *on == replica);
    world.run_until(12 * SOON, "they agree", |world| world.told_after(ben, Duration::ZERO, agrees_on(notes)).is_some());
    let [on_staff, on_notes] = [staff, notes].map(|one| world.told_after(ben, Duration::ZERO, agrees_on(one)).unwrap());
    assert!(on_staff <= on_notes, "{on_staff:?} {on_notes:?}");
}
