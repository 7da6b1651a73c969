//! What becomes of a replica when somebody is removed: live ones follow, whatever order ops come in; nobody builds on
//! what has no effect, and nobody is told of it.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::OpId;
use hhs_model::class::{Action, Change};
use hhs_model::codec::Value;
use hhs_model::op::{Act, Cut};
use hhs_store::{ChangeStream, IngestError, Live, Store, VoidReason};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::backends::{Failing, Slow};
use crate::world::{Made, Making, Notes, World, author, bundle, id_of, open};

pub(crate) fn revoke(grants: &[OpId]) -> Act {
    Act::Revoke { grants: grants.iter().copied().collect(), cut: Cut::new() }
}

trait Acting {
    fn doing(self, act: Act) -> Self;
}

impl Acting for Making {
    fn doing(mut self, act: Act) -> Self {
        self.header.act = Some(act);
        self
    }
}

fn drain(changes: &mut ChangeStream) -> Vec<Change> {
    std::iter::from_fn(|| changes.next_ready()).map(Result::unwrap).collect()
}

async fn live(store: &Store, world: &World) -> Live<Notes> {
    store.open_replica(world.replica).await.unwrap()
}

/// The founder lets Bo in, who writes; then the founder removes Bo, and has not seen what Bo wrote last.
struct Removal {
    world: World,
    admitted: Made,
    seen: Made,
    unseen: Made,
    removed: Made,
}

impl Removal {
    async fn new() -> Self {
        let world = World::new().await;
        let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
        let seen = world.op(1, &[admitted.id()]).by(&[admitted.id()]).saying("seen").sign();
        let unseen = world.op(1, &[seen.id()]).by(&[admitted.id()]).saying("unseen").sign();
        let removed = world.op(0, &[seen.id()]).doing(revoke(&[admitted.id()])).sign();
        Self { world, admitted, seen, unseen, removed }
    }

    fn all(&self) -> [&Made; 4] {
        [&self.admitted, &self.seen, &self.unseen, &self.removed]
    }
}

/// What somebody wrote is shown until it comes to be known that they had been removed: then it goes, told as one change under
/// the op that removed them, and the reason can be asked for.
#[test]
fn what_was_written_after_a_removal_goes() {
    block_on(async {
        let Removal { world, admitted, seen, unseen, removed } = Removal::new().await;
        let live = live(&world.store, &world).await;
        world.ingest(&[&admitted, &seen, &unseen]).await;
        assert_eq!(live.read(|notes| notes.texts().len()), 2);
        let mut changes = live.changes();
        world.ingest(&[&removed]).await;
        assert_eq!(live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect::<Vec<_>>()), ["seen"]);
        let told = drain(&mut changes);
        assert!(told.iter().all(|change| change.op == removed.id()), "{told:?}");
        assert!(told.iter().any(|change| change.action == Action::Revoked { from: id_of(1) }), "{told:?}");
        let withdrawn = Action::Withdrawn { value: Value::Text("unseen".into()) };
        assert_eq!(told.iter().filter(|change| change.action == withdrawn).count(), 1);
        let reason = live.explain(unseen.id()).await.unwrap();
        assert!(matches!(&reason, Some(VoidReason::Authority(_))));
        assert!(reason.unwrap().to_string().contains(&removed.id().to_string()));
        assert_eq!(live.explain(seen.id()).await.unwrap(), None);
        assert!(!world.store.may(world.replica, id_of(1), "write").await.unwrap());
        assert_eq!(live.applied(), 4);
        // Opened again: the same.
        let again: Live<Notes> = self::live(&world.reopened().await, &world).await;
        assert_eq!(again.read(Notes::clone), live.read(Notes::clone));
    });
}

/// Nobody builds on what has no effect, and nobody is told of it: neither before nor after the store is opened again.
#[test]
fn void_heads_are_withheld() {
    block_on(async {
        let removal = Removal::new().await;
        let world = &removal.world;
        world.ingest(&removal.all()).await;
        for store in [world.store.clone(), world.reopened().await] {
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, [removal.removed.id()].into());
            assert_eq!(store.withheld_heads(world.replica).await.unwrap(), [removal.unseen.id()]);
        }
        let live = live(&world.store, world).await;
        let own = live.update(&author(0), 9, |edit| edit.write("own")).await.unwrap().unwrap();
        let stored = world.store.op_at(world.replica, 4).await.unwrap().unwrap();
        assert_eq!((stored.op.id(), stored.op.header().parents.as_slice()), (own, [removal.removed.id()].as_slice()));
        assert_eq!(world.heads().await, [own].into());
        // Who did not know builds on it: then it is part of what is told, as the op on top is.
        let admitted = world.op(0, &[own]).granting(2, &["write"]).sign();
        let above = world.op(2, &[admitted.id(), removal.unseen.id()]).by(&[admitted.id()]).saying("above").sign();
        world.ingest(&[&admitted, &above]).await;
        assert_eq!(world.heads().await, [above.id()].into());
        assert_eq!(world.store.withheld_heads(world.replica).await.unwrap(), []);
        assert!(!live.read(|notes| notes.texts().contains("unseen")));
    });
}

