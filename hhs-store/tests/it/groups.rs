//! Writers that share a durable commit: what they see of each other, when others hear of it, and what becomes of them when
//! the commit fails.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use futures::future::{LocalBoxFuture, join_all};
use futures::{FutureExt, poll};
use hhs_model::class::{Draft, Replica};
use hhs_model::{Author, OpId, ReplicaId, seam};
use hhs_store::backend::{Backend, BackendStats, Batch, Entry, KeyRange, Limit, Order};
use hhs_store::{AppendError, BackendError, ChangeStream, Committed, IngestError, Ingested, Lagged, Live, Store};

use crate::backends::Gate;
use crate::world::{Notes, author, bundle, id_of, note, op, open};

/// A store over a gate that is closed, and a live replica in it.
struct Gated {
    gate: Gate,
    store: Store,
    replica: ReplicaId,
    live: Live<Notes>,
    author: Author,
}

type Update<'a> = Pin<Box<dyn Future<Output = Result<Option<OpId>, AppendError>> + 'a>>;

impl Gated {
    async fn new() -> Self {
        let gate = Gate::default();
        gate.open().await;
        let store = open(gate.clone()).await;
        let replica = store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        let live = store.open_replica(replica).await.unwrap();
        gate.close();
        Self { gate, store, replica, live, author: author(0) }
    }

    /// A write that has come as far as it can without the backend.
    async fn write(&self, text: &'static str) -> Update<'_> {
        let mut update: Update<'_> = Box::pin(self.live.update(&self.author, 0, move |edit| edit.write(text)));
        assert!(poll!(&mut update).is_pending());
        update
    }

    fn texts(&self) -> Vec<String> {
        self.live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect())
    }

    async fn durable(&self) -> u64 {
        self.store.count(self.replica).await.unwrap()
    }

    /// What somebody would see who opened the store again now.
    async fn assert_as_reopened(&self) {
        let reopened: Live<Notes> = open(self.gate.memory.clone()).await.open_replica(self.replica).await.unwrap();
        assert_eq!(reopened.read(Notes::clone), self.live.read(Notes::clone));
    }
}

fn told(changes: &mut ChangeStream) -> Vec<Result<OpId, Lagged>> {
    std::iter::from_fn(|| changes.next_ready()).map(|change| change.map(|change| change.op)).collect()
}

fn is_full(outcome: Result<Option<OpId>, AppendError>) -> bool {
    let error = outcome.unwrap_err().to_string();
    error == "the store cannot write a batch: the disk is full"
}

/// One write is on its way to the disk when many more come. They see each other at once, wait together, and become durable
/// in one commit; others hear of each when it is.
#[test]
fn writers_that_come_meanwhile_share_a_commit() {
    block_on(async {
        let world = Gated::new().await;
        let (mut watch, mut changes) = (world.store.watch(), world.live.changes());
        let first = world.write("first").await;
        assert_eq!(world.gate.waiting(), 1);
        let mut more = Vec::new();
        for text in ["a", "b", "c", "d", "e"] {
            more.push(world.write(text).await);
        }
        assert_eq!(world.texts(), ["a", "b", "c", "d", "e", "first"]);
        assert_eq!(world.live.applied(), 6);
        assert_eq!((world.gate.waiting(), world.durable().await), (1, 0), "one commit at a time");
        assert_eq!((watch.next_ready(), told(&mut changes)), (None, vec![]));

        world.gate.commit_one().await;
        let first = first.await.unwrap().unwrap();
        assert_eq!((world.durable().await, told(&mut changes)), (1, vec![Ok(first)]));
        let replica = world.replica;
        assert_eq!(watch.next_ready(), Some(Committed { replica, ops: 1, added: 1, local: 1 }));
        assert!(more.iter_mut().all(|update| update.now_or_never().is_none()));
        assert_eq!(world.gate.waiting(), 1);

        world.gate.commit_one().await;
        let ids: Vec<OpId> = join_all(more).await.into_iter().map(|id| id.unwrap().unwrap()).collect();
        assert_eq!(told(&mut changes), ids.iter().copied().map(Ok).collect::<Vec<_>>());
        assert_eq!(watch.next_ready(), Some(Committed { replica, ops: 6, added: 5, local: 5 }));
        assert_eq!(world.gate.waiting(), 0, "two commits for six writes");
        for (position, id) in (1..).zip(&ids) {
            let above = world.store.ops(replica, position..position + 1, crate::mayhem::ALL).await.unwrap();
            let below = if position == 1 { first } else { ids[position as usize - 2] };
            assert_eq!((above[0].op.id(), &above[0].op.header().parents), (*id, &vec![below]));
        }
        world.assert_as_reopened().await;
    });
}

