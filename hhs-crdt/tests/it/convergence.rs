//! Random histories of honest authors and liars, delivered in random causal orders: every order gives the state that the
//! definition gives.

use std::collections::BTreeSet;

use hhs_model::class::{Action, Change, Changes, Draft};
use hhs_model::codec::Value;
use hhs_model::op::{Act, Capability};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::harness::{TestOp, identity};
use crate::history::{World, add, empty, payload, remove, text};
use crate::reference::Reading;

const AUTHORS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Edit { author: usize, writes: Vec<Write> },
    Raw { author: usize, tags: Vec<Raw>, names: Vec<u8> },
    Grant { author: usize, to: usize, paint: bool },
    Garbage { author: usize, to: Option<usize> },
    Merge { author: usize },
}

#[derive(Debug, Clone)]
enum Write {
    Name(u8),
    Insert(u8),
    Remove(u8),
    Append(u8),
}

/// Mutations of the set that no honest author would write: they remove what is not in, or was added by the same op.
#[derive(Debug, Clone)]
enum Raw {
    Add(u8),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        4 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        6 => (author(), vec(write(), 1..4)).prop_map(|(author, writes)| Step::Edit { author, writes }),
        3 => (author(), vec(raw(), 1..4), vec(0..3_u8, 1..3))
            .prop_map(|(author, tags, names)| Step::Raw { author, tags, names }),
        1 => (author(), author(), any::<bool>()).prop_map(|(author, to, paint)| Step::Grant { author, to, paint }),
        1 => (author(), option::of(author())).prop_map(|(author, to)| Step::Garbage { author, to }),
        1 => author().prop_map(|author| Step::Merge { author }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        any::<u8>().prop_map(Write::Name),
        (0..3_u8).prop_map(Write::Insert),
        (0..3_u8).prop_map(Write::Remove),
        any::<u8>().prop_map(Write::Append),
    ]
}

fn raw() -> impl Strategy<Value = Raw> {
    prop_oneof![(0..3_u8).prop_map(Raw::Add), (0..3_u8).prop_map(Raw::Remove),]
}

fn world(steps: &[Step]) -> World {
    let mut world = World::new(AUTHORS);
    for step in steps {
        match step {
            Step::Pull { to, from } => world.pull(*to, *from),
            Step::Edit { author, writes } => edit(&mut world, *author, writes),
            Step::Raw { author, tags, names } => {
                let tags = tags.iter().map(|raw| match raw {
                    Raw::Add(element) => add(&element.to_string()),
                    Raw::Remove(element) => remove(&element.to_string()),
                });
                let names = names.iter().map(|name| text(&name.to_string()));
                world.write(*author, payload([("tags", tags.collect()), ("name", names.collect())]));
            }
            Step::Grant { author, to, paint } => {
                let capability = if *paint { "paint".parse().expect("a name") } else { Capability::write() };
                let to = identity(*to);
                world.edit(*author, |room| room.members.grant_capabilities(to, [capability]));
            }
            Step::Garbage { author, to } => {
                let act = to.map(|to| Act::Grant { to: identity(to), can: [Capability::write()].into() });
                world.write(*author, Draft { act, payload: Some(vec![0x01]), ..Draft::default() });
            }
            Step::Merge { author } => {
                world.write(*author, Draft::default());
            }
        }
    }
    world
}

fn edit(world: &mut World, author: usize, writes: &[Write]) {
    world.edit(author, |room| {
        for write in writes {
            match write {
                Write::Name(name) => room.name.set(name.to_string()),
                Write::Insert(element) => room.tags.insert(element.to_string()),
                Write::Remove(element) => room.tags.remove(&element.to_string()),
                Write::Append(entry) => room.messages.append(entry.to_string()),
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Two replicas get the ops of a history in different orders, and one of them without anybody listening: they are equal
    /// in every respect, and show what the definition says.
    #[test]
    fn every_causal_order_gives_the_state_of_the_definition(
        steps in vec(step(), 1..40),
        some in vec(0..1000_usize, 1..60),
        other in vec(0..1000_usize, 1..60),
    ) {
        let world = world(&steps);
        let (mut one, mut two) = (empty(), empty());
        for op in world.causal_order(&some) {
            let _void = one.apply(op);
        }
        for op in world.causal_order(&other) {
            let _void = two.apply_with(op, &mut Changes::unwatched());
        }
        prop_assert_eq!(&one.state, &two.state);
        prop_assert_eq!(Reading::of(&one.state), Reading::by_definition(&world.ops));
    }

    /// At every moment every author sees what the definition says of the ops that they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in vec(step(), 1..40)) {
        let world = world(&steps);
        for replica in &world.replicas {
            let known: Vec<TestOp> = replica.known().iter().map(|number| world.ops[*number].clone()).collect();
            prop_assert_eq!(Reading::of(&replica.state), Reading::by_definition(&known));
        }
    }

    /// A view that follows the changes alone ends up with what the replica shows.
    #[test]
    fn changes_tell_every_difference(steps in vec(step(), 1..40), picks in vec(0..1000_usize, 1..60)) {
        let world = world(&steps);
        let (mut room, mut view) = (empty(), View::default());
        for op in world.causal_order(&picks) {
            for change in room.apply(op).unwrap_or_default() {
                prop_assert_eq!(change.op, op.id());
                view.follow(&change);
            }
            prop_assert_eq!(view.name.as_ref(), room.state.name.get());
            prop_assert_eq!(&view.tags, &room.state.tags.iter().cloned().collect::<BTreeSet<_>>());
            let mut messages: Vec<&String> = room.state.messages.iter().map(|entry| entry.value).collect();
            messages.sort();
            view.messages.sort();
            prop_assert_eq!(view.messages.iter().collect::<Vec<_>>(), messages);
        }
    }
}

#[derive(Debug, Default)]
struct View {
    name: Option<String>,
    tags: BTreeSet<String>,
    messages: Vec<String>,
}

impl View {
    fn follow(&mut self, change: &Change) {
        let text = |value: &Value| value.to::<String>().expect("a text");
        match (change.field().expect("a field"), &change.action) {
            ("name", Action::Set { old, new }) => {
                assert_eq!(old.as_ref().map(text), self.name);
                self.name = new.as_ref().map(text);
            }
            ("tags", Action::Added { value }) => assert!(self.tags.insert(text(value)), "it was not there"),
            ("tags", Action::Removed { value }) => assert!(self.tags.remove(&text(value)), "it was there"),
            ("messages", Action::Inserted { value }) => self.messages.push(text(value)),
            ("members", Action::Granted { .. }) => {}
            (field, action) => panic!("{field} has no change such as {action:?}"),
        }
    }
}
