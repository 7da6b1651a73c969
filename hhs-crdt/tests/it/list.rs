//! `List` and `UniqueList`: situations with their stories.

mod random;
pub(crate) mod reference;

use hhs_crdt::{List, Register, Replica, UniqueList};
use hhs_model::class::{Action, Change, PathSegment};

use crate::harness::History;

/// The class that the tests are about.
#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Lists")]
pub(crate) struct Lists {
    pub(crate) words: List<Register<String>>,
    pub(crate) names: UniqueList<String>,
    pub(crate) tables: List<List<Register<String>>>,
}

fn words(history: &History<Lists>, author: usize) -> String {
    history.state(author).words.values().map(|word| word.map_or("-", String::as_str)).collect()
}

fn names(history: &History<Lists>, author: usize) -> String {
    history.state(author).names.iter().map(String::as_str).collect()
}

fn push(history: &mut History<Lists>, author: usize, letters: &str) {
    history.edit(author, |lists| letters.chars().for_each(|letter| lists.words.push(letter.to_string())));
}

fn insert(history: &mut History<Lists>, author: usize, at: usize, letters: &str) {
    history.edit(author, |lists| {
        for (place, letter) in (at..).zip(letters.chars()) {
            lists.words.insert(place, letter.to_string());
        }
    });
}

/// A list with these letters, which all have.
fn list(authors: usize, letters: &str) -> History<Lists> {
    let mut history = History::new(authors);
    push(&mut history, 0, letters);
    history.pull_all();
    history
}

fn all_show(history: &mut History<Lists>, letters: &str) {
    history.pull_all();
    for author in 0..history.replicas.len() {
        assert_eq!(words(history, author), letters, "as author {author} sees it");
    }
}

/// Indexes in an edit mean the list as the edit has made it so far, and the op does what the edit said.
#[test]
fn an_edit_counts_in_what_it_has_made_of_the_list() {
    let mut history = list(1, "abc");
    history.edit(0, |lists| {
        lists.words.insert(1, "x".into());
        assert!(lists.words.remove(0));
        assert!(lists.words.move_to(0, 2));
        lists.words.push("y".into());
        lists.words.set(3, "z".into());
        assert_eq!(lists.words.count(), 4);
        assert!(!lists.words.remove(4));
    });
    assert_eq!(words(&history, 0), "bcxz");
    assert_eq!(history.state(0).words.get(2).and_then(Register::get).map(String::as_str), Some("x"));
}

/// Two insert a run at the same place, each an element at a time: the runs stand one behind the other.
#[test]
fn runs_do_not_mix() {
    let mut history = list(2, "[]");
    for (place, (one, other)) in (1..).zip("one".chars().zip("two".chars())) {
        insert(&mut history, 0, place, &one.to_string());
        insert(&mut history, 1, place, &other.to_string());
    }
    history.pull_all();
    let shown = words(&history, 0);
    assert!(["[onetwo]", "[twoone]"].contains(&shown.as_str()), "{shown}");
    all_show(&mut history, &shown);
}

/// The same, each of them typing from the back to the front.
#[test]
fn runs_that_are_written_backwards_do_not_mix() {
    let mut history = list(2, "[]");
    for (one, other) in "one".chars().rev().zip("two".chars().rev()) {
        insert(&mut history, 0, 1, &one.to_string());
        insert(&mut history, 1, 1, &other.to_string());
    }
    history.pull_all();
    let shown = words(&history, 0);
    assert!(["[onetwo]", "[twoone]"].contains(&shown.as_str()), "{shown}");
    all_show(&mut history, &shown);
}

/// Two move the same element to different places: it stands in one of them, once.
#[test]
fn an_element_that_two_move_is_there_once() {
    let mut history = list(2, "abcd");
    history.edit(0, |lists| assert!(lists.words.move_to(0, 3)));
    history.edit(1, |lists| assert!(lists.words.move_to(0, 1)));
    history.pull_all();
    let shown = words(&history, 0);
    assert!(["bcda", "bacd"].contains(&shown.as_str()), "{shown}");
    all_show(&mut history, &shown);
}

