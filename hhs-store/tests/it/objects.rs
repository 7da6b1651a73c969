//! Objects, identities and geneses: what is saved, what is refused, and what opening a store makes of a backend.

use futures::executor::block_on;
use hhs_model::class::Replica;
use hhs_model::codec::{Value, encode};
use hhs_model::op::Genesis;
use hhs_model::{IdentityId, Object, ObjectId, Registry, ReplicaId, object};
use hhs_store::backend::{Backend, Batch};
use hhs_store::{BackendError, MemoryBackend, Store, StoreError};

use crate::world::{Notes, World, author, dump, id_of, note, open};

#[derive(Object, Debug, Clone, PartialEq)]
#[object(class = "test/v1/Even", validate = even)]
struct Even {
    number: u64,
}

fn even(even: &Even) -> Result<(), &'static str> {
    if even.number.is_multiple_of(2) { Ok(()) } else { Err("it is odd") }
}

/// The bytes of an object with one entry beside its class.
fn object_of(class: &str, key: &str, value: Value) -> Vec<u8> {
    encode(&Value::Map([("$", Value::Text(class.into())), (key, value)].into())).unwrap()
}

/// An app saves an object, and again: it is there once, under the hash of its bytes.
#[test]
fn an_object_is_saved_once() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let even = Even { number: 4 };
        let id = store.put(&even).await.unwrap();
        assert_eq!(id, object::id(&even).unwrap());
        assert_eq!(store.get::<Even>(id).await.unwrap(), Some(even.clone()));
        assert_eq!(store.get_bytes(id).await.unwrap(), Some(object::to_bytes(&even).unwrap()));
        let before = dump(&memory);
        assert_eq!(store.put(&even).await.unwrap(), id);
        assert_eq!(dump(&memory), before);
        assert_eq!(store.get_bytes(ObjectId::of(b"nothing")).await.unwrap(), None);
        // Another one does not get in its way, nor after the store was opened again.
        let other = open(memory).await.put(&Even { number: 6 }).await.unwrap();
        assert_eq!(store.get::<Even>(id).await.unwrap(), Some(even));
        assert_eq!(store.get::<Even>(other).await.unwrap(), Some(Even { number: 6 }));
    });
}

/// Objects of classes that the program does not know are kept as they are; those of known ones have to be valid.
#[test]
fn objects_are_checked_as_far_as_their_class_is_known() {
    block_on(async {
        let odd = object_of("test/v1/Even", "number", Value::Int(3));
        let memory = MemoryBackend::new();
        let ignorant = open(memory.clone()).await;
        let id = ignorant.put_bytes(odd.clone()).await.unwrap();
        assert!(matches!(ignorant.get::<Even>(id).await, Err(StoreError::Object(_))));
        assert!(matches!(ignorant.put(&Even { number: 3 }).await, Err(StoreError::Encode(_))));

        let mut registry = Registry::new();
        registry.register::<Even>();
        let memory = MemoryBackend::new();
        let knowing = Store::open(memory.clone(), registry).await.unwrap();
        let before = dump(&memory);
        for bytes in
            [odd, vec![], b"no object".to_vec(), note("no class"), object_of("", "a", Value::Null)[..5].to_vec()]
        {
            assert!(matches!(knowing.put_bytes(bytes).await, Err(StoreError::Object(_))));
        }
        let trailing = [object_of("other", "a", Value::Null), vec![0]].concat();
        assert!(matches!(knowing.put_bytes(trailing).await, Err(StoreError::Object(_))));
        assert_eq!(dump(&memory), before);
    });
}

