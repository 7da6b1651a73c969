//! Many tasks write, take in, give up and fail on a store that is slow and sometimes full, which is then opened again: what
//! was acknowledged is there, what failed is not, and everything agrees.

use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::future::{LocalBoxFuture, join_all};
use hhs_model::class::Replica;
use hhs_model::{OpId, ReplicaId};
use hhs_store::{ChangeStream, Lagged, Live, MemoryBackend, ReadLimit, Store};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::backends::{Slow, abandon};
use crate::world::{Making, Notes, World, author, bundle, op, open};

pub(crate) const ALL: ReadLimit = ReadLimit { ops: usize::MAX, bytes: usize::MAX };

/// What one task does.
#[derive(Debug, Clone)]
enum Step {
    Write,
    /// Several ops of somebody else, each on top of the one before.
    TakeIn(u8),
    /// Ops that are refused, behind one that is not.
    TakeInBad,
    GiveUp(usize),
    Save,
    Found,
    MayWrite,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Write),
        2 => (1..4_u8).prop_map(Step::TakeIn),
        1 => Just(Step::TakeInBad),
        2 => (0..60_usize).prop_map(Step::GiveUp),
        1 => Just(Step::Save),
        1 => Just(Step::Found),
        1 => Just(Step::MayWrite),
    ]
}

/// What has become of the writes.
#[derive(Default)]
struct Outcomes {
    there: BTreeSet<OpId>,
    gone: BTreeSet<OpId>,
    texts_gone: BTreeSet<String>,
    texts_there: BTreeSet<String>,
}

struct Mayhem {
    store: Store,
    live: Live<Notes>,
    replica: ReplicaId,
    outcomes: RefCell<Outcomes>,
}

impl Mayhem {
    async fn task(&self, number: usize, steps: Vec<Step>) {
        for (at, step) in steps.into_iter().enumerate() {
            let name = format!("{number} {at}");
            self.step(step, &name, (number * 1000 + at * 10) as u64).await;
        }
    }

    async fn step(&self, step: Step, name: &str, time: u64) {
        let Self { store, replica, .. } = self;
        let founder = author(0);
        let write = || self.live.update(&founder, time, |edit| edit.write(name));
        match step {
            Step::Write => {
                let outcome = write().await;
                let mut outcomes = self.outcomes.borrow_mut();
                match outcome {
                    Ok(id) => {
                        outcomes.there.extend(id);
                        outcomes.texts_there.insert(name.to_owned());
                    }
                    Err(_) => drop(outcomes.texts_gone.insert(name.to_owned())),
                }
            }
            Step::GiveUp(polls) => drop(abandon(write(), polls).await),
            Step::TakeIn(count) => {
                let mut made = vec![op(0, *replica, &[]).at(time).saying(name).sign()];
                for next in 1..u64::from(count) {
                    let below = made[made.len() - 1].id();
                    made.push(op(0, *replica, &[below]).at(time + next).sign());
                }
                let outcome = store.ingest(*replica, bundle(&made, &[])).await;
                let mut outcomes = self.outcomes.borrow_mut();
                let ids = made.iter().map(|made| made.id());
                if outcome.is_ok() { outcomes.there.extend(ids) } else { outcomes.gone.extend(ids) }
            }
            Step::TakeInBad => {
                let good = op(0, *replica, &[]).at(time).sign();
                let bad: Making = op(3, *replica, &[good.id()]).at(time);
                let bad = bad.sign();
                store.ingest(*replica, bundle([&good, &bad], &[3])).await.unwrap_err();
                self.outcomes.borrow_mut().gone.extend([good.id(), bad.id()]);
            }
            // These may fail; if they do not, they are there.
            Step::Save => {
                let author = author(10 + (time / 10 % 100) as u8);
                if store.put_identity(author.identity_bytes().to_vec()).await.is_ok() {
                    assert!(store.identity(author.id()).await.unwrap().is_some());
                }
            }
            Step::Found => {
                let mut nonce = [0; 16];
                nonce[..8].copy_from_slice(&time.to_be_bytes());
                if let Ok(id) = store.found(Notes::CLASS, nonce, &author(1)).await {
                    assert!(store.has_replica(id).await.unwrap());
                }
            }
            Step::MayWrite => {
                let may = store.may(*replica, author(0).id(), "write").await;
                assert!(may.unwrap_or(true));
            }
        }
    }
}

