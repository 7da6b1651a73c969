//! Random histories of several authors, taken in by several stores, each in its own order and bundles: the same ops make
//! the same replica everywhere.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use hhs_model::OpId;
use hhs_model::authority::Holders;
use hhs_model::class::{Changes, NoRights, OpContext, Replica, Unseen};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::op::Act;
use hhs_store::{IngestError, Live, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{Made, Notes, World, author, bundle, id_of, open};

const AUTHORS: u8 = 4;

/// What somebody writes: on top of which ops, and what.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    author: u8,
    parents: Vec<Index>,
    grants: Option<(u8, bool)>,
    payload: Option<Vec<u8>>,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let author = prop_oneof![1 => Just(0), 2 => 0..AUTHORS];
    let payload =
        prop_oneof![3 => "[a-z]{1,4}".prop_map(|text| crate::world::note(&text)), 1 => vec(any::<u8>(), 0..4)];
    let grants = option::weighted(0.4, (0..AUTHORS, any::<bool>()));
    (author, vec(any::<Index>(), 0..4), grants, option::weighted(0.8, payload))
        .prop_map(|(author, parents, grants, payload)| Step { author, parents, grants, payload })
}

/// The ops that are kept, as one store takes them in one by one: authors stand on whatever they were granted below.
pub(crate) async fn history(world: &World, steps: &[Step]) -> (Vec<Made>, Vec<Made>) {
    let (mut kept, mut refused) = (Vec::<Made>::new(), Vec::new());
    for (time, step) in (0..).zip(steps) {
        let parents: Vec<OpId> =
            step.parents.iter().filter(|_| !kept.is_empty()).map(|pick| kept[pick.index(kept.len())].id()).collect();
        let past = past(&kept, &parents);
        let to_author = |made: &&Made| match &made.op.header().act {
            Some(Act::Grant { to, .. }) => *to == id_of(step.author) && past.contains(&made.id()),
            _ => false,
        };
        let grants: Vec<OpId> = kept.iter().filter(to_author).map(Made::id).take(16).collect();
        let mut making = world.op(step.author, &parents).by(&grants).at(time);
        if let Some((to, all)) = step.grants {
            making = making.granting(to, if all { &["grant", "write"] } else { &["write"] });
        }
        if let Some(payload) = &step.payload {
            making = making.carrying(payload.clone());
        }
        let made = making.sign();
        match world.store.ingest(world.replica, bundle([&made], &[0, 1, 2, 3])).await {
            Ok(_) => kept.push(made),
            Err(IngestError::Refused { .. }) => refused.push(made),
            Err(error) => panic!("these ops are refused or kept: {error}"),
        }
    }
    (kept, refused)
}

pub(crate) fn past(ops: &[Made], parents: &[OpId]) -> BTreeSet<OpId> {
    let by_id: BTreeMap<OpId, &Made> = ops.iter().map(|made| (made.id(), made)).collect();
    let mut past = BTreeSet::new();
    let mut left = parents.to_vec();
    while let Some(id) = left.pop() {
        if past.insert(id) {
            left.extend(&by_id[&id].op.header().parents);
        }
    }
    past
}

/// A causal order that `picks` decides.
pub(crate) fn shuffled(mut ops: Vec<Made>, picks: &[Index]) -> Vec<Made> {
    let mut order: Vec<Made> = Vec::new();
    let mut picks = picks.iter().cycle();
    while !ops.is_empty() {
        let placed: BTreeSet<OpId> = order.iter().map(Made::id).collect();
        let ready = |made: &Made| made.op.header().parents.iter().all(|parent| placed.contains(parent));
        let ready: Vec<usize> = (0..ops.len()).filter(|at| ready(&ops[*at])).collect();
        order.push(ops.remove(ready[picks.next().unwrap().index(ready.len())]));
    }
    order
}

/// The fold of all ops, and which are void.
fn by_definition(world: &World, ops: &[Made]) -> (Notes, BTreeSet<OpId>) {
    let founding = block_on(world.store.founding(world.replica)).unwrap();
    let (mut notes, mut void) = (Notes::new(), BTreeSet::new());
    notes.holders = Holders::from_roles(founding.roles());
    let (graph, hidden) = (Graph::new(), SharedPositions::default());
    let mut heights: BTreeMap<OpId, u64> = BTreeMap::new();
    for made in ops {
        let header = made.op.header();
        let height = header.parents.iter().map(|parent| heights[parent] + 1).max().unwrap_or(0);
        heights.insert(made.id(), height);
        let (author, time, act) = (header.author, header.time, header.act.as_ref());
        let context = OpContext {
            id: made.id(),
            position: 0,
            height,
            author,
            time,
            act,
            graph: &graph,
            hidden: &hidden,
            rights: &NoRights,
            unseen: Unseen::default(),
        };
        match made.payload.as_deref().map(Notes::decode) {
            Some(Ok(text)) => notes.apply(text, &context, &mut Changes::unwatched()),
            Some(Err(_)) => drop(void.insert(made.id())),
            None => {}
        }
        notes.observe(&context, &mut Changes::unwatched());
        if let Some(Act::Grant { to, can }) = act {
            can.iter().for_each(|capability| _ = notes.holders.insert(capability.clone(), *to));
        }
    }
    (notes, void)
}

