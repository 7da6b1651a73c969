//! The shape of a history against the simple definition: what is below what, op by op.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::Graph;
use super::{Dag, assert_tidy, below, dags, members, some};

fn graph(dag: &Dag) -> Graph {
    let mut graph = Graph::new();
    for (position, parents) in (0..).zip(dag) {
        // In any order.
        let parents: Vec<u64> = parents.iter().rev().copied().collect();
        assert_eq!(graph.push(&parents), position);
    }
    graph
}

/// Everything before an op that it has not seen.
fn unseen(dag: &Dag, position: u64) -> Vec<u64> {
    let past = below(dag, &[position]);
    (0..position).filter(|other| !past.contains(other)).collect()
}

/// A hundred thousand heads, and an op above all of them; then a chain.
#[test]
fn many_heads() {
    const WIDTH: u64 = 100_000;
    let mut graph = Graph::new();
    for _ in 0..WIDTH {
        graph.push(&[]);
    }
    assert_eq!(graph.heads().len() as u64, WIDTH);
    let all: Vec<u64> = (0..WIDTH).collect();
    let top = graph.push(&all);
    assert_eq!(graph.heads(), [top]);
    assert!(graph.has_seen_all(top));
    for position in top..top + WIDTH {
        graph.push(&[position]);
    }
    assert_eq!(graph.floor(top + WIDTH), Some(top + WIDTH));
    assert_eq!(graph.height(top + WIDTH), WIDTH + 1);
    assert!(graph.contains(&[top + WIDTH], 7));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// What is asked of one op.
    #[test]
    fn every_op(dag in dags()) {
        let graph = graph(&dag);
        prop_assert_eq!(graph.len(), dag.len() as u64);
        let is_head = |position: &u64| !dag.iter().any(|parents| parents.contains(position));
        let heads: Vec<u64> = (0..graph.len()).filter(is_head).collect();
        prop_assert_eq!(graph.heads(), heads);
        for (position, parents) in (0..).zip(&dag) {
            let listed = graph.parents(position).as_slice().to_vec();
            prop_assert_eq!(&listed, parents);
            let height = parents.iter().map(|parent| graph.height(*parent) + 1).max().unwrap_or(0);
            prop_assert_eq!(graph.height(position), height);
            let unseen = unseen(&dag, position);
            prop_assert_eq!(graph.has_seen_all(position), unseen.is_empty());
            let found = graph.unseen(position);
            assert_tidy(&found);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), unseen);
        }
    }

    /// What is said of the floor: an op has seen everything up to it; and of the ops that have seen all before them and are seen by
    /// all behind them, it has seen exactly those up to its floor.
    #[test]
    fn floors(dag in dags()) {
        let graph = graph(&dag);
        let below: Vec<_> = (0..graph.len()).map(|position| below(&dag, &[position])).collect();
        for position in 0..graph.len() {
            let (unseen, floor) = (unseen(&dag, position), graph.floor(position));
            prop_assert!(unseen.iter().all(|other| floor.is_none_or(|floor| *other > floor)));
            let seen_by_all = |full: &u64| below[..position as usize].iter().skip(*full as usize).all(|past| past.contains(full));
            let full = (0..=position).filter(|full| graph.has_seen_all(*full)).filter(seen_by_all);
            for full in full {
                prop_assert_eq!(floor.is_some_and(|floor| full <= floor), below[position as usize].contains(&full));
            }
        }
    }

    /// What is asked of two versions.
    #[test]
    fn versions(dag in dags(), a in vec(any::<Index>(), 0..4), b in vec(any::<Index>(), 0..4)) {
        let graph = graph(&dag);
        let (a, b) = (some(&dag, &a), some(&dag, &b));
        let (below_a, below_b) = (below(&dag, &a), below(&dag, &b));
        let (only_a, only_b) = graph.difference(&a, &b);
        assert_tidy(&only_a);
        assert_tidy(&only_b);
        prop_assert_eq!(members(&only_a), below_a.difference(&below_b).copied().collect());
        prop_assert_eq!(members(&only_b), below_b.difference(&below_a).copied().collect());
        for position in 0..graph.len() {
            prop_assert_eq!(graph.contains(&a, position), below_a.contains(&position));
            for found in (0..4).filter_map(|runs| graph.contains_within(&a, position, runs)) {
                prop_assert_eq!(found, below_a.contains(&position));
            }
        }
        let above = |position: u64| a.iter().any(|other| *other != position && below(&dag, &[*other]).contains(&position));
        let mut heads: Vec<u64> = a.iter().copied().filter(|position| !above(*position)).collect();
        heads.sort_unstable();
        heads.dedup();
        prop_assert_eq!(graph.heads_of(&a), heads);
    }

    /// Branch by branch, every op of a range comes once and after its parents, and one with a single parent that has no other child
    /// comes right behind that.
    #[test]
    fn one_branch_after_the_other(dag in dags(), ends in (any::<Index>(), any::<Index>())) {
        let graph = graph(&dag);
        let (a, b) = (ends.0.index(dag.len() + 1) as u64, ends.1.index(dag.len() + 1) as u64);
        let range = a.min(b)..a.max(b);
        let order = graph.branch_by_branch(range.clone());
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, range.clone().collect::<Vec<_>>());
        let place = |position: u64| order.iter().position(|other| *other == position);
        for position in range.clone() {
            let parents = &dag[position as usize];
            prop_assert!(parents.iter().all(|parent| !range.contains(parent) || place(*parent) < place(position)));
            if let [parent] = parents[..] {
                let only_child = range.clone().filter(|other| dag[*other as usize].contains(&parent)).count() == 1;
                if only_child && range.contains(&parent) {
                    prop_assert_eq!(place(position), place(parent).map(|place| place + 1));
                }
            }
        }
    }
}
