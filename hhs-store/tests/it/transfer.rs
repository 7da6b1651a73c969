//! Spaces as files and packs of objects: whole or refused, and the same on the other side.

use std::collections::BTreeSet;
use std::io::Cursor;

use futures::FutureExt;
use futures::executor::block_on;
use futures::io::AllowStdIo;
use hhs_model::class::Replica;
use hhs_model::codec::{Map, Value, encode};
use hhs_model::object::{CLASS_KEY, links};
use hhs_model::op::Genesis;
use hhs_model::{Cid, Hash, ObjectId, ReplicaId};
use hhs_store::transfer::{Budget, ExportError, ImportError, Imported, verify_car};
use hhs_store::{MemoryBackend, Store, StoreError};

use crate::world::{Notes, World, author, bundle, id_of, open};

/// A space is exported and imported on another device: it has the same ops there, and what its payloads link to, and its
/// child, and says the same when it is exported again.
#[test]
fn a_space_is_the_same_on_the_other_side() {
    block_on(async {
        let world = Album::new().await;
        let file = world.export().await;
        let other = open(MemoryBackend::new()).await;
        let imported = import(&other, &file).await.unwrap();

        assert_eq!((imported.space, imported.replicas), (world.space, 3));
        assert_eq!((imported.added, imported.known, imported.absent), (world.ops, 0, 0));
        for replica in [world.space, world.child, world.linked] {
            let store = &world.store;
            assert_eq!(other.frontier(replica).await.unwrap(), store.frontier(replica).await.unwrap());
            let all = hhs_store::ReadLimit { ops: usize::MAX, bytes: usize::MAX };
            let ops = store.ops(replica, 0..u64::MAX, all).await.unwrap();
            assert_eq!(other.ops(replica, 0..u64::MAX, all).await.unwrap(), ops);
        }
        assert_eq!(other.get_bytes(world.photo).await.unwrap(), world.store.get_bytes(world.photo).await.unwrap());
        assert_eq!(export(&other, world.space).await, file, "equal spaces are equal files");
    });
}

/// The space in `vectors/space.car`, which other CAR tools read in CI, is written byte for byte and can be imported.
/// `HHS_WRITE=1` writes the file anew, after the format has changed on purpose.
#[test]
fn the_golden_space() {
    block_on(async {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/space.car");
        let world = Album::new().await;
        let file = world.export().await;
        if std::env::var_os("HHS_WRITE").is_some() {
            std::fs::write(path, &file).unwrap();
        }
        let golden = std::fs::read(path).unwrap();
        assert!(golden == file, "an exported space has other bytes than {path}");
        assert_eq!(import(&open(MemoryBackend::new()).await, &golden).await.unwrap().space, world.space);
    });
}

/// Somebody imports the same file again: nothing changes, and it is said.
#[test]
fn importing_twice_is_safe() {
    block_on(async {
        let world = Album::new().await;
        let file = world.export().await;
        for store in [&world.store, &open(MemoryBackend::new()).await] {
            import(store, &file).await.unwrap();
            let again = import(store, &file).await.unwrap();
            assert_eq!((again.added, again.known), (0, world.ops));
            assert_eq!(export(store, world.space).await, file);
        }
    });
}

/// Other tools read the file: every block is canonical and the one of its CID, the root is the space, and every link leads to
/// a block of the file.
#[test]
fn every_link_leads_to_a_block_of_the_file() {
    block_on(async {
        let world = Album::new().await;
        let blocks = sections(&world.export().await);
        let ids: BTreeSet<Cid> = blocks.iter().map(|(cid, _)| *cid).collect();
        for (cid, bytes) in &blocks {
            assert_eq!(cid.hash, Hash::of(bytes));
            for link in links(bytes).unwrap() {
                assert!(ids.contains(&link.cid), "{} in {cid}", link.path);
            }
        }
        let named = [world.space.cid(), id_of(0).cid(), id_of(1).cid(), world.photo.cid(), world.camera.cid()];
        assert!(named.iter().all(|cid| ids.contains(cid)), "identities and what payloads link to are there");
    });
}