/// The disk is full for the commit under way, or for the one after it. All that was written on top of what fails fails too,
/// is gone when the writers hear so, and was never told; the next write works.
#[test]
fn what_is_built_on_a_failed_commit_fails() {
    for failing in 0..2 {
        block_on(async {
            let world = Gated::new().await;
            let (mut watch, mut changes) = (world.store.watch(), world.live.changes());
            let mut writes = vec![world.write("0").await, world.write("1").await, world.write("2").await];
            let bad = world.gate.waiting_bytes();
            assert!(bad > 0);
            for _ in 0..failing {
                world.gate.commit_one().await;
                writes.remove(0).await.unwrap();
            }
            assert!(writes[0].as_mut().now_or_never().is_none());
            world.gate.fail_one();
            for outcome in join_all(writes).await {
                assert!(is_full(outcome));
                assert_eq!((world.texts().len() as u64, world.durable().await), (failing, failing));
            }
            assert_eq!(world.gate.waiting(), 0, "nothing overtakes what failed");
            assert_eq!(told(&mut changes).len() as u64, failing);
            assert_eq!(watch.next_ready().map(|told| told.ops), (failing > 0).then_some(failing));
            world.gate.open().await;
            let id = world.live.update(&world.author, 0, |edit| edit.write("after")).await.unwrap().unwrap();
            assert_eq!(told(&mut changes), [Ok(id)]);
            assert_eq!(world.durable().await, failing + 1);
            world.assert_as_reopened().await;
        });
    }
}

/// Somebody reads and watches while a write is on its way. If it becomes durable, it is not told again; if it fails, whoever
/// has read it learns that the state has to be read again, and nobody else.
#[test]
fn who_has_read_what_is_not_durable() {
    for fails in [false, true] {
        block_on(async {
            let world = Gated::new().await;
            let mut before = world.live.changes();
            let first = world.write("first").await;
            let (seen, mut after) = world.live.read_and_watch(|notes| notes.notes.len());
            let second = world.write("second").await;
            assert_eq!(seen, 1);
            if fails {
                world.gate.fail_one();
                assert!(is_full(first.await) && is_full(second.await));
                assert_eq!((told(&mut before), told(&mut after)), (vec![], vec![Err(Lagged { missed: 0 })]));
                world.gate.open().await;
            } else {
                world.gate.open().await;
                let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
                assert_eq!(told(&mut before), [Ok(first), Ok(second)]);
                assert_eq!(told(&mut after), [Ok(second)]);
            }
            let third = world.live.update(&world.author, 0, |edit| edit.write("third")).await.unwrap().unwrap();
            assert_eq!((told(&mut before), told(&mut after)), (vec![Ok(third)], vec![Ok(third)]));
        });
    }
}

/// Those who wait are dropped, at any place in the line. The others do not notice; with nobody left, the next write decides
/// it all.
#[test]
fn waiters_that_are_dropped() {
    for kept in 0..8_u32 {
        block_on(async {
            let world = Gated::new().await;
            let mut changes = world.live.changes();
            let mut writes = Vec::new();
            for (number, text) in ["0", "1", "2"].into_iter().enumerate() {
                let write = world.write(text).await;
                if kept & 1 << number != 0 {
                    writes.push(write);
                }
            }
            world.gate.open().await;
            assert!(join_all(writes).await.into_iter().all(|outcome| outcome.is_ok()));
            world.live.update(&world.author, 0, |edit| edit.write("3")).await.unwrap();
            assert_eq!(world.texts(), ["0", "1", "2", "3"]);
            assert_eq!((told(&mut changes).len(), world.durable().await), (4, 4));
            world.assert_as_reopened().await;
        });
    }
}

