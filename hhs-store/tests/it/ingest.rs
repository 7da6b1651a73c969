//! Taking in bundles: what their ops may build on, what is known already, and what comes at once.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::class::Draft;
use hhs_model::{OpId, ReplicaId};
use hhs_store::{Ingested, ReadLimit, Store};

use crate::backends::{Slow, YieldOnce};
use crate::world::{World, author, bundle, dump, id_of, note, open};

/// Two people wrote on the same op, which was the head here. Both ops come in one bundle; when the second one is looked
/// at, the first one has taken the head's place, and still it builds on something that is here.
#[test]
fn siblings_on_a_head_come_in_one_bundle() {
    block_on(async {
        let world = World::new().await;
        let head = world.op(0, &[]).sign();
        world.ingest(&[&head]).await;
        let one = world.op(0, &[head.id()]).at(1).sign();
        let other = world.op(0, &[head.id()]).at(2).sign();
        let merge = world.op(0, &[head.id(), one.id(), other.id()]).at(3).sign();
        assert_eq!(world.ingest(&[&one, &other, &merge]).await, Ingested { added: 3, known: 0 });
        assert_eq!(world.heads().await, [merge.id()].into());
    });
}

/// Two peers send the same ops, the second one a little later, while the first ones are being checked or committed: each is
/// kept once, and both hear so.
#[test]
fn the_same_bundle_twice_at_once_is_kept_once() {
    for seed in 0..150 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), seed);
        block_on(async {
            let store = open(slow).await;
            let (one, other) = (world.op(0, &[]).at(1).sign(), world.op(0, &[]).at(2).sign());
            let send = || store.ingest(world.replica, bundle([&one, &other], &[]));
            let later = async {
                for _ in 0..seed / 3 {
                    YieldOnce::default().await;
                }
                send().await
            };
            let (one, other) = futures::join!(send(), later);
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!((one.added + other.added, one.known + other.known), (2, 2), "seed {seed}");
            assert_eq!(store.count(world.replica).await.unwrap(), 2, "seed {seed}");
        });
    }
}

/// A bundle has ops twice, and ones that are here: each is kept once, and counted as what it is.
#[test]
fn ops_that_are_here_or_come_twice() {
    block_on(async {
        let world = World::new().await;
        let first = world.op(0, &[]).saying("first").sign();
        let second = world.op(0, &[first.id()]).saying("second").sign();
        let third = world.op(0, &[second.id()]).saying("third").sign();
        assert_eq!(world.ingest(&[&first, &first]).await, Ingested { added: 1, known: 0 });
        let before = dump(&world.memory);
        assert_eq!(world.ingest(&[&first]).await, Ingested { added: 0, known: 1 });
        assert_eq!(world.ingest(&[]).await, Ingested::default());
        assert_eq!(dump(&world.memory), before, "what is known changes nothing");
        assert_eq!(world.ingest(&[&second, &first, &third, &second]).await, Ingested { added: 2, known: 1 });
        assert_eq!(world.heads().await, [third.id()].into());
        // A known op whose parents are left out is known all the same.
        assert_eq!(world.ingest(&[&third]).await, Ingested { added: 0, known: 1 });
    });
}

/// The identities of a bundle are kept if an op names them, and once.
#[test]
fn identities_that_no_op_names() {
    block_on(async {
        let world = World::new().await;
        let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
        let said = world.op(1, &[admitted.id()]).by(&[admitted.id()]).sign();
        let bundle = bundle([&admitted, &said], &[0, 1, 1, 2]);
        world.store.ingest(world.replica, bundle.clone()).await.unwrap();
        assert!(world.store.identity(id_of(1)).await.unwrap().is_some());
        assert!(world.store.identity(id_of(2)).await.unwrap().is_none());
        let before = dump(&world.memory);
        world.store.ingest(world.replica, bundle).await.unwrap();
        assert_eq!(dump(&world.memory), before);
    });
}

