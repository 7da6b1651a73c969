//! A backend gives back other bytes than were written: an error, or something harmless; never a panic, never memory
//! without bound.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::backend::{Backend, Batch, Entry};
use hhs_store::{Live, MemoryBackend, ReadLimit, Store};

use crate::world::{Notes, World, author, bundle, dump, id_of};

/// A store with something of every kind, as entries of the backend.
async fn entries() -> (World, Vec<Entry>) {
    let world = World::new().await;
    let admitted = world.op(0, &[]).granting(1, &["write", "grant"]).sign();
    let fork = world.op(0, &[]).granting(2, &["write"]).sign();
    let said = world.op(1, &[admitted.id(), fork.id()]).by(&[admitted.id()]).saying("hello").sign();
    let more = world.op(1, &[said.id()]).by(&[admitted.id()]).granting(3, &["write"]).saying("hello").sign();
    let head = world.op(2, &[said.id()]).by(&[fork.id()]).saying(&"beside ".repeat(150)).sign();
    world.ingest(&[&admitted, &fork, &said, &more, &head]).await;
    world.store.set_local("a", Some(b"1")).await.unwrap();
    let entries = dump(&world.memory);
    (world, entries)
}

/// Does everything that can be done with a store. Errors are fine.
async fn use_everything(world: &World, memory: MemoryBackend) -> Option<()> {
    let store = Store::open(memory, Registry::new()).await.ok()?;
    let (replica, all) = (world.replica, ReadLimit { ops: 100, bytes: 1 << 20 });
    store.replicas().await.ok();
    store.local("a").await.ok();
    store.frontier(replica).await.ok();
    store.count(replica).await.ok();
    store.op_ids(replica, 0..u64::MAX).await.ok();
    store.ops(replica, 0..u64::MAX, all).await.ok();
    store.difference(replica, [4, 3], [1]).await.ok();
    store.difference(replica, [u64::MAX], []).await.ok();
    for number in 0..4 {
        store.identity(id_of(number)).await.ok();
        store.may(replica, id_of(number), "write").await.ok();
    }
    store.get_bytes(replica.into()).await.ok();
    let ids = world.store.op_ids(replica, 0..9).await.unwrap();
    store.positions(replica, &ids).await.ok();
    for id in &ids {
        store.get_bytes((*id).into()).await.ok();
        let next = world.op(0, &[*id]).granting(1, &["write"]).saying("next").sign();
        store.ingest(replica, bundle([&next], &[0, 1])).await.ok();
    }
    store.append(replica, &author(1), 0, || Ok(Some(Default::default()))).await.ok();
    store.found("test/v1/Notes", [9; 16], &author(0)).await.ok();
    let live: Live<Notes> = store.open_replica(replica).await.ok()?;
    live.update(&author(0), 0, |edit| edit.write("mine")).await.ok();
    Some(())
}

async fn with(entries: &[Entry], at: usize, changed: Option<Entry>) -> MemoryBackend {
    let memory = MemoryBackend::new();
    let mut batch = Batch::new();
    for (number, (key, value)) in entries.iter().enumerate() {
        if number != at {
            batch.put(key.clone(), value.clone());
        }
    }
    if let Some((key, value)) = changed {
        batch.put(key, value);
    }
    memory.commit(batch).await.unwrap();
    memory
}

/// Each entry in turn is lost, cut off, emptied, filled up, or has a byte changed, in its key or its value.
#[test]
fn every_entry_damaged_in_many_ways() {
    let (world, entries) = block_on(entries());
    let mut kinds: Vec<u8> = entries.iter().map(|(key, _)| key[0]).collect();
    kinds.dedup();
    assert_eq!(kinds, [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 21, 22], "something of every kind is there");
    let check = |at: usize, what: &str, changed: Option<Entry>| {
        let used = catch_unwind(AssertUnwindSafe(|| {
            block_on(async { use_everything(&world, with(&entries, at, changed).await).await })
        }));
        assert!(used.is_ok(), "entry {:02x?} {what}", entries[at].0);
    };
    for (at, (key, value)) in entries.iter().enumerate() {
        check(at, "is lost", None);
        check(at, "is empty", Some((key.clone(), vec![])));
        check(at, "is full of ones", Some((key.clone(), vec![0xff; value.len()])));
        check(at, "is longer", Some((key.clone(), [value.as_slice(), &[0]].concat())));
        check(at, "has a shorter key", Some((key[..key.len() - 1].to_vec(), value.clone())));
        check(at, "has the last key", Some(([&key[..key.len().min(5)], &[0xff; 8]].concat(), value.clone())));
        // Ids and headers are long: some of their bytes are enough.
        for byte in (0..value.len()).filter(|byte| key[0] < 16 && (*byte < 40 || byte % 16 == 0)) {
            check(at, "is cut off", Some((key.clone(), value[..byte].to_vec())));
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut value = value.clone();
                value[byte] ^= change;
                check(at, &format!("has {change:02x} changed at {byte}"), Some((key.clone(), value)));
            }
        }
    }
}
