//! Checkpoints: they make opening cheap and change nothing, and what is wrong with them harms nothing.

use futures::executor::block_on;
use hhs_model::class::Draft;
use hhs_store::backend::{Batch, Entry};
use hhs_store::{Backend, Depth, Live, MemoryBackend, Store};

use crate::world::{Notes, World, author, dump, note, open};

fn checkpoints(memory: &MemoryBackend) -> Vec<Entry> {
    dump(memory).into_iter().filter(|(key, _)| [29, 30].contains(&key[0])).collect()
}

async fn live(store: &Store, world: &World) -> Live<Notes> {
    store.open_replica(world.replica).await.unwrap()
}

async fn write(live: &Live<Notes>, text: &str) {
    live.update(&author(0), 0, |edit| edit.write(text)).await.unwrap().unwrap();
}

async fn change(memory: &MemoryBackend, entries: impl IntoIterator<Item = (Vec<u8>, Option<Vec<u8>>)>) {
    let mut batch = Batch::new();
    for (key, value) in entries {
        match value {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        };
    }
    memory.commit(batch).await.unwrap();
}

/// A checkpoint is asked for, and once more with nothing new. The replica is opened from it, goes on, and is the same as
/// without it; deleting it changes nothing.
#[test]
fn a_replica_opens_from_its_checkpoint() {
    block_on(async {
        let world = World::new().await;
        let first = live(&world.store, &world).await;
        first.checkpoint().await.unwrap();
        assert_eq!(checkpoints(&world.memory), [], "there is nothing to write down");
        for number in 0..5 {
            write(&first, &number.to_string()).await;
        }
        first.checkpoint().await.unwrap();
        let written = checkpoints(&world.memory);
        assert_eq!(written.len(), 2);
        first.checkpoint().await.unwrap();
        assert_eq!(checkpoints(&world.memory), written);
        write(&first, "after").await;
        let from_checkpoint = live(&world.reopened().await, &world).await;
        change(&world.memory, written.into_iter().map(|(key, _)| (key, None))).await;
        let from_scratch = live(&world.reopened().await, &world).await;
        assert_eq!(from_checkpoint.read(Notes::clone), from_scratch.read(Notes::clone));
        assert_eq!(from_checkpoint.read(Notes::clone), first.read(Notes::clone));
        assert_eq!(from_checkpoint.applied(), 6);
    });
}

/// The ops below a checkpoint are not read: without their payloads the replica opens from it, and not without it.
#[test]
fn what_is_below_a_checkpoint_is_not_read() {
    block_on(async {
        let world = World::new().await;
        let first = live(&world.store, &world).await;
        write(&first, &"long ".repeat(400)).await;
        write(&first, "last").await;
        first.checkpoint().await.unwrap();
        let payload: Vec<Vec<u8>> =
            dump(&world.memory).into_iter().map(|(key, _)| key).filter(|key| key[0] == 4).collect();
        assert_eq!(payload.len(), 1);
        change(&world.memory, payload.into_iter().map(|key| (key, None))).await;
        let store = world.reopened().await;
        assert_eq!(live(&store, &world).await.read(Notes::clone), first.read(Notes::clone));
        change(&world.memory, checkpoints(&world.memory).into_iter().map(|(key, _)| (key, None))).await;
        assert!(store.open_replica::<Notes>(world.replica).await.is_err());
    });
}

/// Every byte of a checkpoint is changed in turn, parts are lost and cut off: the replica opens all the same, the check
/// finds what it can tell, and the next checkpoint is sound.
#[test]
fn a_damaged_checkpoint_is_dropped() {
    block_on(async {
        let world = World::new().await;
        let first = live(&world.store, &world).await;
        write(&first, "one").await;
        write(&first, "two").await;
        first.checkpoint().await.unwrap();
        let expected = first.read(Notes::clone);
        for (key, value) in checkpoints(&world.memory) {
            let mut damaged: Vec<Option<Vec<u8>>> =
                vec![None, Some(Vec::new()), Some(value[..value.len() - 1].to_vec())];
            for at in 0..value.len() {
                let mut value = value.clone();
                value[at] ^= 0x41;
                damaged.push(Some(value));
            }
            for damaged in damaged {
                change(&world.memory, [(key.clone(), damaged)]).await;
                assert_eq!(live(&world.reopened().await, &world).await.read(Notes::clone), expected);
            }
            change(&world.memory, [(key, Some(value))]).await;
        }
        let lost = checkpoints(&world.memory).into_iter().map(|(key, _)| key).find(|key| key[0] == 30).unwrap();
        change(&world.memory, [(lost, None)]).await;
        let store = world.reopened().await;
        let mut found = 0;
        assert!(!store.check(Depth::Structure, |_| found += 1).await.unwrap().is_sound());
        assert_eq!(found, 1);
        let opened = live(&store, &world).await;
        write(&opened, "three").await;
        opened.checkpoint().await.unwrap();
        drop((store, opened));
        Store::rebuild_indexes(&world.memory).await.unwrap();
        assert_eq!(checkpoints(&world.memory), [], "they go with the indexes");
        assert!(world.reopened().await.check(Depth::Signatures, |_| {}).await.unwrap().is_sound());
    });
}

/// Much is written: checkpoints are written by themselves, few stay, and large states take several entries of at most a
/// mebibyte. Opening a long history writes one as well, and deleting the replica takes all of them along.
#[test]
fn checkpoints_write_themselves() {
    block_on(async {
        let world = World::new().await;
        let first = live(&world.store, &world).await;
        for number in 0..24 {
            write(&first, &format!("{number}{}", "x".repeat(300_000))).await;
        }
        let written = checkpoints(&world.memory);
        let heads = written.iter().filter(|(key, _)| key[0] == 29).count();
        assert!((1..=4).contains(&heads), "{heads}");
        assert!(written.iter().all(|(_, value)| value.len() <= 1 << 20));
        assert!(written.len() > heads + 2);
        let store = world.reopened().await;
        assert!(store.check(Depth::Signatures, |found| panic!("{found:?}")).await.unwrap().is_sound());
        assert_eq!(live(&store, &world).await.read(Notes::clone), first.read(Notes::clone));
        change(&world.memory, written.into_iter().map(|(key, _)| (key, None))).await;
        live(&world.reopened().await, &world).await;
        assert!(checkpoints(&world.memory).len() > 1, "opening writes one where there is none");
        assert!(store.room().await.unwrap().checkpoints.bytes > 1 << 20);
        drop(store);
        world.reopened().await.delete_replica(world.replica).await.unwrap();
        assert_eq!(checkpoints(&world.memory), []);
    });
}

/// A store that an older program has written opens, and is of the present format from then on.
#[test]
fn a_store_from_before_there_were_checkpoints() {
    block_on(async {
        let world = World::new().await;
        let draft = || Ok(Some(Draft { payload: Some(note("old")), ..Draft::default() }));
        world.store.append(world.replica, &author(0), 0, draft).await.unwrap();
        let before = dump(&world.memory);
        change(&world.memory, [(vec![0], Some(2_u64.to_be_bytes().to_vec()))]).await;
        let store = open(world.memory.clone()).await;
        assert_eq!(dump(&world.memory), before);
        assert!(live(&store, &world).await.read(|notes| notes.texts().contains("old")));
    });
}
