//! Registers.

use hhs_model::class::{Action, Draft};

use crate::history::{Room, World, payload, text};

fn name(room: &Room) -> Option<&str> {
    room.name.get().map(String::as_str)
}

/// Ana names the room, Ben has seen that and renames it: Ben's name counts, whatever the ids are.
#[test]
fn a_write_that_has_seen_the_value_replaces_it() {
    let mut world = World::new(2);
    for round in 0..20 {
        let (writer, reader) = (round % 2, (round + 1) % 2);
        world.edit(writer, |room| room.name.set(round.to_string()));
        world.pull(reader, writer);
        assert_eq!(name(world.room(reader)), Some(round.to_string().as_str()));
    }
}

/// Ana and Ben set names without having seen each other's; Ana wrote more before hers, so that hers stands higher.
#[test]
fn of_concurrent_writes_the_greater_height_wins() {
    let mut world = World::new(2);
    world.edit(0, |room| room.messages.append("first".into()));
    world.edit(0, |room| room.name.set("Ana's".into()));
    world.edit(1, |room| room.name.set("Ben's".into()));
    world.pull_all();
    assert_eq!(name(world.room(0)), Some("Ana's"));
    assert_eq!(name(world.room(1)), Some("Ana's"));
}

/// Two names at the same height: the op with the greater id wins on both sides, and the loser's side is told.
#[test]
fn of_concurrent_writes_at_the_same_height_the_greater_id_wins() {
    let mut world = World::new(2);
    let ana = world.edit(0, |room| room.name.set("Ana's".into())).clone();
    let ben = world.edit(1, |room| room.name.set("Ben's".into())).clone();
    let (winner, loser) = if ana.id() > ben.id() { (ana, ben) } else { (ben, ana) };

    let changes = world.replicas[loser.author].clone().apply(&winner).expect("the op has a meaning");
    assert!(matches!(&changes[0].action, Action::Set { old: Some(_), new: Some(_) }));
    let changes = world.replicas[winner.author].clone().apply(&loser).expect("the op has a meaning");
    assert!(changes.is_empty(), "who has the winner sees no change");

    world.pull_all();
    assert_eq!(world.room(0), world.room(1));
}

/// An app sets a name twice before it saves: only the last is written.
#[test]
fn an_edit_writes_the_last_value_only() {
    let mut world = World::new(1);
    let op = world.edit(0, |room| {
        room.name.set("draft".into());
        room.name.set("final".into());
    });
    assert_eq!(op.draft, payload([("name", vec![text("final")])]));
    assert_eq!(name(world.room(0)), Some("final"));
}

/// A peer's op sets a name twice, which is allowed: the last one in the op counts.
#[test]
fn within_an_op_the_last_value_wins() {
    let mut world = World::new(1);
    world.write(0, payload([("name", vec![text("one"), text("two")])]));
    assert_eq!(name(world.room(0)), Some("two"));
}

/// Nothing was set yet; an op that does nothing (a merge) does not change that.
#[test]
fn a_register_begins_without_value() {
    let mut world = World::new(1);
    world.write(0, Draft::default());
    assert_eq!(name(world.room(0)), None);
    assert_eq!(world.room(0).name.position(), None);
}
