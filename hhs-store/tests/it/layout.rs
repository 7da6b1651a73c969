//! How ops lie in the backend: small payloads in the records, a single head without an entry; and stores in which neither
//! is so, which builds before that have written.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::OpId;
use hhs_model::codec::{Value, decode, encode};
use hhs_store::backend::{Backend, Batch, Entry};
use hhs_store::{Live, MemoryBackend, ReadLimit, Room, Store, StoredOp};

use crate::checking::{self, findings};
use crate::world::{Made, Notes, World, author, dump, note, open};

const OP: u8 = 3;
const PAYLOAD: u8 = 4;
const HEAD: u8 = 7;
/// The largest payload that stands in a record, and what encodes a text of that length.
const INLINE: usize = 1024;
const TEXT_HEAD: usize = 3;

fn of_kind(memory: &MemoryBackend, kind: u8) -> Vec<Entry> {
    dump(memory).into_iter().filter(|(key, _)| key[0] == kind).collect()
}

async fn backend_of(entries: &[Entry]) -> MemoryBackend {
    let (memory, mut batch) = (MemoryBackend::new(), Batch::new());
    for (key, value) in entries {
        batch.put(key.clone(), value.clone());
    }
    memory.commit(batch).await.unwrap();
    memory
}

fn parts(record: &[u8]) -> Vec<Value> {
    match decode(record).unwrap() {
        Value::List(parts) => parts,
        other => panic!("no record: {other:?}"),
    }
}

fn bytes(part: Option<Value>) -> Vec<u8> {
    match part {
        Some(Value::Bytes(bytes)) => bytes.0.to_vec(),
        other => panic!("no bytes: {other:?}"),
    }
}

fn payload_key(record: &[u8]) -> Vec<u8> {
    [&[PAYLOAD], &record[1..]].concat()
}

/// The entries as builds before this layout have written them.
async fn older(world: &World) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (key, value) in dump(&world.memory) {
        let mut record = if key[0] == OP { parts(&value) } else { Vec::new() };
        if record.len() == 5 {
            entries.push((payload_key(&key), bytes(record.pop())));
            entries.push((key, encode(&Value::List(record)).unwrap()));
        } else {
            entries.push((key, value));
        }
    }
    let ops = of_kind(&world.memory, OP);
    if of_kind(&world.memory, HEAD).is_empty()
        && let Some((key, value)) = ops.last()
    {
        let head = OpId::of(&bytes(parts(value).into_iter().nth(3)));
        entries.push(([&[HEAD], &key[1..]].concat(), head.as_bytes().to_vec()));
    }
    entries
}

async fn all(store: &Store, world: &World) -> Vec<StoredOp> {
    store.ops(world.replica, 0..u64::MAX, ReadLimit { ops: 100, bytes: 1 << 20 }).await.unwrap()
}

/// Ops in a row with payloads of the sizes around the bound, and one without.
async fn mixed() -> (World, Vec<Made>) {
    let world = World::new().await;
    let mut ops: Vec<Made> = Vec::new();
    let texts = [10, INLINE - TEXT_HEAD, INLINE - TEXT_HEAD + 1, 20, 5000, 30].map(|length| Some("a".repeat(length)));
    for text in texts.into_iter().chain([None, Some("last".into())]) {
        let parents: Vec<OpId> = ops.last().iter().map(|op| op.id()).collect();
        let op = world.op(0, &parents);
        ops.push(text.into_iter().fold(op, |op, text| op.saying(&text)).sign());
    }
    world.ingest(&ops.iter().collect::<Vec<_>>()).await;
    (world, ops)
}

/// Payloads of all sizes are read, however few are read at once; those over the bound alone have entries of their own.
#[test]
fn payloads_around_the_bound() {
    block_on(async {
        let (world, ops) = mixed().await;
        let positions: Vec<u8> = of_kind(&world.memory, PAYLOAD).iter().map(|(key, _)| key[12]).collect();
        assert_eq!(positions, [2, 4]);
        let expected: Vec<Option<Vec<u8>>> = ops.iter().map(|op| op.payload.clone()).collect();
        for bytes in [1, 1000, 2000, 6000, 1 << 20] {
            let (mut read, mut next) = (Vec::new(), 0);
            while next < ops.len() as u64 {
                let page = world.store.ops(world.replica, next..u64::MAX, ReadLimit { ops: 5, bytes }).await.unwrap();
                next = page.last().unwrap().position + 1;
                read.extend(page.into_iter().map(|stored| stored.payload));
            }
            assert_eq!(read, expected, "pages of {bytes} bytes");
        }
        let live: Live<Notes> = world.store.open_replica(world.replica).await.unwrap();
        assert_eq!(live.read(|notes| notes.notes.len()), 7);
        assert_eq!(findings(&world.store).await, Vec::<String>::new());
    });
}

