//! Maps, and the structs of fields in them.

use hhs_crdt::{Counter, Field, Map, Register, Replica, Set};
use hhs_model::class::{Action, Change, PathSegment};
use hhs_model::codec::Value;

use crate::harness::{History, Local};
use crate::history::{map, payload, text};

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Board")]
struct Board {
    tasks: Map<String, Task>,
    shelves: Map<String, Map<String, Counter>>,
}

#[derive(Field, Debug, Clone, PartialEq)]
struct Task {
    name: Register<String>,
    done: Register<bool>,
    labels: Set<String>,
    votes: Counter,
}

type World = History<Board>;

fn begin(authors: usize) -> World {
    let mut world = World::new(authors);
    world.edit(0, |board| {
        let task = board.tasks.at("milk".into());
        task.name.set("buy milk".into());
        task.labels.insert("home".into());
        task.votes.add(2);
    });
    world.pull_all();
    world
}

fn task<'w>(world: &'w World, author: usize, key: &str) -> Option<&'w Task> {
    world.state(author).tasks.get(key)
}

fn name(task: Option<&Task>) -> Option<&str> {
    task.and_then(|task| task.name.get()).map(String::as_str)
}

/// Ana ticks a task off while Ben renames it: both changes meet in one entry.
#[test]
fn edits_of_one_entry_meet_in_it() {
    let mut world = begin(2);
    world.edit(0, |board| board.tasks.at("milk".into()).done.set(true));
    world.edit(1, |board| board.tasks.at("milk".into()).name.set("buy two milks".into()));
    world.pull_all();
    let milk = task(&world, 0, "milk");
    assert_eq!((name(milk), milk.and_then(|task| task.done.get())), (Some("buy two milks"), Some(&true)));
    assert_eq!(world.state(0), world.state(1));
}

/// Ana and Ben each begin an entry under the same key, offline: it is one entry with the content of both.
#[test]
fn an_entry_that_two_begin_is_one_entry() {
    let mut world = World::new(2);
    for author in 0..2 {
        world.edit(author, |board| {
            let task = board.tasks.at("tea".into());
            task.votes.add(1);
            task.labels.insert(format!("by {author}"));
        });
    }
    world.pull_all();
    let tea = task(&world, 0, "tea").expect("it is in");
    assert_eq!((tea.votes.get(), tea.labels.len(), world.state(0).tasks.len()), (2, 2, 1));
}

/// Ana removes a task while Ben, who does not know, ticks it off. It stays, and with all that it held: not as a task without a name.
#[test]
fn a_concurrent_edit_keeps_the_whole_entry() {
    let mut world = begin(2);
    world.edit(0, |board| board.tasks.remove(&"milk".into()));
    world.edit(1, |board| board.tasks.at("milk".into()).done.set(true));
    assert!(task(&world, 0, "milk").is_none());
    world.pull_all();
    for author in 0..2 {
        let milk = task(&world, author, "milk").expect("it is in");
        assert_eq!((name(Some(milk)), milk.done.get(), milk.votes.get()), (Some("buy milk"), Some(&true), 2));
    }
    // Ana goes on with what she sees, and ends it once she has seen all.
    world.edit(0, |board| board.tasks.at("milk".into()).votes.increment());
    assert_eq!((name(task(&world, 0, "milk")), world.state(0).tasks.len()), (Some("buy milk"), 1));
    world.edit(0, |board| board.tasks.remove(&"milk".into()));
    world.pull_all();
    assert!((0..2).all(|author| world.state(author).tasks.is_empty()));
}

/// A task is removed, and a new one begun under its key: nothing of the old one is in it.
#[test]
fn what_begins_after_a_remove_begins_empty() {
    let mut world = begin(2);
    world.edit(0, |board| board.tasks.remove(&"milk".into()));
    world.pull_all();
    // Both begin it anew, offline.
    world.edit(0, |board| board.tasks.at("milk".into()).votes.add(1));
    world.edit(1, |board| board.tasks.at("milk".into()).votes.add(1));
    world.pull_all();
    let milk = task(&world, 1, "milk").expect("it is in");
    assert_eq!((name(Some(milk)), milk.labels.len(), milk.votes.get()), (None, 0, 2));
}