/// The same ops come in one bundle, and one by one: what is stored is the same, byte for byte.
#[test]
fn any_batching_stores_the_same() {
    block_on(async {
        let (whole, single) = (World::new().await, World::new().await);
        let admitted = whole.op(0, &[]).granting(1, &["write", "grant"]).sign();
        let grant = [admitted.id()];
        let left = whole.op(0, &grant).saying("left").sign();
        let right = whole.op(1, &grant).by(&grant).granting(2, &["write"]).sign();
        let merge = whole.op(1, &[left.id(), right.id()]).by(&grant).saying("merge").sign();
        let last = whole.op(2, &[merge.id()]).by(&[right.id()]).saying("last").sign();
        let ops = [&admitted, &left, &right, &merge, &last];
        whole.store.ingest(whole.replica, bundle(ops, &[1, 2])).await.unwrap();
        for op in ops {
            single.ingest(&[op]).await;
        }
        let lines = |world: &World| -> Vec<_> {
            // Objects are numbered as they come; everything else is compared as it is.
            dump(&world.memory).into_iter().filter(|(key, _)| ![1, 2].contains(&key[0])).collect()
        };
        assert_eq!(lines(&whole), lines(&single));
        assert_eq!(dump(&whole.memory).len(), dump(&single.memory).len());
    });
}

/// Somebody saved the header of an op as if it were an object of the app's. The op is taken all the same, when it comes.
#[test]
fn an_op_that_is_here_as_an_object() {
    block_on(async {
        let world = World::new().await;
        let first = world.op(0, &[]).saying("first").sign();
        let second = world.op(0, &[first.id()]).saying("second").sign();
        let id = world.store.put_bytes(first.op.bytes().to_vec()).await.unwrap();
        assert_eq!(id, first.id().into());
        assert_eq!(world.ingest(&[&first, &second]).await, Ingested { added: 2, known: 0 });
        assert_eq!(world.store.get_bytes(id).await.unwrap().as_deref(), Some(first.op.bytes()));
        // And the other way round: saving it again changes nothing.
        let before = dump(&world.memory);
        world.store.put_bytes(first.op.bytes().to_vec()).await.unwrap();
        assert_eq!(dump(&world.memory), before);
    });
}

/// Two peers send the same at the same time to a store that is slow, with ops of its own being written meanwhile: each op
/// is kept once.
#[test]
fn many_at_once() {
    for seed in 0..50 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), seed);
        block_on(async {
            let store = open(slow).await;
            let admitted = world.op(0, &[]).granting(1, &["write"]).sign();
            let grant = [admitted.id()];
            let ops: Vec<_> =
                (0..6).map(|time| world.op(1, &grant).by(&grant).at(time).saying("peer").sign()).collect();
            let chain = world.op(1, &[ops[0].id(), ops[1].id()]).by(&grant).saying("chain").sign();
            let all = || [&admitted].into_iter().chain(&ops).chain([&chain]);
            let send = |from: usize, count: usize| {
                let part = [&admitted].into_iter().chain(all().skip(1 + from).take(count));
                store.ingest(world.replica, bundle(part, &[1]))
            };
            let founder = author(0);
            let draft = || Ok(Some(Draft { act: None, payload: Some(note("own")), ..Draft::default() }));
            let own = async {
                store.append(world.replica, &founder, 1, draft).await.unwrap();
                store.append(world.replica, &founder, 2, draft).await.unwrap();
            };
            let (one, two, three, ()) = futures::join!(send(0, 7), send(0, 7), send(2, 3), own);
            let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
            assert_eq!(one.added + two.added + three.added, 8);
            assert_eq!(one.known + two.known + three.known, 12);
            let stored = store.op_ids(world.replica, 0..u64::MAX).await.unwrap();
            assert_eq!(stored.iter().collect::<BTreeSet<_>>().len(), stored.len(), "seed {seed}");
            assert_eq!(stored.len(), 10, "seed {seed}");
            let heads = store.frontier(world.replica).await.unwrap().heads;
            let covered: BTreeSet<OpId> = all_parents(&store, world.replica).await;
            assert_eq!(heads, stored.into_iter().filter(|id| !covered.contains(id)).collect(), "seed {seed}");
        });
    }
}

async fn all_parents(store: &Store, replica: ReplicaId) -> BTreeSet<OpId> {
    let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
    let ops = store.ops(replica, 0..u64::MAX, all).await.unwrap();
    ops.iter().flat_map(|stored| stored.op.header().parents.clone()).collect()
}
