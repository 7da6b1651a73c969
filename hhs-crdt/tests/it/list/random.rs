//! Random histories of lists, with ops that become void, delivered in random orders, with checkpoints in between.

use hhs_crdt::ElementId;
use hhs_model::class::{Action, Change, PathSegment};
use hhs_model::codec::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Lists, reference};
use crate::harness::{History, Local, TestOp, deliveries};

const AUTHORS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Edit { author: usize, writes: Vec<Write> },
    Void { author: usize, op: usize },
    Undo { author: usize, op: usize },
}

#[derive(Debug, Clone)]
enum Write {
    Insert(usize, String),
    Remove(usize),
    Move(usize, usize),
    Set(usize, String),
    Name(usize, String),
    Unname(usize),
    Row(usize),
    Cell(usize, usize, String),
    MoveRow(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        4 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        8 => (author(), vec(write(), 1..4)).prop_map(|(author, writes)| Step::Edit { author, writes }),
        1 => (author(), 0..40_usize).prop_map(|(author, op)| Step::Void { author, op }),
        1 => (author(), 0..40_usize).prop_map(|(author, op)| Step::Undo { author, op }),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    let (at, value) = (|| 0..8_usize, || "[a-f]");
    prop_oneof![
        4 => (at(), value()).prop_map(|(at, value)| Write::Insert(at, value)),
        2 => at().prop_map(Write::Remove),
        2 => (at(), at()).prop_map(|(from, to)| Write::Move(from, to)),
        1 => (at(), value()).prop_map(|(at, value)| Write::Set(at, value)),
        4 => (at(), value()).prop_map(|(at, value)| Write::Name(at, value)),
        2 => at().prop_map(Write::Unname),
        1 => at().prop_map(Write::Row),
        2 => (at(), at(), value()).prop_map(|(row, at, value)| Write::Cell(row, at, value)),
        1 => (at(), at()).prop_map(|(from, to)| Write::MoveRow(from, to)),
    ]
}

fn history(steps: &[Step]) -> History<Lists> {
    let mut history = History::new(AUTHORS);
    let insert = |at: usize| [Write::Insert(at, at.to_string()), Write::Name(at, at.to_string())];
    edit(&mut history, 0, &(0..4).flat_map(insert).collect::<Vec<_>>());
    history.pull_all();
    for step in steps {
        match step {
            Step::Pull { to, from } => history.pull(*to, *from),
            Step::Edit { author, writes } => edit(&mut history, *author, writes),
            Step::Void { author, op } => {
                let op = op % history.ops.len();
                history.void(*author, [op]);
            }
            Step::Undo { author, op } => {
                let op = op % history.ops.len();
                let known = history.replicas[*author].known().contains(&op);
                if known && history.ops[op].draft.payload.is_some() {
                    history.undo(*author, op);
                }
            }
        }
    }
    history
}

fn edit(history: &mut History<Lists>, author: usize, writes: &[Write]) {
    history.edit(author, |lists| {
        for write in writes.iter().cloned() {
            match write {
                Write::Insert(at, value) => lists.words.insert(at, value),
                Write::Remove(at) => drop(lists.words.remove(at)),
                Write::Move(from, to) => drop(lists.words.move_to(from, to)),
                Write::Set(at, value) => drop(lists.words.set(at, value)),
                Write::Name(at, value) => lists.names.insert(at, value),
                Write::Unname(at) => drop(lists.names.remove_at(at)),
                Write::Row(at) => lists.tables.insert_with(at, |row| row.push("new".into())),
                Write::Cell(row, at, value) => drop(lists.tables.at(row, |row| row.insert(at, value))),
                Write::MoveRow(from, to) => drop(lists.tables.move_to(from, to)),
            }
        }
    });
}

fn keys(lists: &Lists) -> Vec<String> {
    let key = |ElementId { op, index, number }| format!("{op}/{index}/{number}");
    (0..lists.words.len()).filter_map(|at| lists.words.id_at(at)).map(key).collect()
}

fn same_as_by_definition(lists: &Lists, ops: &[TestOp]) -> Result<(), TestCaseError> {
    prop_assert_eq!(keys(lists), reference::words(ops));
    prop_assert_eq!(lists.names.iter().cloned().collect::<Vec<_>>(), reference::names(ops));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Two replicas get the ops in different orders, one of them by way of checkpoints: they show the same, and what the
    /// definition says.
    #[test]
    fn every_causal_order_gives_the_lists_of_the_definition(
        steps in vec(step(), 1..30),
        deliveries in deliveries(),
    ) {
        let history = history(&steps);
        let [one, two] = history.delivered(&deliveries);
        prop_assert_eq!(&one, &two);
        same_as_by_definition(&one, &history.ops)?;
    }

    /// At every moment every author sees what the definition says of the ops that they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in vec(step(), 1..30)) {
        let history = history(&steps);
        for replica in &history.replicas {
            same_as_by_definition(&replica.state, &replica.ops)?;
        }
    }

    /// A view that follows the changes alone shows what the replica shows.
    #[test]
    fn changes_tell_every_difference(steps in vec(step(), 1..30), picks in vec(0..1000_usize, 1..40)) {
        let history = history(&steps);
        let (mut local, mut view) = (Local::<Lists>::new(), View::default());
        for op in history.causal_order(&picks) {
            for change in local.apply(op).expect("it means something") {
                view.follow(&change);
            }
            let words: Vec<Option<String>> = local.state.words.values().map(Option::<&String>::cloned).collect();
            prop_assert_eq!(&view.words, &words);
            let names: Vec<Option<String>> = local.state.names.iter().cloned().map(Some).collect();
            prop_assert_eq!(&view.names, &names);
        }
    }
}

#[derive(Debug, Default)]
struct View {
    words: Vec<Option<String>>,
    names: Vec<Option<String>>,
}

impl View {
    fn follow(&mut self, change: &Change) {
        let list = match change.field().expect("a field") {
            "words" => &mut self.words,
            "names" => &mut self.names,
            _ => return,
        };
        match (&change.action, change.path.get(1)) {
            (Action::ListInserted { at, count }, None) => {
                let (at, count) = (*at as usize, *count as usize);
                list.splice(at..at, vec![None; count]);
            }
            (Action::ListRemoved { at, count }, None) => {
                list.drain(*at as usize..(at + count) as usize);
            }
            (Action::Moved { from, to }, None) => {
                let item = list.remove(*from as usize);
                list.insert(*to as usize, item);
            }
            (Action::Set { old, new }, Some(PathSegment::Index(at))) => {
                let text = |value: &Value| value.to().expect("a text");
                assert_eq!(list[*at as usize], old.as_ref().map(text));
                list[*at as usize] = new.as_ref().map(text);
            }
            (action, _) => panic!("a list has no change such as {action:?}"),
        }
    }
}
