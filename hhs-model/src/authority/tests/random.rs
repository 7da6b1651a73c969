//! Random histories: several authors write on top of whatever is kept, with all acts, by grants that are theirs or not, in their
//! past or not. Whoever keeps it in whatever order judges as the definition does.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::super::vantage::Vantage;
use super::reference::Reference;
use super::{ANA, Definition, Seen, World, founded_by_ana, founding, header, identity, signed};
use crate::id::OpId;
use crate::op::{Act, Capability, Cut, Founding, Genesis, Op};

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
    act: Option<Doing>,
}

#[derive(Debug, Clone)]
enum Doing {
    Grant(usize, Vec<&'static str>),
    Revoke(Vec<(bool, Index)>),
    Renounce,
    Reinstate(Vec<(bool, Index)>),
    Extend(bool, Index),
}

fn picks(most: usize, likely: f64) -> impl Strategy<Value = Vec<(bool, Index)>> {
    vec((prop::bool::weighted(likely), any::<Index>()), 0..most)
}

fn step() -> impl Strategy<Value = Step> {
    // Enough of what is kept that grants stand on grants, many levels deep.
    let author = prop_oneof![2 => Just(ANA), 3 => 0..AUTHORS];
    let names = prop_oneof![3 => Just(vec!["grant", "write"]), 2 => subsequence(NAMES.to_vec(), 1..=NAMES.len())];
    let doing = prop_oneof![
        8 => (0..AUTHORS, names).prop_map(|(to, names)| Doing::Grant(to, names)),
        6 => picks(3, 0.95).prop_map(Doing::Revoke),
        2 => Just(Doing::Renounce),
        3 => picks(3, 0.95).prop_map(Doing::Reinstate),
        1 => (prop::bool::weighted(0.9), any::<Index>()).prop_map(|(usual, at)| Doing::Extend(usual, at)),
    ];
    let act = option::weighted(0.75, doing);
    (author, picks(4, 0.8), picks(3, 0.95), act).prop_map(|(author, parents, grants, act)| Step {
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
        let those = |right: &dyn Fn(&Act) -> bool| -> Vec<OpId> {
            kept.iter().filter(|op| op.header().act.as_ref().is_some_and(right)).map(Op::id).collect()
        };
        let own = those(&|act| act.grantee() == Some(identity(self.author)));
        let pick = |picks: &[(bool, Index)], likely: &[OpId]| -> Vec<OpId> {
            let from = |usual: bool| if usual { likely } else { ids.as_slice() };
            let pick = |(usual, at): &(bool, Index)| (!from(*usual).is_empty()).then(|| *at.get(from(*usual)));
            picks.iter().filter_map(pick).collect()
        };
        let (parents, mut grants) = (pick(&self.parents, &heads), pick(&self.grants, &own));
        let some = |ids: Vec<OpId>| (!ids.is_empty()).then(|| ids.into_iter().collect::<BTreeSet<_>>());
        let act = self.act.as_ref().and_then(|doing| match doing {
            Doing::Grant(to, names) => super::grant(*to, names),
            Doing::Revoke(picks) => {
                let grants = some(pick(picks, &those(&|act| act.grantee().is_some())))?;
                Some(Act::Revoke { grants, cut: Cut::new() })
            }
            Doing::Renounce => {
                grants.truncate(1);
                super::renounce(*grants.first()?)
            }
            Doing::Reinstate(picks) => {
                let of = some(pick(picks, &those(&|act| matches!(act, Act::Revoke { .. }))))?;
                Some(Act::Reinstate { of })
            }
            Doing::Extend(usual, at) => {
                let of = *pick(&[(*usual, *at)], &those(&Act::withdraws)).first()?;
                Some(Act::Extend { of, cut: Cut::new() })
            }
        });
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
fn ids(world: &World, seen: &Seen) -> BTreeSet<OpId> {
    assert!(seen.own.is_sorted_by(|a, b| a < b) && seen.foreign.is_empty(), "{seen:?}");
    seen.own.iter().map(|number| world.authority.acts[*number as usize].id).collect()
}

/// Another peer gets the same ops, the refused ones included, in another causal order.
fn in_another_order(founding: Founding, mut tried: Vec<Op>, picks: &[Index]) -> World {
    let mut other = World::new(founding);
    for pick in picks {
        let ready = |op: &&Op| op.header().parents.iter().all(|parent| other.places.contains_key(parent));
        let ready: Vec<OpId> = tried.iter().filter(ready).map(Op::id).collect();
        if ready.is_empty() {
            break;
        }
        let id = *pick.get(&ready);
        let at = tried.iter().position(|op| op.id() == id).unwrap();
        let _verdict = other.take(&tried.remove(at));
    }
    assert!(tried.is_empty(), "parents are always kept, so everything can be judged");
    other
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// What is refused, reason included, and all that every op has seen is what the definition says.
    #[test]
    fn what_is_refused_is_what_the_definition_says(founding in foundings(), steps in vec(step(), 1..40)) {
        let (tried, world) = history(founding.clone(), &steps);
        let reference = Reference::new(founding.roles().clone(), &world.kept);
        let kept: BTreeSet<OpId> = world.kept.iter().map(Op::id).collect();
        for op in &tried {
            let (header, parents) = (op.header(), &op.header().parents);
            let seen = world.seen(parents);
            prop_assert_eq!(world.authority.judge(header, &seen), reference.verdict(header));
            prop_assert_eq!(kept.contains(&op.id()), reference.verdict(header).is_ok());
            prop_assert_eq!(ids(&world, &seen), reference.seen(parents));
            if let Some(place) = world.places.get(&op.id()) {
                prop_assert_eq!(ids(&world, &place.above), reference.seen(&[op.id()]));
            }
        }
    }

    /// Verdicts are those of the definition, reasons included, in whatever order the ops come; and after every op what has
    /// changed was said to have.
    #[test]
    fn verdicts_are_those_of_the_definition(
        founding in foundings(),
        steps in vec(step(), 1..40),
        picks in vec(any::<Index>(), 40),
    ) {
        let (tried, world) = history(founding.clone(), &steps);
        let definition = Definition::new(&world.kept);
        let other = in_another_order(founding.clone(), tried, &picks);
        prop_assert_eq!(world.kept.len(), other.kept.len());
        for op in &world.kept {
            let expected = definition.verdict(&op.id()).into();
            prop_assert_eq!(world.verdict(op.id()), expected, "{}", op.id());
            prop_assert_eq!(other.verdict(op.id()), expected, "in another order: {}", op.id());
        }
        prop_assert_eq!(world.authority.holders(), other.authority.holders());
        let mut again = World::new(founding);
        for op in &other.kept {
            let before: Vec<_> = again.kept.iter().map(|op| (op.id(), again.verdict(op.id()))).collect();
            let epoch = again.authority.epoch();
            let affected = again.take_in(op).expect("it was kept before");
            prop_assert!(!affected.acts.contains(&op.id()) && !affected.grants.contains(&op.id()), "it is new");
            for (id, verdict) in before {
                let told = affected.acts.contains(&id)
                    || again.op(&id).header().grants.iter().any(|grant| affected.grants.contains(grant));
                prop_assert!(told || again.verdict(id) == verdict, "{} turned and nobody was told", id);
            }
            prop_assert_eq!(affected.is_empty(), again.authority.epoch() == epoch);
        }
    }

    /// What an author saw is what the definition says of their past alone.
    #[test]
    fn verdicts_for_a_past_are_those_of_the_definition(founding in foundings(), steps in vec(step(), 1..30)) {
        let (_, world) = history(founding, &steps);
        for viewer in &world.kept {
            let past = world.past(&viewer.id());
            let definition = Definition::new(past.iter().map(|id| world.op(id)));
            let seen = &world.places[&viewer.id()].seen;
            prop_assert_eq!(world.authority.withdraws(seen), past.iter().any(|id| world.withdraws(id)));
            for op in &past {
                prop_assert_eq!(world.is_void_for(*op, viewer.id()), definition.verdict(op).is_some());
            }
            let itself = Definition::new(past.iter().chain([&viewer.id()]).map(|id| world.op(id)));
            prop_assert_eq!(world.is_void_for(viewer.id(), viewer.id()), itself.verdict(&viewer.id()).is_some());
        }
    }

    /// Who looks from one past after the other, in any order, sees in each what the definition says of it, and is told of all ops
    /// whose verdict is another one than before.
    #[test]
    fn looking_from_past_to_past(
        founding in foundings(),
        steps in vec(step(), 1..30),
        views in vec(any::<Index>(), 1..12),
    ) {
        let (_, world) = history(founding, &steps);
        let mut vantage = Vantage::default();
        let mut before = BTreeMap::new();
        for view in views.iter().filter(|_| !world.kept.is_empty()) {
            let viewer = view.get(&world.kept).id();
            let past = world.past(&viewer);
            let definition = Definition::new(past.iter().map(|id| world.op(id)));
            let turned = vantage.look_from(&world.authority, &world.places[&viewer].seen);
            for id in &past {
                let (stand, void) = (world.standing(id), definition.verdict(id).is_some());
                prop_assert_eq!(vantage.is_void(&world.authority, stand), void, "{}", id);
                let told = turned.acts.contains(id)
                    || turned.stands.iter().any(|(grant, at)| stand.grants.contains(grant) && at.contains(stand.position));
                // What no past held so far is not void, as far as anybody was told.
                prop_assert!(told || before.get(id).copied().unwrap_or_default() == void, "{} turned", id);
            }
            let there = world.kept.iter().map(|op| (op.id(), vantage.is_void(&world.authority, world.standing(&op.id()))));
            before = there.collect();
        }
    }

    /// Who holds what is by roles, or by a grant that counts and that nothing withdraws which counts.
    #[test]
    fn holders_are_those_of_the_definition(founding in foundings(), steps in vec(step(), 1..40)) {
        let (_, world) = history(founding.clone(), &steps);
        let reference = Reference::new(founding.roles().clone(), &world.kept);
        let all: BTreeSet<OpId> = world.kept.iter().map(Op::id).collect();
        for (author, name) in (0..AUTHORS).flat_map(|author| NAMES.map(|name| (author, name))) {
            let (identity, capability) = (identity(author), name.parse().unwrap());
            let live = |id: &&OpId| {
                reference.grant(id).is_some_and(|(to, _)| to == identity)
                    && reference.gives(id, &capability)
                    && reference.is_live(&reference.definition, &all, id)
            };
            let holds = reference.by_genesis(&identity, &capability) || all.iter().any(|id| live(&id));
            prop_assert_eq!(world.authority.holders().holds(&identity, name), holds);
            prop_assert_eq!(world.authority.may(&identity, name), holds);
        }
    }

    /// What an author is told to stand on is in their past, theirs, enough, and as senior as can be; they are told nothing if nothing
    /// that stands is enough.
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
        let past = reference.past(&parents);
        let judged = Definition::new(past.iter().map(|id| world.op(id)));
        let needed: BTreeSet<&str> = ["write", "grant"].into_iter().chain(names.iter().copied()).collect();
        let needed: Vec<&str> = needed.into_iter().collect();
        let mut live: Vec<OpId> = past.iter().filter(|id| reference.is_live(&judged, &past, id)).copied().collect();
        live.retain(|id| reference.grant(id).is_some_and(|(to, _)| to == identity(author)));
        live.sort_by_key(|id| reference.definition.rank(id));
        let enough = |grants: &[OpId]| needed.iter().all(|name| {
            let capability = name.parse().unwrap();
            reference.by_genesis(&identity(author), &capability)
                || grants.iter().any(|grant| reference.gives(grant, &capability))
        });
        let seen = world.seen(&parents);
        let standing = world.authority.standing(&identity(author), &needed, &seen);
        prop_assert_eq!(standing.is_some(), enough(&live));
        if let Some(grants) = standing {
            let senior = (0..=live.len()).find(|count| enough(&live[..*count])).unwrap();
            let highest = senior.checked_sub(1).map(|last| live[last]);
            let header = header(author, 1000, &parents, &grants, super::grant(author, &names));
            prop_assert_eq!(reference.stands(&header), highest.and_then(|id| reference.definition.rank(&id)));
            prop_assert_eq!(&header.grants, &grants, "ascending, as headers need them");
            prop_assert_eq!(world.authority.judge(&header, &seen), Ok(()));
            prop_assert!(names.iter().all(|name| world.authority.holds(&header, name)));
            for spare in 0..grants.len() {
                let mut fewer = grants.clone();
                fewer.remove(spare);
                prop_assert!(!enough(&fewer), "each of the grants is needed");
            }
        }
    }
}
