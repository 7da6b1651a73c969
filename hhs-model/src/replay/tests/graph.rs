//! Tests of what replay added to graphs and sets of positions.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::class::{Loader, Saver};
use crate::history::{Graph, Positions};

fn graphs() -> impl Strategy<Value = (Graph, Vec<Vec<u64>>)> {
    vec(vec((any::<Index>(), prop::bool::weighted(0.8)), 0..3), 1..60).prop_map(|picks| {
        let (mut graph, mut dag) = (Graph::new(), Vec::new());
        for (position, picks) in (0..).zip(picks) {
            let near = |(at, near): (Index, bool)| match position {
                0 => None,
                _ if near => Some(position - 1 - at.index(position.min(3) as usize) as u64),
                _ => Some(at.index(position as usize) as u64),
            };
            let parents: Vec<u64> = picks.into_iter().filter_map(near).collect::<BTreeSet<_>>().into_iter().collect();
            graph.push(&parents);
            dag.push(parents);
        }
        (graph, dag)
    })
}

fn below(dag: &[Vec<u64>], position: u64) -> BTreeSet<u64> {
    let (mut all, mut left) = (BTreeSet::new(), dag[position as usize].clone());
    while let Some(next) = left.pop() {
        if all.insert(next) {
            left.extend(&dag[next as usize]);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// The heads among some ops are those that are below no other of them.
    #[test]
    fn heads_among_some((graph, dag) in graphs(), picks in vec(any::<Index>(), 0..12)) {
        let some: Vec<u64> = picks.iter().map(|pick| pick.index(dag.len()) as u64).collect();
        let covered: BTreeSet<u64> = some.iter().flat_map(|position| below(&dag, *position)).collect();
        let heads: BTreeSet<u64> = some.iter().copied().filter(|position| !covered.contains(position)).collect();
        prop_assert_eq!(graph.heads_of(&some), heads.into_iter().collect::<Vec<_>>());
    }

    /// What is saved is loaded; what was cut off or damaged is refused, or is some other graph.
    #[test]
    fn saved_and_loaded((graph, _) in graphs(), set in proptest::collection::btree_set(0..60_u64, 0..30)) {
        let positions: Positions = set.iter().copied().collect();
        let mut saver = Saver::new();
        graph.save(&mut saver);
        positions.save(&mut saver);
        let bytes = saver.finish();
        let mut loader = Loader::new(&bytes);
        prop_assert_eq!(Graph::load(&mut loader).unwrap(), graph);
        prop_assert_eq!(Positions::load(&mut loader.clone(), 60).unwrap(), positions);
        let end = set.last().map_or(0, |last| *last);
        prop_assert!(set.is_empty() || Positions::load(&mut loader, end).is_err(), "some are not below {end}");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x2a;
            let mut loader = Loader::new(&damaged);
            let _any = Graph::load(&mut loader).is_ok() && Positions::load(&mut loader, 60).is_ok();
        }
    }
}

/// Ranges of positions and a set: whether they have one in common.
#[test]
fn positions_in_a_range() {
    let positions: Positions = [3, 4, 8].into_iter().collect();
    assert!(positions.intersects(&(4..5)) && positions.intersects(&(0..4)) && positions.intersects(&(5..9)));
    assert!(!positions.intersects(&(5..8)) && !positions.intersects(&(9..100)) && !positions.intersects(&(4..4)));
}
