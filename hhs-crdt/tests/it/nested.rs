//! Lists and texts in maps, lists and structs: what an op does to several of them, and several times to one, means the same inside
//! as outside, can be told, and can be taken back.

pub(crate) mod reference;
pub(crate) mod show;

use std::ops::Range;

use hhs_crdt::{Field, List, Map, Register, Replica, Text, UniqueList};
use hhs_model::codec::Value;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::{History, Local, deliveries};
use reference::{Definition, Shape};
use show::View;

#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Nested")]
struct Nested {
    lists: Map<u8, List<Register<u8>>>,
    pages: List<Page>,
    books: Map<u8, List<Text>>,
    grid: List<List<Register<u8>>>,
    names: Map<u8, UniqueList<u8>>,
}

#[derive(Field, Debug, Clone, PartialEq)]
struct Page {
    title: Register<u8>,
    text: Text,
    rows: List<Register<u8>>,
}

const SHAPE: [(&str, Shape); 5] = [
    ("lists", Shape::Map(&Shape::List(&Shape::Register))),
    ("pages", Shape::List(&Shape::Struct(&PAGE))),
    ("books", Shape::Map(&Shape::List(&Shape::Text))),
    ("grid", Shape::List(&Shape::List(&Shape::Register))),
    ("names", Shape::Map(&Shape::Unique)),
];
static PAGE: [(&str, Shape); 3] =
    [("title", Shape::Register), ("text", Shape::Text), ("rows", Shape::List(&Shape::Register))];

const AUTHORS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Pull { to: usize, from: usize },
    Edit { author: usize, writes: Vec<Write> },
    Void { author: usize, op: usize },
    Undo { author: usize, op: usize },
    Restart { author: usize },
}

#[derive(Debug, Clone, Copy)]
enum Write {
    List(u8, InList),
    Page(usize, u8),
    DropPage(usize),
    MovePage(usize, usize),
    Title(usize, u8),
    PageText(usize, InText),
    Row(usize, InList),
    Line(u8, usize),
    LineText(u8, usize, InText),
    DropLine(u8, usize),
    MoveLine(u8, usize, usize),
    GridRow(usize),
    Cell(usize, InList),
    MoveGridRow(usize, usize),
    Name(u8, usize, u8),
    Unname(u8, usize),
    /// Ends entries of all maps under this key.
    DropKey(u8),
}

#[derive(Debug, Clone, Copy)]
enum InList {
    Insert(usize, u8),
    Remove(usize),
    Move(usize, usize),
    Set(usize, u8),
}

/// Where, how many characters go, how many come.
#[derive(Debug, Clone, Copy)]
struct InText(usize, usize, u8);

/// So many steps, in all fields or in one of them, where they meet more often.
fn steps(count: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    (0..FIELDS + 3).prop_flat_map(move |field| vec(step(field), count.clone()))
}

fn step(field: usize) -> impl Strategy<Value = Step> {
    let author = || 0..AUTHORS;
    prop_oneof![
        4 => (author(), author()).prop_map(|(to, from)| Step::Pull { to, from }),
        8 => (author(), vec(write(field), 1..5)).prop_map(|(author, writes)| Step::Edit { author, writes }),
        2 => (author(), 0..30_usize).prop_map(|(author, op)| Step::Void { author, op }),
        1 => (author(), 0..30_usize).prop_map(|(author, op)| Step::Undo { author, op }),
        1 => author().prop_map(|author| Step::Restart { author }),
    ]
}

const FIELDS: usize = 5;