/// A history without branches has no entries of heads; those of a branch come with it and go with the merge.
#[test]
fn heads_of_a_history_that_branches() {
    block_on(async {
        let world = World::new().await;
        let listed = || of_kind(&world.memory, HEAD).len();
        let first = world.op(0, &[]).saying("first").sign();
        let second = world.op(0, &[first.id()]).saying("second").sign();
        let third = world.op(0, &[second.id()]).saying("third").sign();
        let beside = world.op(0, &[first.id()]).saying("beside").sign();
        let below = world.op(0, &[beside.id()]).saying("below").sign();
        let merge = world.op(0, &[third.id(), below.id()]).saying("merge").sign();
        let within = [world.op(0, &[merge.id()]).at(1).sign(), world.op(0, &[merge.id()]).at(2).sign()];
        let again = world.op(0, &[within[0].id(), within[1].id()]).sign();
        for (ops, heads, entries) in [
            (vec![&first], vec![&first], 0),
            (vec![&second, &third], vec![&third], 0),
            (vec![&beside], vec![&third, &beside], 2),
            (vec![&below], vec![&third, &below], 2),
            (vec![&merge], vec![&merge], 0),
            (vec![&within[0], &within[1], &again], vec![&again], 0),
        ] {
            world.ingest(&ops).await;
            let heads: BTreeSet<OpId> = heads.into_iter().map(Made::id).collect();
            for store in [world.store.clone(), world.reopened().await] {
                assert_eq!(store.frontier(world.replica).await.unwrap().heads, heads);
                assert_eq!(store.stats().await.unwrap().replicas[0].heads, heads.len() as u64);
                assert_eq!(findings(&store).await, Vec::<String>::new());
            }
            assert_eq!(listed(), entries);
            let before = dump(&world.memory);
            Store::rebuild_indexes(&world.memory).await.unwrap();
            assert_eq!(dump(&world.memory).len(), before.len());
            assert_eq!(of_kind(&world.memory, HEAD).len(), entries);
        }
    });
}

/// A replica without ops has no heads, and its first op is written on nothing.
#[test]
fn heads_of_an_empty_replica() {
    block_on(async {
        let world = World::new().await;
        assert!(world.heads().await.is_empty());
        assert_eq!(world.store.stats().await.unwrap().replicas[0].heads, 0);
        let store = world.reopened().await;
        let live: Live<Notes> = store.open_replica(world.replica).await.unwrap();
        let id = live.update(&author(0), 0, |edit| edit.write("first")).await.unwrap().unwrap();
        assert_eq!(store.frontier(world.replica).await.unwrap().heads, BTreeSet::from([id]));
    });
}

/// A store that an older build has written is read and checked as it is; the entry of its single head goes with the next
/// op, or the next branch stands beside it; and all of it goes when the replica is deleted.
#[test]
fn a_store_of_an_older_build() {
    block_on(async {
        let (world, ops) = mixed().await;
        let head = ops.last().unwrap().id();
        let old = older(&world).await;
        for branch in [false, true] {
            let memory = backend_of(&old).await;
            assert_eq!((of_kind(&memory, PAYLOAD).len(), of_kind(&memory, HEAD).len()), (7, 1));
            let store = open(memory.clone()).await;
            assert_eq!(findings(&store).await, Vec::<String>::new());
            assert_eq!(all(&store, &world).await, all(&world.store, &world).await);
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, BTreeSet::from([head]));
            let payloads = |room: Room| room.replicas.into_values().map(|ops| ops.payloads).collect::<Vec<_>>();
            assert_eq!(payloads(store.room().await.unwrap()), payloads(world.store.room().await.unwrap()));
            let parent = if branch { ops[0].id() } else { head };
            let next = world.op(0, &[parent]).saying("next").sign();
            store.ingest(world.replica, crate::world::bundle([&next], &[])).await.unwrap();
            assert_eq!(of_kind(&memory, HEAD).len(), if branch { 2 } else { 0 });
            assert_eq!(findings(&store).await, Vec::<String>::new());
            let expected = if branch { BTreeSet::from([head, next.id()]) } else { BTreeSet::from([next.id()]) };
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, expected);
            store.delete_replica(world.replica).await.unwrap();
            for kind in [OP, PAYLOAD, HEAD] {
                assert_eq!(of_kind(&memory, kind), []);
            }
        }
    });
}