/// Within one edit an app ends an entry and begins it anew.
#[test]
fn an_edit_can_begin_an_entry_anew() {
    let mut world = begin(1);
    let op = world.edit(0, |board| {
        board.tasks.at("milk".into()).votes.add(100);
        board.tasks.remove(&"milk".into());
        board.tasks.at("milk".into()).name.set("other milk".into());
    });
    let other = map([("do", map([("name", text("other milk"))])), ("key", text("milk")), ("life", Value::from(1_u64))]);
    let expected = payload([("tasks", vec![map([("remove", text("milk"))]), map([("at", other)])])]);
    assert_eq!(op.draft, expected);
    let milk = task(&world, 0, "milk").expect("it is in");
    assert_eq!((name(Some(milk)), milk.votes.get(), milk.labels.len()), (Some("other milk"), 0, 0));
}

/// Ana begins an entry anew while Ben, who has not seen that it was removed, writes to the old one: the new one is shown. Once
/// it is removed by somebody who knows of it alone, what Ben kept is shown.
#[test]
fn of_two_lives_the_newer_is_shown() {
    let mut world = begin(3);
    world.edit(0, |board| board.tasks.remove(&"milk".into()));
    world.edit(0, |board| board.tasks.at("milk".into()).name.set("new".into()));
    world.edit(1, |board| board.tasks.at("milk".into()).done.set(true));
    world.pull(2, 0);
    world.edit(2, |board| board.tasks.remove(&"milk".into()));
    world.pull(1, 0);
    assert_eq!(name(task(&world, 1, "milk")), Some("new"));
    world.pull_all();
    for author in 0..3 {
        assert_eq!(name(task(&world, author, "milk")), Some("buy milk"));
    }
}

/// A liar names a life that nobody can know of, so that no newer one could follow: it has no effect. The highest that it can
/// name leaves room above it.
#[test]
fn a_life_that_nobody_can_know_of_has_no_effect() {
    for (life, shown) in [(u64::MAX, "buy milk"), (3 * 65_536, "buy milk"), (2 * 65_536, "mine")] {
        let mut world = begin(2);
        let lie = map([("do", map([("name", text("mine"))])), ("key", text("milk")), ("life", Value::from(life))]);
        world.write(1, payload([("tasks", vec![map([("at", lie)])])]));
        world.pull_all();
        assert_eq!(name(task(&world, 0, "milk")), Some(shown), "{life}");
        world.edit(0, |board| board.tasks.remove(&"milk".into()));
        assert!(world.state(0).tasks.is_empty());
        world.edit(0, |board| board.tasks.at("milk".into()).name.set("ours".into()));
        world.pull_all();
        assert_eq!(name(task(&world, 1, "milk")), Some("ours"), "{life}");
    }
}

/// A shelf can stand empty, and a map in a map is a map.
#[test]
fn maps_nest() {
    let mut world = World::new(2);
    world.edit(0, |board| board.shelves.insert("left".into()));
    assert!(world.state(0).shelves.get("left").is_some_and(Map::is_empty));
    world.pull_all();
    for author in 0..2 {
        world.edit(author, |board| board.shelves.at("left".into()).at("plates".into()).add(3));
    }
    world.edit(0, |board| board.shelves.at("left".into()).at("cups".into()).decrement());
    world.pull_all();
    let left = world.state(1).shelves.get("left").expect("it is in");
    let contents: Vec<_> = left.iter().map(|(key, count)| (key.as_str(), count.get())).collect();
    assert_eq!(contents, [("cups", -1), ("plates", 6)]);
}

/// An op that was void from the start, or became so, has no part in an entry; its remove did not happen.
#[test]
fn what_a_withdrawn_op_did_to_an_entry_is_gone() {
    let mut world = begin(2);
    let removed = world.edit(0, |board| board.tasks.remove(&"milk".into())).number;
    let began = world.edit(0, |board| board.tasks.at("tea".into()).votes.add(1)).number;
    let voted = world.edit(0, |board| board.tasks.at("rice".into()).votes.add(1)).number;
    world.edit(1, |board| board.tasks.at("rice".into()).name.set("rice".into()));
    world.void(1, [removed, began, voted]);
    world.pull_all();
    for author in 0..2 {
        let keys: Vec<_> = world.state(author).tasks.keys().map(String::as_str).collect();
        assert_eq!(keys, ["milk", "rice"]);
        assert_eq!(name(task(&world, author, "milk")), Some("buy milk"));
        assert_eq!(task(&world, author, "rice").map(|task| task.votes.get()), Some(0));
    }
}