/// In one field, or in any for a number that none has.
fn write(field: usize) -> BoxedStrategy<Write> {
    let (at, key) = (|| 0..4_usize, || 0..2_u8);
    match field {
        0 => (key(), in_list()).prop_map(|(key, write)| Write::List(key, write)).boxed(),
        1 => prop_oneof![
            2 => (at(), in_text()).prop_map(|(at, write)| Write::PageText(at, write)),
            2 => (at(), in_list()).prop_map(|(at, write)| Write::Row(at, write)),
            1 => at().prop_map(Write::DropPage),
            1 => (at(), at()).prop_map(|(from, to)| Write::MovePage(from, to)),
        ]
        .boxed(),
        2 => prop_oneof![
            1 => (key(), at()).prop_map(|(key, at)| Write::Line(key, at)),
            4 => (key(), at(), in_text()).prop_map(|(key, at, write)| Write::LineText(key, at, write)),
            1 => (key(), at()).prop_map(|(key, at)| Write::DropLine(key, at)),
            1 => (key(), at(), at()).prop_map(|(key, from, to)| Write::MoveLine(key, from, to)),
        ]
        .boxed(),
        3 => prop_oneof![
            1 => at().prop_map(Write::GridRow),
            4 => (at(), in_list()).prop_map(|(at, write)| Write::Cell(at, write)),
            1 => (at(), at()).prop_map(|(from, to)| Write::MoveGridRow(from, to)),
        ]
        .boxed(),
        4 => prop_oneof![
            2 => (key(), at(), 0..4_u8).prop_map(|(key, at, name)| Write::Name(key, at, name)),
            1 => (key(), at()).prop_map(|(key, at)| Write::Unname(key, at)),
        ]
        .boxed(),
        _ => write_anywhere().boxed(),
    }
}

fn write_anywhere() -> impl Strategy<Value = Write> {
    let (at, key) = (|| 0..4_usize, || 0..2_u8);
    prop_oneof![
        4 => (key(), in_list()).prop_map(|(key, write)| Write::List(key, write)),
        2 => (at(), any::<u8>()).prop_map(|(at, title)| Write::Page(at, title)),
        1 => at().prop_map(Write::DropPage),
        1 => (at(), at()).prop_map(|(from, to)| Write::MovePage(from, to)),
        1 => (at(), any::<u8>()).prop_map(|(at, title)| Write::Title(at, title)),
        2 => (at(), in_text()).prop_map(|(at, write)| Write::PageText(at, write)),
        2 => (at(), in_list()).prop_map(|(at, write)| Write::Row(at, write)),
        2 => (key(), at()).prop_map(|(key, at)| Write::Line(key, at)),
        3 => (key(), at(), in_text()).prop_map(|(key, at, write)| Write::LineText(key, at, write)),
        1 => (key(), at()).prop_map(|(key, at)| Write::DropLine(key, at)),
        1 => (key(), at(), at()).prop_map(|(key, from, to)| Write::MoveLine(key, from, to)),
        1 => at().prop_map(Write::GridRow),
        3 => (at(), in_list()).prop_map(|(at, write)| Write::Cell(at, write)),
        1 => (at(), at()).prop_map(|(from, to)| Write::MoveGridRow(from, to)),
        2 => (key(), at(), 0..4_u8).prop_map(|(key, at, name)| Write::Name(key, at, name)),
        1 => (key(), at()).prop_map(|(key, at)| Write::Unname(key, at)),
        1 => key().prop_map(Write::DropKey),
    ]
}

fn in_list() -> impl Strategy<Value = InList> {
    let at = || 0..4_usize;
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, value)| InList::Insert(at, value)),
        2 => at().prop_map(InList::Remove),
        1 => (at(), at()).prop_map(|(from, to)| InList::Move(from, to)),
        1 => (at(), any::<u8>()).prop_map(|(at, value)| InList::Set(at, value)),
    ]
}

fn in_text() -> impl Strategy<Value = InText> {
    (0..6_usize, 0..3_usize, 0..4_u8).prop_map(|(at, delete, insert)| InText(at, delete, insert))
}

/// A history, each character in it one of a kind.
#[derive(Debug)]
struct Play {
    history: History<Nested>,
    next: u32,
}

