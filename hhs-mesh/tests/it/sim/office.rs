//! Replicas that give each other authority: the staff, and notes in which the members of the staff write.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use hhs_crdt::{Log, Replica};
use hhs_model::op::{Act, Capability, Cut, Genesis, Roles, Rule};
use hhs_model::{Author, OpId, ReplicaId};
use hhs_store::{Live, ReadLimit};

use super::World;
use super::world::NodeId;

#[derive(Replica)]
#[replica(class = "test/v1/Notes")]
pub(crate) struct Notes {
    pub(crate) lines: Log<String>,
}

impl World {
    /// Notes, at a node and shared there, in which write whoever holds that in `source`, and nobody else.
    pub(crate) fn found_governed(&mut self, id: NodeId, source: ReplicaId) -> ReplicaId {
        let rule = |capability: Capability| (capability.clone(), Rule::CanIn(capability, source));
        let rules = [rule(Capability::write()), rule(Capability::grant())].into();
        let genesis = Genesis::with_rules(Notes::CLASS, self.nonce(), Roles::new(), rules);
        self.create(id, &genesis)
    }

    /// A part of a replica, at a node and shared there.
    pub(crate) fn found_child(&mut self, id: NodeId, parent: ReplicaId, path: &str) -> ReplicaId {
        self.create(id, &Genesis::child(parent, path.parse().unwrap(), Notes::CLASS))
    }

    fn create(&mut self, id: NodeId, genesis: &Genesis) -> ReplicaId {
        let identity = self.author_of(id).identity_bytes().to_vec();
        let replica = block_on(self.store(id).create(genesis, &[identity])).unwrap();
        self.share(id, replica);
        replica
    }

    /// What a node shows of notes.
    pub(crate) fn open_notes(&self, id: NodeId, notes: ReplicaId) -> Live<Notes> {
        block_on(self.store(id).open_replica::<Notes>(notes)).unwrap()
    }

    /// A node writes a line into notes, if it runs, has them, and may.
    pub(crate) fn write_line(&mut self, id: NodeId, notes: ReplicaId, line: &str) -> Option<OpId> {
        self.write(id, notes, &line_payload(line))
    }

    /// The lines that a node shows.
    pub(crate) fn lines(&self, id: NodeId, notes: ReplicaId) -> Vec<String> {
        shown(&self.open_notes(id, notes))
    }

    /// A node withdraws grants, if it may. What it keeps elsewhere is what it has.
    pub(crate) fn try_to_revoke(&mut self, id: NodeId, replica: ReplicaId, grants: &[OpId]) -> Option<OpId> {
        self.act(id, replica, Act::Revoke { grants: grants.iter().copied().collect(), cut: Cut::new() })
    }

    /// A node undoes a withdrawal, if it may.
    pub(crate) fn try_to_reinstate(&mut self, id: NodeId, replica: ReplicaId, of: OpId) -> Option<OpId> {
        self.act(id, replica, Act::Reinstate { of: [of].into() })
    }

    /// A node grants somebody the right to write and to let others in, if it may.
    pub(crate) fn try_to_grant(&mut self, id: NodeId, replica: ReplicaId, to: &Author) -> Option<OpId> {
        self.version(id, replica)?;
        block_on(self.store(id).put_identity(to.identity_bytes().to_vec())).unwrap();
        self.act(id, replica, Act::Grant { to: to.id(), can: [Capability::write(), Capability::grant()].into() })
    }

    /// The acts of some kind that a node has of a replica.
    pub(crate) fn acts(&self, id: NodeId, replica: ReplicaId, which: impl Fn(&Act) -> bool) -> Vec<OpId> {
        let Some((_, count)) = self.version(id, replica) else { return Vec::new() };
        let everything = ReadLimit { ops: count as usize, bytes: usize::MAX };
        let ops = block_on(self.store(id).ops(replica, 0..count, everything)).unwrap();
        let acts = ops.iter().filter(|stored| stored.op.header().act.as_ref().is_some_and(&which));
        acts.map(|stored| stored.op.id()).collect()
    }

    /// All ops that a node has of a replica, with the verdict on each: whether it is effective.
    pub(crate) fn verdicts(&self, id: NodeId, notes: ReplicaId) -> BTreeMap<OpId, bool> {
        let (store, live) = (self.store(id), self.open_notes(id, notes));
        let ids = block_on(store.op_ids(notes, 0..u64::MAX)).unwrap();
        ids.into_iter().map(|op| (op, block_on(live.explain(op)).unwrap().is_none())).collect()
    }

    /// Whether nodes stand on the same versions of some replicas, and have them at all.
    pub(crate) fn stand_together(&self, nodes: &[NodeId], replicas: &[ReplicaId]) -> bool {
        let frontier = |node: NodeId, replica: ReplicaId| self.version(node, replica).map(|(frontier, _)| frontier);
        let same = |replica: &ReplicaId| {
            let all: BTreeSet<_> = nodes.iter().map(|node| frontier(*node, *replica).map(|one| one.heads)).collect();
            all.len() == 1 && !all.contains(&None)
        };
        replicas.iter().all(same)
    }
}

/// The lines that are shown.
pub(crate) fn shown(live: &Live<Notes>) -> Vec<String> {
    live.read(|notes| notes.lines.iter().map(|line| line.value.clone()).collect())
}

/// The payload of an op that adds a line.
pub(crate) fn line_payload(line: &str) -> Vec<u8> {
    let notes = Notes::new();
    let mut edit = notes.edit();
    edit.lines.append(line.to_owned());
    Notes::finish(edit).unwrap().payload.unwrap()
}
