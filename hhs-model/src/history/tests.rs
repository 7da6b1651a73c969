//! Tests of the algorithms on history: each against the simple definition.

mod graph;
mod shared;

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Difference, Frontier, Positions};
use crate::id::OpId;

/// The parents of each position, all below it.
type Dag = Vec<Vec<u64>>;

/// Everything at or below some positions.
fn below(dag: &Dag, heads: &[u64]) -> BTreeSet<u64> {
    let mut all = BTreeSet::new();
    let mut left = heads.to_vec();
    while let Some(position) = left.pop() {
        if all.insert(position) {
            left.extend(&dag[position as usize]);
        }
    }
    all
}

/// Walks to the end; says what was found, and at which positions the walk asked for parents.
fn walk(dag: &Dag, heads: &[u64], known: &[u64]) -> (Positions, Vec<u64>) {
    let mut walk = Difference::new(heads.iter().copied(), known.iter().copied());
    let mut visited = Vec::new();
    while let Some(position) = walk.next_position() {
        visited.push(position);
        walk.visit(&dag[position as usize]);
    }
    (walk.finish(), visited)
}

fn members(positions: &Positions) -> BTreeSet<u64> {
    positions.ranges().iter().cloned().flatten().collect()
}

/// Ascending, disjoint, none empty, none touching the next.
fn assert_tidy(positions: &Positions) {
    let ranges = positions.ranges();
    assert!(ranges.iter().all(|range| range.start < range.end), "{ranges:?}");
    assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "{ranges:?}");
    assert_eq!(positions.len(), ranges.iter().map(|range| range.end - range.start).sum::<u64>());
    assert_eq!(positions.is_empty(), ranges.is_empty());
}

/// A chain of ten, of which a peer has six: it lacks the last four, and nothing under what it has is looked at.
#[test]
fn a_chain() {
    let dag: Dag = (0..10).map(|position: u64| position.checked_sub(1).into_iter().collect()).collect();
    let (missing, visited) = walk(&dag, &[9], &[5]);
    assert_eq!(missing, Positions::from_range(6..10));
    assert_eq!(visited, [9, 8, 7, 6]);
    assert_eq!(walk(&dag, &[9], &[]).0, Positions::from_range(0..10));
    assert_eq!(walk(&dag, &[9], &[9]).0, Positions::default());
    assert_eq!(walk(&dag, &[], &[9]), (Positions::default(), vec![]));
    // A peer that is ahead lacks nothing.
    assert_eq!(walk(&dag, &[5], &[9]).0, Positions::default());
}

/// Two branches from one root; a peer has one of them and lacks the other, whose positions lie between.
#[test]
fn a_fork() {
    let dag: Dag = vec![vec![], vec![0], vec![0], vec![1], vec![2], vec![3]];
    let (missing, _) = walk(&dag, &[5, 4], &[5]);
    assert_eq!(missing.ranges(), [2..3, 4..5]);
    assert_eq!(missing.len(), 2);
}

/// A damaged store claims that an op is its own parent, or below itself: the walk ends all the same.
#[test]
fn parents_that_are_not_below() {
    let mut walk = Difference::new([3], []);
    assert_eq!(walk.next_position(), Some(3));
    walk.visit(&[3, 7, 1, u64::MAX]);
    assert_eq!(walk.next_position(), Some(1));
    walk.visit(&[1]);
    assert_eq!(walk.next_position(), None);
    walk.visit(&[5]);
    assert_eq!(walk.finish().ranges(), [1..2, 3..4]);
}

/// The positions of an empty range, and of one that runs backwards, are none.
#[test]
fn ranges_of_nothing() {
    #[expect(clippy::reversed_empty_ranges, reason = "what a caller could come up with")]
    for range in [3..3, 5..3] {
        assert_eq!(Positions::from_range(range), Positions::default());
    }
    assert_eq!(Positions::default().next_range(0), None);
}