/// A copy lacks its end, or any one block: it is refused, and nothing of it is taken in.
#[test]
fn a_part_of_a_file_is_refused_with_what_is_missing() {
    block_on(async {
        let world = Album::new().await;
        let file = world.export().await;
        let ends = ends(&file);
        for end in &ends[..ends.len() - 1] {
            let refused = verify(&file[..*end]).await;
            assert!(matches!(refused, Err(ImportError::Incomplete(_) | ImportError::Partial)), "{end}: {refused:?}");
        }
        let blocks = sections(&file);
        for (number, window) in ends.windows(2).enumerate() {
            let without = [&file[..window[0]], &file[window[1]..]].concat();
            let missing = blocks[number].0;
            match verify(&without).await {
                Err(ImportError::Incomplete(incomplete)) => assert_eq!(incomplete.missing, [missing]),
                Err(ImportError::Partial) => {}
                other => panic!("without block {number}, {missing}: {other:?}"),
            }
        }
        // Without the photo, it is the photo that is asked for.
        let photo = blocks.iter().position(|(cid, _)| *cid == world.photo.cid()).unwrap();
        let without = [&file[..ends[photo]], &file[ends[photo + 1]..]].concat();
        let refused = verify(&without).await.unwrap_err().to_string();
        assert!(refused.contains(&world.photo.to_string()), "{refused}");
    });
}

/// A payload links to what its author never sent along: the export says so, and the file is whole all the same.
#[test]
fn what_the_exporting_store_lacks_is_told() {
    block_on(async {
        let world = World::new().await;
        let absent = ObjectId::of(b"a photo on somebody's other device");
        let payload = encode(&Value::List(vec![absent.cid().into()])).unwrap();
        world.ingest(&[&world.op(0, &[]).carrying(payload).sign()]).await;
        let mut file = Vec::new();
        let exported = world.store.export_car(world.replica, &mut file, |_| {}).await.unwrap();
        assert_eq!((exported.absent, exported.bytes), (1, file.len() as u64));
        assert_eq!(import(&open(MemoryBackend::new()).await, &file).await.unwrap().absent, 1);
    });
}

/// While a space is exported, somebody writes to it, and to a linked one a payload that leads to what was written: the file
/// is whole all the same.
#[test]
fn writes_during_an_export() {
    block_on(async {
        let world = World::new().await;
        let linked = world.store.found(Notes::CLASS, [7; 16], &author(0)).await.unwrap();
        let list = |cid: Cid| encode(&Value::List(vec![cid.into()])).unwrap();
        let first = world.op(0, &[]).carrying(list(linked.cid())).sign();
        world.ingest(&[&first]).await;
        let late = world.op(0, &[first.id()]).saying("late").sign();
        let leads = crate::world::op(0, linked, &[]).carrying(list(late.id().cid())).sign();
        let mut write = Some(|| {
            // The backend in memory never waits.
            let (store, replica) = (&world.store, world.replica);
            store.ingest(replica, bundle([&late], &[0])).now_or_never().unwrap().unwrap();
            store.ingest(linked, bundle([&leads], &[0])).now_or_never().unwrap().unwrap();
        });
        // An identity, a genesis, an op with its payload; then the genesis of the linked one.
        let meanwhile = |blocks| {
            if let Some(write) = write.take_if(|_| blocks >= 5) {
                write();
            }
        };
        let mut file = Vec::new();
        let exported = world.store.export_car(world.replica, &mut file, meanwhile).await.unwrap();
        assert_eq!((exported.ops, exported.absent), (2, 1), "the late op came after its replica");
        verify(&file).await.unwrap();
    });
}

/// A payload that is not canonical, which its class takes for void, travels as it is.
#[test]
fn a_payload_that_nobody_can_read() {
    block_on(async {
        let world = World::new().await;
        world.ingest(&[&world.op(0, &[]).carrying(vec![0xff; 10]).sign()]).await;
        let file = export(&world.store, world.replica).await;
        let other = open(MemoryBackend::new()).await;
        assert_eq!(import(&other, &file).await.unwrap().added, 1);
        assert_eq!(export(&other, world.replica).await, file);
    });
}

