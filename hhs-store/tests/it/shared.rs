//! Several hosts on one database: they come in between each other, and nothing is lost, doubled or told wrongly.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use hhs_model::class::Replica;
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::{AppendError, BackendError, ChangeStream, CommitStream, Live, MemoryBackend, Store, StoreError};

use crate::backends::{Slow, YieldOnce, abandon};
use crate::mayhem::{ALL, assert_whole};
use crate::world::{Notes, author, bundle, id_of, note, op, open};

/// A host: its store, what it shows, and what it was told.
struct Host {
    store: Store,
    live: Live<Notes>,
    commits: CommitStream,
    changes: ChangeStream,
}

impl Host {
    async fn new(backend: Slow, replica: ReplicaId) -> Self {
        let store = open(backend).await;
        let live: Live<Notes> = store.open_replica(replica).await.unwrap();
        let (commits, changes) = (store.watch(), live.changes());
        Self { store, live, commits, changes }
    }

    async fn write(&self, author: &Author, text: String) -> Result<Option<OpId>, AppendError> {
        self.live.update(author, 0, |edit| edit.write(&text)).await
    }

    /// All ops that it was told of, in order, if it was told of all.
    fn told(&mut self) -> Vec<OpId> {
        std::iter::from_fn(|| self.changes.next_ready()).map(|change| change.unwrap().op).collect()
    }
}

async fn founded(memory: &MemoryBackend) -> ReplicaId {
    open(Slow::shared(memory.clone(), 0)).await.found(Notes::CLASS, [0; 16], &author(0)).await.unwrap()
}

/// Two hosts take turns: each sees what the other one wrote when it writes, or when it is told to look.
#[test]
fn hosts_that_take_turns() {
    block_on(async {
        let memory = MemoryBackend::new();
        let replica = founded(&memory).await;
        let mut one = Host::new(Slow::shared(memory.clone(), 1), replica).await;
        let mut other = Host::new(Slow::shared(memory.clone(), 2), replica).await;
        let author = author(0);
        let first = one.write(&author, "first".into()).await.unwrap().unwrap();
        assert_eq!(other.live.applied(), 0);
        other.store.refresh().await.unwrap();
        assert_eq!(other.told(), [first]);
        let told = other.commits.next_ready().unwrap();
        assert_eq!((told.replica, told.ops, told.added, told.local), (replica, 1, 1, 0));
        let second = other.write(&author, "second".into()).await.unwrap().unwrap();
        let third = one.write(&author, "third".into()).await.unwrap().unwrap();
        assert_eq!(one.told(), [first, second, third]);
        let ops = one.store.ops(replica, 0..9, ALL).await.unwrap();
        assert_eq!(ops.iter().map(|stored| stored.op.id()).collect::<Vec<_>>(), [first, second, third]);
        assert_eq!(ops[2].op.header().parents, [second], "what is read before is below");
        let told = one.commits.next_ready().unwrap();
        assert_eq!((told.ops, told.added, told.local), (3, 3, 2));
        // Replicas that the other one has made are there, and nothing is mixed up.
        let new = other.store.found(Notes::CLASS, [1; 16], &author).await.unwrap();
        let newer = one.store.found(Notes::CLASS, [2; 16], &author).await.unwrap();
        one.store.put_identity(crate::world::author(1).identity_bytes().to_vec()).await.unwrap();
        other.store.put_identity(crate::world::author(2).identity_bytes().to_vec()).await.unwrap();
        assert_eq!(other.store.replicas().await.unwrap(), [replica, new, newer]);
        for number in 0..3 {
            assert!(one.store.identity(id_of(number)).await.unwrap().is_some());
        }
        assert_whole(&memory, &[replica, new, newer]).await;
    });
}

/// A host that did not look for a very long time finds everything all the same.
#[test]
fn a_host_that_was_away_for_long() {
    block_on(async {
        let memory = MemoryBackend::new();
        let replica = founded(&memory).await;
        let mut away = Host::new(Slow::shared(memory.clone(), 1), replica).await;
        let busy = Host::new(Slow::shared(memory.clone(), 2), replica).await;
        for number in 0..9 {
            busy.write(&author(0), number.to_string()).await.unwrap();
        }
        // What was kept of the first commits is gone.
        let mut batch = hhs_store::backend::Batch::new();
        for commit in 1..5_u64 {
            batch.delete([&[27][..], &commit.to_be_bytes()].concat());
        }
        hhs_store::Backend::commit(&memory, batch).await.unwrap();
        away.store.refresh().await.unwrap();
        assert_eq!(away.live.read(Notes::clone), busy.live.read(Notes::clone));
        assert_eq!(away.told().len(), 9);
        let told = away.commits.next_ready().unwrap();
        assert_eq!((told.replica, told.ops), (replica, 9));
    });
}

