//! Reading ops and history: every page and every difference against the simple definition.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use futures::executor::block_on;
use hhs_model::class::Replica;
use hhs_model::{OpId, ReplicaId};
use hhs_store::{BackendError, ReadLimit, StoreError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::{Made, Notes, World, author, bundle, op};

/// A replica with these ops, all by its founder: each names its parents by number, and may say something.
struct History {
    world: World,
    ops: Vec<Made>,
    parents: Vec<BTreeSet<u64>>,
}

impl History {
    async fn new(shape: impl IntoIterator<Item = (BTreeSet<u64>, Option<usize>)>) -> Self {
        let world = World::new().await;
        let (mut ops, mut parents) = (Vec::<Made>::new(), Vec::new());
        for (time, (below, size)) in (0..).zip(shape) {
            let ids: Vec<OpId> = below.iter().map(|parent| ops[*parent as usize].id()).collect();
            let making = world.op(0, &ids).at(time);
            let making = match size {
                Some(size) => making.carrying(vec![time as u8; size]),
                None => making,
            };
            ops.push(making.sign());
            parents.push(below);
        }
        world.store.ingest(world.replica, bundle(&ops, &[])).await.unwrap();
        Self { world, ops, parents }
    }

    /// Ten thousand ops on one line would be too slow to sign; a few pages of them are not.
    async fn long() -> Self {
        // A line that is left every 40 ops for a branch of 15, which joins it again.
        let branch = |position: u64| position % 40 >= 25;
        let parents = |position: u64| -> BTreeSet<u64> {
            match position {
                0 => [].into(),
                _ if position % 40 == 25 => [position - 20].into(),
                _ if position.is_multiple_of(40) => [position - 1, position - 16].into(),
                _ => [position - 1].into(),
            }
        };
        Self::new((0..2600).map(|position| (parents(position), branch(position).then_some(100)))).await
    }

    fn below(&self, heads: &[u64]) -> BTreeSet<u64> {
        let mut all = BTreeSet::new();
        let mut left = heads.to_vec();
        while let Some(position) = left.pop() {
            if all.insert(position) {
                left.extend(&self.parents[position as usize]);
            }
        }
        all
    }

    async fn assert_difference(&self, heads: &[u64], known: &[u64]) {
        let (store, replica) = (&self.world.store, self.world.replica);
        let found = store.difference(replica, heads.iter().copied(), known.iter().copied()).await.unwrap();
        let found: BTreeSet<u64> = found.ranges().iter().cloned().flatten().collect();
        let naive: BTreeSet<u64> = self.below(heads).difference(&self.below(known)).copied().collect();
        assert_eq!(found, naive, "{heads:?} without {known:?}");
    }

    /// Reads a range of positions page by page, and compares each op with what was written.
    async fn assert_pages(&self, range: Range<u64>, limit: ReadLimit) {
        let (store, replica) = (&self.world.store, self.world.replica);
        let mut next = range.start;
        let end = range.end.min(self.ops.len() as u64);
        while next < end {
            let page = store.ops(replica, next..range.end, limit).await.unwrap();
            assert!(!page.is_empty() && page.len() <= limit.ops, "{next} of {range:?}");
            for (at, stored) in page.iter().enumerate() {
                let made = &self.ops[next as usize + at];
                assert_eq!((stored.position, &stored.op), (next + at as u64, &made.op));
                assert_eq!(stored.payload, made.payload);
                let parents = self.parents[next as usize + at].iter();
                assert_eq!(stored.height, parents.map(|parent| self.height(*parent) + 1).max().unwrap_or(0));
            }
            let bytes = |made: &Made| made.op.bytes().len() + made.payload.as_ref().map_or(0, Vec::len);
            let size: usize = self.ops[next as usize..next as usize + page.len() - 1].iter().map(bytes).sum();
            assert!(size < limit.bytes.saturating_mul(2).max(1), "about as many bytes as were asked for");
            next += page.len() as u64;
        }
        assert!(store.ops(replica, end..range.end.max(end), limit).await.unwrap().is_empty() || end == range.end);
    }

    fn height(&self, position: u64) -> u64 {
        // The longest way down; positions are in causal order.
        let mut heights: BTreeMap<u64, u64> = BTreeMap::new();
        for below in self.below(&[position]) {
            let parents = self.parents[below as usize].iter();
            heights.insert(below, parents.map(|parent| heights[parent] + 1).max().unwrap_or(0));
        }
        heights[&position]
    }
}

/// Histories over several pages of the store: any two versions of one, far from each other or near.
#[test]
fn differences_over_many_pages() {
    block_on(async {
        let history = History::long().await;
        let top = history.ops.len() as u64 - 1;
        let versions = [0, 1, 24, 25, 40, 999, 1000, 1023, 1024, 1025, 1039, 2047, 2048, 2599];
        for head in versions {
            history.assert_difference(&[head], &[]).await;
            history.assert_difference(&[top], &[head]).await;
            history.assert_difference(&[head], &[top]).await;
            history.assert_difference(&[head, 2585], &[1065, 1055]).await;
        }
        history.assert_difference(&[], &[top]).await;
    });
}

/// Ids of ranges that begin and end anywhere, beyond the end and turned over as well.
#[test]
fn ids_of_any_range() {
    block_on(async {
        let history = History::long().await;
        let ids: Vec<OpId> = history.ops.iter().map(Made::id).collect();
        let (store, replica) = (&history.world.store, history.world.replica);
        for start in [0, 1, 1023, 1024, 2599, 2600, 5000] {
            for end in [0, 1, 2, 1024, 1025, 2048, 2049, 2600, u64::MAX] {
                let read = store.op_ids(replica, start..end).await.unwrap();
                let end = end.min(2600).max(start.min(2600)) as usize;
                assert_eq!(read, ids[start.min(2600) as usize..end], "{start}..{end}");
            }
        }
    });
}

/// Ops of different sizes, with payloads and without, are read under limits of every kind.
#[test]
fn pages_of_ops() {
    block_on(async {
        let sizes =
            [None, Some(0), Some(1), None, None, Some(3000), Some(10), None, Some(100_000), Some(2), None, None];
        let line = |at: u64| at.checked_sub(1).into_iter().collect::<BTreeSet<u64>>();
        let history = History::new((0..).zip(sizes).map(|(at, size)| (line(at), size))).await;
        for ops in [1, 2, 3, 5, usize::MAX] {
            for bytes in [0, 1, 300, 301, 1000, 5000, usize::MAX] {
                let limit = ReadLimit { ops, bytes };
                history.assert_pages(0..u64::MAX, limit).await;
                history.assert_pages(3..9, limit).await;
                history.assert_pages(8..9, limit).await;
            }
        }
        let nothing = ReadLimit { ops: 0, bytes: usize::MAX };
        assert!(history.world.store.ops(history.world.replica, 0..u64::MAX, nothing).await.unwrap().is_empty());
    });
}

/// Where ops are, and which are not here: ids of another replica, of objects and of nothing are not.
#[test]
fn positions_and_unknown_ids() {
    block_on(async {
        let history = History::new((0..5).map(|_| ([].into(), None))).await;
        let (store, replica) = (&history.world.store, history.world.replica);
        let other = store.found(Notes::CLASS, [1; 16], &author(0)).await.unwrap();
        let foreign = op(0, other, &[]).sign();
        store.ingest(other, bundle([&foreign], &[])).await.unwrap();
        let (genesis, nothing) = (OpId(replica.0), OpId::of(b"nothing"));
        let ids = [history.ops[3].id(), nothing, genesis, foreign.id(), history.ops[0].id(), history.ops[3].id()];
        let known = store.positions(replica, &ids).await.unwrap();
        assert_eq!(known, [(history.ops[3].id(), 3), (history.ops[0].id(), 0)].into());
        assert_eq!(store.unknown(replica, &ids).await.unwrap(), [nothing, genesis, foreign.id()]);
        assert_eq!(store.unknown(replica, &[]).await.unwrap(), []);
        assert_eq!(store.count(replica).await.unwrap(), 5);
        assert_eq!(store.count(other).await.unwrap(), 1);
        assert_eq!(store.frontier(other).await.unwrap().heads, [foreign.id()].into());
    });
}

/// Every way to read says the same of a replica that is not here; positions that are not there are damage.
#[test]
fn what_is_not_here() {
    block_on(async {
        let history = History::new([([].into(), None)]).await;
        let (store, nowhere) = (&history.world.store, ReplicaId::of(b"nowhere"));
        let limit = ReadLimit { ops: 1, bytes: 1 };
        let missing = |error: StoreError| assert!(matches!(error, StoreError::NoReplica(id) if id == nowhere));
        missing(store.frontier(nowhere).await.unwrap_err());
        missing(store.count(nowhere).await.unwrap_err());
        missing(store.genesis(nowhere).await.unwrap_err());
        missing(store.positions(nowhere, &[]).await.unwrap_err());
        missing(store.unknown(nowhere, &[]).await.unwrap_err());
        missing(store.difference(nowhere, [], []).await.unwrap_err());
        missing(store.op_ids(nowhere, 0..1).await.unwrap_err());
        missing(store.ops(nowhere, 0..1, limit).await.unwrap_err());
        missing(store.may(nowhere, author(0).id(), "write").await.unwrap_err());
        assert!(!store.has_replica(nowhere).await.unwrap());
        let beyond = store.difference(history.world.replica, [7], []).await;
        assert!(matches!(beyond, Err(StoreError::Backend(BackendError::Corrupted { .. }))));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Any history, any two versions, any pages.
    #[test]
    fn random_histories(
        shape in vec((vec(any::<Index>(), 0..4), proptest::option::of(0..50_usize)), 1..40),
        heads in vec(any::<Index>(), 0..4),
        known in vec(any::<Index>(), 0..4),
        (ops, bytes) in (1..8_usize, 0..2000_usize),
    ) {
        let shape: Vec<_> = (0..).zip(shape).map(|(position, (parents, size)): (usize, _)| {
            let below = |pick: Index| (position > 0).then(|| pick.index(position) as u64);
            (parents.into_iter().filter_map(below).collect::<BTreeSet<u64>>(), size)
        }).collect();
        let some = |picks: &[Index]| picks.iter().map(|pick| pick.index(shape.len()) as u64).collect::<Vec<u64>>();
        block_on(async {
            let history = History::new(shape.clone()).await;
            history.assert_difference(&some(&heads), &some(&known)).await;
            history.assert_pages(0..u64::MAX, ReadLimit { ops, bytes }).await;
        });
    }
}
