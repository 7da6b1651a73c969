//! Children: replicas that are a part of another, whose root says who may write.

use futures::executor::block_on;
use hhs_model::ReplicaId;
use hhs_model::bounds::MAX_CHILD_LEVELS;
use hhs_model::class::Replica as _;
use hhs_model::op::{FoundingError, Genesis};
use hhs_store::{IngestError, MemoryBackend, Store, StoreError};

use crate::world::{Notes, World, author, bundle, dump, id_of, op, open};

fn child(parent: ReplicaId) -> Genesis {
    Genesis::child(parent, "guests".parse().unwrap(), Notes::CLASS)
}

/// A store that adopts what another one has made, without the identities: a child names none.
async fn adopt(store: &Store, genesis: &Genesis) -> Result<ReplicaId, StoreError> {
    let (bytes, id) = genesis.encoded().unwrap();
    store.adopt(id, bytes, &[]).await.map(|()| id)
}

/// A room has a list of guests. Its founder writes there and lets Ben write; a stranger may not, before and after the
/// store was opened again.
#[test]
fn the_root_says_who_may_write() {
    block_on(async {
        let world = World::new().await;
        let list = adopt(&world.store, &child(world.replica)).await.unwrap();
        let page = adopt(&world.store, &child(list)).await.unwrap();
        assert_eq!(ReplicaId::child(list, &"guests".parse().unwrap(), Notes::CLASS), Ok(page));
        for store in [world.store.clone(), world.reopened().await] {
            for replica in [list, page] {
                let founding = store.founding(replica).await.unwrap();
                assert_eq!((founding.id(), founding.class()), (replica, Notes::CLASS));
                assert!(store.may(replica, id_of(0), "grant").await.unwrap());
                assert!(!store.may(replica, id_of(1), "write").await.unwrap());
                let stranger = op(1, replica, &[]).sign();
                let refused = store.ingest(replica, bundle([&stranger], &[1])).await.unwrap_err();
                assert!(matches!(refused, IngestError::Refused { .. }), "{refused}");
            }
        }
        let lets_ben = op(0, page, &[]).granting(1, &["write"]).sign();
        let ben_says = op(1, page, &[lets_ben.id()]).by(&[lets_ben.id()]).saying("hello").sign();
        world.store.ingest(page, bundle([&lets_ben, &ben_says], &[0, 1])).await.unwrap();
        let live = world.reopened().await.open_replica::<Notes>(page).await.unwrap();
        assert!(live.read(|notes| notes.holders.holds(&id_of(0), "write") && notes.notes.len() == 1));
        live.update(&author(1), 0, |notes| notes.write("again")).await.unwrap();
        assert!(!world.store.may(list, id_of(1), "write").await.unwrap(), "a grant in a child counts there alone");
    });
}

/// A child comes before its parent: nobody could say who may write to it, so it is not taken, and the error says what to
/// fetch first. Once the parent is here, it is taken.
#[test]
fn a_child_without_its_parent() {
    block_on(async {
        let world = World::new().await;
        let list = adopt(&world.store, &child(world.replica)).await.unwrap();
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let before = dump(&memory);
        let error = adopt(&store, &child(world.replica)).await.unwrap_err();
        assert!(matches!(error, StoreError::NoParent { child, parent } if child == list && parent == world.replica));
        let (root, _) = world.store.genesis(world.replica).await.unwrap().encoded().unwrap();
        assert_eq!(dump(&memory), before);
        // Saved as an object the parent is no replica yet.
        store.put_bytes(root.clone()).await.unwrap();
        assert!(matches!(adopt(&store, &child(world.replica)).await, Err(StoreError::NoParent { .. })));
        store.adopt(world.replica, root, &[author(0).identity_bytes().to_vec()]).await.unwrap();
        assert!(
            matches!(adopt(&store, &child(list)).await, Err(StoreError::NoParent { parent, .. }) if parent == list)
        );
        assert_eq!(adopt(&store, &child(world.replica)).await.unwrap(), list);
        assert_eq!(adopt(&store, &child(world.replica)).await.unwrap(), list, "and once more");
        adopt(&store, &child(list)).await.unwrap();
    });
}

/// Children of children, down to as many levels as there may be, and one further.
#[test]
fn children_that_are_too_deep() {
    block_on(async {
        let world = World::new().await;
        let mut last = world.replica;
        for _ in 0..MAX_CHILD_LEVELS {
            last = adopt(&world.store, &child(last)).await.unwrap();
        }
        assert_eq!(world.store.founding(last).await.unwrap().level(), MAX_CHILD_LEVELS);
        let before = dump(&world.memory);
        let error = adopt(&world.store, &child(last)).await.unwrap_err();
        assert!(matches!(error, StoreError::Founding(FoundingError::TooDeep)), "{error}");
        assert_eq!(dump(&world.memory), before);
    });
}
