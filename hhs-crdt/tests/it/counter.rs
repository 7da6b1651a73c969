//! Counters, registers that keep conflicts, and sets that only grow.

use hhs_crdt::{Counter, GrowSet, MultiRegister, Register, Replica, Set};
use hhs_model::class::Action;

use crate::harness::{History, Local};
use crate::history::payload;

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Poll")]
struct Poll {
    votes: Counter,
    mood: MultiRegister<String>,
    title: Register<String>,
    voters: GrowSet<String>,
    tags: Set<String>,
}

type World = History<Poll>;

fn moods(world: &World, author: usize) -> Vec<&str> {
    world.state(author).mood.get_all().map(String::as_str).collect()
}

/// Both vote at once: both votes count, and what is taken away is.
#[test]
fn what_is_added_concurrently_all_counts() {
    let mut world = World::new(2);
    world.edit(0, |poll| poll.votes.add(5));
    world.edit(1, |poll| poll.votes.decrement());
    world.pull_all();
    assert!((0..2).all(|author| world.state(author).votes.get() == 4));
}

/// What one edit adds is written once, and not at all if it is nothing.
#[test]
fn an_edit_adds_once() {
    let mut world = World::new(1);
    let op = world.edit(0, |poll| (0..1000).for_each(|_| poll.votes.increment()));
    assert_eq!(op.draft, payload([("votes", vec![1000_u64.into()])]));
    let op = world.edit(0, |poll| {
        poll.votes.add(3);
        poll.votes.add(-3);
    });
    assert!(op.draft.is_empty());
}

/// Two sums of more than 64 bits: nothing wraps, whatever comes first, and what is taken away again is right.
#[test]
fn a_sum_beyond_64_bits_does_not_wrap() {
    let mut world = World::new(2);
    for author in 0..2 {
        world.edit(author, |poll| poll.votes.add(i64::MAX));
    }
    world.pull_all();
    let votes = &world.state(0).votes;
    assert_eq!((votes.get(), votes.sum()), (i64::MAX, 2 * i128::from(i64::MAX)));
    world.replicas[0].save_and_load();
    world.edit(0, |poll| {
        poll.votes.add(i64::MIN);
        poll.votes.add(i64::MIN);
    });
    assert_eq!(world.state(0).votes.get(), -2);
}

/// Undo takes back what was added, however much others have added since, and the least number too; undoing that adds it again.
#[test]
fn undoing_an_addition_takes_it_back() {
    for addend in [7, i64::MIN] {
        let mut world = World::new(2);
        let added = world.edit(0, |poll| poll.votes.add(addend)).number;
        world.pull_all();
        world.edit(1, |poll| poll.votes.add(1));
        world.pull_all();
        let undone = world.undo(0, added).number;
        assert_eq!(world.state(0).votes.get(), 1);
        world.undo(0, undone);
        assert_eq!(world.state(0).votes.sum(), i128::from(addend) + 1);
    }
}

/// Ana and Ben say different things at once: both stand, in one order everywhere, until somebody who has seen both settles it.
#[test]
fn concurrent_values_stand_until_they_are_settled() {
    let mut world = World::new(3);
    world.edit(0, |poll| poll.mood.set("good".into()));
    world.pull_all();
    world.edit(0, |poll| poll.mood.set("bad".into()));
    world.edit(1, |poll| poll.mood.set("better".into()));
    world.pull_all();
    assert!(world.state(0).mood.is_in_conflict());
    assert_eq!(moods(&world, 0), moods(&world, 1));
    assert_eq!(moods(&world, 0).len(), 2);
    assert_eq!(world.state(0).mood.get().map(String::as_str), moods(&world, 0).last().copied());

    let settled = world.edit(2, |poll| poll.mood.set("mixed".into())).clone();
    let changes = world.replicas[0].clone().apply(&settled).expect("the op has a meaning");
    assert!(matches!(&changes[0].action, Action::Values { old, new } if old.len() == 2 && new.len() == 1));
    world.pull_all();
    assert!((0..3).all(|author| moods(&world, author) == ["mixed"]));
}

/// A write that has seen one of two values replaces that one.
#[test]
fn a_write_replaces_what_it_has_seen() {
    let mut world = World::new(3);
    world.edit(0, |poll| poll.mood.set("a".into()));
    world.edit(1, |poll| poll.mood.set("b".into()));
    world.pull(2, 0);
    world.edit(2, |poll| poll.mood.set("c".into()));
    world.pull_all();
    let mut standing = moods(&world, 0);
    standing.sort_unstable();
    assert_eq!(standing, ["b", "c"]);
}