/// One moves an element while another one writes to it: what is written goes along.
#[test]
fn what_is_written_to_an_element_goes_along() {
    let mut history = list(2, "abc");
    let id = history.state(0).words.id_at(0).expect("there is one");
    history.edit(0, |lists| assert!(lists.words.move_to(0, 2)));
    history.edit(1, |lists| assert!(lists.words.set(0, "A".into())));
    all_show(&mut history, "bcA");
    assert_eq!(history.state(1).words.index_of(&id), Some(2));
}

/// One removes what another one moves and writes to: it is gone.
#[test]
fn removing_wins_over_moving_and_writing() {
    let mut history = list(2, "abc");
    history.edit(0, |lists| assert!(lists.words.remove(0)));
    history.edit(1, |lists| {
        lists.words.move_to(0, 2);
        lists.words.set(2, "A".into());
    });
    all_show(&mut history, "bc");
}

/// An op becomes void: what it inserted is gone, what it removed is back, what it moved is where it was; and what others wrote
/// on top of it, by indexes in what they saw, is where they meant it.
#[test]
fn a_void_op_is_as_if_it_had_not_been_and_later_indexes_still_fit() {
    let mut history = list(2, "abcd");
    let bad = history.edit(0, |lists| {
        lists.words.insert(0, "X".into());
        lists.words.remove(1);
        lists.words.move_to(1, 3);
    });
    let bad = bad.number;
    all_show(&mut history, "Xcdb");
    // Between c and d, and instead of d.
    history.edit(1, |lists| {
        lists.words.insert(2, "Y".into());
        lists.words.set(3, "D".into());
    });
    all_show(&mut history, "XcYDb");
    history.void(0, [bad]);
    all_show(&mut history, "abcYD");
    // Who knows that it is void counts without it.
    insert(&mut history, 1, 1, "Z");
    all_show(&mut history, "aZbcYD");
}

/// Indexes that are out of range, as only a liar writes them, mean the end where something is put in, and nothing elsewhere.
#[test]
fn indexes_out_of_range_do_no_harm() {
    use hhs_crdt::ListMutation::{At, Insert, Move, Remove};
    let mut history = list(1, "ab");
    let value = || vec!["c".to_owned()];
    let mutations = vec![
        Insert { at: u64::MAX, items: value() },
        Remove { at: 7 },
        Move { from: 9, to: 0 },
        Move { from: 0, to: u64::MAX },
        At { index: u64::from(u32::MAX), inner: "d".to_owned() },
    ];
    let payload = hhs_model::codec::Value::of(&mutations).expect("it has canonical bytes");
    let map = hhs_model::codec::Value::Map([("words".to_owned(), payload)].into_iter().collect());
    let payload = Some(hhs_model::codec::encode(&map).expect("it has canonical bytes"));
    history.write(0, hhs_model::class::Draft { payload, ..Default::default() });
    assert_eq!(words(&history, 0), "bca");
}

/// A list in a list: the inner one is written to while the outer one changes, and changes say the path.
#[test]
fn a_list_in_a_list() {
    let mut history = History::<Lists>::new(2);
    history.edit(0, |lists| {
        lists.tables.push_with(|row| row.push("a".into()));
        lists.tables.push_with(|row| row.push("b".into()));
    });
    history.pull_all();
    history.edit(0, |lists| assert!(lists.tables.move_to(1, 0)));
    let op = history.edit(1, |lists| {
        lists.tables.at(1, |row| row.insert(0, "c".into()));
        lists.tables.at(1, |row| assert_eq!(row.count(), 2, "the edit goes on"));
    });
    let op = op.clone();
    let changes = history.replicas[0].apply(&op).expect("it means something");
    let at = |change: &Change| change.path.clone();
    let path = vec![PathSegment::Field("tables"), PathSegment::Index(0)];
    assert_eq!((at(&changes[0]), &changes[0].action), (path, &Action::ListInserted { at: 0, count: 1 }));
    history.pull_all();
    let rows = |row: &List<Register<String>>| row.values().flatten().cloned().collect::<Vec<_>>();
    assert_eq!(history.state(1).tables.iter().map(rows).collect::<Vec<_>>(), [vec!["c", "b"], vec!["a"]]);
    assert_eq!(history.state(0), history.state(1));
}

