//! Which act has which in its past, where histories are wide, long, or made to be awkward.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::ancestry::{Ancestry, Trade};

/// Every pair, by the definition.
fn is_right(ancestry: &Ancestry, below: &[Vec<u32>]) {
    let mut pasts: Vec<BTreeSet<u32>> = Vec::new();
    for (act, heads) in below.iter().enumerate() {
        let mut past: BTreeSet<u32> = heads.iter().flat_map(|head| pasts[*head as usize].clone()).collect();
        past.insert(act as u32);
        pasts.push(past);
    }
    for (above, past) in pasts.iter().enumerate() {
        for act in 0..below.len() as u32 {
            assert_eq!(ancestry.covers(above as u32, act), past.contains(&act), "{act} below {above} in {below:?}");
        }
    }
}

/// Acts that each stand on some others; those that another one of them covers are left out first.
fn ancestry(steps: &[Vec<prop::sample::Index>], trade: Trade) -> (Ancestry, Vec<Vec<u32>>) {
    let (mut ancestry, mut below): (_, Vec<Vec<u32>>) = (Ancestry::trading(trade), Vec::new());
    for (act, picks) in steps.iter().enumerate() {
        let heads: BTreeSet<u32> = picks.iter().filter(|_| act > 0).map(|pick| pick.index(act) as u32).collect();
        let heads: Vec<u32> = heads.into_iter().collect();
        let others = |act: &u32| heads.iter().copied().filter(|other| other != act).collect::<Vec<_>>();
        let single: Vec<u32> = heads.iter().copied().filter(|act| !ancestry.any_covers(&others(act), *act)).collect();
        let heads = ancestry.maximal(&heads);
        assert_eq!(heads, single, "those that none of the others covers");
        assert_eq!(ancestry.add(&heads), act as u32);
        below.push(heads);
    }
    (ancestry, below)
}

/// As it is, or so little room and so few bases that small histories need what large ones do.
fn trades() -> impl Strategy<Value = Trade> {
    let tight = (0..3_usize, 0..3_usize, 0..3_u32, 0..40_usize, 0..2_usize);
    let tight =
        tight.prop_map(|(some, little, deep, steps, steps_of_act)| Trade { some, little, deep, steps, steps_of_act });
    prop_oneof![Just(Trade::default()), tight]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Whatever stands on whatever.
    #[test]
    fn any_history(
        steps in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..60),
        trade in trades(),
    ) {
        let (ancestry, below) = ancestry(&steps, trade);
        is_right(&ancestry, &below);
    }

    /// Many stand on few, and some on many: more than are compared each with each.
    #[test]
    fn wide_histories(
        steps in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..24), 1..60),
        trade in trades(),
    ) {
        let (ancestry, below) = ancestry(&steps, trade);
        is_right(&ancestry, &below);
    }
}

/// Two branches that never meet, each act of one added between two of the other, and merges of them.
#[test]
fn two_branches() {
    let mut below: Vec<Vec<u32>> = vec![vec![]];
    below.extend((1..200).map(|act: u32| vec![act.saturating_sub(2)]));
    below.extend([vec![198, 199], vec![198, 199], vec![150, 151], vec![200, 202]]);
    let mut ancestry = Ancestry::default();
    for heads in &below {
        ancestry.add(heads);
    }
    is_right(&ancestry, &below);
}

/// Each act forks off the one before the last, so that chains stand on chains, deeper than any are left to.
#[test]
fn forks_on_forks() {
    let mut below: Vec<Vec<u32>> = vec![vec![]];
    for fork in 0..150_u32 {
        let on = fork * 2;
        below.extend([vec![on], vec![on]]);
    }
    let mut ancestry = Ancestry::default();
    for heads in &below {
        ancestry.add(heads);
    }
    is_right(&ancestry, &below);
}

/// A hundred thousand acts side by side, one on top of them all, and a thousand on that; then fifty more merges of all, which
/// would take five million steps if each were written down. Memory stays bounded, and answers right.
#[test]
fn a_fan_of_a_hundred_thousand() {
    let mut ancestry = Ancestry::default();
    let root = ancestry.add(&[]);
    let fan: Vec<u32> = (0..100_000).map(|_| ancestry.add(&[root])).collect();
    let mut top = ancestry.add(&fan);
    for _ in 0..1000 {
        top = ancestry.add(&[top]);
    }
    assert!(fan.iter().all(|act| ancestry.covers(top, *act)) && ancestry.covers(top, root));
    assert_eq!(ancestry.steps(), 99_999, "what is on top adds nothing");
    let merges: Vec<u32> = (0..50).map(|_| ancestry.add(&fan)).collect();
    assert!(ancestry.steps() < 2_000_000, "{}", ancestry.steps());
    assert!(merges.iter().all(|merge| ancestry.covers(*merge, fan[77_777]) && !ancestry.covers(*merge, top)));
    let all = [fan.as_slice(), &merges].concat();
    assert_eq!(ancestry.maximal(&all), merges);
    assert_eq!(ancestry.maximal(&fan), fan);
}