/// What calls itself an identity or a genesis has to be one, whatever else the program knows.
#[test]
fn the_classes_of_the_model_are_always_known() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let before = dump(&memory);
        for class in ["hhs/v1/Identity", "hhs/v1/Genesis"] {
            let bytes = object_of(class, "key", Value::Int(1));
            assert!(matches!(store.put_bytes(bytes).await, Err(StoreError::Object(_))), "{class}");
        }
        let garbage = note("nobody");
        assert!(matches!(store.put_identity(garbage).await, Err(StoreError::Object(_))));
        assert_eq!(dump(&memory), before);
        let ana = author(0);
        assert_eq!(store.put_identity(ana.identity_bytes().to_vec()).await.unwrap(), ana.id());
        assert_eq!(store.identity(ana.id()).await.unwrap().as_ref(), Some(ana.identity()));
    });
}

/// The id of something else is asked for as that of an identity.
#[test]
fn an_id_that_is_not_of_an_identity() {
    block_on(async {
        let world = World::new().await;
        let first = world.op(0, &[]).sign();
        world.ingest(&[&first]).await;
        let object = world.store.put_bytes(object_of("app", "a", Value::Text("b".repeat(1 << 17)))).await.unwrap();
        for id in [first.id().0, world.replica.0, object.0, ObjectId::of(b"nothing").0] {
            assert_eq!(world.store.identity(IdentityId(id)).await.unwrap(), None);
        }
    });
}

/// A replica is created, adopted by another store, and again by both: it is there once, with its identities.
#[test]
fn a_replica_is_adopted() {
    block_on(async {
        let world = World::new().await;
        let genesis = world.store.get_bytes(world.replica.into()).await.unwrap().unwrap();
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        assert!(!store.has_replica(world.replica).await.unwrap());
        let identities = [author(1).identity_bytes().to_vec(), author(0).identity_bytes().to_vec()];
        store.adopt(world.replica, genesis.clone(), &identities).await.unwrap();
        assert!(store.has_replica(world.replica).await.unwrap());
        assert_eq!(store.genesis(world.replica).await.unwrap(), world.store.genesis(world.replica).await.unwrap());
        assert_eq!(store.get_bytes(world.replica.into()).await.unwrap(), Some(genesis.clone()));
        assert!(store.identity(id_of(0)).await.unwrap().is_some());
        assert!(store.identity(id_of(1)).await.unwrap().is_none(), "the genesis does not name it");
        let before = dump(&memory);
        store.adopt(world.replica, genesis, &[]).await.unwrap();
        store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        assert_eq!(dump(&memory), before);

        let second = store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
        let reopened = open(memory).await;
        let third = reopened.found(Notes::CLASS, [2; 16], &author(1)).await.unwrap();
        assert_eq!(reopened.replicas().await.unwrap(), [world.replica, second, third]);
        assert_eq!(reopened.frontier(third).await.unwrap().heads, [].into());
        assert_eq!(reopened.count(third).await.unwrap(), 0);
    });
}

/// Bytes of another id, of another kind, or that name an identity that did not come along: nothing is kept.
#[test]
fn a_genesis_that_is_refused() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let genesis = Genesis::with_founder(Notes::CLASS, [0; 16], id_of(0));
        let (bytes, id) = genesis.encoded().unwrap();
        let ana = author(0).identity_bytes().to_vec();
        // Everything that was in the way before has an identity in it, and nothing of it may stay.
        let (object, identity) = (object_of("app", "a", Value::Null), ana.clone());
        let before = dump(&memory);
        let other = ReplicaId::of(b"another");
        let result = store.adopt(other, bytes.clone(), std::slice::from_ref(&ana)).await;
        assert!(matches!(result, Err(StoreError::WrongId { expected, found })
            if expected == other.into() && found == id.into()));
        for wrong in [vec![], object, identity, bytes[1..].to_vec(), [bytes.as_slice(), &[0]].concat()] {
            let result = store.adopt(ReplicaId::of(&wrong), wrong, std::slice::from_ref(&ana)).await;
            assert!(matches!(result, Err(StoreError::Object(_))));
        }
        for identities in [vec![], vec![author(1).identity_bytes().to_vec()]] {
            let result = store.adopt(id, bytes.clone(), &identities).await;
            assert!(matches!(result, Err(StoreError::NoIdentity(missing)) if missing == id_of(0)));
        }
        let result = store.adopt(id, bytes.clone(), &[ana.clone(), b"nobody".to_vec()]).await;
        assert!(matches!(result, Err(StoreError::Object(_))));
        let nameless = Genesis { class: String::new(), ..genesis };
        assert!(matches!(store.create(&nameless, &[ana]).await, Err(StoreError::Genesis(_))));
        assert_eq!(dump(&memory), before);
        assert!(matches!(store.genesis(id).await, Err(StoreError::NoReplica(_))));
    });
}

