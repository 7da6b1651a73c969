//! Sets that share what they have in common, against ordinary ones.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;

use crate::history::{Positions, SharedPositions};

/// What is done to the versions of a set, of which there are a few.
#[derive(Debug, Clone)]
enum Step {
    Flip { version: usize, range: Range<u64> },
    Copy { from: usize, to: usize },
    Unite { one: usize, other: usize },
}

const VERSIONS: usize = 4;
/// Enough for three levels.
const END: u64 = 9_000;

fn range() -> impl Strategy<Value = Range<u64>> {
    let short = (0..END, 0..70_u64).prop_map(|(start, count)| start..start + count);
    // Whole leaves and nodes, and what begins or ends at their edges.
    let whole = (0..18_u64, 1..10_u64, 0..3_u64, 0..3_u64)
        .prop_map(|(first, count, early, late)| (first * 512).saturating_sub(early)..(first + count) * 512 - late);
    prop_oneof![3 => short, 1 => whole]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..VERSIONS, range()).prop_map(|(version, range)| Step::Flip { version, range }),
        2 => (0..VERSIONS, 0..VERSIONS).prop_map(|(from, to)| Step::Copy { from, to }),
        2 => (0..VERSIONS, 0..VERSIONS).prop_map(|(one, other)| Step::Unite { one, other }),
    ];
    prop::collection::vec(step, 0..40)
}

fn ranges_of(set: &BTreeSet<u64>) -> Vec<Range<u64>> {
    set.iter().copied().collect::<Positions>().ranges().to_vec()
}

proptest! {
    /// Whatever is done to the versions, each is the ordinary set that the same was done to, and they compare as those do.
    #[test]
    fn versions_are_ordinary_sets(steps in steps(), within in range()) {
        let mut shared = [SharedPositions::EMPTY; VERSIONS];
        let mut plain: [BTreeSet<u64>; VERSIONS] = Default::default();
        for step in steps {
            match step {
                Step::Flip { version, range } => {
                    shared[version].flip(range.clone());
                    plain[version] = plain[version].symmetric_difference(&range.collect()).copied().collect();
                }
                Step::Copy { from, to } => (shared[to], plain[to]) = (shared[from].clone(), plain[from].clone()),
                Step::Unite { one, other } => {
                    let second = shared[other].clone();
                    let first = plain[one].symmetric_difference(&plain[other]).next().copied();
                    prop_assert_eq!(shared[one].unite(&second), first);
                }
            }
        }
        for (one, set) in shared.iter().zip(&plain) {
            prop_assert_eq!(one.ranges().collect::<Vec<_>>(), ranges_of(set));
            prop_assert_eq!(one.is_empty(), set.is_empty());
            prop_assert!((0..END + 100).all(|position| one.contains(position) == set.contains(&position)));
            let inside: BTreeSet<u64> = set.range(within.clone()).copied().collect();
            prop_assert_eq!(one.ranges_within(within.clone()).collect::<Vec<_>>(), ranges_of(&inside));
            for (other, second) in shared.iter().zip(&plain) {
                let alone: BTreeSet<u64> = set.symmetric_difference(second).copied().collect();
                prop_assert_eq!(one.differing(other), ranges_of(&alone));
                prop_assert_eq!(one == other, set == second);
            }
        }
    }
}

/// All positions that there can be are a set as good as any.
#[test]
fn the_widest_set() {
    let mut all = SharedPositions::EMPTY;
    all.flip(0..u64::MAX);
    assert_eq!(all, SharedPositions::from(&Positions::from_range(0..u64::MAX)));
    assert_eq!(all.next_range(0), Some(0..u64::MAX));
    assert!(all.contains(u64::MAX - 1) && !all.contains(u64::MAX));
    all.flip(7..u64::MAX - 7);
    assert_eq!(all.ranges().collect::<Vec<_>>(), [0..7, u64::MAX - 7..u64::MAX]);
    let few: SharedPositions = (0..7).chain([9]).collect();
    assert_eq!(few.differing(&all), [9..10, u64::MAX - 7..u64::MAX]);
    assert_eq!(all.differing(&few), [9..10, u64::MAX - 7..u64::MAX]);
    assert_eq!((all.unite(&few), few.clone().unite(&all)), (Some(9), Some(9)));
}

/// After two sets were united, they are compared without looking at what they have in common.
#[test]
fn united_sets_share() {
    let scattered = || (0..100_000).step_by(3).collect::<SharedPositions>();
    let (mut one, other) = (scattered(), scattered());
    assert!(!one.root_is(&other));
    assert_eq!(one.unite(&other), None);
    assert!(one.root_is(&other));
}
