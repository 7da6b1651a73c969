//! Histories that are long, and ones that are wide: nothing here is recursive or quadratic, or these tests would not end.

use hhs_crdt::{Bias, Field, Text};
use hhs_model::OpId;

use super::world::{Replica, mutation};

fn id(number: u64) -> OpId {
    OpId::of(&number.to_le_bytes())
}

/// A million ops, each on top of the one before.
#[test]
fn a_chain_of_a_million_ops() {
    let mut replica = Replica::quiet();
    let typed = mutation(&[(0, 0, "a".into())]);
    for number in 0..1_000_000_u64 {
        let parents: Vec<u64> = number.checked_sub(1).into_iter().collect();
        replica.apply_at(id(number), &parents, typed.clone());
    }
    assert_eq!(replica.text.len(), 1_000_000);
    let cursor = replica.text.cursor_at(0, Bias::Before);
    assert_eq!(cursor.char.map(|char| char.op), Some(id(999_999)), "everybody typed at the front");
    assert_eq!(replica.text.position_of(&cursor), Some(0));
}

/// A hundred thousand people who know nothing of each other write at one place; then somebody who has seen them all goes on.
#[test]
fn a_fan_of_a_hundred_thousand_ops() {
    const WIDTH: u64 = 100_000;
    let mut replica = Replica::quiet();
    replica.apply_at(id(0), &[], mutation(&[(0, 0, "()".into())]));
    let typed = mutation(&[(1, 0, "ab".into())]);
    for number in 1..=WIDTH {
        replica.apply_at(id(number), &[0], typed.clone());
    }
    let expected = format!("({})", "ab".repeat(WIDTH as usize));
    assert!(replica.text.snapshot() == *expected, "what each wrote stands together");
    // By id: the first of them is the one with the least.
    let least = (1..=WIDTH).map(id).min();
    assert_eq!(replica.text.cursor_at(1, Bias::Before).char.map(|char| char.op), least);
    let all: Vec<u64> = (1..=WIDTH).collect();
    replica.apply_at(id(WIDTH + 1), &all, mutation(&[(1, 2 * WIDTH as u32, "gone".into())]));
    assert_eq!(replica.text.to_string(), "(gone)");
}

/// Two people write for long without seeing each other, and what they write arrives in turn.
#[test]
fn two_long_branches_that_arrive_in_turn() {
    const LENGTH: u64 = 2_000;
    let mut replica = Replica::quiet();
    replica.apply_at(id(0), &[], mutation(&[(0, 0, "()".into())]));
    for number in 1..=2 * LENGTH {
        let parent = number.saturating_sub(2);
        let at = (number as u32 - 1) / 2 + 1;
        let letter = if number % 2 == 0 { "a" } else { "b" };
        replica.apply_at(id(number), &[parent], mutation(&[(at, 0, letter.into())]));
    }
    let (a, b) = ("a".repeat(LENGTH as usize), "b".repeat(LENGTH as usize));
    let text = replica.text.to_string();
    assert!(text == format!("({a}{b})") || text == format!("({b}{a})"), "what each wrote stands together");
}

/// Everybody deletes everything, again and again, and puts something in its place.
#[test]
fn concurrent_deletions_of_everything() {
    let mut replica = Replica::quiet();
    for number in 0..300_u64 {
        let parents: Vec<u64> = number.checked_sub(1).into_iter().collect();
        replica.apply_at(id(number), &parents, mutation(&[(number as u32 / 2, 0, "xy".into())]));
    }
    for number in 300..600 {
        replica.apply_at(id(number), &[299], mutation(&[(0, 1 << 29, "z".into())]));
    }
    assert_eq!(replica.text.to_string(), "z".repeat(300));
    let copy = replica.text.clone();
    assert_eq!(Text::finish(copy.edit()).mutations, []);
}