/// Undo sets what stood before, as long as the own value stands.
#[test]
fn undoing_a_value_sets_the_one_before() {
    let mut world = World::new(2);
    world.edit(0, |poll| {
        poll.mood.set("before".into());
        poll.title.set("before".into());
    });
    let set = |poll: &mut PollEdit<'_>| {
        poll.mood.set("after".into());
        poll.title.set("after".into());
    };
    let number = world.edit(0, set).number;
    let undone = world.undo(0, number).number;
    let shown = |world: &World| (world.state(0).mood.get().cloned(), world.state(0).title.get().cloned());
    assert_eq!(shown(&world), (Some("before".into()), Some("before".into())));
    world.undo(0, undone);
    assert_eq!(shown(&world), (Some("after".into()), Some("after".into())));
    world.edit(0, |poll| {
        poll.mood.set("other".into());
        poll.title.set("other".into());
    });
    assert!(world.undo(0, number).draft.is_empty(), "nothing of it stands");
}

/// What is in is in: adding again writes nothing, and only a withdrawn op takes its element along.
#[test]
fn a_set_that_grows_keeps_everything() {
    let mut world = World::new(2);
    let first = world.edit(0, |poll| poll.voters.insert("Ana".into())).clone();
    assert!(world.edit(0, |poll| poll.voters.insert("Ana".into())).draft.is_empty());
    let same = world.edit(1, |poll| poll.voters.insert("Ana".into())).number;
    let lost = world.edit(1, |poll| poll.voters.insert("Eve".into())).number;
    world.pull_all();
    let mut replica = Local::<Poll>::new();
    assert_eq!(replica.apply(&first).map(|changes| changes.len()), Ok(1));
    assert!(world.state(0).voters.iter().eq(["Ana", "Eve"]));
    world.void(0, [same, lost]);
    world.pull_all();
    assert!((0..2).all(|author| world.state(author).voters.iter().eq(["Ana"])));
    assert!(world.state(0).voters.contains("Ana") && !world.state(0).voters.contains("Eve"));
}

/// Undo of a set: what was put in goes, what was taken out comes back, unless somebody else has put it in or out since.
#[test]
fn undoing_what_was_done_to_a_set() {
    let mut world = World::new(2);
    world.edit(0, |poll| poll.tags.insert("old".into()));
    let number = world.edit(0, |poll| {
        poll.tags.insert("new".into());
        poll.tags.remove(&"old".into());
    });
    let number = number.number;
    let undone = world.undo(0, number).number;
    assert!(world.state(0).tags.iter().eq(["old"]));
    world.undo(0, undone);
    assert!(world.state(0).tags.iter().eq(["new"]));
    world.pull_all();
    world.edit(1, |poll| poll.tags.insert("new".into()));
    world.pull_all();
    world.undo(0, number);
    assert!(world.state(0).tags.iter().eq(["new", "old"]), "what Ben put in stays");
}

/// An op puts in what is in, and takes out what is not: taking that back does nothing.
#[test]
fn undoing_what_changed_nothing_in_a_set() {
    let mut world = World::new(1);
    world.edit(0, |poll| poll.tags.insert("old".into()));
    let op = world.edit(0, |poll| {
        poll.tags.insert("old".into());
        poll.tags.insert("new".into());
        poll.tags.remove(&"new".into());
    });
    let op = op.number;
    assert!(world.undo(0, op).draft.is_empty());
    assert!(world.state(0).tags.iter().eq(["old"]));
}

/// A tag is added a thousand times: it takes the room of one, and one remove takes it out.
#[test]
fn adding_again_takes_no_room() {
    let mut world = World::new(1);
    let size = |world: &World| {
        let mut saver = hhs_model::class::Saver::new();
        world.state(0).save(&mut saver);
        saver.finish().len()
    };
    world.edit(0, |poll| poll.tags.insert("red".into()));
    let one = size(&world);
    for _ in 0..1000 {
        world.edit(0, |poll| poll.tags.insert("red".into()));
    }
    assert!(size(&world) <= one + 8, "a position may be longer");
    world.edit(0, |poll| poll.tags.remove(&"red".into()));
    assert!(world.state(0).tags.is_empty());
}
