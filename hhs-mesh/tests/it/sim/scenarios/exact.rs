//! Exactly what is missing moves, whatever is shared already.

use std::sync::OnceLock;
use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::proto::Config;
use hhs_model::class::Draft;
use hhs_model::op::Genesis;
use hhs_model::{Author, Registry, ReplicaId};
use hhs_store::{Bundle, MemoryBackend, ReadLimit, SignedOp, Store};

use super::SOON;
use crate::sim::node::copy;
use crate::sim::stats::Stats;
use crate::sim::{NodeId, World};

/// One writer has appended 10,000 ops before anybody else comes; then somebody does, and has them all, each sent once.
#[test]
fn ten_thousand_appends_are_fetched_at_once() {
    let mut world = World::new(1);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice]);
    world.write_many(alice, room, 10_000);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    let stats = report("10,000 appends fetched at once", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (10_000, 10_000, 0));
    assert_eq!(stats.wants, 1);
}

/// Two have shared 20,000 ops; each writes one more while they are apart. The two ops move, and a few kilobytes.
#[test]
fn one_op_each_on_a_long_shared_history() {
    let (mut world, [alice, bob], room) = apart_on_long_history();
    world.write(alice, room, b"by alice").unwrap();
    world.write(bob, room, b"by bob").unwrap();
    let took = meet(&mut world, alice, bob, room);
    let stats = report("one op each on 20,000 shared ones", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (2, 2, 0));
    assert!(stats.bytes < 64 << 10, "{} bytes", stats.bytes);
    assert!(stats.wants <= 6, "{} requests", stats.wants);
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Two have shared 20,000 ops; each writes 1,000 more while they are apart. Exactly those move.
#[test]
fn a_thousand_ops_each_on_a_long_shared_history() {
    let (mut world, [alice, bob], room) = apart_on_long_history();
    world.write_many(alice, room, 1000);
    world.write_many(bob, room, 1000);
    meet(&mut world, alice, bob, room);
    let stats = report("1,000 ops each on 20,000 shared ones", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (2000, 2000, 0));
    assert!(stats.wants <= 16, "{} requests", stats.wants);
}

/// One has been away while the others wrote 5,000 ops, and has written a single one. Exactly the missing ones move.
#[test]
fn one_op_against_many() {
    let (mut world, [alice, bob], room) = apart_on_long_history();
    world.write_many(alice, room, 5000);
    world.write(bob, room, b"by bob").unwrap();
    meet(&mut world, alice, bob, room);
    let stats = report("1 op against 5,000 on 20,000 shared ones", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (5001, 5001, 0));
}

/// Two have nothing in common but the genesis, and 3,000 ops each.
#[test]
fn nothing_but_the_genesis_in_common() {
    let mut world = World::new(5);
    let (alice, bob) = (world.node("alice"), world.node("bob"));
    let room = world.found(&[alice, bob]);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    world.cut(alice, bob);
    world.write_many(alice, room, 3000);
    world.write_many(bob, room, 3000);
    meet(&mut world, alice, bob, room);
    let stats = report("3,000 ops each on nothing but a genesis", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (6000, 6000, 0));
}

/// While two are apart, both get the same recent ops of a third one, which touch nothing of theirs. That they have these in
/// common says little of the rest: still exactly the missing ops move.
#[test]
fn a_common_side_branch_does_not_mislead() {
    let (mut world, [alice, bob], room) = apart_on_long_history();
    let carol = world.author("carol");
    let history = long_history();
    let bundle = branch(&history.backend, room, &history.writers[2], 10);
    drop(carol);
    world.write_many(alice, room, 300);
    world.write_many(bob, room, 300);
    for node in [alice, bob] {
        block_on(world.store(node).ingest(room, bundle.clone())).unwrap();
        world.look_up(node, room);
    }
    meet(&mut world, alice, bob, room);
    let stats = report("300 ops each, and 10 of a third in common on top", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (600, 600, 0));
}

/// 200 people have each written an op on the same version while they were offline. The 200 heads go over together, and the
/// next writer merges them.
#[test]
fn two_hundred_concurrent_heads() {
    let mut world = World::new(7);
    let (backend, room, writers) = concurrent(200);
    let alice = world.node_of("alice", writers[0].clone(), copy(&backend), |_| ());
    let bob = world.node_of("bob", writers[1].clone(), MemoryBackend::new(), |_| ());
    world.share(alice, room);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    let stats = report("200 concurrent heads fetched", &mut world);
    assert_eq!((stats.ops, stats.doubles), (201, 0));
    assert_eq!(world.version(bob, room).unwrap().0.heads.len(), 200);
    world.write(bob, room, b"merged").unwrap();
    world.run_until_equal(&[alice, bob], room, SOON);
    assert_eq!(world.version(alice, room).unwrap().0.heads.len(), 1);
}

/// Of 200 concurrent ops each of two has one half; they exchange the halves.
#[test]
fn two_halves_of_two_hundred_concurrent_heads() {
    let mut world = World::new(8);
    let (backend, room, writers) = concurrent(200);
    let ops = read(&backend, room);
    let mut nodes = Vec::new();
    for (name, half) in [("alice", 1..101), ("bob", 101..201)] {
        let mine = copy(&backend_of_genesis(&backend, room));
        let store = block_on(Store::open(mine.clone(), Registry::default())).unwrap();
        let identities = writers.iter().map(|writer| writer.identity_bytes().to_vec()).collect();
        let ops = [&ops[..1], &ops[half]].concat();
        block_on(store.ingest(room, Bundle { identities, ops })).unwrap();
        let node = world.node_of(name, writers[nodes.len()].clone(), mine, |_| ());
        world.share(node, room);
        nodes.push(node);
    }
    world.knows(nodes[1], nodes[0], room);
    world.run_until_equal(&nodes, room, SOON);
    let stats = report("two halves of 200 concurrent heads", &mut world);
    assert_eq!((stats.ops, stats.added, stats.doubles), (200, 200, 0));
}

/// People with large identities, 1,000 of them in one batch of ops: more than one message could carry.
#[test]
fn a_thousand_large_identities() {
    let mut world = World::new(9);
    let name = "x".repeat(30 << 10);
    let writers: Vec<Author> = (0..600).map(|_| world.author(&name)).collect();
    let founder = world.author("alice");
    let backend = MemoryBackend::new();
    let store = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
    let room = block_on(store.found("sim/v1/Unknown", [0; 16], &founder)).unwrap();
    for writer in &writers {
        block_on(store.put_identity(writer.identity_bytes().to_vec())).unwrap();
        let can = [hhs_model::op::Capability::write()].into();
        let act = Some(hhs_model::op::Act::Grant { to: writer.id(), can });
        block_on(store.append(room, &founder, 0, || Ok(Some(Draft { act, payload: None, ..Draft::default() }))))
            .unwrap();
    }
    let alice = world.node_of("alice", founder, backend, |_| ());
    let bob = world.node("bob");
    world.share(alice, room);
    world.knows(bob, alice, room);
    world.run_until_equal(&[alice, bob], room, SOON);
    let stats = report("600 grants to identities of 30 KiB", &mut world);
    assert_eq!((stats.ops, stats.doubles), (600, 0));
}

/// Prints what a scenario has cost; `cargo test -- --nocapture` shows it.
pub(super) fn report(what: &str, world: &mut World) -> Stats {
    let stats = world.stats.take();
    println!(
        "{what}: {} messages, {} bytes, {} ops ({} doubles), {} requests {:?}",
        stats.messages, stats.bytes, stats.ops, stats.doubles, stats.wants, stats.kinds
    );
    stats
}

/// Heals the cut between two; says how long it took until they agreed.
fn meet(world: &mut World, alice: NodeId, bob: NodeId, room: ReplicaId) -> Duration {
    world.run_for(Duration::from_secs(1));
    world.stats.take();
    world.heal(alice, bob);
    world.crash(bob);
    world.start(bob);
    let took = world.run_until_equal(&[alice, bob], room, SOON);
    world.run_for(Duration::from_secs(1));
    took
}

struct LongHistory {
    backend: MemoryBackend,
    room: ReplicaId,
    writers: Vec<Author>,
}

/// 20,000 ops by two writers in turn, made once.
fn long_history() -> &'static LongHistory {
    static HISTORY: OnceLock<LongHistory> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let writers: Vec<Author> = (1..4).map(|seed| Author::from_seed("somebody", &[seed; 32]).unwrap()).collect();
        let (backend, room) = found(&writers);
        let store = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
        for number in 0..20_000 {
            append(&store, room, &writers[number / 10 % 2]);
        }
        LongHistory { backend, room, writers }
    })
}