impl Play {
    /// All begin with something in every field.
    fn of(steps: &[Step]) -> Self {
        let mut play = Self { history: History::new(AUTHORS), next: 0x4e00 };
        let insert = |at| InList::Insert(at, at as u8);
        let mut begin =
            vec![Write::Page(0, 1), Write::PageText(0, InText(0, 0, 5)), Write::Line(0, 0), Write::GridRow(0)];
        begin.push(Write::LineText(0, 0, InText(0, 0, 3)));
        for at in 0..3 {
            begin.extend([Write::List(0, insert(at)), Write::Row(0, insert(at)), Write::Cell(0, insert(at))]);
            begin.push(Write::Name(0, at, at as u8));
        }
        play.edit(0, &begin);
        play.history.pull_all();
        steps.iter().for_each(|step| play.take(step));
        play
    }

    fn take(&mut self, step: &Step) {
        let history = &mut self.history;
        match step {
            Step::Pull { to, from } => history.pull(*to, *from),
            Step::Edit { author, writes } => drop(self.edit(*author, writes)),
            Step::Void { author, op } => drop(history.void(*author, [op % history.ops.len()]).id()),
            Step::Undo { author, op } => {
                let op = op % history.ops.len();
                let known = history.replicas[*author].known().contains(&op);
                if known && history.ops[op].draft.payload.is_some() {
                    history.undo(*author, op);
                }
            }
            Step::Restart { author } => history.replicas[*author].save_and_load(),
        }
    }

    /// Returns the number of the op.
    fn edit(&mut self, author: usize, writes: &[Write]) -> usize {
        let next = &mut self.next;
        self.history.edit(author, |edit| writes.iter().for_each(|write| apply(edit, *write, next))).number
    }

    fn shown(&self, author: usize) -> Value {
        show::nested(self.history.state(author))
    }
}

fn apply(edit: &mut NestedEdit<'_>, write: Write, next: &mut u32) {
    match write {
        Write::List(key, write) => in_this_list(edit.lists.at(key), write),
        Write::Page(at, title) => edit.pages.insert_with(at, |page| page.title.set(title)),
        Write::DropPage(at) => drop(edit.pages.remove(at)),
        Write::MovePage(from, to) => drop(edit.pages.move_to(from, to)),
        Write::Title(at, title) => drop(edit.pages.at(at, |page| page.title.set(title))),
        Write::PageText(at, write) => drop(edit.pages.at(at, |page| in_this_text(&mut page.text, write, next))),
        Write::Row(at, write) => drop(edit.pages.at(at, |page| in_this_list(&mut page.rows, write))),
        Write::Line(key, at) => edit.books.at(key).insert_with(at, |text| in_this_text(text, InText(0, 0, 3), next)),
        Write::LineText(key, at, write) => {
            edit.books.at(key).at(at, |text| in_this_text(text, write, next));
        }
        Write::DropLine(key, at) => drop(edit.books.at(key).remove(at)),
        Write::MoveLine(key, from, to) => drop(edit.books.at(key).move_to(from, to)),
        Write::GridRow(at) => edit.grid.insert_with(at, |row| row.push(0)),
        Write::Cell(at, write) => drop(edit.grid.at(at, |row| in_this_list(row, write))),
        Write::MoveGridRow(from, to) => drop(edit.grid.move_to(from, to)),
        Write::Name(key, at, name) => edit.names.at(key).insert(at, name),
        Write::Unname(key, at) => drop(edit.names.at(key).remove_at(at)),
        Write::DropKey(key) => {
            edit.lists.remove(&key);
            edit.books.remove(&key);
            edit.names.remove(&key);
        }
    }
}

fn in_this_list(list: &mut hhs_crdt::ListEdit<'_, Register<u8>>, write: InList) {
    match write {
        InList::Insert(at, value) => list.insert(at, value),
        InList::Remove(at) => drop(list.remove(at)),
        InList::Move(from, to) => drop(list.move_to(from, to)),
        InList::Set(at, value) => drop(list.set(at, value)),
    }
}