/// A file is put together with an op whose author may not write: it is whole, and refused as it would be from a peer.
#[test]
fn what_is_in_a_file_is_checked_as_what_a_peer_sends() {
    block_on(async {
        let world = World::new().await;
        world.ingest(&[&world.op(0, &[]).saying("of the founder").sign()]).await;
        let file = export(&world.store, world.replica).await;
        let blocks = sections(&file);
        let genesis = Genesis::with_writers(Notes::CLASS, [0; 16], BTreeSet::from([id_of(1)])).encoded().unwrap();
        // The same op for a replica in which author 1 alone may write.
        let op = crate::world::op(0, genesis.1, &[]).sign();
        let manifest = Map::from([
            (CLASS_KEY, Value::from("hhs/v1/Export")),
            ("space", genesis.1.cid().into()),
            ("heads", Value::List(vec![op.id().cid().into()])),
            ("absent", Value::List(vec![])),
            ("blocks", Value::Int(4)),
            ("part", Value::Int(0)),
            ("parts", Value::Int(1)),
        ]);
        let forged = [
            author(0).identity_bytes().to_vec(),
            author(1).identity_bytes().to_vec(),
            genesis.0,
            op.op.bytes().to_vec(),
            encode(&Value::Map(manifest)).unwrap(),
        ];
        let mut bytes = file[..ends(&file)[0]].to_vec();
        // Behind the hash of the root stand the key and the number of the version.
        let root = bytes.len() - 9 - 32;
        bytes[root..root + 32].copy_from_slice(genesis.1.as_bytes());
        forged.iter().for_each(|block| bytes.extend(section(block)));
        assert!(blocks.len() > 3);

        verify(&bytes).await.unwrap();
        let refused = import(&open(MemoryBackend::new()).await, &bytes).await;
        assert!(matches!(refused, Err(ImportError::Ingest(_))), "{refused:?}");
    });
}

/// There is no such space: no byte is written.
#[test]
fn a_space_that_is_not_there() {
    block_on(async {
        let mut file = Vec::new();
        let refused = open(MemoryBackend::new()).await.export_car(ReplicaId::of(b""), &mut file, |_| {}).await;
        assert!(matches!(refused, Err(ExportError::Store(StoreError::NoReplica(_)))), "{refused:?}");
        assert!(file.is_empty());
    });
}

/// An album is packed in parts of two objects for somebody who has nothing: each part can be saved at once by who has those
/// before it, and together they are all that the root needs.
#[test]
fn packs_are_saved_one_after_the_other() {
    block_on(async {
        let store = open(MemoryBackend::new()).await;
        let chain = chain(&store, 9).await;
        let root = *chain.last().unwrap();
        let other = open(MemoryBackend::new()).await;
        let mut sent = BTreeSet::new();
        let mut packs = 0;
        loop {
            let budget = Budget { objects: 2, bytes: usize::MAX };
            let pack = store.pack(&[root], |id| sent.contains(id), budget).await.unwrap();
            sent.extend(pack.objects.iter().map(|(id, _)| *id));
            other.put_all(pack.objects.into_iter().map(|(_, bytes)| bytes).collect()).await.unwrap();
            packs += 1;
            if pack.left.is_empty() {
                break;
            }
            assert_eq!(pack.left, [root]);
        }
        assert_eq!((packs, sent.len()), (5, 9));
        assert!(other.get_bytes(root).await.unwrap().is_some());
        let all = Budget { objects: usize::MAX, bytes: usize::MAX };
        let nothing = store.pack(&[root], |id| sent.contains(id), all).await.unwrap();
        assert!(nothing.objects.is_empty(), "what the receiver has is left out");
        let one = store.pack(&[root], |_| false, Budget { objects: 9, bytes: 0 }).await.unwrap();
        assert_eq!(one.objects.len(), 1, "one passes, however large");
    });
}

/// Objects that share what they link to at every level: each is packed and exported once, in a time that is not exponential.
#[test]
fn diamonds_on_diamonds() {
    block_on(async {
        let world = World::new().await;
        let store = &world.store;
        let mut level: Vec<ObjectId> = vec![put(store, "bottom", &[]).await];
        for height in 0..60 {
            let left = put(store, &format!("left {height}"), &level).await;
            let right = put(store, &format!("right {height}"), &level).await;
            level = vec![left, right];
        }
        let all = Budget { objects: usize::MAX, bytes: usize::MAX };
        assert_eq!(store.pack(&level, |_| false, all).await.unwrap().objects.len(), 121);
        let links = level.iter().map(|id| Value::from(id.cid())).collect();
        world.ingest(&[&world.op(0, &[]).carrying(encode(&Value::List(links)).unwrap()).sign()]).await;
        let imported = import(&open(MemoryBackend::new()).await, &export(store, world.replica).await).await;
        assert_eq!(imported.unwrap().objects, 122, "the diamonds, and an identity");
    });
}

