//! Ops by id, what builds on them, versions, and replicas by class.

use std::collections::BTreeSet;

use futures::executor::block_on;
use hhs_model::class::Replica;
use hhs_model::{OpId, ReplicaId};
use hhs_store::StoreError;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::random::{history, past, step};
use crate::world::{Made, Notes, World, author};

/// An op is looked up by its id alone, and by one that is none.
#[test]
fn an_op_by_its_id() {
    block_on(async {
        let world = World::new().await;
        let said = world.op(0, &[]).saying("hello").sign();
        world.ingest(&[&said]).await;
        let found = world.store.op(said.id()).await.unwrap().unwrap();
        assert_eq!(
            (found.replica, found.stored.op, found.stored.payload),
            (world.replica, said.op.clone(), said.payload)
        );
        assert_eq!(world.store.header(said.op.id()).await.unwrap(), Some(said.op));
        let none = OpId(world.replica.0);
        assert_eq!(world.store.op(none).await.unwrap(), None);
        assert!(matches!(world.store.successors(none, None, 1).await, Err(StoreError::NoOp(_))));
        assert!(matches!(world.store.consequences(none).await, Err(StoreError::NoOp(_))));
    });
}

/// Replicas of one class are listed in pages, in the order in which they came.
#[test]
fn replicas_by_class() {
    block_on(async {
        let world = World::new().await;
        let mut expected = vec![world.replica];
        for nonce in 1..6 {
            expected.push(world.store.found(Notes::CLASS, [nonce; 16], &author(0)).await.unwrap());
            world.store.found("another", [nonce; 16], &author(0)).await.unwrap();
        }
        let mut found: Vec<ReplicaId> = Vec::new();
        loop {
            let page = world.store.replicas_of_class(Notes::CLASS, found.last().copied(), 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected);
        assert_eq!(world.store.replicas_of_class("none", None, 2).await.unwrap(), []);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// Successors, consequences and versions are what their definitions say.
    #[test]
    fn what_comes_before_and_after(steps in vec(step(), 1..25)) {
        let world = block_on(World::new());
        let (ops, _) = block_on(history(&world, &steps));
        for made in &ops {
            let above = |other: &&Made| past(&ops, &other.op.header().parents).contains(&made.id());
            let expected: BTreeSet<OpId> = ops.iter().filter(above).map(Made::id).collect();
            let mut consequences = block_on(world.store.consequences(made.id())).unwrap();
            let mut found = BTreeSet::new();
            loop {
                let page = block_on(consequences.next_page()).unwrap();
                if page.is_empty() {
                    break;
                }
                found.extend(page.into_iter().map(|(_, id)| id));
            }
            prop_assert_eq!(found, expected);
            let next = |other: &&Made| other.op.header().parents.contains(&made.id());
            let expected: Vec<OpId> = ops.iter().filter(next).map(Made::id).collect();
            let (mut found, mut after) = (Vec::new(), None);
            while let Some((position, id)) = block_on(world.store.successors(made.id(), after, 1)).unwrap().pop() {
                after = Some(position);
                found.push(id);
            }
            prop_assert_eq!(found, expected);
            let version = block_on(world.store.version(world.replica, &[made.id()].into_iter().collect())).unwrap();
            prop_assert_eq!(version.len(), past(&ops, &[made.id()]).len() as u64);
        }
    }
}
