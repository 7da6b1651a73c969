//! Random histories of texts with marks: several authors write, delete, mark and unmark without each other, take back what they
//! did, and have it withdrawn.

use std::collections::BTreeMap;

use hhs_crdt::{Expand, Replica, Text};
use hhs_model::class::{Action, Change};
use hhs_model::codec::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::{Definition, Styles};
use crate::harness::{History, Local, deliveries};

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Page")]
pub(super) struct Page {
    pub(super) text: Text,
}

const AUTHORS: usize = 4;
const EXPANDS: [Expand; 4] = [Expand::Neither, Expand::End, Expand::Start, Expand::Both];

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Edit { author: usize, writes: Vec<Write> },
    Void { author: usize, op: usize },
    Undo { author: usize, op: usize },
    Restart { author: usize },
}

#[derive(Debug, Clone)]
enum Write {
    Insert {
        at: usize,
        count: u8,
    },
    Delete {
        at: usize,
        count: usize,
    },
    /// Without a value it takes away.
    Mark {
        at: usize,
        count: usize,
        name: u8,
        value: Option<u8>,
        expand: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        5 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        10 => (author(), vec(write(), 1..4)).prop_map(|(author, writes)| Step::Edit { author, writes }),
        1 => (author(), 0..30_usize).prop_map(|(author, op)| Step::Void { author, op }),
        2 => (author(), 0..30_usize).prop_map(|(author, op)| Step::Undo { author, op }),
        1 => author().prop_map(|author| Step::Restart { author }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    let at = || 0..12_usize;
    let value = proptest::option::weighted(0.75, 0..3_u8);
    prop_oneof![
        3 => (at(), 1..4_u8).prop_map(|(at, count)| Write::Insert { at, count }),
        2 => (at(), 1..4_usize).prop_map(|(at, count)| Write::Delete { at, count }),
        4 => (at(), 1..8_usize, 0..2_u8, value, 0..EXPANDS.len())
            .prop_map(|(at, count, name, value, expand)| Write::Mark { at, count, name, value, expand }),
    ]
}

/// A history, each character in it one of a kind; all begin with the same eight.
fn history(steps: &[Step]) -> History<Page> {
    let (mut history, mut next) = (History::new(AUTHORS), 0x4e00);
    edit(&mut history, 0, &[Write::Insert { at: 0, count: 8 }], &mut next);
    history.pull_all();
    for step in steps {
        match step {
            Step::Pull { to, from } => history.pull(*to, *from),
            Step::Edit { author, writes } => edit(&mut history, *author, writes, &mut next),
            Step::Void { author, op } => drop(history.void(*author, [op % history.ops.len()]).id()),
            Step::Undo { author, op } => {
                let op = op % history.ops.len();
                if stands(&history, *author, op) {
                    history.undo(*author, op);
                }
            }
            Step::Restart { author } => history.replicas[*author].save_and_load(),
        }
    }
    history
}

fn edit(history: &mut History<Page>, author: usize, writes: &[Write], next: &mut u32) {
    history.edit(author, |page| {
        for write in writes {
            match *write {
                Write::Insert { at, count } => {
                    let chars = *next..*next + u32::from(count);
                    *next = chars.end;
                    let text: String = chars.map(|char| char::from_u32(char).expect("a character")).collect();
                    page.text.insert(at, &text);
                }
                Write::Delete { at, count } => page.text.delete(at..at + count),
                Write::Mark { at, count, name, value, expand } => {
                    let value = value.map(|value| Value::from(u64::from(value)));
                    page.text.mark(at..at + count, &name.to_string(), value, EXPANDS[expand]);
                }
            }
        }
    });
}

/// Whether an author has an op that writes something and is not void for them.
fn stands(history: &History<Page>, author: usize, op: usize) -> bool {
    let ops = &history.replicas[author].ops;
    ops.iter().any(|known| known.number == op && known.draft.payload.is_some())
        && !ops.iter().any(|known| known.voids.contains(&op))
}

pub(crate) fn styles(text: &Text) -> Styles {
    let mut styles: Styles = text.chars().map(|char| (char, BTreeMap::new())).collect();
    let mut end = 0;
    for span in text.spans() {
        assert!(end <= span.range.start && !span.range.is_empty() && !span.marks.is_empty());
        end = span.range.end;
        styles[span.range].iter_mut().for_each(|(_, marks)| *marks = span.marks.clone());
    }
    styles
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Two replicas get the ops in different orders, one of them by way of checkpoints: every character has the marks that the
    /// definition gives it.
    #[test]
    fn every_causal_order_gives_the_marks_of_the_definition(
        steps in vec(step(), 1..30),
        deliveries in deliveries(),
    ) {
        let history = history(&steps);
        let [one, two] = history.delivered(&deliveries);
        prop_assert_eq!(&one, &two);
        let expected = Definition::of(&history.ops, &[]).styles();
        prop_assert_eq!(styles(&one.text), &expected[..]);
        prop_assert_eq!(styles(&two.text), expected);
    }

    /// At every moment every author sees the marks that the definition gives to what they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in vec(step(), 1..30)) {
        for replica in &history(&steps).replicas {
            prop_assert_eq!(styles(&replica.state.text), Definition::of(&replica.ops, &[]).styles());
        }
    }

    /// Whoever hears of changes alone knows the marks of every character, whatever becomes void meanwhile.
    #[test]
    fn changes_tell_every_difference(steps in vec(step(), 1..30), picks in vec(0..1000_usize, 1..40)) {
        let history = history(&steps);
        let (mut page, mut view) = (Local::<Page>::new(), Styles::new());
        for op in history.causal_order(&picks) {
            let changes = page.apply(op).expect("it means something");
            changes.iter().for_each(|change| follow(&mut view, change));
            prop_assert_eq!(&view, &styles(&page.state.text));
        }
    }

    /// Somebody takes an op back: the text and its marks are what they were if it were void, whatever others did since. Taking
    /// that back does it again.
    #[test]
    fn undo_and_redo(steps in vec(step(), 1..30), author in 0..AUTHORS, pick in any::<prop::sample::Index>()) {
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Undo { .. })).collect();
        let mut history = history(&steps);
        let able: Vec<usize> = (0..history.ops.len()).filter(|op| stands(&history, author, *op)).collect();
        if able.is_empty() {
            return Ok(());
        }
        let op = able[pick.index(able.len())];
        let known = history.replicas[author].ops.clone();
        let undone = history.undo(author, op).number;
        prop_assert_eq!(styles(&history.state(author).text), Definition::of(&known, &[op]).styles());
        if history.ops[undone].draft.payload.is_some() {
            history.undo(author, undone);
            prop_assert_eq!(styles(&history.state(author).text), Definition::of(&known, &[]).styles());
        }
    }

    /// Somebody marks a stretch and types at both ends of it: what is typed is marked as the mark says, in a text with a history of
    /// its own.
    #[test]
    fn what_is_typed_at_the_ends(
        steps in vec(step(), 1..20),
        author in 0..AUTHORS,
        (from, count) in (0..10_usize, 1..6_usize),
        expand in 0..EXPANDS.len(),
    ) {
        let mut history = history(&steps);
        let len = history.state(author).text.len();
        if len == 0 {
            return Ok(());
        }
        let (from, expand) = (from % len, EXPANDS[expand]);
        let to = (from + count).min(len);
        let on = Some(Value::Bool(true));
        history.edit(author, |page| page.text.mark(from..to, "mark", on.clone(), expand));
        history.edit(author, |page| {
            page.text.insert(to, "e");
            page.text.insert(from, "s");
        });
        let marked: Vec<bool> =
            styles(&history.state(author).text).iter().map(|(_, marks)| marks.contains_key("mark")).collect();
        let start = if matches!(expand, Expand::Start | Expand::Both) { from } else { from + 1 };
        let end = if matches!(expand, Expand::End | Expand::Both) { to + 2 } else { to + 1 };
        let expected: Vec<bool> = (0..len + 2).map(|at| (start..end).contains(&at)).collect();
        prop_assert_eq!(marked, expected);
    }
}

pub(crate) fn follow(view: &mut Styles, change: &Change) {
    match &change.action {
        Action::Edited { at, deleted, inserted } => {
            let (at, deleted) = (*at as usize, *deleted as usize);
            view.splice(at..at + deleted, inserted.chars().map(|char| (char, BTreeMap::new())));
        }
        Action::Marked { from, to, name, value } => {
            for (_, marks) in &mut view[*from as usize..*to as usize] {
                match value {
                    Some(value) => _ = marks.insert(name.clone(), value.clone()),
                    None => _ = marks.remove(name),
                }
            }
        }
        action => panic!("a text has no change such as {action:?}"),
    }
}
