//! Deleting replicas and objects: gone at once, with all that nothing else needs, whatever interrupts it.

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use hhs_model::class::Replica;
use hhs_model::codec::{Value, encode};
use hhs_model::op::Genesis;
use hhs_model::{ObjectId, Registry, ReplicaId};
use hhs_store::backend::Entry;
use hhs_store::{DeleteError, Live, MemoryBackend, Query, ReadLimit, Store, StoreError};

use crate::backends::Failing;
use crate::checking::{check, findings};
use crate::world::{Made, Notes, World, author, bundle, dump, id_of, op, open};

fn object(class: &str, links: &[ObjectId]) -> Vec<u8> {
    let links = Value::List(links.iter().map(|id| id.cid().into()).collect());
    encode(&Value::Map([("$", Value::Text(class.into())), ("links", links)].into())).unwrap()
}

fn linking(id: impl Into<ObjectId>) -> Vec<u8> {
    encode(&Value::List(vec![id.into().cid().into()])).unwrap()
}

/// A replica with ops of three authors, one of whom also writes elsewhere, with photos that only it shows and one that
/// something else shows too.
struct Shared {
    world: World,
    other: ReplicaId,
    ops: Vec<Made>,
    photos: [ObjectId; 3],
}

async fn shared() -> Shared {
    let world = World::new().await;
    let store = &world.store;
    let other = store.found(Notes::CLASS, [1; 16], &author(1)).await.unwrap();
    let elsewhere = op(1, other, &[]).saying("elsewhere").sign();
    store.ingest(other, bundle([&elsewhere], &[1])).await.unwrap();
    let inner = store.put_bytes(object("inner", &[])).await.unwrap();
    let photo = store.put_bytes(object("photo", &[inner])).await.unwrap();
    let kept = store.put_bytes(object("kept", &[])).await.unwrap();
    store.put_bytes(object("album", &[kept])).await.unwrap();
    let mut ops = vec![world.op(0, &[]).granting(1, &["write"]).granting(2, &["write"]).sign()];
    ops.push(world.op(0, &[ops[0].id()]).granting(1, &["write"]).carrying(linking(photo)).sign());
    ops.push(world.op(2, &[ops[0].id()]).by(&[ops[0].id()]).carrying(linking(kept)).sign());
    ops.push(world.op(1, &[ops[1].id()]).by(&[ops[1].id()]).saying("hello").sign());
    world.ingest(&ops.iter().collect::<Vec<_>>()).await;
    Shared { world, other, ops, photos: [photo, inner, kept] }
}

/// Entries but for what is remembered about numbers.
fn without_floors(memory: &MemoryBackend) -> Vec<Entry> {
    dump(memory).into_iter().filter(|(key, _)| key[0] != 25).collect()
}

/// A replica is deleted: it is gone, with what it alone had named, and nothing else is.
#[test]
fn what_goes_with_a_replica() {
    block_on(async {
        let Shared { world, other, ops, photos: [photo, inner, kept] } = shared().await;
        let (store, id) = (&world.store, world.replica);
        assert!(matches!(store.delete_object(kept).await, Err(DeleteError::Linked { .. })));
        assert!(matches!(store.delete_object(photo).await, Err(DeleteError::Named { replica, .. }) if replica == id));
        assert!(matches!(
            store.delete_object(id_of(1).into()).await,
            Err(DeleteError::Linked { .. } | DeleteError::Named { .. })
        ));
        assert!(matches!(store.delete_object(id.into()).await, Err(DeleteError::Genesis(_))));
        assert!(matches!(store.delete_object(ops[0].id().into()).await, Err(DeleteError::Op(_))));
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
        store.delete_replica(id).await.unwrap();
        assert!(matches!(store.delete_replica(id).await, Err(DeleteError::Store(StoreError::NoReplica(_)))));
        for store in [store.clone(), world.reopened().await] {
            assert_eq!(store.replicas().await.unwrap(), [other]);
            assert_eq!(store.replicas_of_class(Notes::CLASS, None, 9).await.unwrap(), [other]);
            for gone in [id.into(), photo, inner, id_of(0).into(), id_of(2).into(), ops[3].id().into()] {
                assert_eq!(store.get_bytes(gone).await.unwrap(), None);
            }
            for stays in [kept, id_of(1).into(), other.into()] {
                assert!(store.get_bytes(stays).await.unwrap().is_some());
            }
            assert!(matches!(store.frontier(id).await, Err(StoreError::NoReplica(_))));
            assert!(store.op(ops[0].id()).await.unwrap().is_none());
            assert!(check(&store).await.is_sound(), "{:?}", findings(&store).await);
        }
    });
}