/// A removal is undone: what was written comes back, with its place among the heads.
#[test]
fn a_removal_that_is_undone() {
    block_on(async {
        let removal = Removal::new().await;
        let world = &removal.world;
        world.ingest(&removal.all()).await;
        let live = live(&world.store, world).await;
        let mut changes = live.changes();
        let undone = live.reinstate(&author(0), 5, [removal.removed.id()]).await.unwrap().unwrap();
        assert_eq!(live.read(|notes| notes.texts().len()), 2);
        let told = drain(&mut changes);
        let back = Action::Inserted { value: Value::Text("unseen".into()) };
        assert!(told.iter().any(|change| change.op == undone && change.action == back), "{told:?}");
        assert_eq!(world.heads().await, [undone, removal.unseen.id()].into());
        assert_eq!(world.store.withheld_heads(world.replica).await.unwrap(), []);
        let next = live.update(&author(1), 6, |edit| edit.write("next")).await.unwrap().unwrap();
        assert_eq!(world.heads().await, [next].into());
    });
}

/// An app admits somebody, removes them, and they leave by themselves the next time.
#[test]
fn an_app_admits_and_removes() {
    block_on(async {
        let world = World::new().await;
        world.store.put_identity(author(1).identity_bytes().to_vec()).await.unwrap();
        let live = live(&world.store, &world).await;
        let write = || "write".parse().unwrap();
        assert_eq!(live.revoke(&author(0), 0, id_of(1)).await.unwrap(), []);
        for time in 0..2 {
            live.grant(&author(0), time, id_of(1), [write()]).await.unwrap().unwrap();
        }
        live.update(&author(1), 1, |edit| edit.write("here")).await.unwrap().unwrap();
        assert_eq!(live.revoke(&author(0), 2, id_of(1)).await.unwrap().len(), 1, "both grants at once");
        assert!(live.update(&author(1), 3, |edit| edit.write("gone")).await.is_err());
        live.grant(&author(0), 4, id_of(1), [write()]).await.unwrap().unwrap();
        live.update(&author(1), 5, |edit| edit.write("again")).await.unwrap().unwrap();
        assert_eq!(live.renounce(&author(1), 6).await.unwrap().len(), 1);
        assert!(live.update(&author(1), 7, |edit| edit.write("gone")).await.is_err());
        assert_eq!(
            live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect::<Vec<_>>()),
            ["again", "here"]
        );
    });
}

/// Who was removed writes on without end: so much is kept and no more. The sender is not blamed, and once an op that has
/// effect stands on it, all of it comes.
#[test]
fn a_flood_without_effect() {
    block_on(async {
        let removal = Removal::new().await;
        let world = &removal.world;
        world.ingest(&[&removal.admitted, &removal.seen, &removal.removed]).await;
        let (mut flood, mut last) = (Vec::new(), removal.seen.id());
        for time in 0..4097 {
            let made = world.op(1, &[last]).by(&[removal.admitted.id()]).at(time).sign();
            last = made.id();
            flood.push(made);
        }
        world.ingest(&flood[..4000].iter().collect::<Vec<_>>()).await;
        let error = world.store.ingest(world.replica, bundle(&flood[4000..], &[1])).await.unwrap_err();
        assert!(matches!(&error, IngestError::Withheld { author, .. } if *author == id_of(1)), "{error}");
        assert!(!error.blames_sender());
        assert_eq!(world.store.count(world.replica).await.unwrap(), 4003);
        assert_eq!(world.heads().await, [removal.removed.id()].into());
        // Another member, who did not know, has built on the last of them.
        let above = world.op(0, &[last]).saying("above").sign();
        let rest: Vec<&Made> = flood[4000..].iter().chain([&above]).collect();
        world.ingest(&rest).await;
        assert_eq!(world.heads().await, [removal.removed.id(), above.id()].into());
        assert_eq!(world.store.withheld_heads(world.replica).await.unwrap(), []);
    });
}

