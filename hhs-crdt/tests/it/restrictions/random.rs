//! Random histories of authors who write what they may and what they may not: an op that breaks one rule has no effect at all.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::codec::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Rules, World};
use crate::harness::{Local, TestOp, identity};
use crate::history::{add, map, payload, text};

const AUTHORS: usize = 3;
const COLORS: [&str; 3] = ["red", "green", "pink"];

#[derive(Debug, Clone)]
enum Step {
    Pull(usize, usize),
    Write(usize, Vec<Write>),
    Void(usize, usize),
}

#[derive(Debug, Clone, Copy)]
enum Write {
    Color(usize),
    Picture(u8),
    Diary(u8),
    /// About an author.
    Profile(usize),
    Size(u8, u64),
    CardColor(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    let write = prop_oneof![
        (0..COLORS.len()).prop_map(Write::Color),
        any::<u8>().prop_map(Write::Picture),
        any::<u8>().prop_map(Write::Diary),
        author().prop_map(Write::Profile),
        (0..2_u8, 8..13_u64).prop_map(|(card, size)| Write::Size(card, size)),
        (0..2_u8, any::<u8>()).prop_map(|(card, color)| Write::CardColor(card, color)),
    ];
    prop_oneof![
        3 => (author(), author()).prop_map(|(to, from)| Step::Pull(to, from)),
        6 => (author(), vec(write, 1..3)).prop_map(|(author, writes)| Step::Write(author, writes)),
        1 => (author(), 0..20_usize).prop_map(|(author, op)| Step::Void(author, op)),
    ]
}

/// A history, and what each op says.
fn play(steps: &[Step]) -> (World, BTreeMap<usize, Vec<Write>>) {
    let (mut world, mut says) = (World::new(AUTHORS), BTreeMap::new());
    for step in steps {
        match step {
            Step::Pull(to, from) => world.pull(*to, *from),
            Step::Write(author, writes) => {
                let field = |pick: fn(Write) -> Option<Value>| writes.iter().filter_map(|write| pick(*write)).collect();
                let fields: [(&str, Vec<Value>); 5] = [
                    ("colors", field(|write| matches_color(write).map(add))),
                    (
                        "picture",
                        field(|write| if let Write::Picture(value) = write { Some(number(value)) } else { None }),
                    ),
                    ("diary", field(|write| if let Write::Diary(value) = write { Some(number(value)) } else { None })),
                    ("profiles", field(|write| if let Write::Profile(of) = write { Some(about(of)) } else { None })),
                    ("cards", field(card)),
                ];
                let all = fields.into_iter().filter(|(_, list)| !list.is_empty());
                let all = all.map(|(name, list)| (name.to_owned(), Value::List(list))).collect();
                let mut draft = payload([]);
                draft.payload = Some(crate::history::bytes(&Value::Map(all)));
                let number = world.write(*author, draft).number;
                says.insert(number, writes.clone());
            }
            Step::Void(author, op) => {
                if *op < world.ops.len() {
                    world.void(*author, [*op]);
                }
            }
        }
    }
    (world, says)
}

fn matches_color(write: Write) -> Option<&'static str> {
    if let Write::Color(color) = write { Some(COLORS[color]) } else { None }
}

fn number(value: u8) -> Value {
    text(&value.to_string())
}

fn about(author: usize) -> Value {
    add(&identity(author).to_string())
}

fn card(write: Write) -> Option<Value> {
    let (key, says) = match write {
        Write::Size(key, size) => (key, map([("size", Value::from(size))])),
        Write::CardColor(key, color) => (key, map([("color", number(color))])),
        _ => return None,
    };
    Some(map([("at", map([("do", says), ("key", text(&key.to_string()))]))]))
}

/// The rules, as the attributes of the class say them: author 0 holds everything, author 1 `paint`.
fn may(author: usize, write: Write) -> bool {
    match write {
        Write::Color(color) => COLORS[color] != "pink",
        Write::Picture(_) | Write::CardColor(..) => author < 2,
        Write::Diary(_) => author == 0,
        Write::Profile(of) => of == author,
        Write::Size(_, size) => size <= 10,
    }
}

/// What can be read.
type Reading =
    (BTreeSet<String>, Option<String>, Vec<String>, BTreeSet<String>, Vec<(String, Option<u64>, Option<String>)>);

fn reading(rules: &Rules) -> Reading {
    let cards = rules.cards.iter();
    (
        rules.colors.iter().cloned().collect(),
        rules.picture.get().cloned(),
        rules.diary.iter().map(|entry| entry.value.clone()).collect(),
        rules.profiles.iter().cloned().collect(),
        cards.map(|(key, card)| (key.clone(), card.size.get().copied(), card.color.get().cloned())).collect(),
    )
}

fn by_definition(ops: &[TestOp], says: &BTreeMap<usize, Vec<Write>>) -> Reading {
    let voids: BTreeSet<usize> = ops.iter().flat_map(|op| &op.voids).copied().collect();
    let mut reading = Reading::default();
    let mut cards: BTreeMap<String, (Option<u64>, Option<String>)> = BTreeMap::new();
    let mut effective: Vec<(u64, OpId, &TestOp)> = ops.iter().map(|op| (op.height, op.id(), op)).collect();
    effective.retain(|(_, _, op)| {
        !voids.contains(&op.number)
            && says.get(&op.number).is_some_and(|writes| writes.iter().all(|write| may(op.author, *write)))
    });
    effective.sort_by_key(|(height, id, _)| (*height, *id));
    for write in effective.into_iter().flat_map(|(_, _, op)| &says[&op.number]) {
        match *write {
            Write::Color(color) => _ = reading.0.insert(COLORS[color].to_owned()),
            Write::Picture(value) => reading.1 = Some(value.to_string()),
            Write::Diary(value) => reading.2.push(value.to_string()),
            Write::Profile(of) => _ = reading.3.insert(identity(of).to_string()),
            Write::Size(key, size) => cards.entry(key.to_string()).or_default().0 = Some(size),
            Write::CardColor(key, color) => cards.entry(key.to_string()).or_default().1 = Some(color.to_string()),
        }
    }
    reading.4 = cards.into_iter().map(|(key, (size, color))| (key, size, color)).collect();
    reading
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Everybody, in whatever order the ops come, shows what the ops say that break no rule, and nothing of the others.
    #[test]
    fn what_breaks_a_rule_has_no_effect(steps in vec(step(), 1..30), picks in vec(0..1000_usize, 1..40)) {
        let (world, says) = play(&steps);
        for replica in &world.replicas {
            prop_assert_eq!(reading(&replica.state), by_definition(&replica.ops, &says));
        }
        let mut local = Local::<Rules>::new();
        for (number, op) in world.causal_order(&picks).into_iter().enumerate() {
            let writes = says.get(&op.number);
            let allowed = writes.is_none_or(|writes| writes.iter().all(|write| may(op.author, *write)));
            prop_assert_eq!(local.apply(op).is_ok(), allowed);
            if number % 5 == 4 {
                local.save_and_load();
            }
        }
        prop_assert_eq!(reading(&local.state), by_definition(&world.ops, &says));
    }
}
