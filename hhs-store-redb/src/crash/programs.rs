//! What programs do to a store until the power goes.

use std::path::PathBuf;
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::join_all;
use futures::poll;
use hhs_model::class::Draft;
use hhs_model::codec::{Value, encode};
use hhs_model::{Author, Registry, ReplicaId};
use hhs_store::backend::{Backend, BackendError, Batch};
use hhs_store::{Bundle, MemoryBackend, ReadLimit, SignedOp, Store};

use super::dice::Dice;
use super::disk::{Disk, Event};
use super::oracle::{Batches, Watched};
use crate::error::{Failure, guarded};
use crate::file::StoreFile;
use crate::{Options, RedbBackend, format, open};

/// What a program did: the log of its disk, and its batches in the order in which they commit.
pub(super) struct Run {
    pub(super) log: Vec<Event>,
    pub(super) batches: Vec<Batch>,
}

/// Creates a store, lets a program write to it and closes it.
pub(super) fn run(options: &Options, program: impl AsyncFnOnce(Watched<RedbBackend>)) -> Run {
    let disk = Disk::new(Vec::new());
    let batches = Batches::default();
    let inner = open_on(disk.clone(), options).unwrap();
    block_on(program(Watched { inner, disk: disk.clone(), batches: Arc::clone(&batches) }));
    let batches = Arc::into_inner(batches).expect("the program has let go of the store").into_inner().unwrap();
    Run { log: disk.log(), batches }
}

/// Opens the store on a disk, as a file is opened.
pub(super) fn open_on(disk: Disk, options: &Options) -> Result<RedbBackend, BackendError> {
    let file = StoreFile::new(disk, None);
    let database = guarded(|| open::database_on(file, options).map_err(|error| Failure::new("open", error)))?;
    guarded(|| format::establish(&database, "the disk"))?;
    RedbBackend::on(database, PathBuf::new(), options)
}

/// One batch after the other; the first that fails ends it.
pub(super) async fn batches(store: &impl Backend, count: usize, dice: &mut Dice) -> Result<(), BackendError> {
    for _ in 0..count {
        store.commit(batch(dice)).await?;
    }
    Ok(())
}

/// Several writers at once: while the disk is busy with the batch of the first, the others hand over theirs.
pub(super) async fn waves(store: Watched<RedbBackend>, count: usize, dice: &mut Dice) {
    for _ in 0..count {
        store.disk.hold(true);
        let mut first = store.commit(batch(dice));
        assert!(poll!(&mut first).is_pending(), "the disk is held up");
        store.disk.wait_until_it_holds_somebody();
        let mut others: Vec<_> = (0..1 + dice.roll(6)).map(|_| store.commit(batch(dice))).collect();
        for other in &mut others {
            assert!(poll!(other).is_pending(), "the disk is held up");
        }
        store.disk.hold(false);
        first.await.unwrap();
        join_all(others).await.into_iter().for_each(Result::unwrap);
    }
}

/// Puts, overwrites and deletes of entries from nothing to several pages, and now and then a run of appended ones.
fn batch(dice: &mut Dice) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..1 + dice.roll(8) {
        let key = [b"k", dice.roll(200).to_string().as_bytes()].concat();
        let length = match dice.roll(12) {
            0 => dice.roll(20_000),
            1 => 0,
            _ => dice.roll(600),
        };
        match dice.roll(4) {
            0 => batch.delete(key),
            _ => batch.put(key, vec![dice.roll(256) as u8; length]),
        };
    }
    if dice.roll(3) == 0 {
        let (first, length) = (dice.next() >> 32, dice.roll(400));
        for number in first..first + dice.roll(30) as u64 {
            batch.put([&[3][..], &number.to_be_bytes()].concat(), vec![number as u8; length]);
        }
    }
    // So that no two states are equal, and a missing batch is seen.
    batch.put("last", dice.next().to_be_bytes());
    batch
}