/// The disk is full when somebody is removed: nothing has changed, to those who read and to those who listen. When there is
/// room again it works, and what is written right behind it, before it is durable, stands on it.
#[test]
fn a_removal_that_cannot_be_made_durable() {
    block_on(async {
        let Removal { world, admitted, seen, unseen, removed } = Removal::new().await;
        world.ingest(&[&admitted, &seen, &unseen]).await;
        let disk = Failing::on(world.memory.clone());
        let store = open(disk.clone()).await;
        let live = live(&store, &world).await;
        let before = live.read(Notes::clone);
        let mut changes = live.changes();
        disk.fill_disk(true);
        store.ingest(world.replica, bundle([&removed], &[])).await.unwrap_err();
        live.revoke(&author(0), 3, id_of(1)).await.unwrap_err();
        live.update(&author(1), 4, |edit| edit.write("lost")).await.unwrap_err();
        assert_eq!((live.read(Notes::clone), live.applied()), (before, 3));
        assert_eq!(store.frontier(world.replica).await.unwrap().heads, [unseen.id()].into());
        disk.fill_disk(false);
        // What was read of the state in between may have been of what is lost.
        while changes.next_ready().is_some_and(|told| told.is_err()) {}
        store.ingest(world.replica, bundle([&removed], &[])).await.unwrap();
        let next = live.update(&author(0), 5, |edit| edit.write("next")).await.unwrap().unwrap();
        assert_eq!(
            live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect::<Vec<_>>()),
            ["next", "seen"]
        );
        assert_eq!(store.frontier(world.replica).await.unwrap().heads, [next].into());
        let told: Vec<OpId> = drain(&mut changes).into_iter().map(|change| change.op).collect();
        assert!(told.contains(&removed.id()) && told.last() == Some(&next), "{told:?}");
        let reopened = self::live(&world.reopened().await, &world).await;
        assert_eq!(reopened.read(Notes::clone), live.read(Notes::clone));
    });
}

