//! Stores that hold several replicas, some of which give authority to others.

use std::collections::BTreeSet;

use hhs_model::op::{Act, Capability, Cut, Genesis, Roles, Rule};
use hhs_model::{IdentityId, OpId, ReplicaId};
use hhs_store::{Bundle, IngestError, Ingested, Live, MemoryBackend, ReadLimit, SignedOp, Store};

use crate::world::{Made, Making, Notes, author, bundle, id_of, op, open};

/// A store in memory, and what is under it.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) memory: MemoryBackend,
    pub(crate) store: Store,
}

impl Peer {
    pub(crate) async fn new() -> Self {
        let memory = MemoryBackend::new();
        Self { store: open(memory.clone()).await, memory }
    }

    /// The same, closed and opened again.
    pub(crate) async fn reopened(self) -> Self {
        Self { store: open(self.memory.clone()).await, memory: self.memory }
    }

    pub(crate) async fn adopt(&self, genesis: &Genesis) -> ReplicaId {
        let identities: Vec<Vec<u8>> = (0..4).map(|number| author(number).identity_bytes().to_vec()).collect();
        self.store.create(genesis, &identities).await.unwrap()
    }

    pub(crate) async fn live(&self, replica: ReplicaId) -> Live<Notes> {
        self.store.open_replica(replica).await.unwrap()
    }

    /// Takes in ops of a replica, with the identities of authors 0 to 3.
    pub(crate) async fn take(&self, ops: &[&Made]) -> Result<Ingested, IngestError> {
        let replica = ops[0].op.header().target;
        self.store.ingest(replica, bundle(ops.iter().copied(), &[0, 1, 2, 3])).await
    }

    pub(crate) async fn took(&self, ops: &[&Made]) {
        self.take(ops).await.unwrap();
    }

    /// All ops of a replica, with the identities of authors 0 to 3.
    pub(crate) async fn all_ops(&self, replica: ReplicaId) -> Bundle {
        let all = ReadLimit { ops: usize::MAX, bytes: usize::MAX };
        let stored = self.store.ops(replica, 0..u64::MAX, all).await.unwrap();
        let ops =
            stored.into_iter().map(|stored| SignedOp { header: stored.op.bytes().to_vec(), payload: stored.payload });
        let identities = (0..4).map(|number| author(number).identity_bytes().to_vec()).collect();
        Bundle { identities, ops: ops.collect() }
    }

    /// Gives another all ops of some replicas.
    pub(crate) async fn give(&self, to: &Self, replicas: &[ReplicaId]) {
        for replica in replicas {
            to.store.ingest(*replica, self.all_ops(*replica).await).await.unwrap();
        }
    }

    pub(crate) async fn heads(&self, replica: ReplicaId) -> BTreeSet<OpId> {
        self.store.frontier(replica).await.unwrap().heads
    }

    /// What the last op of a replica says in its header.
    pub(crate) async fn last(&self, replica: ReplicaId) -> hhs_model::op::Op {
        let count = self.store.count(replica).await.unwrap();
        self.store.op_at(replica, count - 1).await.unwrap().unwrap().op
    }
}

/// The genesis of a replica whose founder is author 0.
pub(crate) fn founded(nonce: u8) -> Genesis {
    let founder: BTreeSet<IdentityId> = [id_of(0)].into();
    let roles: Roles = [(Capability::write(), founder.clone()), (Capability::grant(), founder)].into();
    Genesis::with_roles("test/v1/Notes", [nonce; 16], roles)
}

/// The genesis of a replica in which everything is for those who hold it in `source`, or have been granted it.
pub(crate) fn governed_by(source: ReplicaId, nonce: u8) -> Genesis {
    let rule = |can: Capability| Rule::Any(vec![Rule::Can(can.clone()), Rule::CanIn(can, source)]);
    let names = [Capability::write(), Capability::grant()];
    let rules = names.map(|can| (can.clone(), rule(can))).into();
    Genesis::with_rules("test/v1/Notes", [nonce; 16], Roles::new(), rules)
}

pub(crate) fn everything() -> [Capability; 2] {
    [Capability::write(), Capability::grant()]
}

pub(crate) fn cut(kept: &[(ReplicaId, OpId)]) -> Cut {
    kept.iter().copied().collect()
}

pub(crate) fn revoke(grants: &[OpId], kept: &[(ReplicaId, OpId)]) -> Act {
    Act::Revoke { grants: grants.iter().copied().collect(), cut: cut(kept) }
}

pub(crate) trait Doing {
    fn doing(self, act: Act) -> Self;
}

impl Doing for Making {
    fn doing(mut self, act: Act) -> Self {
        self.header.act = Some(act);
        self
    }
}

/// The staff, author 1 on it, and notes that the staff writes.
pub(crate) struct Office {
    pub(crate) staff: ReplicaId,
    pub(crate) notes: ReplicaId,
    /// The grant to author 1.
    pub(crate) bens: Made,
}

impl Office {
    /// Founds both at a peer.
    pub(crate) async fn at(peer: &Peer) -> Self {
        let staff = peer.adopt(&founded(1)).await;
        let notes = peer.adopt(&governed_by(staff, 2)).await;
        let bens = op(0, staff, &[]).granting(1, &["write", "grant"]).sign();
        Self { staff, notes, bens }
    }

    pub(crate) fn replicas(&self) -> [ReplicaId; 2] {
        [self.staff, self.notes]
    }

    /// A note of author 1 on top of others; the first one depends on the grant.
    pub(crate) fn note(&self, parents: &[OpId], text: &str) -> Made {
        let making = op(1, self.notes, parents).by(&[self.bens.id()]).saying(text);
        if parents.is_empty() { making.depending(&[self.bens.id()]).sign() } else { making.sign() }
    }

    /// The founder removes author 1 from the staff, and keeps these notes.
    pub(crate) fn removal(&self, kept: &[OpId]) -> Made {
        let kept: Vec<(ReplicaId, OpId)> = kept.iter().map(|note| (self.notes, *note)).collect();
        op(0, self.staff, &[self.bens.id()]).doing(revoke(&[self.bens.id()], &kept)).sign()
    }
}

pub(crate) fn texts(live: &Live<Notes>) -> Vec<String> {
    live.read(|notes| notes.texts().into_iter().map(str::to_owned).collect())
}