/// Undoing a remove brings the entry back as it was, with what others wrote to it since; undoing that removes it again.
#[test]
fn undoing_a_remove_brings_the_content_back() {
    let mut world = begin(2);
    let removed = world.edit(0, |board| board.tasks.remove(&"milk".into())).number;
    let undone = world.undo(0, removed).number;
    let milk = task(&world, 0, "milk").expect("it is in");
    assert_eq!((name(Some(milk)), milk.votes.get(), milk.labels.contains("home")), (Some("buy milk"), 2, true));
    world.undo(0, undone);
    assert!(task(&world, 0, "milk").is_none());
}

/// Undoing what began an entry removes it, unless somebody else has written to it since: then only the own part goes.
#[test]
fn undoing_what_began_an_entry_removes_it() {
    let begin = |board: &mut BoardEdit<'_>| {
        board.tasks.at("tea".into()).name.set("tea".into());
        board.tasks.at("tea".into()).votes.add(5);
    };
    let mut world = World::new(2);
    let began = world.edit(0, begin).number;
    world.undo(0, began);
    assert!(world.state(0).tasks.is_empty());

    let mut world = World::new(2);
    let began = world.edit(0, begin).number;
    world.pull_all();
    world.edit(1, |board| board.tasks.at("tea".into()).votes.add(1));
    world.pull_all();
    world.undo(0, began);
    assert_eq!(task(&world, 0, "tea").map(|task| task.votes.get()), Some(1));
}

/// Undoing an edit of an entry undoes that edit alone.
#[test]
fn undoing_an_edit_of_an_entry_leaves_the_rest() {
    let mut world = begin(1);
    let edited = world.edit(0, |board| {
        let task = board.tasks.at("milk".into());
        task.name.set("other".into());
        task.labels.remove(&"home".into());
        task.votes.add(-5);
    });
    let edited = edited.number;
    let undone = world.undo(0, edited).number;
    let milk = task(&world, 0, "milk").expect("it is in");
    assert_eq!((name(Some(milk)), milk.labels.contains("home"), milk.votes.get()), (Some("buy milk"), true, 2));
    world.undo(0, undone);
    let milk = task(&world, 0, "milk").expect("it is in");
    assert_eq!((name(Some(milk)), milk.labels.contains("home"), milk.votes.get()), (Some("other"), false, -3));
}

/// Who listens hears of an entry's end and beginning, and of what changes in it, with the way there.
#[test]
fn changes_in_entries_have_their_path() {
    let mut world = World::new(1);
    let began = world.edit(0, |board| board.tasks.at("milk".into()).votes.add(1)).clone();
    let voted = world.edit(0, |board| board.tasks.at("milk".into()).votes.add(2)).clone();
    let removed = world.edit(0, |board| board.tasks.remove(&"milk".into())).clone();
    let mut replica = Local::<Board>::new();
    let mut changes = |op| -> Vec<(Vec<PathSegment>, Action)> {
        let changes: Vec<Change> = replica.apply(op).expect("the op has a meaning");
        changes.into_iter().map(|change| (change.path, change.action)).collect()
    };
    let tasks = PathSegment::Field("tasks");
    let votes = vec![tasks.clone(), PathSegment::Key("milk".into()), PathSegment::Field("votes")];
    let tasks = vec![tasks];
    let added = (tasks.clone(), Action::Added { value: "milk".into() });
    assert_eq!(changes(&began), [added, (votes.clone(), Action::Counted { old: 0, new: 1 })]);
    assert_eq!(changes(&voted), [(votes, Action::Counted { old: 1, new: 3 })]);
    assert_eq!(changes(&removed), [(tasks, Action::Removed { value: "milk".into() })]);
}

/// Edits that write nothing make nothing: neither an entry that is only looked at, nor one that is begun and given up.
#[test]
fn looking_into_an_entry_writes_nothing() {
    let mut world = begin(1);
    let op = world.edit(0, |board| {
        let _looked_at = board.tasks.at("tea".into());
        board.tasks.at("rice".into()).votes.add(1);
        board.tasks.remove(&"rice".into());
        board.tasks.remove(&"nothing".into());
    });
    assert!(op.draft.is_empty());
}