/// Two hosts have one database. One removes a member while the other one takes in what that member wrote: both show the same
/// in the end, and write on.
#[test]
fn a_removal_by_another_host() {
    for seed in 0..30 {
        let Removal { world, admitted, seen, unseen, .. } = block_on(Removal::new());
        block_on(async {
            world.ingest(&[&admitted, &seen]).await;
            let hosts = [
                open(Slow::shared(world.memory.clone(), seed)).await,
                open(Slow::shared(world.memory.clone(), seed + 1)).await,
            ];
            let [one, other] = [live(&hosts[0], &world).await, live(&hosts[1], &world).await];
            let founder = author(0);
            let removing = async { one.revoke(&founder, 1, id_of(1)).await.unwrap() };
            let taking_in = async {
                hosts[1].ingest(world.replica, bundle([&unseen], &[])).await.unwrap();
                other.update(&founder, 2, |edit| edit.write("own")).await.unwrap().unwrap()
            };
            let (removals, own) = futures::join!(removing, taking_in);
            assert_eq!(removals.len(), 1);
            for host in &hosts {
                host.refresh().await.unwrap();
            }
            let from_scratch = live(&open(world.memory.clone()).await, &world).await;
            for live in [&one, &other] {
                assert_eq!(live.read(Notes::clone), from_scratch.read(Notes::clone), "seed {seed}");
                assert!(live.read(|notes| notes.notes.contains_key(&own)));
            }
            one.update(&founder, 3, |edit| edit.write("one")).await.unwrap().unwrap();
            let last = other.update(&founder, 4, |edit| edit.write("other")).await.unwrap().unwrap();
            assert_eq!(hosts[1].frontier(world.replica).await.unwrap().heads, [last].into());
        });
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Say(String),
    Grant(u8),
    Revoke(Index),
    Renounce(Index),
    Reinstate(Index),
}

#[derive(Debug, Clone)]
struct Step {
    author: u8,
    parents: Vec<Index>,
    deed: Deed,
}

fn step() -> impl Strategy<Value = Step> {
    let deed = prop_oneof![
        4 => "[a-z]{1,4}".prop_map(Deed::Say),
        3 => (0..AUTHORS).prop_map(Deed::Grant),
        2 => any::<Index>().prop_map(Deed::Revoke),
        1 => any::<Index>().prop_map(Deed::Renounce),
        1 => any::<Index>().prop_map(Deed::Reinstate),
    ];
    let author = prop_oneof![2 => Just(0), 3 => 0..AUTHORS];
    (author, vec(any::<Index>(), 0..3), deed).prop_map(|(author, parents, deed)| Step { author, parents, deed })
}

/// The ops that are kept of what the steps try.
fn history(world: &World, steps: &[Step]) -> Vec<Made> {
    let mut kept: Vec<Made> = Vec::new();
    for (time, step) in (0..).zip(steps) {
        let newest = |pick: &Index| kept.len() - 1 - pick.index(kept.len().min(6));
        let parents: Vec<OpId> =
            step.parents.iter().filter(|_| !kept.is_empty()).map(|pick| kept[newest(pick)].id()).collect();
        let past = crate::random::past(&kept, &parents);
        let below = |test: &dyn Fn(&Act) -> bool| -> Vec<OpId> {
            let acts = kept.iter().filter(|made| made.op.header().act.as_ref().is_some_and(test));
            acts.map(Made::id).filter(|id| past.contains(id)).collect()
        };
        let own = below(&|act| act.grantee() == Some(id_of(step.author)));
        let pick = |all: Vec<OpId>, pick: &Index| (!all.is_empty()).then(|| all[pick.index(all.len())]);
        let making = world.op(step.author, &parents).at(time);
        let standing = own.iter().copied().take(1).collect::<Vec<_>>();
        let making = match &step.deed {
            Deed::Say(text) => making.by(&standing).saying(text),
            Deed::Grant(to) => making.by(&standing).granting(*to, &["write", "grant"]),
            Deed::Revoke(index) => match pick(below(&|act| act.grantee().is_some()), index) {
                Some(grant) => making.by(&standing).doing(revoke(&[grant])),
                None => continue,
            },
            Deed::Renounce(index) => match pick(own.clone(), index) {
                Some(grant) => making.by(&[grant]).doing(Act::Renounce { grant, cut: Cut::new() }),
                None => continue,
            },
            Deed::Reinstate(index) => match pick(below(&|act| matches!(act, Act::Revoke { .. })), index) {
                Some(of) => making.by(&standing).doing(Act::Reinstate { of: [of].into() }),
                None => continue,
            },
        };
        let made = making.sign();
        match block_on(world.store.ingest(world.replica, bundle([&made], &[0, 1, 2, 3]))) {
            Ok(_) => kept.push(made),
            Err(IngestError::Refused { .. }) => {}
            Err(error) => panic!("these ops are refused or kept: {error}"),
        }
    }
    kept
}

/// The tips by definition: effective ops with no effective op above.
fn tips(ops: &[Made], effective: &BTreeSet<OpId>) -> BTreeSet<OpId> {
    let mut covered = BTreeSet::new();
    for made in ops.iter().filter(|made| effective.contains(&made.id())) {
        covered.extend(crate::random::past(ops, &made.op.header().parents));
    }
    effective.difference(&covered).copied().collect()
}

const AUTHORS: u8 = 4;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// People are admitted, removed, leave and are let in again, all at the same time. Whatever order ops come in, with
    /// writes of one's own and checkpoints in between: a live replica is what opening it from scratch gives, and all
    /// stores agree, on the tips as well.
    #[test]
    fn verdicts_change_all_the_time(
        steps in vec(step(), 1..40),
        orders in [vec(any::<Index>(), 40), vec(any::<Index>(), 40)],
        size in 1..6_usize,
        checkpoints in option::of(1..4_usize),
    ) {
        let world = block_on(World::new());
        let ops = history(&world, &steps);
        let (expected, frontier) = block_on(async {
            let live = live(&open(world.memory.clone()).await, &world).await;
            let mut effective = BTreeSet::new();
            for made in &ops {
                if !matches!(live.explain(made.id()).await.unwrap(), Some(VoidReason::Authority(_))) {
                    effective.insert(made.id());
                }
            }
            (live.read(Notes::clone), tips(&ops, &effective))
        });
        prop_assert_eq!(&block_on(world.heads()), &frontier);
        for order in &orders {
            let order = crate::random::shuffled(ops.clone(), order);
            let outcome = block_on(async {
                let other = World::new().await;
                let live = live(&other.store, &other).await;
                let mut changes = live.changes();
                let mut shown = live.read(|notes| notes.notes.len()) as i64;
                for (number, ops) in order.chunks(size).enumerate() {
                    other.ingest(&ops.iter().collect::<Vec<_>>()).await;
                    for change in drain(&mut changes) {
                        shown += match change.action {
                            Action::Inserted { .. } => 1,
                            Action::Withdrawn { .. } => -1,
                            _ => 0,
                        };
                    }
                    assert_eq!(shown, live.read(|notes| notes.notes.len()) as i64, "what is told adds up");
                    if checkpoints.is_some_and(|every| number % every == 0) {
                        live.checkpoint().await.unwrap();
                        let reopened = self::live(&other.reopened().await, &other).await;
                        assert_eq!(reopened.read(Notes::clone), live.read(Notes::clone));
                    }
                }
                let store = other.reopened().await;
                let heads = store.frontier(other.replica).await.unwrap().heads;
                let reopened = self::live(&store, &other).await;
                // And an op of one's own stands on what counts.
                let id = live.update(&author(0), 0, |edit| edit.write("last")).await.unwrap().unwrap();
                (live.read(Notes::clone), reopened.read(Notes::clone), other.heads().await == [id].into(), heads)
            });
            let (mut live, reopened, alone, heads) = outcome;
            prop_assert_eq!(&heads, &frontier);
            prop_assert!(alone);
            let last = live.notes.iter().find(|(_, text)| *text == "last").map(|(id, _)| *id).unwrap();
            live.notes.remove(&last);
            live.shown.remove(&last);
            prop_assert_eq!(&live, &expected);
            prop_assert_eq!(&reopened, &expected);
        }
    }
}