/// One person at one device: replicas, messages, objects and small things that the device keeps, and what of it is
/// deleted again.
pub(super) async fn local_writes(store: Watched<RedbBackend>, count: usize, dice: &mut Dice) {
    let store = Store::open(store, Registry::new()).await.unwrap();
    let (mut replicas, mut objects) = (Vec::new(), Vec::new());
    for step in 0..count {
        match dice.roll(12) {
            0 => replicas.push(store.found(CLASS, [step as u8; 16], &author(0)).await.unwrap()),
            1 | 2 => objects.push(store.put_bytes(object(dice)).await.unwrap()),
            3 => store.set_local(["a", "b"][dice.roll(2)], Some(&dice.next().to_be_bytes())).await.unwrap(),
            4 => store.set_local(["a", "b"][dice.roll(2)], None).await.unwrap(),
            5 if !objects.is_empty() => {
                store.delete_object(objects.swap_remove(dice.roll(objects.len()))).await.unwrap();
            }
            6 if replicas.len() > 1 => {
                store.delete_replica(replicas.swap_remove(dice.roll(replicas.len()))).await.unwrap();
            }
            _ if replicas.is_empty() => {}
            _ => append(&store, replicas[dice.roll(replicas.len())], dice).await,
        }
    }
}

/// Several tasks of one program, each with a replica of its own and one that all share.
pub(super) async fn concurrent_writes(store: Watched<RedbBackend>, count: usize, dice: &mut Dice) {
    let store = Store::open(store, Registry::new()).await.unwrap();
    let shared = store.found(CLASS, [255; 16], &author(0)).await.unwrap();
    let writer = async |number: u8, mut dice: Dice| {
        let own = store.found(CLASS, [number; 16], &author(0)).await.unwrap();
        for _ in 0..count / 8 {
            append(&store, if dice.roll(2) == 0 { own } else { shared }, &mut dice).await;
        }
    };
    join_all((0..8).map(|number| writer(number, Dice::new(dice.next())))).await;
}

/// A host takes in the history of somebody else, bundle by bundle, with a message of its own in between.
pub(super) async fn ingest(store: Watched<RedbBackend>, count: usize, dice: &mut Dice) {
    let theirs = Store::open(MemoryBackend::new(), Registry::new()).await.unwrap();
    let replica = theirs.found(CLASS, [1; 16], &author(0)).await.unwrap();
    for _ in 0..count * 8 {
        append(&theirs, replica, dice).await;
    }
    let genesis = theirs.get_bytes(replica.into()).await.unwrap().unwrap();
    let identities = vec![author(0).identity_bytes().to_vec()];

    let store = Store::open(store, Registry::new()).await.unwrap();
    store.adopt(replica, genesis, &identities).await.unwrap();
    let own = store.found(CLASS, [2; 16], &author(0)).await.unwrap();
    let mut at = 0;
    while at < theirs.count(replica).await.unwrap() {
        let end = at + 1 + dice.roll(30) as u64;
        let ops = theirs.ops(replica, at..end, ReadLimit { ops: usize::MAX, bytes: usize::MAX }).await.unwrap();
        let signed = |op: hhs_store::StoredOp| SignedOp { header: op.op.bytes().to_vec(), payload: op.payload };
        let bundle = Bundle { identities: identities.clone(), ops: ops.into_iter().map(signed).collect() };
        store.ingest(replica, bundle).await.unwrap();
        append(&store, own, dice).await;
        at = end;
    }
}

async fn append(store: &Store, replica: ReplicaId, dice: &mut Dice) {
    let text = "x".repeat(dice.roll(300));
    let draft = Draft { payload: Some(encode(text.as_str()).unwrap()), ..Draft::default() };
    store.append(replica, &author(0), dice.next() >> 20, || Ok(Some(draft))).await.unwrap();
}

fn object(dice: &mut Dice) -> Vec<u8> {
    let text = format!("{} {}", dice.next(), "x".repeat(dice.roll(9000)));
    let fields = [("$", "test/v1/Thing".to_owned()), ("text", text)];
    let fields = fields.into_iter().map(|(name, text)| (name.to_owned(), Value::Text(text)));
    encode(&Value::Map(fields.collect())).unwrap()
}

pub(super) fn author(number: u8) -> Author {
    Author::from_seed("somebody", &[number + 1; 32]).unwrap()
}

const CLASS: &str = "test/v1/Notes";
