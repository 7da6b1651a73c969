//! An intake: whatever order things arrive in, what can be kept is, what waits is not visible, and what goes says why.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::codec::{Value, encode};
use hhs_model::{ObjectId, OpId};
use hhs_store::{Bundle, DropReason, Dropped, Intake, IntakeLimits, Taken};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::checking::check;
use crate::random::{history, step};
use crate::world::{Made, World, bundle, id_of};

async fn intake(world: &World) -> Intake {
    world.store.intake(IntakeLimits::default()).await.unwrap()
}

fn chain(world: &World, length: u64) -> Vec<Made> {
    let mut ops: Vec<Made> = Vec::new();
    for time in 0..length {
        let parents: Vec<OpId> = ops.last().map(Made::id).into_iter().collect();
        ops.push(world.op(0, &parents).at(time).saying("hello").sign());
    }
    ops
}

fn object(links: &[ObjectId], number: i64) -> Vec<u8> {
    let links = Value::List(links.iter().map(|id| id.cid().into()).collect());
    encode(&Value::Map(
        [("$", Value::Text("a".into())), ("links", links), ("number", Value::Int(number.into()))].into(),
    ))
    .unwrap()
}

fn reasons(taken: &Taken) -> Vec<String> {
    taken.dropped.iter().map(|dropped| dropped.reason.to_string()).collect()
}

/// A chain of ops arrives from its end to its beginning: nothing of it is visible until the first op comes, and then all.
#[test]
fn a_chain_that_arrives_backwards() {
    block_on(async {
        let world = World::new().await;
        let ops = chain(&world, 3000);
        let mut intake = intake(&world).await;
        for op in ops[1..].iter().rev() {
            let taken = intake.ingest(world.replica, bundle([op], &[])).await.unwrap();
            assert_eq!((taken.added, taken.dropped.len()), (0, 0));
        }
        assert_eq!((world.store.count(world.replica).await.unwrap(), intake.waiting()), (0, 2999));
        assert_eq!(intake.missing().collect::<Vec<_>>(), [ops[0].id().into()]);
        let taken = intake.ingest(world.replica, bundle([&ops[0]], &[])).await.unwrap();
        assert_eq!((taken.added, intake.waiting()), (3000, 0));
        assert!(intake.finish().await.unwrap().dropped.is_empty());
    });
}

/// What ops wait for comes another way, from another peer or the app itself: they go on at the next occasion.
#[test]
fn what_is_missing_comes_another_way() {
    block_on(async {
        let world = World::new().await;
        let ops = chain(&world, 3);
        let mut intake = intake(&world).await;
        intake.ingest(world.replica, bundle([&ops[2]], &[])).await.unwrap();
        let (leaf, root) = (object(&[], 0), object(&[ObjectId::of(&object(&[], 0))], 1));
        intake.put(vec![root.clone()]).await.unwrap();
        assert_eq!((intake.waiting(), world.store.get_bytes(ObjectId::of(&root)).await.unwrap()), (2, None));
        world.ingest(&[&ops[0], &ops[1]]).await;
        world.store.put_bytes(leaf).await.unwrap();
        assert_eq!(intake.resume().await.unwrap().added, 2);
        assert_eq!(intake.waiting(), 0);
        assert_eq!(world.store.count(world.replica).await.unwrap(), 3);
    });
}

/// An op by an author whom nobody here knows waits for the identity, which comes in a later bundle or as an object.
#[test]
fn an_author_who_is_not_known_yet() {
    block_on(async {
        for as_object in [false, true] {
            let world = World::new().await;
            let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
            let said = world.op(1, &[admitted.id()]).by(&[admitted.id()]).saying("hello").sign();
            let mut intake = intake(&world).await;
            intake.ingest(world.replica, bundle([&said, &admitted], &[])).await.unwrap();
            assert_eq!(intake.missing().collect::<Vec<_>>(), [id_of(1).into()]);
            let identities = bundle([], &[1, 2]);
            let taken = match as_object {
                true => intake.put(identities.identities).await.unwrap(),
                false => intake.ingest(world.replica, identities).await.unwrap(),
            };
            assert_eq!(taken.added, if as_object { 4 } else { 2 });
            assert_eq!(world.store.count(world.replica).await.unwrap(), 2);
            assert_eq!(world.store.identity(id_of(2)).await.unwrap().is_some(), as_object, "nobody asked for this one");
        }
    });
}