/// What is open of a replica when it is deleted: streams end and writes fail, also when it is here again.
#[test]
fn live_handles_of_a_deleted_replica() {
    block_on(async {
        let Shared { world, ops, .. } = shared().await;
        let store = &world.store;
        let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
        let (mut changes, mut commits) = (live.changes(), store.watch());
        store.delete_replica(world.replica).await.unwrap();
        assert!(changes.next().now_or_never().is_some_and(|change| change.is_none()));
        assert!(live.changes().next().now_or_never().is_some_and(|change| change.is_none()));
        assert_eq!(commits.next().await.map(|news| (news.replica, news.ops)), Some((world.replica, 0)));
        assert!(live.update(&author(0), 0, |edit| edit.write("late")).await.is_err());
        // Others still have it: it is adopted anew, with all its ops, and is as it was.
        let again = store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        assert_eq!(again, world.replica);
        assert!(live.update(&author(0), 0, |edit| edit.write("late")).await.is_err());
        let ingested = world.ingest(&ops.iter().collect::<Vec<_>>()).await;
        assert_eq!(ingested.added, 4);
        let anew: Live<Notes> = store.open_replica(world.replica).await.unwrap();
        anew.update(&author(0), 0, |edit| edit.write("new")).await.unwrap();
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
    });
}

/// The power fails after any commit of a deletion: the replica is there as it was, or gone, and after the store is opened
/// again everything is as if nothing had failed.
#[test]
fn a_deletion_that_is_interrupted() {
    block_on(async {
        let whole = shared().await;
        whole.world.store.delete_replica(whole.world.replica).await.unwrap();
        for commits in 0.. {
            let Shared { world, .. } = shared().await;
            let before = without_floors(&world.memory);
            let failing = Store::open(Failing::after(world.memory.clone(), commits), Registry::new()).await.unwrap();
            let outcome = failing.delete_replica(world.replica).await;
            drop(failing);
            let store = open(world.memory.clone()).await;
            assert!(check(&store).await.is_sound(), "after {commits}: {:?}", findings(&store).await);
            match commits {
                0 => assert_eq!(without_floors(&world.memory), before),
                _ => assert_eq!(without_floors(&world.memory), without_floors(&whole.world.memory), "after {commits}"),
            }
            if outcome.is_ok() {
                assert!(commits > 2);
                return;
            }
        }
    });
}

/// A space with a child and a grandchild: a parent cannot go alone; the whole space can.
#[test]
fn a_space_goes_with_its_children() {
    block_on(async {
        let Shared { world, other, .. } = shared().await;
        let store = &world.store;
        let child = |parent| Genesis::child(parent, "guests".parse().unwrap(), Notes::CLASS);
        let below = store.create(&child(world.replica), &[]).await.unwrap();
        let lowest = store.create(&child(below), &[]).await.unwrap();
        assert_eq!(store.children(world.replica).await.unwrap(), [below]);
        let said = op(0, lowest, &[]).saying("deep down").sign();
        store.ingest(lowest, bundle([&said], &[0])).await.unwrap();
        assert!(matches!(store.delete_replica(below).await, Err(DeleteError::Parent { child, .. }) if child == lowest));
        store.delete_space(world.replica).await.unwrap();
        assert_eq!(store.replicas().await.unwrap(), [other]);
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
        // All is gone that was not there before: the other replica, with its author, and what the app saved.
        assert_eq!(store.query(&Query::class("hhs/v1/Genesis")).await.unwrap().len(), 1);
        assert_eq!(store.query(&Query::class("hhs/v1/Identity")).await.unwrap().len(), 1);
    });
}

/// An object links to an op of a replica that is deleted: it keeps the header, so that its link leads somewhere, until the op
/// comes again.
#[test]
fn an_op_that_an_object_links_to() {
    block_on(async {
        let Shared { world, ops, .. } = shared().await;
        let store = &world.store;
        let quoted = ops[3].id();
        let quote = store.put_bytes(object("quote", &[quoted.into()])).await.unwrap();
        store.delete_replica(world.replica).await.unwrap();
        assert_eq!(store.get_bytes(quoted.into()).await.unwrap().as_deref(), Some(ops[3].op.bytes()));
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
        assert_eq!(check(store).await.loose, 0);
        store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        world.ingest(&ops.iter().collect::<Vec<_>>()).await;
        assert_eq!(store.op(quoted).await.unwrap().unwrap().stored.position, 3);
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
        assert!(store.delete_object(quote).await.unwrap());
        assert!(!store.delete_object(quote).await.unwrap());
        let all = ReadLimit { ops: 9, bytes: 1 << 20 };
        assert_eq!(store.ops(world.replica, 0..9, all).await.unwrap().len(), 4);
        assert!(check(store).await.is_sound(), "{:?}", findings(store).await);
    });
}

/// Who looks how much there is sees what was deleted go.
#[test]
fn what_the_statistics_say() {
    block_on(async {
        let Shared { world, other, .. } = shared().await;
        let store = &world.store;
        let stats = store.stats().await.unwrap();
        assert_eq!(
            stats.replicas.iter().map(|replica| (replica.id, replica.ops, replica.heads)).collect::<Vec<_>>(),
            [(world.replica, 4, 2), (other, 1, 1)]
        );
        let room = store.room().await.unwrap();
        assert_eq!((room.classes["photo"].count, room.classes["hhs/v1/Identity"].count), (1, 3));
        assert_eq!(room.replicas[&world.replica].payloads.count, 3);
        store.delete_replica(world.replica).await.unwrap();
        let after = store.room().await.unwrap();
        assert_eq!(after.replicas.len(), 1);
        assert!(after.indexes.bytes < room.indexes.bytes && !after.classes.contains_key("photo"));
        assert_eq!(store.stats().await.unwrap().deleting, 0);
    });
}