/// What somebody knows who follows the changes, and reads again when told to.
fn follow(live: &Live<Notes>, known: &mut BTreeSet<OpId>, changes: &mut ChangeStream) {
    while let Some(change) = changes.next_ready() {
        match change {
            Ok(change) => assert!(known.insert(change.op), "told twice"),
            Err(Lagged { .. }) => {
                let (read, stream) = live.read_and_watch(|notes| notes.notes.keys().copied().collect());
                (*known, *changes) = (read, stream);
            }
        }
    }
}

/// Everything that a memory holds of replicas, and what each index says of it, agrees.
pub(crate) async fn assert_whole(memory: &MemoryBackend, replicas: &[ReplicaId]) {
    let store = open(memory.clone()).await;
    for replica in replicas {
        let stored = store.ops(*replica, 0..u64::MAX, ALL).await.unwrap();
        assert_eq!(store.count(*replica).await.unwrap(), stored.len() as u64);
        let ids: Vec<OpId> = stored.iter().map(|stored| stored.op.id()).collect();
        let places = store.positions(*replica, &ids).await.unwrap();
        assert_eq!(places, ids.iter().copied().zip(0..).collect(), "each op is there once, and found");
        let covered: BTreeSet<OpId> = stored.iter().flat_map(|stored| stored.op.header().parents.clone()).collect();
        let heads = ids.iter().copied().filter(|id| !covered.contains(id)).collect();
        assert_eq!(store.frontier(*replica).await.unwrap().heads, heads);
        let mut seen = BTreeSet::new();
        for stored in &stored {
            assert!(stored.op.header().parents.iter().all(|parent| seen.contains(parent)), "parents come first");
            assert!(store.identity(stored.op.header().author).await.unwrap().is_some());
            seen.insert(stored.op.id());
        }
    }
    for replica in store.replicas().await.unwrap() {
        store.open_replica::<Notes>(replica).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// The store, the live state, who follows the changes and who opens the store again all agree, on all that was
    /// acknowledged and nothing that failed.
    #[test]
    fn nothing_is_lost_and_nothing_left_over(
        seed in 0..1000_u64,
        failing in prop_oneof![Just(0_u64), Just(10), Just(40)],
        rounds in vec(vec(vec(step(), 0..6), 1..5), 1..3),
    ) {
        let world = block_on(World::new());
        for (round, tasks) in rounds.into_iter().enumerate() {
            let slow = Slow::new(world.memory.clone(), seed + round as u64);
            block_on(run(&world, slow, failing, tasks));
            block_on(assert_whole(&world.memory, &[world.replica]));
        }
    }
}

async fn run(world: &World, slow: Slow, failing: u64, tasks: Vec<Vec<Step>>) {
    let store = open(slow.clone()).await;
    let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
    let (mut known, mut changes) = live.read_and_watch(|notes| notes.notes.keys().copied().collect::<BTreeSet<_>>());
    let mut commits = store.watch();
    let before = store.count(world.replica).await.unwrap();
    slow.fail(failing);
    let mayhem =
        Mayhem { store: store.clone(), live: live.clone(), replica: world.replica, outcomes: RefCell::default() };
    let tasks = tasks.into_iter().enumerate().map(|(number, steps)| -> LocalBoxFuture<'_, ()> {
        Box::pin(mayhem.task(number + 10 * before as usize, steps))
    });
    join_all(tasks).await;
    slow.fail(0);
    // The first write may still hear of what failed and nobody waited for.
    drop(live.update(&author(0), 0, |edit| edit.write("settle")).await);
    live.update(&author(0), 1, |edit| edit.write("the end")).await.unwrap();

    let stored: BTreeSet<OpId> = store.op_ids(world.replica, 0..u64::MAX).await.unwrap().into_iter().collect();
    let outcomes = mayhem.outcomes.take();
    assert!(outcomes.there.is_subset(&stored));
    assert!(outcomes.gone.is_disjoint(&stored));
    let texts: BTreeSet<String> = live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect());
    assert!(outcomes.texts_there.is_subset(&texts) && outcomes.texts_gone.is_disjoint(&texts));
    follow(&live, &mut known, &mut changes);
    assert_eq!(known, live.read(|notes| notes.notes.keys().copied().collect()));
    let told: u64 = std::iter::from_fn(|| commits.next_ready())
        .map(|told| match told.replica == world.replica {
            true => told.added,
            false => 0,
        })
        .sum();
    assert_eq!(told, stored.len() as u64 - before);
    let reopened: Live<Notes> = open(world.memory.clone()).await.open_replica(world.replica).await.unwrap();
    assert_eq!(reopened.read(Notes::clone), live.read(Notes::clone));
}
