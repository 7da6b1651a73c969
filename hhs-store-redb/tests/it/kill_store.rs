//! `kill -9` of a process with a whole store on the file: its messages, and the indexes that find them; and of one that
//! compacts.
#![cfg(unix)]

use std::path::Path;

use futures::executor::block_on;
use futures::future::join_all;
use hhs_model::class::Draft;
use hhs_model::codec::{decode, encode};
use hhs_model::{Author, Registry};
use hhs_store::{Depth, ReadLimit, Store};
use hhs_store_redb::{Options, RedbBackend, check, compact};
use tempfile::tempdir;

use crate::numbered;
use crate::process::{self, Process, say};

/// A process writes messages to four replicas at once and says each once it is durable, and is killed twelve times. After
/// each kill every message that it said is there, in the order in which it was written, and found by its id.
#[test]
fn messages_that_were_acknowledged_before_a_kill_are_there_after_it() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let mut acknowledged = [0; REPLICAS as usize];
    for patience in [0, 1, 0, 7, 3, 20, 0, 50, 2, 11, 90, 30] {
        let mut process = Process::start("kill_store::the_process_with_messages", &path, &[]);
        let mut words: Vec<String> = (0..patience).map(|_| process.next_word().expect("it goes on")).collect();
        words.extend(process.kill());
        // The last word may be cut off: then the number is too small, or none.
        let said = words.iter().filter_map(|word| word.split_once(' '));
        for (replica, number) in said.filter_map(|(replica, number)| Some((replica, number.parse::<u64>().ok()?))) {
            let acknowledged: &mut u64 = &mut acknowledged[replica.parse::<usize>().unwrap()];
            *acknowledged = (*acknowledged).max(number + 1);
        }
        let found = block_on(messages(&path));
        for (found, acknowledged) in found.iter().zip(&mut acknowledged) {
            assert!(*found >= *acknowledged, "{acknowledged} were acknowledged and {found} are there");
            *acknowledged = *found;
        }
    }
    assert!(acknowledged.iter().sum::<u64>() > 200, "the processes got to write: {acknowledged:?}");
    let checked = check(&path, &Options::default(), |_| ()).unwrap();
    assert!(checked.entries > acknowledged.iter().sum::<u64>());
}

/// Not a test by itself: the process that the test above kills. Run alone it writes a few messages.
#[test]
fn the_process_with_messages() {
    match process::path() {
        Some(path) => block_on(write_messages(&path, u64::MAX, say)),
        None => {
            let directory = tempdir().unwrap();
            let path = directory.path().join("store");
            block_on(write_messages(&path, 5, |_| ()));
            assert_eq!(block_on(messages(&path)), [5; REPLICAS as usize]);
        }
    }
}

/// A process compacts a store again and again and is killed at different places: the store is as it was, whichever file
/// it is in, and what the compaction left beside it is gone once it was opened.
#[test]
fn a_killed_compaction_leaves_the_store_as_it_was() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("store");
    let store = RedbBackend::open(&path).unwrap();
    for number in 0..300 {
        block_on(hhs_store::Backend::commit(&store, numbered::batch(number))).unwrap();
    }
    drop(store);
    let mut left = 0;
    for patience in 0..25 {
        let mut process = Process::start("kill_store::the_process_that_compacts", &path, &[]);
        (0..1 + patience % 5).for_each(|_| drop(process.next_word().expect("it goes on")));
        // Not at the moment of a word alone, but at any between two.
        (0..patience * 2_000).for_each(|_| std::hint::spin_loop());
        process.kill();
        left += usize::from(directory.path().join("store.compacting").exists());
        let store = RedbBackend::open(&path).unwrap();
        assert_eq!(numbered::count(&store).unwrap(), 300);
        assert!(!directory.path().join("store.compacting").exists(), "what was left is removed");
    }
    assert!(left > 3, "some kills hit the writing of the new file: {left}");
}

/// Not a test by itself: the process that the test above kills. Run alone it compacts an empty store.
#[test]
fn the_process_that_compacts() {
    let directory = tempdir().unwrap();
    let alone = process::path().is_none();
    let path = process::path().unwrap_or_else(|| directory.path().join("store"));
    drop(RedbBackend::open(&path).unwrap());
    loop {
        say("begins");
        compact(&path, &Options::default(), |_| say("copied")).unwrap();
        if alone {
            return;
        }
    }
}

/// Writes messages to each replica, from where it ends up to `end`, and says each once it is durable.
async fn write_messages(path: &Path, end: u64, say: fn(&str)) {
    let store = Store::open(RedbBackend::open(path).unwrap(), Registry::new()).await.unwrap();
    let author = author();
    join_all((0..REPLICAS).map(async |replica| {
        let id = store.found(CLASS, [replica; 16], &author).await.unwrap();
        for number in store.count(id).await.unwrap()..end {
            let draft = Draft { payload: Some(message(number)), ..Draft::default() };
            store.append(id, &author, number, || Ok(Some(draft))).await.unwrap();
            say(&format!("{replica} {number}"));
        }
    }))
    .await;
}

/// How many messages each replica has: those with the numbers 0 to this, in their order, each found by its id.
async fn messages(path: &Path) -> [u64; REPLICAS as usize] {
    let store = Store::open(RedbBackend::open(path).unwrap(), Registry::new()).await.unwrap();
    let mut counts = [0; REPLICAS as usize];
    let checked = store.check(Depth::Signatures, |finding| panic!("{finding:?}")).await.unwrap();
    assert!(checked.is_sound());
    for replica in 0..REPLICAS {
        let id = store.found(CLASS, [replica; 16], &author()).await.unwrap();
        let ops = store.ops(id, 0..u64::MAX, ReadLimit { ops: usize::MAX, bytes: usize::MAX }).await.unwrap();
        for (number, op) in (0..).zip(&ops) {
            let text: String = decode(op.payload.as_deref().unwrap()).unwrap();
            assert_eq!(text, decode::<String>(&message(number)).unwrap());
        }
        let ids: Vec<_> = ops.iter().map(|op| op.op.id()).collect();
        assert!(store.unknown(id, &ids).await.unwrap().is_empty(), "every message is found by its id");
        let heads = store.frontier(id).await.unwrap().heads;
        assert_eq!(heads.into_iter().collect::<Vec<_>>(), ids.last().copied().into_iter().collect::<Vec<_>>());
        counts[usize::from(replica)] = ops.len() as u64;
    }
    counts
}

fn message(number: u64) -> Vec<u8> {
    encode(format!("message {number}").as_str()).unwrap()
}

fn author() -> Author {
    Author::from_seed("somebody", &[1; 32]).unwrap()
}

const REPLICAS: u8 = 4;
const CLASS: &str = "test/v1/Messages";