/// Alice and Bob have a history of 20,000 ops in common, and cannot reach each other.
fn apart_on_long_history() -> (World, [NodeId; 2], ReplicaId) {
    let history = long_history();
    let mut world = World::new(2);
    let [alice, bob] = [("alice", 0), ("bob", 1)].map(|(name, who)| {
        let configure = |_: &mut Config| ();
        world.node_of(name, history.writers[who].clone(), copy(&history.backend), configure)
    });
    world.cut(alice, bob);
    world.share(alice, history.room);
    world.knows(bob, alice, history.room);
    (world, [alice, bob], history.room)
}

fn found(writers: &[Author]) -> (MemoryBackend, ReplicaId) {
    let backend = MemoryBackend::new();
    let store = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
    let ids = writers.iter().map(Author::id).collect();
    let genesis = Genesis::with_writers("sim/v1/Unknown", [7; 16], ids);
    let identities: Vec<Vec<u8>> = writers.iter().map(|writer| writer.identity_bytes().to_vec()).collect();
    let room = block_on(store.create(&genesis, &identities)).unwrap();
    (backend, room)
}

fn append(store: &Store, room: ReplicaId, author: &Author) {
    let draft = || Ok(Some(Draft { act: None, payload: Some(b"something to say".to_vec()), ..Draft::default() }));
    block_on(store.append(room, author, 0, draft)).unwrap();
}

