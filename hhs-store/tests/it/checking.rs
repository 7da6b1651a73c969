//! The integrity check: a sound store passes, and whatever is done to an entry is found.

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_model::codec::{Value, encode};
use hhs_store::backend::{Backend, Batch, Entry};
use hhs_store::{Checked, Depth, Finding, MemoryBackend, Severity, Store};

use crate::world::{World, dump};

pub(crate) async fn check(store: &Store) -> Checked {
    store.check(Depth::Structure, |_| {}).await.unwrap()
}

pub(crate) async fn findings(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    store.check(Depth::Signatures, |finding| found.push(finding.to_string())).await.unwrap();
    found
}

async fn check_entries(entries: &[Entry]) -> (Checked, Vec<Finding>) {
    let memory = MemoryBackend::new();
    let mut batch = Batch::new();
    for (key, value) in entries {
        batch.put(key.clone(), value.clone());
    }
    memory.commit(batch).await.unwrap();
    let mut found = Vec::new();
    let registry = Registry::new();
    let checked = Store::check_backend(&memory, &registry, Depth::Signatures, |finding| found.push(finding)).await;
    (checked.unwrap(), found)
}

fn object(class: &str, fields: Vec<(&'static str, Value)>) -> Vec<u8> {
    let fields = fields.into_iter().chain([("$", Value::Text(class.into()))]);
    encode(&Value::Map(fields.collect())).unwrap()
}

/// A store with something of every kind.
pub(crate) async fn store() -> World {
    let world = World::new().await;
    let photo =
        world.store.put_bytes(object("test/v1/Photo", vec![("name", Value::Text("sea".into()))])).await.unwrap();
    let cover = ("cover", photo.cid().into());
    world.store.put_bytes(object("test/v1/Album", vec![cover])).await.unwrap();
    let admitted = world.op(0, &[]).granting(1, &["write", "grant"]).sign();
    let fork = world.op(0, &[]).granting(2, &["write"]).sign();
    let said = world.op(1, &[admitted.id(), fork.id()]).by(&[admitted.id()]).saying("hello").sign();
    let linked = encode(&Value::List(vec![photo.cid().into()])).unwrap();
    let more = world.op(1, &[said.id()]).by(&[admitted.id()]).granting(3, &["write"]).carrying(linked).sign();
    let head = world.op(2, &[said.id()]).by(&[fork.id()]).saying(&"beside ".repeat(150)).sign();
    world.ingest(&[&admitted, &fork, &said, &more, &head]).await;
    world.store.set_local("a", Some(b"1")).await.unwrap();
    world
}

/// Every kind of entry that a store has, so that no new one goes unchecked.
const KINDS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 21, 22];
/// What a device keeps for itself is anything.
const LOCAL: u8 = 8;

/// Nothing is wrong with a store that was only used.
#[test]
fn a_sound_store() {
    block_on(async {
        let world = store().await;
        let mut kinds: Vec<u8> = dump(&world.memory).iter().map(|(key, _)| key[0]).collect();
        kinds.dedup();
        assert_eq!(kinds, KINDS);
        let (checked, found) = check_entries(&dump(&world.memory)).await;
        assert_eq!(found, []);
        assert_eq!((checked.objects, checked.replicas, checked.ops), (7, 1, 5));
        assert!(checked.is_sound());
    });
}

/// Each entry in turn is lost, cut off, lengthened, or has a bit turned in its key or value: the check says so.
#[test]
fn every_damage_is_found() {
    block_on(async {
        let entries = dump(&store().await.memory);
        for (at, (key, value)) in entries.iter().enumerate().filter(|(_, (key, _))| key[0] != LOCAL) {
            let without: Vec<Entry> = entries.iter().filter(|(other, _)| other != key).cloned().collect();
            let with = |key: Vec<u8>, value: Vec<u8>| [without.as_slice(), &[(key, value)]].concat();
            let mut damaged = vec![without.clone(), with(key.clone(), [value.as_slice(), &[0]].concat())];
            if !value.is_empty() {
                damaged.push(with(key.clone(), value[..value.len() - 1].to_vec()));
            }
            for byte in (0..value.len()).filter(|byte| *byte < 50 || byte % 23 == 0) {
                let mut value = value.clone();
                value[byte] ^= 0x10;
                damaged.push(with(key.clone(), value));
            }
            for byte in 0..key.len() {
                let mut key = key.clone();
                key[byte] ^= 0x01;
                // One that became something of this device's own is none of ours; it is missed all the same.
                damaged.push(with(key, value.clone()));
            }
            for (number, damaged) in damaged.iter().enumerate() {
                let (_, found) = check_entries(damaged).await;
                assert!(!found.is_empty(), "entry {at}, {key:02x?}, damage {number}");
            }
        }
    });
}

/// An entry is there that should not be: beside each entry one that differs in its last byte, and one of no kind.
#[test]
fn every_stray_is_found() {
    block_on(async {
        let entries = dump(&store().await.memory);
        for (key, value) in entries.iter().filter(|(key, _)| key[0] != LOCAL) {
            let mut stray = key.clone();
            *stray.last_mut().unwrap() ^= 0x80;
            for stray in [stray, [key.as_slice(), &[0]].concat(), key[..key.len() - 1].to_vec(), vec![200], vec![9, 1]]
            {
                if entries.iter().any(|(other, _)| *other == stray) {
                    continue;
                }
                let (_, found) = check_entries(&[entries.as_slice(), &[(stray.clone(), value.clone())]].concat()).await;
                assert!(!found.is_empty(), "the stray entry {stray:02x?} beside {key:02x?}");
            }
        }
    });
}

/// Damage to indexes alone is told as such, and mended in place: the entries are what they were.
#[test]
fn damaged_indexes_are_mended() {
    block_on(async {
        let world = store().await;
        let entries = dump(&world.memory);
        for kind in [1, 6, 7, 16, 17, 18, 19, 20, 21, 22] {
            let without: Vec<Entry> = entries.iter().filter(|(key, _)| key[0] != kind).cloned().collect();
            let (checked, found) = check_entries(&without).await;
            assert!(checked.index > 0, "kind {kind}");
            if kind != 1 {
                assert!(found.iter().all(|finding| finding.severity <= Severity::Index), "kind {kind}: {found:?}");
            }
            let memory = MemoryBackend::new();
            let mut batch = Batch::new();
            for (key, value) in &without {
                batch.put(key.clone(), value.clone());
            }
            memory.commit(batch).await.unwrap();
            Store::rebuild_indexes(&memory).await.unwrap();
            let (_, found) = check_entries(&dump(&memory)).await;
            assert_eq!(found, [], "kind {kind}");
            assert_eq!(dump(&memory).len(), entries.len());
        }
    });
}