fn in_this_text(text: &mut hhs_crdt::TextEdit<'_>, InText(at, delete, insert): InText, next: &mut u32) {
    let chars = *next..*next + u32::from(insert);
    *next = chars.end;
    let chars: String = chars.map(|char| char::from_u32(char).expect("a character")).collect();
    text.splice(at, delete, &chars);
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Two replicas get the ops in different orders, one of them by way of checkpoints: they show the same, and what the definition
    /// says.
    #[test]
    fn every_causal_order_gives_the_state_of_the_definition(
        steps in steps(1..25),
        deliveries in deliveries(),
    ) {
        let Play { history, .. } = Play::of(&steps);
        let [one, two] = history.delivered(&deliveries);
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(show::nested(&one), Definition::of(&history.ops, None).read(&SHAPE));
    }

    /// At every moment every author sees what the definition says of the ops that they have.
    #[test]
    fn what_an_author_sees_is_the_definition_of_what_they_have(steps in steps(1..25)) {
        for replica in &Play::of(&steps).history.replicas {
            prop_assert_eq!(show::nested(&replica.state), Definition::of(&replica.ops, None).read(&SHAPE));
        }
    }

    /// A view that follows the changes alone shows what the replica shows, whatever becomes void meanwhile.
    #[test]
    fn changes_tell_every_difference(steps in steps(1..25), picks in vec(0..1000_usize, 1..40)) {
        let Play { history, .. } = Play::of(&steps);
        let (mut local, mut view) = (Local::<Nested>::new(), View::default());
        for op in history.causal_order(&picks) {
            for change in local.apply(op).expect("it means something") {
                view.follow(&change);
            }
            prop_assert_eq!(view.read(&SHAPE), show::nested(&local.state));
        }
    }

    /// An op says many things, in many places and several times in one. It is taken back: all is as if it had never been, what was
    /// written after it included. Taking that back does it again.
    #[test]
    fn undo_and_redo(
        (before, writes, after) in (0..FIELDS + 3).prop_flat_map(|field| {
            let after = vec((0..AUTHORS, vec(write(field), 1..4)), 0..4);
            (vec(step(field), 1..12), vec(write(field), 1..8), after)
        }),
    ) {
        let mut play = Play::of(&before);
        play.history.pull_all();
        let op = play.edit(0, &writes);
        if play.history.ops[op].draft.payload.is_none() {
            return Ok(());
        }
        for (author, writes) in after {
            play.history.pull_all();
            // What is put out again afterwards, or in again, is no longer as if the op had never been.
            let calm = |write: &&Write| !matches!(write, Write::DropKey(_) | Write::Name(..) | Write::Unname(..));
            play.edit(author, &writes.iter().filter(calm).copied().collect::<Vec<_>>());
        }
        play.history.pull_all();
        let with = play.shown(0);
        let without = Definition::of(&play.history.replicas[0].ops, Some(op)).read(&SHAPE);
        let undone = play.history.undo(0, op).number;
        prop_assert_eq!(play.shown(0), without);
        if play.history.ops[undone].draft.payload.is_some() {
            play.history.undo(0, undone);
            prop_assert_eq!(play.shown(0), with);
        }
    }
}

/// Ana removes three lines next to each other and moves two others, in a list in a map. She takes it back: all stand where they stood.
#[test]
fn several_places_of_a_nested_list_are_taken_back() {
    let mut history = History::<Nested>::new(1);
    history.edit(0, |edit| (0..7).for_each(|value| edit.lists.at(1).push(value)));
    let shown = |history: &History<Nested>| -> Vec<u8> {
        history.state(0).lists.get(&1).map(|list| list.values().flatten().copied().collect()).unwrap_or_default()
    };
    let op = history.edit(0, |edit| {
        let list = edit.lists.at(1);
        (0..3).for_each(|_| assert!(list.remove(1)));
        assert!(list.move_to(0, 3));
        assert!(list.move_to(2, 0));
        list.insert(1, 9);
        list.set(2, 44);
    });
    let op = op.number;
    assert_eq!(shown(&history), [6, 9, 44, 5, 0]);
    let undone = history.undo(0, op).number;
    assert_eq!(shown(&history), [0, 1, 2, 3, 4, 5, 6]);
    history.undo(0, undone);
    assert_eq!(shown(&history), [6, 9, 44, 5, 0]);
}

