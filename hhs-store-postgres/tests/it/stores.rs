//! Two stores, each with state of its own in memory, on one database.

use std::collections::BTreeSet;

use futures::future::join;
use hhs_model::class::Draft;
use hhs_model::{Author, Registry, ReplicaId};
use hhs_store::{ReadLimit, Store};

use crate::server::SHARED;

/// Two hosts open a store on the same database and append to one replica at the same time: every op of both is there, in
/// an order that both read alike.
#[tokio::test(flavor = "multi_thread")]
async fn two_stores_append_to_one_replica() {
    let one = Store::open(SHARED.open("two_stores").await, Registry::new()).await.unwrap();
    let two = Store::open(SHARED.open("two_stores").await, Registry::new()).await.unwrap();
    let ana = Author::from_seed("Ana", &[1; 32]).unwrap();
    let replica = one.found("test/notes", [7; 16], &ana).await.unwrap();
    let (first, second) = join(append(&one, replica, &ana, 1), append(&two, replica, &ana, 2)).await;
    let written: BTreeSet<_> = first.into_iter().chain(second).collect();
    assert_eq!(written.len(), 2 * OPS);

    let (one, two) = (ids(&one, replica).await, ids(&two, replica).await);
    assert_eq!(one, two);
    assert_eq!(one.len(), 2 * OPS, "each is there once");
    assert_eq!(one.into_iter().collect::<BTreeSet<_>>(), written);
}

async fn append(store: &Store, replica: ReplicaId, author: &Author, host: u8) -> Vec<hhs_model::OpId> {
    let mut written = Vec::new();
    for number in 0..OPS {
        let draft = || Ok(Some(Draft { act: None, payload: Some(vec![host, number as u8]), ..Draft::default() }));
        written.push(store.append(replica, author, number as u64, draft).await.unwrap().expect("it is written"));
    }
    written
}

async fn ids(store: &Store, replica: ReplicaId) -> Vec<hhs_model::OpId> {
    let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
    let ops = store.ops(replica, 0..u64::MAX, all).await.unwrap();
    ops.iter().map(|stored| stored.op.id()).collect()
}

const OPS: usize = 20;