/// Among many ops some are by somebody who may not: they go, with what rests on them and with the reason, and nothing else.
#[test]
fn bad_ops_take_only_what_rests_on_them() {
    block_on(async {
        let world = World::new().await;
        let mut ops = chain(&world, 40);
        let bad = world.op(3, &[ops[5].id()]).saying("let me in").sign();
        let on_bad = world.op(0, &[bad.id(), ops[6].id()]).saying("on top").sign();
        let above = world.op(0, &[on_bad.id()]).saying("above").sign();
        let mut forged = world.op(0, &[ops[7].id()]).at(99).sign().signed();
        // The entry of the signature, and its first byte.
        let at = forged.header.windows(4).position(|bytes| bytes == b"csig").unwrap() + 6;
        forged.header[at] ^= 1;
        ops.insert(20, bad.clone());
        ops.insert(3, above.clone());
        ops.insert(30, on_bad.clone());
        let mut bundle = bundle(&ops, &[0, 3]);
        bundle.ops.push(forged);
        let mut intake = intake(&world).await;
        let taken = intake.ingest(world.replica, bundle).await.unwrap();
        assert_eq!(taken.added, 40, "{:?}", reasons(&taken));
        let gone: BTreeSet<ObjectId> = taken.dropped.iter().filter_map(|dropped| dropped.id).collect();
        assert!([bad.id(), on_bad.id(), above.id()].iter().all(|id| gone.contains(&(*id).into())));
        assert_eq!(taken.dropped.len(), 4, "{:?}", reasons(&taken));
        // Who brings more on top of them is told at once.
        let late = world.op(0, &[above.id()]).at(7).sign();
        let taken =
            intake.ingest(world.replica, Bundle { identities: vec![], ops: vec![late.signed()] }).await.unwrap();
        assert!(
            matches!(&taken.dropped[..], [Dropped { reason: DropReason::RestsOn(on), .. }] if *on == above.id().into())
        );
        assert_eq!(intake.waiting(), 1, "the identity of somebody of whom no op was kept");
        assert!(check(&world.store).await.is_sound());
    });
}

/// More waits than there is room for: what came last goes, and says so. At the end the rest goes, and says what it lacked.
#[test]
fn there_is_only_so_much_room() {
    block_on(async {
        let world = World::new().await;
        let ops = chain(&world, 20);
        let limits = IntakeLimits { items: 5, bytes: 1 << 20 };
        let mut intake = world.store.intake(limits).await.unwrap();
        let taken = intake.ingest(world.replica, bundle(&ops[1..], &[])).await.unwrap();
        assert_eq!((taken.dropped.len(), intake.waiting()), (14, 5));
        assert!(taken.dropped.iter().all(|dropped| matches!(dropped.reason, DropReason::Full)));
        assert!(taken.dropped.iter().all(|dropped| dropped.id != Some(ops[1].id().into())), "the first ones stay");
        let small = IntakeLimits { items: 100, bytes: 900 };
        let mut other = world.store.intake(small).await.unwrap();
        other.ingest(world.replica, bundle(&ops[1..], &[])).await.unwrap();
        assert!((1..4).contains(&other.waiting()));
        let end = intake.finish().await.unwrap();
        assert_eq!(end.dropped.len(), 5);
        let lacks = |id: OpId| {
            matches!(&end.dropped.iter().find(|dropped| dropped.id == Some(ops[1].id().into())),
            Some(Dropped { reason: DropReason::Missing(missing), .. }) if *missing == id.into())
        };
        assert!(lacks(ops[0].id()));
        // There is room for any number that need not wait.
        let mut intake = world.store.intake(limits).await.unwrap();
        let taken = intake.ingest(world.replica, bundle(ops.iter().rev(), &[])).await.unwrap();
        assert_eq!((taken.added, taken.dropped.len()), (20, 0));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// A random history with objects beside it, in any order, with some twice, in bundles of any size, some of it another
    /// way: the store has in the end what one has that was brought all in order.
    #[test]
    fn any_order_gives_the_same_store(
        steps in vec(step(), 1..25),
        order in vec(any::<Index>(), 60),
        sizes in vec(1..6_usize, 1..8),
        aside in vec(any::<bool>(), 30),
    ) {
        let world = block_on(World::new());
        let (ops, refused) = block_on(history(&world, &steps));
        let other = block_on(World::new());
        let all: Vec<&Made> = ops.iter().chain(&refused).collect();
        let brought: Vec<&Made> = order.iter().map(|index| all[index.index(all.len())]).collect();
        block_on(async {
            let mut intake = intake(&other).await;
            let (mut at, mut sizes) = (0, sizes.iter().cycle());
            while at < brought.len() {
                let end = brought.len().min(at + sizes.next().unwrap());
                intake.ingest(other.replica, bundle(brought[at..end].iter().copied(), &[0, 1, 2, 3])).await.unwrap();
                at = end;
            }
            for (op, _) in ops.iter().zip(&aside).filter(|(_, aside)| **aside) {
                // Another peer brings it, as far as it can be taken.
                drop(other.store.ingest(other.replica, bundle([op], &[0, 1, 2, 3])).await);
            }
            let rest: Vec<&Made> = all.iter().copied().filter(|made| !brought.iter().any(|b| b.id() == made.id())).collect();
            intake.ingest(other.replica, bundle(rest, &[])).await.unwrap();
            let end = intake.finish().await.unwrap();
            assert!(end.dropped.iter().all(|dropped| !ops.iter().any(|op| dropped.id == Some(op.id().into()))));
        });
        prop_assert_eq!(block_on(other.heads()), block_on(world.heads()));
        prop_assert_eq!(block_on(other.store.count(other.replica)).unwrap(), ops.len() as u64);
        prop_assert!(block_on(check(&other.store)).is_sound());
    }
}
