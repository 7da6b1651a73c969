//! What is built has the shape of the file, op for op.

use std::collections::BTreeSet;

use hhs::store::{ReadLimit, StoredOp};

use super::*;

/// Builds a history in memory, and reads back its ops.
async fn built(text: &str) -> (Store, ReplicaId, Vec<StoredOp>) {
    let dag = Dag::read(text.as_bytes()).unwrap();
    let store = Store::open(MemoryBackend::new(), Registry::new()).await.unwrap();
    let replica = build(&store, &dag, &mut Reporter::new(false)).await.unwrap();
    let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
    let ops = store.ops(replica, 0..u64::MAX, all).await.unwrap();
    assert_eq!(ops.len(), dag.len());
    (store, replica, ops)
}

/// A root, two who build on it at once, a merge of both, and somebody who never saw any of it.
#[tokio::test]
async fn a_built_history_has_the_parents_authors_and_times_of_the_file() {
    let (store, replica, ops) = built("0 0\n1 10 0\n2 10 0\n0 20 2 1\n3 30\n").await;
    let ids: Vec<OpId> = ops.iter().map(|stored| stored.op.id()).collect();
    let parents: Vec<BTreeSet<OpId>> =
        ops.iter().map(|stored| stored.op.header().parents.iter().copied().collect()).collect();
    let expected: [&[OpId]; 5] = [&[], &[ids[0]], &[ids[0]], &[ids[1], ids[2]], &[]];
    assert_eq!(parents, expected.map(|parents| parents.iter().copied().collect()));
    assert_eq!(
        ops.iter().map(|stored| stored.op.header().time).collect::<Vec<_>>(),
        [0, 10_000, 10_000, 20_000, 30_000]
    );
    let authors: Vec<_> = ops.iter().map(|stored| stored.op.header().author).collect();
    assert_eq!(authors[0], authors[3]);
    assert_eq!(authors.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(store.frontier(replica).await.unwrap().heads, BTreeSet::from([ids[3], ids[4]]));
}

/// What an op carries is an entry of 32 bytes, and its class understands it.
#[tokio::test]
async fn every_op_is_an_entry_of_the_log() {
    let (store, replica, ops) = built("0 0\n0 1 0\n0 2 1\n").await;
    let live = store.open_replica::<History>(replica).await.unwrap();
    let entries: BTreeSet<Vec<u8>> =
        live.read(|history| history.log.iter().map(|entry| entry.value.0.clone()).collect());
    assert_eq!(entries.iter().map(Vec::len).collect::<Vec<_>>(), [32, 32, 32]);
    for stored in ops {
        assert_eq!(live.explain(stored.op.id()).await.unwrap(), None);
    }
}

/// More ops than one bundle holds are all kept, in order.
#[tokio::test]
async fn a_history_of_several_bundles_is_whole() {
    let line = |op: u32| match op.checked_sub(1) {
        Some(parent) => format!("{} {op} {parent}\n", op % 3),
        None => "0 0\n".into(),
    };
    let text: String = (0..2500).map(line).collect();
    let (_, _, ops) = built(&text).await;
    assert!(ops.iter().zip(0..).all(|(stored, number)| stored.height == number));
}