/// A space with a child, and with payloads that link to a photo, to what the photo links to, and to another replica.
struct Album {
    store: Store,
    space: ReplicaId,
    child: ReplicaId,
    linked: ReplicaId,
    photo: ObjectId,
    camera: ObjectId,
    ops: u64,
}

impl Album {
    async fn new() -> Self {
        let world = World::new().await;
        let (store, space) = (world.store.clone(), world.replica);
        let camera = put(&store, "camera", &[]).await;
        let photo = put(&store, "photo", &[camera]).await;
        let linked = store.found(Notes::CLASS, [7; 16], &author(0)).await.unwrap();
        let said = crate::world::op(0, linked, &[]).saying("in the linked one").sign();
        store.ingest(linked, bundle([&said], &[0])).await.unwrap();

        let show = encode(&Value::List(vec![photo.cid().into(), linked.cid().into()])).unwrap();
        let first = world.op(0, &[]).granting(1, &["write"]).sign();
        let second = world.op(0, &[first.id()]).carrying(show).sign();
        let third = world.op(1, &[first.id()]).by(&[first.id()]).saying("meanwhile").sign();
        let joined = world.op(1, &[second.id(), third.id()]).by(&[first.id()]).saying("meanwhile").sign();
        world.ingest(&[&first, &second, &third, &joined]).await;

        let genesis = Genesis::child(space, "notes".parse().unwrap(), Notes::CLASS);
        let child = store.create(&genesis, &[]).await.unwrap();
        let in_child = crate::world::op(0, child, &[]).saying("in the child").sign();
        store.ingest(child, bundle([&in_child], &[0])).await.unwrap();
        Self { store, space, child, linked, photo, camera, ops: 6 }
    }

    async fn export(&self) -> Vec<u8> {
        export(&self.store, self.space).await
    }
}

/// A chain of objects, each linking to the one before.
async fn chain(store: &Store, length: usize) -> Vec<ObjectId> {
    let mut ids: Vec<ObjectId> = Vec::new();
    for number in 0..length {
        let below: Vec<ObjectId> = ids.last().copied().into_iter().collect();
        ids.push(put(store, &number.to_string(), &below).await);
    }
    ids
}

async fn put(store: &Store, name: &str, below: &[ObjectId]) -> ObjectId {
    let below = below.iter().map(|id| Value::from(id.cid())).collect();
    let object =
        Map::from([(CLASS_KEY, Value::from("test/v1/Thing")), ("name", name.into()), ("below", Value::List(below))]);
    store.put_bytes(encode(&Value::Map(object)).unwrap()).await.unwrap()
}

async fn export(store: &Store, space: ReplicaId) -> Vec<u8> {
    let mut file = Vec::new();
    let exported = store.export_car(space, &mut file, |_| {}).await.unwrap();
    assert_eq!((exported.blocks as usize, exported.bytes as usize), (sections(&file).len(), file.len()));
    file
}

async fn verify(file: &[u8]) -> Result<(), ImportError> {
    verify_car(AllowStdIo::new(Cursor::new(file)), |_| {}).await.map(drop)
}

async fn import(store: &Store, file: &[u8]) -> Result<Imported, ImportError> {
    let source = || AllowStdIo::new(Cursor::new(file));
    let verified = verify_car(source(), |_| {}).await?;
    store.import_car(source(), &verified, |_| {}).await
}

/// Where sections end, the header's first. Read by hand, so that the reader is not asked about itself.
fn ends(file: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 0);
    while at < file.len() {
        let (mut length, mut shift) = (0, 0);
        loop {
            let byte = file[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        at += length;
        ends.push(at);
    }
    ends
}

/// The blocks of a file with their CIDs.
fn sections(file: &[u8]) -> Vec<(Cid, Vec<u8>)> {
    ends(file)
        .windows(2)
        .map(|window| {
            let section = &file[window[0]..window[1]];
            let start = section.iter().position(|byte| *byte < 0x80).unwrap() + 1;
            let (cid, bytes) = section[start..].split_at(Cid::BYTES);
            (Cid::from_bytes(cid).unwrap(), bytes.to_vec())
        })
        .collect()
}

fn section(block: &[u8]) -> Vec<u8> {
    let mut length = Cid::BYTES + block.len();
    let mut section = Vec::new();
    while length >= 0x80 {
        section.push(length as u8 | 0x80);
        length >>= 7;
    }
    section.push(length as u8);
    section.extend(Cid::of_object(block).to_bytes());
    section.extend(block);
    section
}