/// Two hosts write and take in ops at the same time, come in between each other all the time, and sometimes give up. In the
/// end both have all, in the same order; each op was told once on each; what was acknowledged is there.
#[test]
fn hosts_that_write_at_the_same_time() {
    for seed in 0..60 {
        block_on(async {
            let memory = MemoryBackend::new();
            let replica = founded(&memory).await;
            let mut hosts = [
                Host::new(Slow::shared(memory.clone(), seed), replica).await,
                Host::new(Slow::shared(memory.clone(), seed + 1000), replica).await,
            ];
            let theirs: Vec<_> = (0..6).map(|time| op(0, replica, &[]).at(time).saying("theirs").sign()).collect();
            let author = author(0);
            let work = async |host: &Host, task: u64| {
                let mut acknowledged = Vec::new();
                for step in 0..4 {
                    let text = format!("{task} {step}");
                    if seed % 3 == 0 && step == 2 {
                        abandon(host.write(&author, text), (seed + task) as usize % 40).await;
                    } else if step == 1 {
                        let some = theirs.iter().skip(task as usize % 4).take(3);
                        host.store.ingest(replica, bundle(some.clone(), &[])).await.unwrap();
                        acknowledged.extend(some.map(|made| made.id()));
                    } else {
                        acknowledged.push(host.write(&author, text).await.unwrap().unwrap());
                    }
                    YieldOnce::default().await;
                }
                acknowledged
            };
            let acknowledged = futures::join!(
                work(&hosts[0], 0),
                work(&hosts[1], 1),
                work(&hosts[0], 2),
                work(&hosts[1], 3),
                work(&hosts[0], 4)
            );
            let acknowledged: BTreeSet<OpId> =
                [acknowledged.0, acknowledged.1, acknowledged.2, acknowledged.3, acknowledged.4]
                    .concat()
                    .into_iter()
                    .collect();
            for host in &hosts {
                host.write(&author, "last".into()).await.unwrap();
            }
            for host in &mut hosts {
                host.store.refresh().await.unwrap();
                let stored = host.store.op_ids(replica, 0..u64::MAX).await.unwrap();
                assert!(acknowledged.iter().all(|id| stored.contains(id)), "seed {seed}");
                let told = host.told();
                assert_eq!(told.len(), stored.len(), "seed {seed}");
                assert_eq!(told.iter().collect::<BTreeSet<_>>(), stored.iter().collect(), "seed {seed}");
                let added: u64 = std::iter::from_fn(|| host.commits.next_ready()).map(|told| told.added).sum();
                assert_eq!(added, stored.len() as u64, "seed {seed}");
            }
            assert_eq!(hosts[0].live.read(Notes::clone), hosts[1].live.read(Notes::clone), "seed {seed}");
            assert_whole(&memory, &[replica]).await;
        });
    }
}

/// What an edit reads is what its op stands on, whatever another host commits meanwhile: each note says how many notes it
/// has seen, and has as many below it.
#[test]
fn an_edit_stands_on_what_it_read() {
    for seed in 0..40 {
        block_on(async {
            let memory = MemoryBackend::new();
            let replica = founded(&memory).await;
            let one = Host::new(Slow::shared(memory.clone(), seed), replica).await;
            let other = Host::new(Slow::shared(memory.clone(), seed + 500), replica).await;
            let author = author(0);
            let write = async |host: &Host, time: u64| {
                for _ in 0..5 {
                    let seen = std::cell::Cell::new(0);
                    let edit = |edit: &mut crate::world::NotesEdit| {
                        seen.set(edit.seen);
                        edit.draft.payload = Some(note(&edit.seen.to_string()));
                    };
                    host.live.update(&author, time, edit).await.unwrap();
                }
            };
            futures::join!(write(&one, 1), write(&other, 2), write(&one, 3));
            let stored = one.store.ops(replica, 0..u64::MAX, ALL).await.unwrap();
            let mut past: BTreeMap<OpId, BTreeSet<OpId>> = BTreeMap::new();
            for stored in &stored {
                let below: BTreeSet<OpId> = stored
                    .op
                    .header()
                    .parents
                    .iter()
                    .flat_map(|parent| past[parent].iter().copied().chain([*parent]))
                    .collect();
                assert_eq!(stored.payload, Some(note(&below.len().to_string())), "seed {seed}");
                past.insert(stored.op.id(), below);
            }
            assert_eq!(stored.len(), 15);
        });
    }
}

/// A database on which somebody else always comes first: the write ends with an error that says so, and leaves nothing.
#[test]
fn a_host_that_never_comes_first() {
    block_on(async {
        let memory = MemoryBackend::new();
        let replica = founded(&memory).await;
        let host = Host::new(Slow::shared(memory.clone(), 1), replica).await;
        let busy = std::cell::Cell::new(true);
        let hurry = async {
            let mut count = 10_u64;
            while busy.get() {
                count += 1;
                let mut batch = hhs_store::backend::Batch::new();
                batch.put([26], count.to_be_bytes()).put([&[27][..], &count.to_be_bytes()].concat(), []);
                hhs_store::Backend::commit(&memory, batch).await.unwrap();
                YieldOnce::default().await;
            }
        };
        let author = author(0);
        let write = async {
            let outcome = host.write(&author, "never".into()).await;
            busy.set(false);
            outcome
        };
        let (outcome, ()) = futures::join!(write, hurry);
        assert!(matches!(outcome, Err(AppendError::Store(StoreError::Backend(BackendError::Conflict)))));
        assert_eq!((host.live.applied(), host.store.count(replica).await.unwrap()), (0, 0));
        host.write(&author, "now".into()).await.unwrap();
        assert_eq!(host.live.applied(), 1);
    });
}
