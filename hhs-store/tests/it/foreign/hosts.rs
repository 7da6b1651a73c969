//! Hosts on one database, each with the staff and the notes open.

use futures::executor::block_on;
use futures::future::join3;
use hhs_model::op::Genesis;
use hhs_model::{OpId, ReplicaId};
use hhs_store::{CommitStream, Live, MemoryBackend, Store};

use super::scene::{everything, founded, governed_by, texts};
use crate::backends::Slow;
use crate::world::{Notes, author, id_of, open};

struct Host {
    store: Store,
    staff: Live<Notes>,
    notes: Live<Notes>,
    commits: CommitStream,
}

impl Host {
    async fn on(memory: &MemoryBackend, seed: u64, [staff, notes]: [ReplicaId; 2]) -> Self {
        let store = open(Slow::shared(memory.clone(), seed)).await;
        let (staff, notes) = (store.open_replica(staff).await.unwrap(), store.open_replica(notes).await.unwrap());
        Self { commits: store.watch(), store, staff, notes }
    }

    /// The replicas that it was told of.
    fn told(&mut self) -> Vec<(ReplicaId, u64)> {
        std::iter::from_fn(|| self.commits.next_ready()).map(|news| (news.replica, news.added)).collect()
    }
}

async fn hosts(memory: &MemoryBackend) -> ([ReplicaId; 2], Host, Host) {
    let store = open(Slow::shared(memory.clone(), 0)).await;
    let identities: Vec<Vec<u8>> = (0..2).map(|number| author(number).identity_bytes().to_vec()).collect();
    let found = |genesis: Genesis| {
        let (store, identities) = (store.clone(), identities.clone());
        async move { store.create(&genesis, &identities).await.unwrap() }
    };
    let staff = found(founded(1)).await;
    let replicas = [staff, found(governed_by(staff, 2)).await];
    store.put_identity(identities[1].clone()).await.unwrap();
    (replicas, Host::on(memory, 1, replicas).await, Host::on(memory, 2, replicas).await)
}

/// One host lets Ben in and removes him, the other one has his notes open: it shows what counts as soon as it looks, and is told which
/// replicas have news.
#[test]
fn a_removal_at_another_host() {
    block_on(async {
        let memory = MemoryBackend::new();
        let ([staff, notes], one, mut other) = hosts(&memory).await;
        one.staff.grant(&author(0), 1, id_of(1), everything()).await.unwrap();
        let kept = other.notes.update(&author(1), 2, |edit| edit.write("kept")).await.unwrap().unwrap();
        one.store.refresh().await.unwrap();
        let removed = one.staff.revoke(&author(0), 3, id_of(1)).await.unwrap()[0];
        other.store.refresh().await.unwrap();
        other.told();
        assert!(other.notes.update(&author(1), 4, |edit| edit.write("late")).await.is_err());
        assert_eq!(texts(&other.notes), ["kept"]);
        one.staff.reinstate(&author(0), 5, [removed]).await.unwrap();
        other.store.refresh().await.unwrap();
        assert_eq!(other.told(), [(staff, 1), (notes, 0)]);
        let late = other.notes.update(&author(1), 6, |edit| edit.write("late")).await.unwrap().unwrap();
        one.store.refresh().await.unwrap();
        assert_eq!(texts(&one.notes), ["kept", "late"]);
        assert_eq!(one.store.frontier(notes).await.unwrap().heads, [late].into());
        let history: Vec<OpId> = one.store.op_ids(notes, 0..9).await.unwrap();
        assert_eq!(history, [kept, late]);
    });
}

/// Two hosts write all the time, one to the staff and the other to the notes, and both to both; they come in between each other. In
/// the end both show the same, and so does who opens the database then.
#[test]
fn hosts_that_come_in_between_each_other() {
    block_on(async {
        let memory = MemoryBackend::new();
        let (replicas, one, other) = hosts(&memory).await;
        for round in 0..12 {
            let removal = async {
                drop(one.staff.grant(&author(0), round, id_of(1), everything()).await);
                drop(one.staff.revoke(&author(0), round, id_of(1)).await);
            };
            let writing = async {
                for part in ["a", "b"] {
                    drop(other.notes.update(&author(1), round, |edit| edit.write(&format!("{part}{round}"))).await);
                    drop(other.staff.update(&author(0), round, |edit| edit.write(&format!("{part}{round}"))).await);
                }
            };
            let founder = async {
                drop(one.notes.update(&author(0), round, |edit| edit.write(&format!("c{round}"))).await);
            };
            join3(removal, writing, founder).await;
        }
        for host in [&one, &other] {
            host.store.refresh().await.unwrap();
        }
        let fresh = Host::on(&memory, 3, replicas).await;
        assert!(texts(&fresh.notes).iter().any(|text| text.starts_with('c')));
        for host in [&one, &other] {
            assert_eq!(host.notes.read(Notes::clone), fresh.notes.read(Notes::clone));
            assert_eq!(host.staff.read(Notes::clone), fresh.staff.read(Notes::clone));
            for replica in replicas {
                let heads = host.store.frontier(replica).await.unwrap();
                assert_eq!(heads, fresh.store.frontier(replica).await.unwrap());
            }
        }
    });
}
