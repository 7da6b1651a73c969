//! Saving what is sound in a damaged store.

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::backend::{Backend, Batch, Entry};
use hhs_store::{Depth, MemoryBackend, Query, Store, StoreError};

use crate::checking::{findings, store as sound_store};
use crate::world::{World, dump};

async fn salvage(entries: &[Entry]) -> (Store, hhs_store::Salvaged, Vec<String>) {
    let memory = MemoryBackend::new();
    let mut batch = Batch::new();
    for (key, value) in entries {
        batch.put(key.clone(), value.clone());
    }
    memory.commit(batch).await.unwrap();
    let mut lost = Vec::new();
    let saving = Store::salvage(&memory, MemoryBackend::new(), Registry::new(), |one| lost.push(one.reason)).await;
    let (store, saved) = saving.unwrap();
    (store, saved, lost)
}

/// Nothing is lost of a store in which nothing was damaged, or only indexes.
#[test]
fn what_is_sound_is_saved() {
    block_on(async {
        let world: World = sound_store().await;
        let entries = dump(&world.memory);
        let kinds = |gone: &'static [u8]| entries.iter().filter(move |(key, _)| !gone.contains(&key[0])).cloned();
        for entries in [
            kinds(&[]).collect::<Vec<_>>(),
            kinds(&[1]).collect(),
            kinds(&[0, 6, 7, 16, 17, 18, 19, 20, 21, 22]).collect(),
            kinds(&[5]).collect(),
        ] {
            let (store, saved, lost) = salvage(&entries).await;
            assert_eq!(lost, Vec::<String>::new());
            assert_eq!((saved.objects, saved.replicas, saved.ops), (6, 1, 5));
            assert_eq!(
                store.frontier(world.replica).await.unwrap(),
                world.store.frontier(world.replica).await.unwrap()
            );
            assert_eq!(store.query(&Query::class("test/v1/Album")).await.unwrap().len(), 1);
            assert_eq!(store.local("a").await.unwrap().as_deref(), Some(b"1".as_slice()));
            assert_eq!(findings(&store).await, Vec::<String>::new());
        }
        let taken = Store::salvage(&world.memory, world.memory.clone(), Registry::new(), |_| {}).await;
        assert!(matches!(taken, Err(StoreError::NotEmpty)));
    });
}

/// Each entry in turn is changed or lost: what is saved is sound, and all is saved that does not rest on it.
#[test]
fn whatever_is_damaged_the_rest_is_saved() {
    block_on(async {
        let world = sound_store().await;
        let entries = dump(&world.memory);
        let mut whole = 0;
        for (at, (key, value)) in entries.iter().enumerate() {
            let mut lost_entry = entries.clone();
            lost_entry.remove(at);
            let mut changed = entries.clone();
            if let Some(byte) = changed[at].1.get_mut(value.len() / 2) {
                *byte ^= 0x04;
            }
            for damaged in [lost_entry, changed] {
                let (store, saved, _) = salvage(&damaged).await;
                let checked = store.check(Depth::Signatures, |_| {}).await.unwrap();
                assert!(checked.is_sound() && checked.loose == 0, "{key:02x?}: {:?}", findings(&store).await);
                let mut least = 12_u64;
                match key[0] {
                    // Its payload, and what is above it.
                    3 | 4 => least = 7,
                    // A genesis and its ops, or an identity and what it wrote.
                    2 => least = 0,
                    _ => {}
                }
                let found = saved.objects + saved.replicas + saved.ops;
                assert!(found >= least, "{key:02x?}: {saved:?}");
                whole += u64::from(found == 12);
            }
        }
        assert!(whole > 60, "damage to indexes costs nothing: {whole}");
    });
}