/// Frontiers are sets: neither order nor repetition makes a difference.
#[test]
fn frontiers_are_sets() {
    let (a, b) = (OpId::of(b"a"), OpId::of(b"b"));
    let frontier: Frontier = [a, b].into_iter().collect();
    assert_eq!(frontier, [b, a, b].into_iter().collect());
    assert_ne!(frontier, [a].into_iter().collect());
}

fn dags() -> impl Strategy<Value = Dag> {
    // Mostly near the top, as in real histories.
    let parents = vec((any::<Index>(), prop::bool::weighted(0.8)), 0..4);
    vec(parents, 1..60).prop_map(|picks| {
        let mut dag = Dag::new();
        for (position, picks) in (0..).zip(picks) {
            let near = |(at, near): (Index, bool)| match position {
                0 => None,
                _ if near => Some(position - 1 - at.index(position.min(4) as usize) as u64),
                _ => Some(at.index(position as usize) as u64),
            };
            dag.push(picks.into_iter().filter_map(near).collect::<BTreeSet<u64>>().into_iter().collect());
        }
        dag
    })
}

fn some(dag: &Dag, picks: &[Index]) -> Vec<u64> {
    picks.iter().map(|pick| pick.index(dag.len()) as u64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// What is found is everything below some heads without everything below others; every position is looked at once, from
    /// the top down, and none that lies under all that is found.
    #[test]
    fn the_difference_of_two_versions(
        dag in dags(),
        heads in vec(any::<Index>(), 0..5),
        known in vec(any::<Index>(), 0..5),
    ) {
        let (heads, known) = (some(&dag, &heads), some(&dag, &known));
        let (found, visited) = walk(&dag, &heads, &known);
        let naive: BTreeSet<u64> = below(&dag, &heads).difference(&below(&dag, &known)).copied().collect();
        assert_tidy(&found);
        prop_assert_eq!(members(&found), naive);
        prop_assert!(visited.is_sorted_by(|a, b| a > b));
        let ends = heads.iter().chain(&known).copied().collect::<Vec<_>>();
        let visible = below(&dag, &ends);
        prop_assert!(visited.iter().all(|position| visible.contains(position)));
        // The walk may stop as soon as all that is left is known; it never goes below the lowest that could be wanted.
        let lowest = |positions: BTreeSet<u64>| positions.first().copied().unwrap_or(u64::MAX);
        let wanted = members(&found);
        let parents_of_wanted = wanted.iter().flat_map(|position| dag[*position as usize].clone());
        let least = lowest(parents_of_wanted.chain(wanted.iter().copied()).chain(heads).collect());
        prop_assert!(visited.iter().all(|position| *position >= least), "{visited:?} {least}");
    }

    /// A walk that is stopped has found the topmost part of the difference.
    #[test]
    fn a_walk_that_is_stopped(dag in dags(), heads in vec(any::<Index>(), 1..4), steps in 0..60_usize) {
        let heads = some(&dag, &heads);
        let all = members(&walk(&dag, &heads, &[]).0);
        let mut walk = Difference::new(heads.iter().copied(), []);
        let mut last = u64::MAX;
        for _ in 0..steps {
            let Some(position) = walk.next_position() else { break };
            walk.visit(&dag[position as usize]);
            last = position;
        }
        let found = walk.finish();
        assert_tidy(&found);
        prop_assert_eq!(members(&found), all.range(last..).copied().collect::<BTreeSet<_>>());
    }

    /// Reading by `next_range` from any place gives every position from there on, once.
    #[test]
    fn reading_in_ranges(set in btree_set(0..40_u64, 0..20), start in 0..45_u64, page in 1..7_u64) {
        let dag: Dag = (0..40).map(|_| vec![]).collect();
        let (positions, _) = walk(&dag, &set.iter().copied().collect::<Vec<_>>(), &[]);
        assert_tidy(&positions);
        prop_assert_eq!(&members(&positions), &set);
        let (mut at, mut read) = (start, Vec::new());
        while let Some(range) = positions.next_range(at) {
            let end = range.end.min(range.start + page);
            read.extend(range.start..end);
            at = end;
        }
        prop_assert_eq!(read, set.range(start..).copied().collect::<Vec<_>>());
    }
}