/// The same, and the disk is full for what nobody waits for any more: it is gone with the next write.
#[test]
fn a_failure_that_nobody_waits_for() {
    block_on(async {
        let world = Gated::new().await;
        let mut changes = world.live.changes();
        drop((world.write("0").await, world.write("1").await));
        assert_eq!(world.texts(), ["0", "1"]);
        world.gate.fail_one();
        let next = world.live.update(&world.author, 0, |edit| edit.write("2"));
        let (outcome, ()) = futures::join!(next, world.gate.open());
        assert!(is_full(outcome), "it was built on what has failed");
        assert_eq!(world.texts(), [""; 0]);
        world.live.update(&world.author, 0, |edit| edit.write("3")).await.unwrap();
        assert_eq!((world.texts(), told(&mut changes).len()), (vec!["3".to_owned()], 1));
        world.assert_as_reopened().await;
    });
}

/// Two peers send the same ops; the second one while those of the first are on their way to the disk. It hears that they are
/// known only when they are durable, and hears of the failure if they never are.
#[test]
fn what_is_known_and_not_durable() {
    for fails in [false, true] {
        block_on(async {
            let world = Gated::new().await;
            let ops = [op(0, world.replica, &[]).at(1).sign(), op(0, world.replica, &[]).at(2).sign()];
            let send = || Box::pin(world.store.ingest(world.replica, bundle(&ops, &[])));
            let (mut one, mut other) = (send(), send());
            assert!(poll!(&mut one).is_pending() && poll!(&mut other).is_pending());
            match fails {
                true => {
                    world.gate.fail_one();
                    assert!(matches!(one.await, Err(IngestError::Store(_))));
                    assert!(matches!(other.await, Err(IngestError::Store(_))));
                    assert_eq!(world.durable().await, 0);
                }
                false => {
                    world.gate.open().await;
                    assert_eq!(one.await.unwrap(), Ingested { added: 2, known: 0 });
                    assert_eq!(other.await.unwrap(), Ingested { added: 0, known: 2 });
                }
            }
        });
    }
}

/// A replica is founded, somebody is let in, and ops come in, each on top of what is not durable yet.
#[test]
fn everything_builds_on_what_is_staged() {
    block_on(async {
        let world = Gated::new().await;
        let store = &world.store;
        let first = world.write("on its way").await;
        let replica = {
            let other = Gated::new().await;
            other.gate.open().await;
            other.store.found(Notes::CLASS, [7; 16], &author(0)).await.unwrap()
        };
        let mut steps: Vec<LocalBoxFuture<'_, ()>> = Vec::new();
        steps.push(Box::pin(async {
            assert_eq!(store.found(Notes::CLASS, [7; 16], &author(0)).await.unwrap(), replica);
        }));
        steps.push(Box::pin(async {
            assert_eq!(store.put_identity(author(1).identity_bytes().to_vec()).await.unwrap(), id_of(1));
        }));
        let admitted = op(0, replica, &[]).granting(1, &["write"]).sign();
        let said = op(1, replica, &[admitted.id()]).by(&[admitted.id()]).saying("hello").sign();
        let (one, two) = (bundle([&admitted], &[1]), bundle([&said], &[1]));
        steps.push(Box::pin(async move { assert_eq!(store.ingest(replica, one).await.unwrap().added, 1) }));
        steps.push(Box::pin(async move { assert_eq!(store.ingest(replica, two).await.unwrap().added, 1) }));
        let own = async {
            let draft = || Ok(Some(Draft { act: None, payload: Some(note("own")), ..Draft::default() }));
            store.append(replica, &author(1), 0, draft).await.unwrap();
        };
        steps.push(Box::pin(own));
        for step in &mut steps {
            assert!(poll!(step).is_pending());
        }
        assert!(!store.has_replica(replica).await.unwrap());
        assert_eq!(store.identity(id_of(1)).await.unwrap(), None);
        world.gate.commit_one().await;
        first.await.unwrap();
        assert!(poll!(&mut steps[0]).is_pending());
        world.gate.commit_one().await;
        join_all(steps).await;
        assert_eq!(world.gate.waiting(), 0, "all of it in one commit");
        assert_eq!(store.count(replica).await.unwrap(), 3);
        assert_eq!(open(world.gate.memory.clone()).await.replicas().await.unwrap(), [world.replica, replica]);
    });
}