/// An op ends an entry and begins it anew. It is taken back: the entry is what it was.
#[test]
fn an_entry_that_was_begun_anew_is_what_it_was() {
    let mut history = History::<Nested>::new(1);
    history.edit(0, |edit| edit.lists.at(1).push(1));
    let op = history.edit(0, |edit| {
        edit.lists.remove(&1);
        edit.lists.at(1).push(2);
    });
    let op = op.number;
    let undone = history.undo(0, op).number;
    let shown = |history: &History<Nested>| history.state(0).lists.get(&1).map(|list| format!("{list:?}"));
    assert!(shown(&history).is_some_and(|list| list.contains("1)")), "{:?}", shown(&history));
    history.undo(0, undone);
    assert!(shown(&history).is_some_and(|list| list.contains("2)")), "{:?}", shown(&history));
}

/// Ana writes something in front, everywhere; Ben sees it and writes behind it. Hers becomes void: his stands where he meant it.
#[test]
fn positions_inside_mean_what_their_author_saw() {
    let mut play = Play::of(&[]);
    let front = [
        Write::List(0, InList::Insert(0, 9)),
        Write::PageText(0, InText(0, 0, 3)),
        Write::Row(0, InList::Insert(0, 9)),
        Write::LineText(0, 0, InText(0, 0, 3)),
        Write::Cell(0, InList::Insert(0, 9)),
        Write::Name(0, 0, 9),
    ];
    let hers = play.edit(0, &front);
    play.history.pull_all();
    let before = Definition::of(&play.history.replicas[1].ops, Some(hers)).read(&SHAPE);
    let behind = [
        Write::List(0, InList::Set(1, 7)),
        Write::PageText(0, InText(3, 5, 1)),
        Write::Row(0, InList::Remove(3)),
        Write::LineText(0, 0, InText(4, 2, 1)),
        Write::Cell(0, InList::Move(3, 1)),
        Write::Unname(0, 1),
    ];
    play.edit(1, &behind);
    play.history.void(2, [hers]);
    play.history.pull_all();
    let expected = Definition::of(&play.history.replicas[0].ops, None).read(&SHAPE);
    assert_ne!(expected, before);
    for author in 0..AUTHORS {
        assert_eq!(play.shown(author), expected);
        let state = play.history.state(author);
        let page = state.pages.get(0).expect("there is one");
        assert_eq!((page.text.len(), page.rows.len(), state.grid.get(0).map(List::len)), (1, 2, Some(4)));
        let line = state.books.get(&0).and_then(|book| book.get(0)).expect("there is one");
        assert_eq!(line.len(), 5);
    }
}

/// Ben removes what Ana has inserted, and takes that back; she has withdrawn it meanwhile. She does not see it, and her index does not
/// count it: what she inserts is where she means it, and goes when she takes it back.
#[test]
fn what_was_put_in_again_and_is_void() {
    let mut history = History::<Nested>::new(2);
    let shown = |history: &History<Nested>| -> Vec<u8> {
        history.state(0).lists.get(&1).map(|list| list.values().flatten().copied().collect()).unwrap_or_default()
    };
    history.edit(0, |edit| (1..4).for_each(|value| edit.lists.at(1).push(value)));
    let withdrawn = history.edit(0, |edit| edit.lists.at(1).insert(0, 9)).number;
    history.pull_all();
    let removed = history.edit(1, |edit| assert!(edit.lists.at(1).remove(0))).number;
    history.undo(1, removed);
    history.void(0, [withdrawn]);
    history.pull_all();
    assert_eq!(shown(&history), [1, 2, 3]);
    let op = history.edit(0, |edit| edit.lists.at(1).insert(1, 7)).number;
    assert_eq!(shown(&history), [1, 7, 2, 3]);
    history.undo(0, op);
    assert_eq!(shown(&history), [1, 2, 3]);
}
