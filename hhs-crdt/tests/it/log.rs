//! Logs.

use hhs_crdt::{At, Field, Log};
use hhs_model::class::{Changes, NoRights, OpContext, Unseen};
use hhs_model::history::{Graph, SharedPositions};

use crate::history::{World, identity, op_id};

fn messages(world: &World, author: usize) -> Vec<&str> {
    world.room(author).messages.iter().map(|entry| entry.value.as_str()).collect()
}

/// Ana and Ben talk, each reading the other before answering: the order is that of the conversation.
#[test]
fn an_answer_stands_after_what_it_answers() {
    let mut world = World::new(2);
    let said: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
    for (number, line) in said.iter().enumerate() {
        world.edit(number % 2, |room| room.messages.append(line.clone()));
        world.pull((number + 1) % 2, number % 2);
    }
    assert_eq!(messages(&world, 0), said);
}

/// Both write offline. Each one's lines stay in their order, nothing is lost, and both read the same afterwards.
#[test]
fn concurrent_entries_stand_in_one_order_everywhere() {
    let mut world = World::new(2);
    for number in 0..5 {
        world.edit(0, |room| room.messages.append(format!("ana {number}")));
        world.edit(1, |room| room.messages.append(format!("ben {number}")));
    }
    world.pull_all();
    assert_eq!(messages(&world, 0), messages(&world, 1));
    assert_eq!(world.room(0).messages.len(), 10);
    for name in ["ana", "ben"] {
        let own: Vec<&str> = messages(&world, 0).into_iter().filter(|line| line.starts_with(name)).collect();
        assert!(own.is_sorted() && own.len() == 5);
    }
}

/// Several entries of one op stand together in the order in which they were appended.
#[test]
fn entries_of_one_op_stand_together() {
    let mut world = World::new(2);
    world.edit(0, |room| ["a", "b", "c"].into_iter().for_each(|line| room.messages.append(line.into())));
    world.edit(1, |room| room.messages.append("between".into()));
    world.pull_all();
    let together = messages(&world, 0).join(" ");
    assert!(together.contains("a b c"), "{together}");
    let first = world.room(0).messages.iter().find(|entry| entry.value == "c").expect("it is there");
    assert_eq!((first.op, first.index, first.author), (op_id(0), 2, identity(0)));
}

/// A screen shows the last lines of a long log.
#[test]
fn the_last_entries_are_read_from_the_end() {
    let mut world = World::new(1);
    for number in 0..10 {
        world.edit(0, |room| room.messages.append(number.to_string()));
    }
    let log = &world.room(0).messages;
    let last = |count| log.last(count).map(|entry| entry.value.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(last(0), "");
    assert_eq!(last(3), "7 8 9");
    assert_eq!(last(100), "0 1 2 3 4 5 6 7 8 9");
    let backwards: Vec<&str> = log.last(2).rev().map(|entry| entry.value.as_str()).collect();
    assert_eq!(backwards, ["9", "8"]);
}

/// Many branches come one behind the other, so that most entries come late: all stand by their positions, and a part is read as it is.
#[test]
fn thousands_of_entries_that_come_late() {
    const ENTRIES: u64 = 5_000;
    // In an order that looks random, each height once.
    let heights: Vec<u64> = (0..ENTRIES).map(|number| number * 2_741 % ENTRIES).collect();
    let (mut log, mut graph) = (Log::<u64>::default(), Graph::new());
    heights.into_iter().for_each(|height| append(&mut log, &mut graph, height, &[]));
    assert!(log.iter().map(|entry| *entry.value).eq(0..ENTRIES));
    for count in [0, 1, 300, 511, 512, 513, 1_024, 4_999, 5_000] {
        assert!(log.last(count).map(|entry| *entry.value).eq(ENTRIES - count as u64..ENTRIES));
        assert!(log.last(count).rev().map(|entry| *entry.value).eq((ENTRIES - count as u64..ENTRIES).rev()));
    }
}

/// A long log stays cheap to append to and to read at its end.
#[test]
fn a_log_of_hundreds_of_thousands_of_entries_is_ordinary() {
    const ENTRIES: u64 = 300_000;
    let (mut log, mut graph) = (Log::<u64>::default(), Graph::new());
    for height in 0..ENTRIES {
        let parents: Vec<u64> = height.checked_sub(1).into_iter().collect();
        append(&mut log, &mut graph, height, &parents);
    }
    assert_eq!(log.len() as u64, ENTRIES);
    for _ in 0..1000 {
        assert_eq!(log.last(10).next().map(|entry| *entry.value), Some(ENTRIES - 10));
    }
}

/// An op of a height appends that.
fn append(log: &mut Log<u64>, graph: &mut Graph, height: u64, parents: &[u64]) {
    let (position, hidden) = (graph.push(parents), SharedPositions::default());
    let op = OpContext {
        id: op_id(0),
        position,
        height,
        author: identity(0),
        time: 0,
        act: None,
        graph,
        hidden: &hidden,
        rights: &NoRights,
        unseen: Unseen::default(),
    };
    log.apply(height, At { op: &op, index: 0 }, &mut Changes::unwatched());
}
