//! Replicas that need each other, by made-up ids.

use std::time::Duration;

use hhs_model::ReplicaId;

use super::{MOST, Needs, Stage};

fn id(number: u32) -> ReplicaId {
    ReplicaId::of(&number.to_be_bytes())
}

/// Notes need a staff, and the staff a board. All are wanted for as long as the notes are; what is named besides stays.
#[test]
fn a_chain_is_wanted_as_long_as_its_end() {
    let [notes, staff, board] = [1, 2, 3].map(id);
    let mut needs = Needs::default();
    needs.name(notes);
    needs.name(board);
    needs.learn(notes, vec![staff], Stage::Whole);
    needs.learn(staff, vec![board], Stage::Whole);
    assert_eq!(needs.all(notes), [staff, board]);
    assert_eq!(needs.dependents(board), [staff, notes]);
    assert!(needs.is_wanted(staff));
    needs.unname(notes);
    assert_eq!(needs.forget(notes), [staff]);
    assert!(!needs.is_wanted(staff));
    assert_eq!(needs.forget(staff), [board]);
    assert!(needs.is_wanted(board) && needs.dependents(board).is_empty());
}

/// What is missing above a replica is learned first, and then all that it needs.
#[test]
fn what_is_learned_takes_the_place_of_what_was_known() {
    let [page, list, room] = [1, 2, 3].map(id);
    let mut needs = Needs::default();
    needs.name(page);
    assert_eq!(needs.stage(page), Stage::Unknown);
    needs.learn(page, vec![list], Stage::Above);
    assert_eq!(needs.learn(page, vec![list, room], Stage::Whole), [list]);
    assert_eq!((needs.stage(page), needs.all(page)), (Stage::Whole, vec![list, room]));
}

/// Each of eight needs eight others, and so on, as long as there are geneses that say so. At some point it is too much, and
/// none of it is wanted any more; who needs one of them in their own right still does.
#[test]
fn a_tree_without_end() {
    let mut needs = Needs::default();
    needs.name(id(0));
    needs.name(id(1_000_000));
    needs.learn(id(1_000_000), vec![id(1)], Stage::Whole);
    let (mut next, mut wanted) = (1, 0);
    for number in 0..10_000 {
        if !needs.is_wanted(id(number)) {
            break;
        }
        needs.learn(id(number), (next..next + 8).map(id).collect(), Stage::Whole);
        next += 8;
        wanted = wanted.max(needs.all(id(0)).len());
    }
    assert!(wanted <= MOST, "{wanted} are wanted");
    assert!((0..next).any(|number| needs.stage(id(number)) == Stage::TooMuch));
    assert!(needs.is_wanted(id(1)));
}

/// A replica waits, and is due when something changes of what it needs, at whatever distance, or when its time is up.
#[test]
fn whoever_waits_is_called() {
    let [notes, staff, board, other] = [1, 2, 3, 4].map(id);
    let second = Duration::from_secs(1);
    let mut needs = Needs::default();
    needs.learn(notes, vec![staff], Stage::Whole);
    needs.learn(staff, vec![board], Stage::Whole);
    needs.stir(board);
    needs.wait(notes, Some(3 * second));
    assert_eq!(needs.due(second), [], "that was before");
    needs.stir(other);
    assert_eq!(needs.due(second), []);
    needs.stir(board);
    assert_eq!((needs.due(second), needs.due(second)), (vec![(notes, true)], vec![]));
    needs.wait(notes, Some(9 * second));
    assert_eq!((needs.next_wake(), needs.due(3 * second)), (Some(3 * second), vec![(notes, false)]));
    needs.time_is_up(notes, 3 * second);
    assert_eq!((needs.next_wake(), needs.due(3 * second)), (None, vec![]));
}
