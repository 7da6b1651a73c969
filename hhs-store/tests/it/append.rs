//! Writing ops of one's own.

use std::cell::Cell;
use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::bounds::{MAX_BLOCK_BYTES, MAX_PARENTS};
use hhs_model::class::{Draft, EditError};
use hhs_model::op::Act;
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::{AppendError, ReadLimit, Store, StoreError, StoredOp};

use crate::backends::{Slow, YieldOnce};
use crate::world::{Made, World, author, dump, grant, id_of, note, open};

const ALL: ReadLimit = ReadLimit { ops: usize::MAX, bytes: usize::MAX };

fn saying(text: &str) -> Draft {
    Draft { act: None, payload: Some(note(text)), ..Draft::default() }
}

fn doing(act: Act) -> Draft {
    Draft { act: Some(act), payload: None, ..Draft::default() }
}

async fn append(store: &Store, replica: ReplicaId, author: &Author, draft: Draft) -> Result<OpId, AppendError> {
    store.append(replica, author, 7, || Ok(Some(draft))).await.map(|id| id.expect("something is written"))
}

async fn ops(store: &Store, replica: ReplicaId) -> Vec<StoredOp> {
    store.ops(replica, 0..u64::MAX, ALL).await.unwrap()
}

/// Ana writes, lets Ben in, and Ben writes: each op stands on the heads, by the grants it needs, and is there at once.
#[test]
fn an_op_stands_on_all_heads() {
    block_on(async {
        let world = World::new().await;
        let (ana, ben) = (author(0), author(1));
        let first = append(&world.store, world.replica, &ana, saying("first")).await.unwrap();
        let beside = world.op(0, &[]).saying("from another device").sign();
        world.ingest(&[&beside]).await;
        world.store.put_identity(ben.identity_bytes().to_vec()).await.unwrap();
        let admitted = append(&world.store, world.replica, &ana, doing(grant(1, &["write"]))).await.unwrap();
        let said = append(&world.store, world.replica, &ben, saying("hello")).await.unwrap();

        let ops = ops(&world.store, world.replica).await;
        assert_eq!(ops.iter().map(|stored| stored.op.id()).collect::<Vec<_>>(), [first, beside.id(), admitted, said]);
        assert_eq!(ops.iter().map(|stored| stored.position).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(ops.iter().map(|stored| stored.height).collect::<Vec<_>>(), [0, 0, 1, 2]);
        let parents: BTreeSet<OpId> = ops[2].op.header().parents.iter().copied().collect();
        assert_eq!(parents, [first, beside.id()].into());
        let last = ops[3].op.header();
        assert_eq!((last.author, last.time, last.target), (ben.id(), 7, world.replica));
        assert_eq!((&last.parents, &last.grants), (&vec![admitted], &vec![admitted]));
        assert_eq!(ops[3].payload, Some(note("hello")));
        assert_eq!(world.heads().await, [said].into());
    });
}

/// Whoever may not write, grant, or grant that much, is told what they lack; nothing is written.
#[test]
fn an_author_who_may_not() {
    block_on(async {
        let world = World::new().await;
        let (ana, ben) = (author(0), author(1));
        world.store.put_identity(author(2).identity_bytes().to_vec()).await.unwrap();
        let before = dump(&world.memory);
        let result = append(&world.store, world.replica, &ben, saying("hello")).await;
        assert!(matches!(result, Err(AppendError::NotAllowed { author, capability })
            if author == ben.id() && capability == "write"));
        let result = append(&world.store, world.replica, &ana, doing(grant(2, &["paint", "write"]))).await;
        assert!(matches!(result, Err(AppendError::NotAllowed { capability, .. }) if capability == "paint"));
        assert_eq!(dump(&world.memory), before);

        world.store.put_identity(ben.identity_bytes().to_vec()).await.unwrap();
        append(&world.store, world.replica, &ana, doing(grant(1, &["write"]))).await.unwrap();
        let before = dump(&world.memory);
        let result = append(&world.store, world.replica, &ben, doing(grant(2, &["write"]))).await;
        assert!(matches!(result, Err(AppendError::NotAllowed { capability, .. }) if capability == "grant"));
        assert_eq!(dump(&world.memory), before);
        assert!(world.store.may(world.replica, ben.id(), "write").await.unwrap());
        assert!(!world.store.may(world.replica, ben.id(), "grant").await.unwrap());
    });
}

/// A grant to somebody whose identity is not here would be one that peers cannot take.
#[test]
fn a_grant_to_nobody_known() {
    block_on(async {
        let world = World::new().await;
        let before = dump(&world.memory);
        let result = append(&world.store, world.replica, &author(0), doing(grant(1, &["write"]))).await;
        assert!(matches!(result, Err(AppendError::Store(StoreError::NoIdentity(missing))) if missing == id_of(1)));
        assert_eq!(dump(&world.memory), before);
    });
}

/// A draft of nothing writes nothing; one that cannot be made, or not be saved, is an error, and the next write works.
#[test]
fn a_draft_that_comes_to_nothing() {
    block_on(async {
        let world = World::new().await;
        let ana = author(0);
        append(&world.store, world.replica, &ana, saying("first")).await.unwrap();
        let before = dump(&world.memory);
        assert_eq!(world.store.append(world.replica, &ana, 0, || Ok(None)).await.unwrap(), None);
        let result = world.store.append(world.replica, &ana, 0, || Err(EditError::SeveralActs)).await;
        assert!(matches!(result, Err(AppendError::Edit(EditError::SeveralActs))));
        let large = Draft { act: None, payload: Some(vec![0; MAX_BLOCK_BYTES + 1]), ..Draft::default() };
        let result = append(&world.store, world.replica, &ana, large).await;
        assert!(matches!(result, Err(AppendError::Store(StoreError::Encode(_)))));
        let empty_grant = Act::Grant { to: ana.id(), can: BTreeSet::new() };
        let result = append(&world.store, world.replica, &ana, doing(empty_grant)).await;
        assert!(matches!(result, Err(AppendError::Store(StoreError::Encode(_)))));
        let result = append(&world.store, ReplicaId::of(b"nowhere"), &ana, saying("?")).await;
        assert!(matches!(result, Err(AppendError::Store(StoreError::NoReplica(_)))));
        assert_eq!(dump(&world.memory), before);
        append(&world.store, world.replica, &ana, saying("second")).await.unwrap();
        assert_eq!(world.store.count(world.replica).await.unwrap(), 2);
    });
}

/// Hundreds of devices wrote on top of nothing. The next op stands on all of it, by way of ops that merge; a peer takes
/// them in as they are.
#[test]
fn more_heads_than_an_op_may_have() {
    block_on(async {
        for count in [MAX_PARENTS, MAX_PARENTS + 1, 3 * MAX_PARENTS, 500] {
            let world = World::new().await;
            let heads: Vec<Made> = (0..count as u64).map(|time| world.op(0, &[]).at(time).sign()).collect();
            world.ingest(&heads.iter().collect::<Vec<_>>()).await;
            let mut watch = world.store.watch();
            let id = append(&world.store, world.replica, &author(0), saying("everything")).await.unwrap();
            assert_eq!(world.heads().await, [id].into());
            let stored = ops(&world.store, world.replica).await;
            // Each op that merges leaves 63 heads less; the last one takes what is left.
            let merges = count.saturating_sub(MAX_PARENTS).div_ceil(MAX_PARENTS - 1);
            assert_eq!(stored.len(), count + merges + 1);
            assert!(stored[count..].iter().all(|stored| stored.op.header().parents.len() <= MAX_PARENTS));
            assert!(stored[count..count + merges].iter().all(|stored| stored.op.header().payload.is_none()));
            let committed = watch.next_ready().unwrap();
            assert_eq!((committed.added, committed.ops), (merges as u64 + 1, stored.len() as u64));

            let peer = World::new().await;
            let made: Vec<Made> =
                stored.into_iter().map(|stored| Made { op: stored.op, payload: stored.payload }).collect();
            peer.ingest(&made.iter().collect::<Vec<_>>()).await;
            assert_eq!(peer.heads().await, [id].into());
        }
    });
}

/// Of a hundred heads one has seen the grant that Ben stands on. He can merge all the same, whichever head it is.
#[test]
fn a_merge_by_who_has_standing_from_one_head_only() {
    for number in 0..12 {
        block_on(async {
            let world = World::new().await;
            let mut heads: Vec<Made> = (0..99).map(|time| world.op(0, &[]).at(time).sign()).collect();
            heads.push(world.op(0, &[]).at(1000 + number).granting(1, &["write"]).sign());
            world.ingest(&heads.iter().collect::<Vec<_>>()).await;
            let id = append(&world.store, world.replica, &author(1), saying("hello")).await.unwrap();
            assert_eq!(world.heads().await, [id].into());
            let result = append(&world.store, world.replica, &author(2), saying("hello")).await;
            assert!(matches!(result, Err(AppendError::NotAllowed { .. })));
        });
    }
}

/// Two tasks write at the same time, on a store that is slow: no op is lost, each one stands on those before it, and each
/// draft is made when all that was written before is there.
#[test]
fn appends_that_run_at_once() {
    for seed in 0..30 {
        let world = block_on(World::new());
        let slow = Slow::new(world.memory.clone(), seed);
        block_on(async {
            let store = open(slow).await;
            let (ana, written) = (author(0), Cell::new(0));
            let write = async |count: u64| {
                for _ in 0..count {
                    let draft = || {
                        written.set(written.get() + 1);
                        Ok(Some(saying(&written.get().to_string())))
                    };
                    store.append(world.replica, &ana, 0, draft).await.unwrap();
                    YieldOnce::default().await;
                }
            };
            futures::join!(write(5), write(7));
            let stored = ops(&store, world.replica).await;
            let payloads: Vec<_> = stored.iter().map(|stored| stored.payload.clone().unwrap()).collect();
            assert_eq!(payloads, (1..=12).map(|number| note(&number.to_string())).collect::<Vec<_>>());
            for pair in stored.windows(2) {
                assert_eq!(pair[1].op.header().parents, [pair[0].op.id()], "seed {seed}");
            }
        });
    }
}