/// A genesis names as a holder what is here but is no identity: whoever got it from us could make nothing of it.
#[test]
fn a_genesis_that_names_an_object_as_holder() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let object = store.put(&Even { number: 2 }).await.unwrap();
        let genesis = Genesis::with_founder(Notes::CLASS, [0; 16], IdentityId(object.0));
        let before = dump(&memory);
        assert!(matches!(store.create(&genesis, &[]).await, Err(StoreError::NoIdentity(_))));
        assert_eq!(dump(&memory), before);
    });
}

/// Somebody saved the bytes of a genesis as an object, an app that shows them perhaps. The replica is adopted all the same.
#[test]
fn a_genesis_that_is_here_as_an_object() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        let (bytes, id) = Genesis::with_founder(Notes::CLASS, [0; 16], id_of(0)).encoded().unwrap();
        store.put_bytes(bytes.clone()).await.unwrap();
        assert!(!store.has_replica(id).await.unwrap());
        assert!(matches!(store.frontier(id).await, Err(StoreError::NoReplica(_))));
        assert_eq!(store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap(), id);
        assert!(store.has_replica(id).await.unwrap());
        assert_eq!(store.get_bytes(id.into()).await.unwrap(), Some(bytes));
        store.append(id, &author(0), 0, || Ok(Some(Default::default()))).await.unwrap();
        assert_eq!(open(memory).await.count(id).await.unwrap(), 1);
    });
}

/// A device keeps small things for itself, which are not objects.
#[test]
fn local_things() {
    block_on(async {
        let memory = MemoryBackend::new();
        let store = open(memory.clone()).await;
        assert_eq!(store.local("a").await.unwrap(), None);
        store.set_local("a", Some(b"1")).await.unwrap();
        store.set_local("ab", Some(b"")).await.unwrap();
        let store = open(memory).await;
        assert_eq!(store.local("a").await.unwrap().as_deref(), Some(b"1".as_slice()));
        assert_eq!(store.local("ab").await.unwrap().as_deref(), Some(b"".as_slice()));
        store.set_local("a", None).await.unwrap();
        assert_eq!(store.local("a").await.unwrap(), None);
        let too_long = store.set_local(&"a".repeat(1 << 12), Some(b"1")).await;
        assert!(matches!(too_long, Err(StoreError::Backend(BackendError::TooLarge { .. }))));
    });
}

/// A backend was written by a program of another time, or by another program altogether: it is left alone.
#[test]
fn a_backend_of_another_format() {
    block_on(async {
        let with = async |key: &[u8], value: &[u8]| {
            let memory = MemoryBackend::new();
            let mut batch = Batch::new();
            batch.put(key, value);
            memory.commit(batch).await.unwrap();
            let before = dump(&memory);
            let error = Store::open(memory.clone(), Registry::new()).await.unwrap_err();
            assert_eq!(dump(&memory), before);
            error
        };
        let error = with(&[0], &4_u64.to_be_bytes()).await;
        assert!(matches!(&error, StoreError::Backend(BackendError::Version { found, .. }) if found == "4"), "{error}");
        let error = with(&[0], b"?").await;
        assert!(matches!(error, StoreError::Backend(BackendError::Version { .. })), "{error}");
        for key in [b"\x01".as_slice(), b"something", b""] {
            let error = with(key, b"").await;
            assert!(matches!(error, StoreError::Backend(BackendError::Corrupted { .. })), "{error}");
        }
    });
}