/// `count` ops by one author on top of what is in a backend, which is left alone.
fn branch(backend: &MemoryBackend, room: ReplicaId, author: &Author, count: u64) -> Bundle {
    let store = block_on(Store::open(copy(backend), Registry::default())).unwrap();
    let before = block_on(store.count(room)).unwrap();
    (0..count).for_each(|_| append(&store, room, author));
    let ops = block_on(store.ops(room, before..u64::MAX, ReadLimit { ops: usize::MAX, bytes: usize::MAX })).unwrap();
    let ops = ops.into_iter().map(|op| SignedOp { header: op.op.bytes().to_vec(), payload: op.payload }).collect();
    Bundle { identities: vec![author.identity_bytes().to_vec()], ops }
}

/// A replica with one op, and on it `count` ops that know nothing of each other.
fn concurrent(count: usize) -> (MemoryBackend, ReplicaId, Vec<Author>) {
    let author = |number: usize| {
        Author::from_seed("somebody", &(number as u128 + 1).to_be_bytes().repeat(2).try_into().unwrap())
    };
    let writers: Vec<Author> = (0..count).map(|number| author(number).unwrap()).collect();
    let (backend, room) = found(&writers);
    let store = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
    append(&store, room, &writers[0]);
    let base = copy(&backend);
    for writer in &writers {
        block_on(store.ingest(room, branch(&base, room, writer, 1))).unwrap();
    }
    (backend, room, writers)
}

fn read(backend: &MemoryBackend, room: ReplicaId) -> Vec<SignedOp> {
    let store = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
    let ops = block_on(store.ops(room, 0..u64::MAX, ReadLimit { ops: usize::MAX, bytes: usize::MAX })).unwrap();
    ops.into_iter().map(|op| SignedOp { header: op.op.bytes().to_vec(), payload: op.payload }).collect()
}

/// A backend with the genesis of a replica and nothing else of it.
fn backend_of_genesis(backend: &MemoryBackend, room: ReplicaId) -> MemoryBackend {
    let from = block_on(Store::open(backend.clone(), Registry::default())).unwrap();
    let genesis = block_on(from.genesis(room)).unwrap();
    let mut identities = Vec::new();
    for holder in genesis.holders() {
        identities.push(block_on(from.get_bytes(holder.into())).unwrap().unwrap());
    }
    let to = MemoryBackend::new();
    let store = block_on(Store::open(to.clone(), Registry::default())).unwrap();
    block_on(store.create(&genesis, &identities)).unwrap();
    to
}