/// What an older build has written is salvaged and indexed anew as what this one writes, links of payloads among it.
#[test]
fn an_older_store_is_mended() {
    block_on(async {
        let world = checking::store().await;
        let old = older(&world).await;
        let memory = backend_of(&old).await;
        Store::rebuild_indexes(&memory).await.unwrap();
        assert_eq!(dump(&memory).len(), old.len());
        let (store, saved) =
            Store::salvage(&memory, MemoryBackend::new(), hhs_model::Registry::new(), |lost| panic!("{lost:?}"))
                .await
                .unwrap();
        assert_eq!(saved.ops, 5);
        for store in [open(memory).await, store] {
            assert_eq!(findings(&store).await, Vec::<String>::new());
        }
    });
}

/// A payload in a record is another one, too large, there twice, there for an op that has none, or gone: the check says so.
#[test]
fn damaged_payloads_in_records() {
    block_on(async {
        let (world, ops) = mixed().await;
        let entries = dump(&world.memory);
        let records: Vec<usize> = (0..entries.len()).filter(|at| entries[*at].0[0] == OP).collect();
        let with = |position: usize, payload: Option<Vec<u8>>| {
            let mut entries = entries.clone();
            let record = &mut entries[records[position]].1;
            let mut parts = parts(record);
            parts.truncate(4);
            parts.extend(payload.map(|payload| Value::Bytes(payload.into())));
            *record = encode(&Value::List(parts)).unwrap();
            entries
        };
        let inline = |position: usize| ops[position].payload.clone();
        let other_key = (payload_key(&entries[records[0]].0), note("other"));
        let twice = (payload_key(&entries[records[0]].0), inline(0).unwrap());
        let without_large =
            with(2, inline(2)).into_iter().filter(|(key, _)| key[0] != PAYLOAD || key[12] != 2).collect();
        for (damaged, says) in [
            (with(0, Some(note("another"))), "not the one that it names"),
            (without_large, "too large to stand in the record"),
            ([entries.clone(), vec![twice]].concat(), "no op lacks it"),
            ([with(0, None), vec![other_key]].concat(), "not the one that its op names"),
            (with(6, Some(note("no payload"))), "not the one that it names"),
            (with(0, None), "the payload of an op is missing"),
        ] {
            let found = findings(&open(backend_of(&damaged).await).await).await;
            assert!(found.len() == 1 && found[0].contains(says), "{says}: {found:?}");
        }
    });
}

/// One of two heads has lost its entry, or both: the check says so, and making the indexes again brings them back.
#[test]
fn heads_that_are_not_listed() {
    block_on(async {
        let world = checking::store().await;
        let heads = world.heads().await;
        assert_eq!(heads.len(), 2);
        let entries = dump(&world.memory);
        let at: Vec<usize> = (0..entries.len()).filter(|at| entries[*at].0[0] == HEAD).collect();
        for gone in [&at[..1], &at[1..], &at[..]] {
            let rest = entries.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, entry)| entry.clone());
            let memory = backend_of(&rest.collect::<Vec<_>>()).await;
            let found = findings(&open(memory.clone()).await).await;
            assert!(found.len() == gone.len() && found[0].contains("a head is not listed"), "{found:?}");
            Store::rebuild_indexes(&memory).await.unwrap();
            let store = open(memory).await;
            assert_eq!(findings(&store).await, Vec::<String>::new());
            assert_eq!(store.frontier(world.replica).await.unwrap().heads, heads);
        }
    });
}
