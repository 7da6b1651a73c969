//! Stores of older formats: brought to this one in place, whatever interrupts it; newer ones are left alone.

use futures::executor::block_on;
use hhs_model::Registry;
use hhs_store::backend::{Backend, Batch, Entry};
use hhs_store::{BackendError, Checked, Depth, Live, MemoryBackend, Query, Store, StoreError};

use crate::backends::Failing;
use crate::checking::{check, findings};
use crate::world::{Notes, author, dump, open};

/// Everything in a store that was written before there were indexes.
fn format_1() -> Vec<Entry> {
    let unhex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let lines = include_str!("../fixtures/format-1.hex").lines();
    lines.map(|line| line.split_once(' ').unwrap()).map(|(key, value)| (unhex(key), unhex(value))).collect()
}

async fn backend_of(entries: &[Entry]) -> MemoryBackend {
    let memory = MemoryBackend::new();
    let mut batch = Batch::new();
    for (key, value) in entries {
        batch.put(key.clone(), value.clone());
    }
    memory.commit(batch).await.unwrap();
    memory
}

/// A store of format 1 is opened: all that was in it is there, the indexes are as if it had been written today, and what is
/// written next goes on from there.
#[test]
fn a_store_without_indexes_gets_them() {
    block_on(async {
        let memory = backend_of(&format_1()).await;
        let store = open(memory.clone()).await;
        let checked = check(&store).await;
        assert!(checked.is_sound(), "{:?}", findings(&store).await);
        assert_eq!(checked, Checked { objects: 10, replicas: 2, ops: 48, loose: 1, ..Checked::default() });
        let albums = store.query(&Query::class("test/v1/Album")).await.unwrap();
        assert_eq!(albums.len(), 2);
        let photos = store.query(&Query::class("test/v1/Photo")).await.unwrap();
        let at = |path: &str| Query::referencing(photos[0].id).by_class("test/v1/Album").at(path);
        for path in ["cover", "photos/*"] {
            assert_eq!(store.query(&at(path)).await.unwrap(), albums[..1]);
        }
        assert_eq!(store.local("name").await.unwrap().as_deref(), Some(b"thin".as_slice()));
        let notes = store.replicas_of_class("test/v1/Notes", None, 9).await.unwrap()[0];
        let live: Live<Notes> = store.open_replica(notes).await.unwrap();
        assert_eq!(live.applied(), 45);
        live.update(&author(0), 0, |edit| edit.write("today")).await.unwrap();
        assert!(check(&store).await.is_sound());
        assert!(matches!(store.delete_object(photos[0].id).await, Err(hhs_store::DeleteError::Linked { .. })));
    });
}

/// The power fails at any commit on the way: the next opening goes on, and ends with the same entries.
#[test]
fn a_migration_that_is_interrupted_goes_on() {
    block_on(async {
        let whole = backend_of(&format_1()).await;
        open(whole.clone()).await;
        for commits in 0.. {
            let memory = backend_of(&format_1()).await;
            let failing = Failing::after(memory.clone(), commits);
            let opened = Store::open(failing, Registry::new()).await;
            let done = opened.is_ok();
            drop(opened);
            open(memory.clone()).await;
            assert_eq!(dump(&memory), dump(&whole), "interrupted after {commits} commits");
            if done {
                assert!(commits > 2, "there were commits to interrupt");
                return;
            }
        }
    });
}

/// All indexes are made again from what they follow from: the entries are the same as before.
#[test]
fn indexes_are_made_again() {
    block_on(async {
        let memory = backend_of(&format_1()).await;
        open(memory.clone()).await;
        let before = dump(&memory);
        for commits in 0..6 {
            let failing = Failing::after(memory.clone(), commits);
            drop(Store::rebuild_indexes(&failing).await);
            open(memory.clone()).await;
            assert_eq!(comparable(&dump(&memory)), comparable(&before));
        }
        assert!(check(&open(memory).await).await.is_sound());
    });
}

/// Who wrote is listed with the last op that shows it, not the first; a single head, which format 1 lists, is not.
fn comparable(entries: &[Entry]) -> Vec<Entry> {
    let comparable = entries.iter().filter(|(key, _)| key[0] != 7);
    comparable.map(|(key, value)| (key.clone(), if key[0] == 22 { vec![] } else { value.clone() })).collect()
}

/// A newer program has written the store: it is refused with both formats and the place, and left as it is.
#[test]
fn a_newer_format_is_refused() {
    block_on(async {
        let memory = backend_of(&[(vec![0], 4_u64.to_be_bytes().to_vec()), (vec![200], vec![1])]).await;
        let before = dump(&memory);
        let error = Store::open_at("photos.redb", memory.clone(), Registry::new()).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Backend(BackendError::Version { place, found, supported })
            if (place.as_str(), found.as_str(), supported.as_str()) == ("photos.redb", "4", "1 to 3")),
            "{error}"
        );
        assert_eq!(dump(&memory), before);
    });
}

/// The depth of a check changes nothing about a store that is sound.
#[test]
fn a_migrated_store_is_sound_to_the_last_signature() {
    block_on(async {
        let store = open(backend_of(&format_1()).await).await;
        let mut found = Vec::new();
        let checked = store.check(Depth::Signatures, |finding| found.push(finding)).await.unwrap();
        assert!(checked.is_sound(), "{found:?}");
    });
}