/// Another store takes the ops in bundles of these sizes, some ops of an earlier bundle again in each. The live state is
/// opened before, or after some bundle.
async fn taken_in(world: &World, ops: &[Made], sizes: &[usize], opened_after: usize) -> (World, Live<Notes>) {
    let other = World::new().await;
    assert_eq!(other.replica, world.replica);
    let mut live = None;
    let (mut at, mut sizes) = (0, sizes.iter().cycle().enumerate());
    while at < ops.len() {
        let (number, size) = sizes.next().unwrap();
        if number == opened_after {
            live = Some(other.store.open_replica(other.replica).await.unwrap());
        }
        let end = ops.len().min(at + size);
        let from = at.saturating_sub(number % 3);
        let ingested = other.store.ingest(other.replica, bundle(&ops[from..end], &[0, 1, 2, 3])).await.unwrap();
        assert_eq!((ingested.added, ingested.known), ((end - at) as u64, (at - from) as u64));
        at = end;
    }
    let live = match live {
        Some(live) => live,
        None => other.store.open_replica(other.replica).await.unwrap(),
    };
    (other, live)
}

async fn rights(store: &Store, world: &World) -> Vec<bool> {
    let mut rights = Vec::new();
    for number in 0..AUTHORS {
        for capability in ["write", "grant"] {
            rights.push(store.may(world.replica, id_of(number), capability).await.unwrap());
        }
    }
    rights
}

fn heads(ops: &[Made]) -> BTreeSet<OpId> {
    let covered: BTreeSet<OpId> = ops.iter().flat_map(|made| made.op.header().parents.clone()).collect();
    ops.iter().map(Made::id).filter(|id| !covered.contains(id)).collect()
}

/// Who may do what, by who holds what from the start and what any op grants.
fn rights_by_definition(ops: &[Made]) -> Vec<bool> {
    let granted = |number: u8, capability: &str| {
        let grants = |made: &Made| match &made.op.header().act {
            Some(Act::Grant { to, can }) => *to == id_of(number) && can.contains(capability),
            _ => false,
        };
        number == 0 || ops.iter().any(grants)
    };
    (0..AUTHORS).flat_map(|number| ["write", "grant"].map(|capability| granted(number, capability))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Two stores take in the same ops in different orders and bundles, with some twice: both have the frontier, the state,
    /// the void ops and the rights of the definition, and have them again after they were opened anew.
    #[test]
    fn the_same_ops_make_the_same_replica(
        steps in vec(step(), 1..30),
        orders in [vec(any::<Index>(), 30), vec(any::<Index>(), 30)],
        sizes in [vec(1..6_usize, 1..8), vec(1..20_usize, 1..4)],
        opened_after in [0..10_usize, 0..10_usize],
    ) {
        let world = block_on(World::new());
        let (ops, refused) = block_on(history(&world, &steps));
        let (state, void) = by_definition(&world, &ops);
        let stores = orders.iter().zip(&sizes).zip(opened_after);
        for ((order, sizes), opened_after) in stores {
            let order = shuffled(ops.clone(), order);
            let (other, live) = block_on(taken_in(&world, &order, sizes, opened_after));
            for store in [other.store.clone(), block_on(open(other.memory.clone()))] {
                prop_assert_eq!(block_on(store.frontier(world.replica)).unwrap().heads, heads(&ops));
                prop_assert_eq!(block_on(store.count(world.replica)).unwrap(), ops.len() as u64);
                prop_assert_eq!(block_on(rights(&store, &world)), rights_by_definition(&ops));
                let opened: Live<Notes> = block_on(store.open_replica(world.replica)).unwrap();
                for live in [&live, &opened] {
                    prop_assert_eq!(&live.read(Notes::clone), &state);
                    for made in &ops {
                        prop_assert_eq!(block_on(live.explain(made.id())).unwrap().is_some(), void.contains(&made.id()));
                    }
                }
                // What one store refuses the other one refuses, for the same reason.
                for made in &refused {
                    let send = |store: &Store| {
                        block_on(store.ingest(world.replica, bundle([made], &[0, 1, 2, 3]))).unwrap_err().to_string()
                    };
                    prop_assert_eq!(send(&store), send(&world.store));
                }
            }
            // And an op of one's own stands on all of it.
            let id = block_on(live.update(&author(0), 0, |edit| edit.write("last"))).unwrap().unwrap();
            prop_assert_eq!(block_on(other.heads()), BTreeSet::from([id]));
        }
    }
}
