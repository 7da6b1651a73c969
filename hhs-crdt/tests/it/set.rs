//! Observed-remove sets.

use hhs_model::class::Action;

use crate::history::{World, add, empty, payload, remove};

fn tags(world: &World, author: usize) -> Vec<&str> {
    world.room(author).tags.iter().map(String::as_str).collect()
}

/// Ana removes a tag while Ben, who has not seen that, adds it again: it stays.
#[test]
fn adding_wins_over_a_concurrent_remove() {
    let mut world = World::new(2);
    world.edit(0, |room| room.tags.insert("red".into()));
    world.pull(1, 0);
    world.edit(0, |room| room.tags.remove(&"red".into()));
    world.edit(1, |room| room.tags.insert("red".into()));
    assert!(tags(&world, 0).is_empty());
    world.pull_all();
    assert_eq!(tags(&world, 0), ["red"]);
    assert_eq!(world.room(0), world.room(1));
}

/// Ben removes what Ana and Cy have each added, having seen both: it is gone, and can be added again.
#[test]
fn a_remove_takes_every_add_it_has_seen() {
    let mut world = World::new(3);
    world.edit(0, |room| room.tags.insert("red".into()));
    world.edit(2, |room| room.tags.insert("red".into()));
    world.pull(1, 0);
    world.pull(1, 2);
    world.edit(1, |room| room.tags.remove(&"red".into()));
    world.pull_all();
    assert!((0..3).all(|author| tags(&world, author).is_empty()));

    world.edit(0, |room| room.tags.insert("red".into()));
    world.pull_all();
    assert!((0..3).all(|author| tags(&world, author) == ["red"]));
}

/// Both remove the same tag: it is gone once, and who removed it first is told nothing of the second.
#[test]
fn removing_twice_is_removing_once() {
    let mut world = World::new(2);
    world.edit(0, |room| room.tags.insert("red".into()));
    world.pull(1, 0);
    world.edit(0, |room| room.tags.remove(&"red".into()));
    let second = world.edit(1, |room| room.tags.remove(&"red".into())).clone();
    assert!(world.replicas[0].clone().apply(&second).expect("the op has a meaning").is_empty());
}

/// A remove counts for what is in its past, and for nothing that its author could not know of.
#[test]
fn a_remove_of_what_was_never_seen_does_nothing() {
    let mut world = World::new(2);
    world.edit(0, |room| room.tags.insert("red".into()));
    world.write(1, payload([("tags", vec![remove("red")])]));
    world.pull_all();
    assert!((0..2).all(|author| tags(&world, author) == ["red"]));
}

/// Within one op mutations count in their order: an add and its remove leave nothing, a remove and an add leave the element.
#[test]
fn within_an_op_the_last_mutation_of_an_element_counts() {
    let mut world = World::new(1);
    world.write(0, payload([("tags", vec![add("out"), remove("out"), remove("in"), add("in")])]));
    world.write(0, payload([("tags", vec![add("back"), remove("back"), add("back")])]));
    assert_eq!(tags(&world, 0), ["back", "in"]);
}

/// An app changes its mind before it saves.
#[test]
fn an_edit_can_take_back_what_it_put_in() {
    let mut world = World::new(1);
    world.edit(0, |room| room.tags.insert("red".into()));
    world.edit(0, |room| {
        room.tags.insert("blue".into());
        room.tags.remove(&"blue".into());
        room.tags.remove(&"red".into());
        room.tags.insert("red".into());
    });
    assert_eq!(tags(&world, 0), ["red"]);
}

/// Removing what is not in writes nothing at all.
#[test]
fn removing_what_is_not_in_is_no_op() {
    let mut world = World::new(1);
    let op = world.edit(0, |room| room.tags.remove(&"red".into()));
    assert!(op.draft.is_empty());
}

/// A second add of an element changes nothing that can be seen, and is not reported.
#[test]
fn adding_twice_is_reported_once() {
    let mut world = World::new(2);
    let first = world.edit(0, |room| room.tags.insert("red".into())).clone();
    let second = world.edit(1, |room| room.tags.insert("red".into())).clone();
    let mut room = empty();
    let changes = room.apply(&first).expect("the op has a meaning");
    assert!(matches!(&changes[..], [change] if matches!(change.action, Action::Added { .. })));
    assert!(room.apply(&second).expect("the op has a meaning").is_empty());
    assert_eq!(room.state.tags.len(), 1);
}
