//! Random histories: several authors write on top of whatever is kept, by grants that are theirs or not, in their past
//! or not. Whoever keeps it in whatever order judges as the definition does.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::reference::Reference;
use super::{ANA, World, founded_by_ana, founding, header, identity, signed};
use crate::id::OpId;
use crate::op::{Act, Capability, Founding, Genesis, Op};

const AUTHORS: usize = 4;
const NAMES: [&str; 4] = ["grant", "paint", "read", "write"];

/// What an author tries to write. Numbers pick among what is there when they do.
#[derive(Debug, Clone)]
struct Step {
    author: usize,
    /// Heads, or any kept ops: parents that lie below other parents are allowed.
    parents: Vec<(bool, Index)>,
    /// Grants to the author, or any kept ops.
    grants: Vec<(bool, Index)>,
    act: Option<(usize, Vec<&'static str>)>,
}

fn step() -> impl Strategy<Value = Step> {
    let picks = |most, likely| vec((prop::bool::weighted(likely), any::<Index>()), 0..most);
    // Enough of what is kept that grants stand on grants, many levels deep.
    let author = prop_oneof![2 => Just(ANA), 3 => 0..AUTHORS];
    let names = prop_oneof![3 => Just(vec!["grant", "write"]), 2 => subsequence(NAMES.to_vec(), 1..=NAMES.len())];
    let act = option::weighted(0.6, (0..AUTHORS, names));
    (author, picks(4, 0.8), picks(4, 0.95), act).prop_map(|(author, parents, grants, act)| Step {
        author,
        parents,
        grants,
        act,
    })
}

fn foundings() -> impl Strategy<Value = Founding> {
    let role = || vec(0..AUTHORS, 0..3);
    prop_oneof![
        3 => Just(founded_by_ana()),
        1 => (role(), role(), role()).prop_map(|(write, grant, paint)| {
            let holders = |role: Vec<usize>| role.into_iter().map(identity).collect::<BTreeSet<_>>();
            let paint = ("paint".parse().unwrap(), holders(paint));
            let roles = [(Capability::write(), holders(write)), (Capability::grant(), holders(grant)), paint].into();
            founding(Genesis::with_roles("test/v1/Room", [0; 16], roles))
        }),
    ]
}

impl Step {
    /// The op, on top of what is kept so far.
    fn op(&self, number: usize, kept: &[Op]) -> Op {
        let ids: Vec<OpId> = kept.iter().map(Op::id).collect();
        let covered: BTreeSet<OpId> = kept.iter().flat_map(|op| op.header().parents.clone()).collect();
        let heads: Vec<OpId> = ids.iter().filter(|id| !covered.contains(id)).copied().collect();
        let to_author =
            |op: &&Op| matches!(&op.header().act, Some(Act::Grant { to, .. }) if *to == identity(self.author));
        let own: Vec<OpId> = kept.iter().filter(to_author).map(Op::id).collect();
        let pick = |picks: &[(bool, Index)], likely: &[OpId]| -> Vec<OpId> {
            let from = |usual: bool| if usual { likely } else { ids.as_slice() };
            let pick = |(usual, at): &(bool, Index)| (!from(*usual).is_empty()).then(|| *at.get(from(*usual)));
            picks.iter().filter_map(pick).collect()
        };
        let act = self.act.as_ref().and_then(|(to, names)| super::grant(*to, names));
        let (parents, grants) = (pick(&self.parents, &heads), pick(&self.grants, &own));
        signed(header(self.author, number as u64, &parents, &grants, act))
    }
}

/// All ops that were tried, and who keeps those that were not refused, in the order in which they were written.
fn history(founding: Founding, steps: &[Step]) -> (Vec<Op>, World) {
    let mut world = World::new(founding);
    let mut tried = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let op = step.op(number, &world.kept);
        let _verdict = world.take(&op);
        tried.push(op);
    }
    (tried, world)
}

/// The acts behind the numbers.
fn ids(world: &World, seen: &super::Seen) -> BTreeSet<OpId> {
    assert!(seen.0.is_sorted_by(|a, b| a < b), "{seen:?}");
    seen.0.iter().map(|number| world.authority.acts[*number as usize].id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Every verdict, reason included, and all that every op has seen is what the definition says.
    #[test]
    fn verdicts_are_those_of_the_definition(founding in foundings(), steps in vec(step(), 1..40)) {
        let (tried, world) = history(founding.clone(), &steps);
        let reference = Reference::new(founding.roles().clone(), &world.kept);
        let kept: BTreeSet<OpId> = world.kept.iter().map(Op::id).collect();
        for op in &tried {
            let (header, parents) = (op.header(), &op.header().parents);
            let seen = world.seen(parents);
            prop_assert_eq!(world.authority.judge(header, &seen), reference.verdict(header));
            prop_assert_eq!(kept.contains(&op.id()), reference.verdict(header).is_ok());
            prop_assert_eq!(ids(&world, &seen), reference.seen(parents));
            if let Some(above) = world.above.get(&op.id()) {
                prop_assert_eq!(ids(&world, above), reference.seen(&[op.id()]));
            }
        }
    }

    /// Another peer gets the same ops, the refused ones included, in another causal order: it keeps the same ones.
    #[test]
    fn the_order_of_arrival_decides_nothing(
        founding in foundings(),
        steps in vec(step(), 1..40),
        picks in vec(any::<Index>(), 40),
    ) {
        let (mut tried, world) = history(founding.clone(), &steps);
        let mut other = World::new(founding);
        for pick in &picks {
            let ready = |op: &&Op| op.header().parents.iter().all(|parent| other.above.contains_key(parent));
            let ready: Vec<OpId> = tried.iter().filter(ready).map(Op::id).collect();
            if ready.is_empty() {
                break;
            }
            let id = *pick.get(&ready);
            let at = tried.iter().position(|op| op.id() == id).unwrap();
            let _verdict = other.take(&tried.remove(at));
        }
        prop_assert!(tried.is_empty(), "parents are always kept, so everything can be judged");
        let ids = |world: &World| world.kept.iter().map(Op::id).collect::<BTreeSet<_>>();
        prop_assert_eq!(ids(&world), ids(&other));
    }

    /// What an author is told to stand on is in their past, theirs, and enough; they are told nothing if nothing is enough.
    #[test]
    fn standing_is_found_if_there_is_any(
        founding in foundings(),
        steps in vec(step(), 1..40),
        author in 0..AUTHORS,
        parents in vec(any::<Index>(), 0..4),
        names in subsequence(NAMES.to_vec(), 1..=NAMES.len()),
    ) {
        let (_, world) = history(founding.clone(), &steps);
        let kept: Vec<OpId> = world.kept.iter().map(Op::id).collect();
        let parents: Vec<OpId> =
            parents.iter().filter(|_| !kept.is_empty()).map(|parent| *parent.get(&kept)).collect();
        let reference = Reference::new(founding.roles().clone(), &world.kept);
        let seen = world.seen(&parents);
        let needed: BTreeSet<&str> = ["write", "grant"].into_iter().chain(names.iter().copied()).collect();
        let needed: Vec<&str> = needed.into_iter().collect();
        let standing = world.authority.standing(&identity(author), &needed, &seen);
        prop_assert_eq!(standing.is_some(), reference.can(&identity(author), &needed, &parents));
        if let Some(grants) = standing {
            prop_assert!(grants.len() <= needed.len());
            let header = header(author, 1000, &parents, &grants, super::grant(author, &names));
            prop_assert_eq!(&header.grants, &grants, "ascending, as headers need them");
            prop_assert_eq!(world.authority.judge(&header, &seen), Ok(()));
        }
    }
}
