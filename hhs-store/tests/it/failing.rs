//! A backend that fails, and writes that are given up midway: all or nothing, and the next write works.

use futures::executor::block_on;
use hhs_model::class::Replica;
use hhs_model::{OpId, Registry};
use hhs_store::{AppendError, BackendError, Committed, IngestError, Live, Store, StoreError};

use crate::backends::{Failing, Slow, abandon};
use crate::world::{Making, Notes, World, author, bundle, dump, id_of, op, open};

fn is_full(error: &StoreError) -> bool {
    matches!(error, StoreError::Backend(BackendError::Io { .. }))
}

/// The disk is full while an op is written, ops come in, and objects and replicas are saved. Each fails, blames nobody, and
/// leaves no trace: not in the store, not in the live state, not with those who watch. Once there is room, all of it works.
#[test]
fn a_disk_that_is_full_for_a_while() {
    block_on(async {
        let backend = Failing::default();
        let store = open(backend.clone()).await;
        let replica = store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        let live: Live<Notes> = store.open_replica(replica).await.unwrap();
        let first = live.update(&author(0), 0, |edit| edit.write("first")).await.unwrap().unwrap();
        let (mut watch, mut changes) = (store.watch(), live.changes());
        let before = (dump(&backend.memory), live.read(Notes::clone));
        let admitted = op(0, replica, &[first]).granting(1, &["write"]).sign();
        let said = op(1, replica, &[admitted.id()]).by(&[admitted.id()]).saying("theirs").sign();
        let theirs = || bundle([&admitted, &said], &[1]);

        backend.fill_disk(true);
        for _ in 0..2 {
            let result = live.update(&author(0), 0, |edit| edit.write("lost")).await;
            assert!(matches!(result, Err(AppendError::Store(error)) if is_full(&error)));
            let error = store.ingest(replica, theirs()).await.unwrap_err();
            assert!(!error.blames_sender() && matches!(error, IngestError::Store(error) if is_full(&error)));
            assert!(is_full(&store.put_identity(author(2).identity_bytes().to_vec()).await.unwrap_err()));
            assert!(is_full(&store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap_err()));
            assert!(is_full(&store.set_local("a", Some(b"1")).await.unwrap_err()));
            assert_eq!((dump(&backend.memory), live.read(Notes::clone)), before);
            assert_eq!(store.frontier(replica).await.unwrap().heads, [first].into());
            assert!(!store.may(replica, id_of(1), "write").await.unwrap());
            assert_eq!(store.identity(id_of(1)).await.unwrap(), None);
        }
        assert!(watch.next_ready().is_none() && changes.next_ready().is_none());

        backend.fill_disk(false);
        store.ingest(replica, theirs()).await.unwrap();
        let last = live.update(&author(1), 0, |edit| edit.write("mine")).await.unwrap().unwrap();
        assert_eq!(live.read(|notes| notes.texts().len()), 3);
        let told = Committed { replica, ops: 4, added: 3, local: 1 };
        assert_eq!((watch.next_ready(), watch.next_ready()), (Some(told), None));
        assert_eq!(store.op_ids(replica, 0..9).await.unwrap(), [first, admitted.id(), said.id(), last]);
        store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
        let reopened: Live<Notes> = open(backend.memory).await.open_replica(replica).await.unwrap();
        assert_eq!(reopened.read(Notes::clone), live.read(Notes::clone));
    });
}

/// A store cannot be made on a disk that is full, and nothing of it is there.
#[test]
fn a_store_on_a_full_disk() {
    block_on(async {
        let backend = Failing::default();
        backend.fill_disk(true);
        assert!(is_full(&Store::open(backend.clone(), Registry::new()).await.unwrap_err()));
        assert_eq!(dump(&backend.memory), []);
    });
}

/// What the next task does after a write was given up.
async fn next_write(store: &Store, live: &Live<Notes>, next: Making) -> OpId {
    let next = next.sign();
    store.ingest(live.id(), bundle([&next], &[])).await.unwrap();
    live.update(&author(0), 0, |edit| edit.write("after")).await.unwrap().unwrap()
}

/// An app gives up a write after some time, wherever it has come by then: perhaps the batch was handed over and becomes
/// durable later. The op is there or not; nothing is mixed up with what is written next; the live state shows exactly what
/// is there, and every op that is there was told once.
#[test]
fn a_write_that_is_given_up() {
    let mut kept = 0;
    for polls in 1..60 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), polls as u64);
        block_on(async {
            let store = open(slow).await;
            let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
            let (mut watch, mut changes) = (store.watch(), live.changes());
            let author = author(0);
            let given_up = live.update(&author, 0, |edit| edit.write("perhaps"));
            abandon(given_up, polls).await;
            let last = next_write(&store, &live, world.op(0, &[]).saying("theirs")).await;

            let ids = store.op_ids(world.replica, 0..9).await.unwrap();
            assert_eq!(*ids.last().unwrap(), last, "after {polls} polls");
            assert_eq!(store.count(world.replica).await.unwrap(), ids.len() as u64);
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, [last].into());
            let positions = store.positions(world.replica, &ids).await.unwrap();
            assert_eq!(positions, ids.iter().copied().zip(0..).collect(), "after {polls} polls");
            let texts = live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(texts.contains(&"perhaps".to_owned()), ids.len() == 3);
            let (ops, local) = (ids.len() as u64, ids.len() as u64 - 1);
            let told = Committed { replica: world.replica, ops, added: ops, local };
            assert_eq!((watch.next_ready(), watch.next_ready()), (Some(told), None), "after {polls} polls");
            let told: Vec<OpId> = std::iter::from_fn(|| changes.next_ready()).map(|told| told.unwrap().op).collect();
            assert_eq!(told, ids, "after {polls} polls");
            let reopened: Live<Notes> = open(world.memory.clone()).await.open_replica(world.replica).await.unwrap();
            assert_eq!(reopened.read(Notes::clone), live.read(Notes::clone), "after {polls} polls");
            kept += ids.len() - 2;
        });
    }
    assert!((1..59).contains(&kept), "some were given up before they were handed over, and some after");
}

/// The same with ops of others, a replica and an object that are given up together, one after the other.
#[test]
fn anything_that_is_given_up() {
    for polls in 1..60 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), polls as u64);
        block_on(async {
            let store = open(slow).await;
            let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
            let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
            let said = world.op(1, &[admitted.id()]).by(&[admitted.id()]).saying("perhaps").sign();
            abandon(store.ingest(world.replica, bundle([&admitted, &said], &[1])), polls).await;
            abandon(store.found(Notes::CLASS, [1; 16], &author(0)), polls).await;
            abandon(store.put_identity(author(2).identity_bytes().to_vec()), polls).await;
            let last = next_write(&store, &live, world.op(0, &[]).saying("theirs")).await;
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, [last].into());
            // Now for good: what is there already is not there twice.
            store.ingest(world.replica, bundle([&admitted, &said], &[1])).await.unwrap();
            let other = store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
            store.put_identity(author(2).identity_bytes().to_vec()).await.unwrap();
            assert_eq!(store.replicas().await.unwrap(), [world.replica, other]);
            assert_eq!(store.count(world.replica).await.unwrap(), 4);
            assert_eq!(live.read(|notes| notes.shown.len()), 4);
            for number in 0..3 {
                assert!(store.identity(id_of(number)).await.unwrap().is_some());
            }
            let ids = store.op_ids(world.replica, 0..9).await.unwrap();
            let positions = store.positions(world.replica, &ids).await.unwrap();
            assert_eq!(positions, ids.into_iter().zip(0..).collect(), "after {polls} polls");
        });
    }
}