/// What an op did is taken back, though others have changed the list since; and taking that back does it again.
#[test]
fn undo_takes_back_what_still_stands() {
    let mut history = list(2, "abcd");
    let op = history.edit(0, |lists| {
        lists.words.insert(0, "X".into());
        lists.words.remove(1);
        lists.words.move_to(1, 3);
        lists.words.set(2, "D".into());
    });
    let number = op.number;
    all_show(&mut history, "XcDb");
    insert(&mut history, 1, 1, "Y");
    all_show(&mut history, "XYcDb");
    let undo = history.undo(0, number).number;
    all_show(&mut history, "Yabcd");
    history.undo(0, undo);
    all_show(&mut history, "XYcDb");
}

/// An element that was removed comes back with what was in it, and under its name.
#[test]
fn undoing_a_remove_brings_the_element_back_with_its_content() {
    let mut history = History::<Lists>::new(1);
    history.edit(0, |lists| lists.tables.push_with(|row| row.push("a".into())));
    let id = history.state(0).tables.id_at(0).expect("there is one");
    let number = history.edit(0, |lists| assert!(lists.tables.remove(0))).number;
    assert!(history.state(0).tables.is_empty());
    history.undo(0, number);
    assert_eq!(history.state(0).tables.index_of(&id), Some(0));
    assert_eq!(history.state(0).tables.get(0).map(List::len), Some(1));
}

/// A value that two insert at once is in a list without duplicates once; inserting what is there moves it.
#[test]
fn a_unique_list_has_a_value_once() {
    let mut history = History::<Lists>::new(2);
    history.edit(0, |lists| ["a", "b"].into_iter().for_each(|name| lists.names.push(name.into())));
    history.edit(1, |lists| ["c", "b"].into_iter().for_each(|name| lists.names.push(name.into())));
    history.pull_all();
    let mut shown: Vec<_> = names(&history, 0).chars().collect();
    assert_eq!(names(&history, 0), names(&history, 1));
    shown.sort_unstable();
    assert_eq!(shown, ['a', 'b', 'c']);
    history.edit(0, |lists| {
        lists.names.insert(0, "c".into());
        lists.names.move_to(0, 2);
        lists.names.insert(0, "b".into());
        assert_eq!(lists.names.index_now(&"b".into()), Some(0));
    });
    assert_eq!(names(&history, 0), "bac");
    history.pull_all();
    assert_eq!(names(&history, 1), "bac");
}

/// One takes a value out while another one moves it: it stays, as with a set, because its remover has not seen the move.
#[test]
fn in_a_unique_list_a_move_wins_over_a_remove_that_has_not_seen_it() {
    let mut history = History::<Lists>::new(2);
    history.edit(0, |lists| ["a", "b", "c"].into_iter().for_each(|name| lists.names.push(name.into())));
    history.pull_all();
    let removed = history.edit(0, |lists| {
        lists.names.remove(&"a".into());
        lists.names.remove(&"b".into());
    });
    let removed = removed.number;
    history.edit(1, |lists| assert!(lists.names.move_to(0, 2)));
    history.pull_all();
    assert_eq!(names(&history, 0), "ca");
    assert_eq!(names(&history, 1), "ca");
    history.undo(0, removed);
    assert_eq!(names(&history, 0), "bca");
}

/// A value that was moved many times is known by its last place alone: one remove takes it out.
#[test]
fn a_value_that_was_moved_often_goes_at_once() {
    let mut history = History::<Lists>::new(1);
    history.edit(0, |lists| ["a", "b", "c"].into_iter().for_each(|name| lists.names.push(name.into())));
    for _ in 0..80 {
        history.edit(0, |lists| assert!(lists.names.move_to(0, 2)));
    }
    assert_eq!(names(&history, 0), "cab");
    history.edit(0, |lists| assert!(lists.names.remove(&"a".into())));
    assert_eq!(names(&history, 0), "cb");
}