/// Much comes while the disk is slow: what waits is bounded, and all of it gets there.
#[test]
fn a_group_is_bounded() {
    block_on(async {
        let world = Gated::new().await;
        let large = || Ok(Some(Draft { act: None, payload: Some(vec![7; 1 << 20]), ..Draft::default() }));
        let author = author(0);
        let mut writes: Vec<_> =
            (0..40).map(|time| Box::pin(world.store.append(world.replica, &author, time, large))).collect();
        let mut commits = 0;
        loop {
            let pending = futures::future::poll_fn(|context| {
                let pending: Vec<bool> =
                    writes.iter_mut().map(|write| write.poll_unpin(context).is_pending()).collect();
                std::task::Poll::Ready(pending)
            });
            let pending = pending.await;
            let mut at = 0;
            writes.retain(|_| {
                at += 1;
                pending[at - 1]
            });
            if writes.is_empty() {
                break;
            }
            assert!(world.gate.waiting() == 1 && world.gate.waiting_bytes() < 10 << 20);
            world.gate.commit_one().await;
            commits += 1;
        }
        assert!((5..12).contains(&commits), "{commits} commits");
        assert_eq!(world.durable().await, 40);
    });
}

/// Counts how many of it there are.
struct Counted(Gate, Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

#[seam]
impl Backend for Counted {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.0.get(key).await
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        self.0.get_many(keys).await
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        self.0.scan(range, order, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        self.0.commit(batch).await
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.0.stats().await
    }
}

/// An app gives up its writes and drops the store. The backend is closed, so that it can be opened again.
#[test]
fn a_store_that_is_dropped_with_writes_under_way() {
    block_on(async {
        let (gate, alive) = (Gate::default(), Arc::new(AtomicUsize::new(1)));
        gate.open().await;
        let store = open(Counted(gate.clone(), alive.clone())).await;
        let replica = store.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap();
        gate.close();
        for time in 0..3 {
            let draft = || Ok(Some(Draft { act: None, payload: Some(note("lost")), ..Draft::default() }));
            let author = author(0);
            let mut write = Box::pin(store.append(replica, &author, time, draft));
            assert!(poll!(&mut write).is_pending());
        }
        let mut watch = store.watch();
        drop(store);
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        assert_eq!(futures::StreamExt::next(&mut watch).await, None);
    });
}

/// Somebody watches and does not read. What is kept for them is bounded; they learn how much they have missed, and go on.
#[test]
fn who_does_not_read() {
    block_on(async {
        let world = Gated::new().await;
        world.gate.open().await;
        let (mut lazy, mut large) = (world.live.changes(), world.live.changes());
        let write = async |count: u64, bytes: usize| {
            let ops: Vec<_> = (0..count)
                .map(|time| op(0, world.replica, &[]).at(time << 32 | bytes as u64).saying(&"x".repeat(bytes)).sign())
                .collect();
            world.store.ingest(world.replica, bundle(&ops, &[])).await.unwrap();
        };
        write(3, 10).await;
        assert_eq!(told(&mut large).len(), 3);
        write(9, 2 << 20).await;
        let heard = told(&mut large);
        assert_eq!((heard[0], heard.len()), (Err(Lagged { missed: 8 }), 2), "eight are too many");
        for _ in 0..9 {
            write(1000, world.live.applied() as usize).await;
        }
        let heard = told(&mut lazy);
        let Err(Lagged { missed }) = heard[0] else { panic!("something was missed") };
        assert_eq!(missed + heard.len() as u64 - 1, world.live.applied());
        assert!(heard.len() < 8192 && heard[1..].iter().all(Result::is_ok));
        write(1, 5).await;
        assert_eq!(told(&mut lazy).len(), 1);
    });
}