/// An edit puts a value in and puts it somewhere else: it stands where it was put last.
#[test]
fn a_value_that_an_edit_puts_in_twice() {
    let mut history = History::<Lists>::new(1);
    history.edit(0, |lists| ["a", "b"].into_iter().for_each(|name| lists.names.push(name.into())));
    history.edit(0, |lists| {
        lists.names.insert(0, "x".into());
        lists.names.insert(1, "x".into());
    });
    assert_eq!(names(&history, 0), "axb");
}

/// Ana moves a value, and Ben takes it out. That she takes back her move does not bring it back.
#[test]
fn undoing_a_move_of_what_somebody_else_took_out() {
    let mut history = History::<Lists>::new(2);
    history.edit(0, |lists| ["a", "b"].into_iter().for_each(|name| lists.names.push(name.into())));
    let moved = history.edit(0, |lists| assert!(lists.names.move_to(0, 1))).number;
    history.pull_all();
    history.edit(1, |lists| assert!(lists.names.remove(&"a".into())));
    history.pull_all();
    history.undo(0, moved);
    assert_eq!(names(&history, 0), "b");
}

/// Ana and Ben move an element at once, and hers counts. She takes it back: it stands where he put it.
#[test]
fn undoing_a_move_leaves_that_of_somebody_else() {
    let mut history = list(2, "abcd");
    // Hers is the higher one.
    push(&mut history, 0, "e");
    let hers = history.edit(0, |lists| assert!(lists.words.move_to(0, 4))).number;
    history.edit(1, |lists| assert!(lists.words.move_to(0, 2)));
    all_show(&mut history, "bcdea");
    history.undo(0, hers);
    all_show(&mut history, "bcade");
}

/// Ana removes what Ben, who does not know, writes to. She takes it back: the element is there again, with what he wrote.
#[test]
fn what_was_written_to_a_removed_element_shows_once_it_is_back() {
    let mut history = list(2, "abc");
    let removed = history.edit(0, |lists| assert!(lists.words.remove(1))).number;
    history.edit(1, |lists| assert!(lists.words.set(1, "B".into())));
    all_show(&mut history, "ac");
    history.undo(0, removed);
    all_show(&mut history, "aBc");
}

/// A liar restores an element that they cannot know of: it has no effect, whatever comes first.
#[test]
fn who_restores_what_they_have_not_seen_restores_nothing() {
    let mut history = list(2, "ab");
    push(&mut history, 0, "c");
    let element = history.state(0).words.id_at(2).expect("there is one");
    history.edit(0, |lists| assert!(lists.words.remove(2)));
    let restore: Vec<hhs_crdt::ListMutation<String>> = vec![hhs_crdt::ListMutation::Restore { at: 0, element }];
    let restore = hhs_model::codec::Value::of(&restore).expect("it has canonical bytes");
    let map = hhs_model::codec::Value::Map([("words".to_owned(), restore)].into_iter().collect());
    let payload = Some(hhs_model::codec::encode(&map).expect("it has canonical bytes"));
    history.write(1, hhs_model::class::Draft { payload, ..Default::default() });
    all_show(&mut history, "ab");
}

/// Two insert at one place at once. Who wrote the former goes on behind it, not knowing of the latter; somebody who knows both puts
/// something between them. That stands beside the latter, which followed it, whatever the ids are.
#[test]
fn what_follows_decides_between_siblings() {
    for ids in 0..8 {
        let mut history = list(3, "ab");
        (0..ids).for_each(|_| _ = history.edit(0, |lists| lists.names.push("x".into())));
        history.pull_all();
        insert(&mut history, 1, 1, "X");
        insert(&mut history, 2, 1, "Y");
        history.pull(0, 1);
        history.pull(0, 2);
        let (first, second) = if words(&history, 0) == "aXYb" { ("X", "Y") } else { ("Y", "X") };
        let of_first = if first == "X" { 1 } else { 2 };
        insert(&mut history, 0, 2, "Q");
        insert(&mut history, of_first, 2, "P");
        all_show(&mut history, &format!("a{first}PQ{second}b"));
    }
}
