//! What the simulated apps do: share, write, invite and let in.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::executor::block_on;
use hhs_mesh::PeerAddress;
use hhs_mesh::proto::{Event, Input};
use hhs_model::class::Draft;
use hhs_model::op::{Act, Capability, Cut, Genesis};
use hhs_model::{Author, IdentityId, OpId, ReplicaId};
use hhs_store::AppendError;

use super::world::{NodeId, What, World};

/// The class of replicas that nobody here knows: every node only stores and relays.
const CLASS: &str = "sim/v1/Unknown";

impl World {
    /// A new replica that all of `writers` may write to; it is at the first one, and shared there.
    pub(crate) fn found(&mut self, writers: &[NodeId]) -> ReplicaId {
        let others: Vec<Author> = writers[1..].iter().map(|id| self.author_of(*id)).collect();
        self.found_with(writers[0], &others)
    }

    /// A new replica at a node, that its author and others may write to.
    pub(crate) fn found_with(&mut self, id: NodeId, others: &[Author]) -> ReplicaId {
        let writers: Vec<Author> = [self.author_of(id)].iter().chain(others).cloned().collect();
        let genesis = Genesis::with_writers(CLASS, self.nonce(), writers.iter().map(Author::id).collect());
        let identities: Vec<Vec<u8>> = writers.iter().map(|writer| writer.identity_bytes().to_vec()).collect();
        let replica = block_on(self.store(id).create(&genesis, &identities)).unwrap();
        self.share(id, replica);
        replica
    }

    /// A new replica that its founder may write to and invite others to.
    pub(crate) fn found_open(&mut self, founder: NodeId) -> ReplicaId {
        let nonce = self.nonce();
        let replica = block_on(self.store(founder).found(CLASS, nonce, &self.author_of(founder))).unwrap();
        self.share(founder, replica);
        replica
    }

    pub(super) fn nonce(&mut self) -> [u8; 16] {
        u128::from(self.number(0..u64::MAX)).to_be_bytes()
    }

    /// A node shares a replica, now and after every restart.
    pub(crate) fn share(&mut self, id: NodeId, replica: ReplicaId) {
        self.nodes[id.0].shares.insert(replica);
        if self.runs(id) {
            self.feed(id, Input::Share { replica });
        }
    }

    /// A node no longer shares a replica.
    pub(crate) fn unshare(&mut self, id: NodeId, replica: ReplicaId) {
        self.nodes[id.0].shares.remove(&replica);
        self.feed(id, Input::Unshare { replica });
    }

    /// A node takes up again what it no longer shared.
    pub(crate) fn resume(&mut self, id: NodeId, replica: ReplicaId) {
        self.share(id, replica);
        let known = |(of, _): &&(ReplicaId, PeerAddress)| *of == replica;
        for (replica, address) in self.nodes[id.0].peers.iter().filter(known).cloned().collect::<Vec<_>>() {
            self.feed(id, Input::AddPeer { replica, address });
        }
    }

    /// A node knows where another one is, now and after every restart, and shares the replica with it.
    pub(crate) fn knows(&mut self, id: NodeId, other: NodeId, replica: ReplicaId) {
        let address = self.address_of(other);
        self.nodes[id.0].peers.push((replica, address.clone()));
        self.share(id, replica);
        self.feed(id, Input::AddPeer { replica, address });
    }

    /// A node lets in who knows the secret.
    pub(crate) fn invites(&mut self, id: NodeId, replica: ReplicaId, secret: &[u8]) {
        self.nodes[id.0].secrets.insert(replica, secret.to_vec());
    }

    /// A node joins at a member, with the secret of an invitation.
    pub(crate) fn joins(&mut self, id: NodeId, member: NodeId, replica: ReplicaId, secret: &[u8]) {
        let address = self.address_of(member);
        self.nodes[id.0].joins.push((replica, address.clone(), secret.to_vec()));
        self.share(id, replica);
        self.feed(id, Input::Join { replica, address, secret: secret.to_vec() });
    }

    /// What an app does when it has started.
    pub(super) fn open_app(&mut self, id: NodeId, run: u32) {
        if !self.is_run(id, run) {
            return;
        }
        for replica in self.nodes[id.0].shares.clone() {
            self.share(id, replica);
        }
        for (replica, address) in self.nodes[id.0].peers.clone() {
            self.feed(id, Input::AddPeer { replica, address });
        }
        for (replica, address, secret) in self.nodes[id.0].joins.clone() {
            self.feed(id, Input::Join { replica, address, secret });
        }
    }

    /// A node writes an op, if it runs, has the replica, and may.
    pub(crate) fn write(&mut self, id: NodeId, replica: ReplicaId, payload: &[u8]) -> Option<OpId> {
        let draft = Draft { act: None, payload: Some(payload.to_vec()), ..Draft::default() };
        self.append(id, replica, draft)
    }

    fn append(&mut self, id: NodeId, replica: ReplicaId, draft: Draft) -> Option<OpId> {
        self.version(id, replica)?;
        let time = self.now.as_millis() as u64;
        let (store, author) = (self.store(id), self.author_of(id));
        let written = match block_on(store.append(replica, &author, time, || Ok(Some(draft)))) {
            Ok(written) => written,
            Err(AppendError::NotAllowed { .. } | AppendError::Refused { .. }) => None,
            Err(error) => panic!("{error}"),
        };
        self.note(|world| format!("{} writes {written:?}", world.name(id)));
        self.hear_commits(id, None);
        written
    }

    /// Writes many ops, and tells the mesh of the last one only.
    pub(crate) fn write_many(&mut self, id: NodeId, replica: ReplicaId, count: usize) {
        let (store, author) = (self.store(id), self.author_of(id));
        for number in 0..count {
            let draft = || {
                Ok(Some(Draft { act: None, payload: Some(format!("op {number:08}").into_bytes()), ..Draft::default() }))
            };
            block_on(store.append(replica, &author, number as u64, draft)).unwrap();
        }
        self.hear_commits(id, None);
    }

    /// What the store tells of is looked up, as the driver does; not what a task has `received`, which tells that itself.
    pub(crate) fn hear_commits(&mut self, id: NodeId, received: Option<ReplicaId>) {
        let Some(run) = self.nodes[id.0].run.as_mut() else { return };
        let mut changed = BTreeSet::new();
        while let Some(one) = run.commits.next_ready() {
            if one.local > 0 || one.added == 0 || received != Some(one.replica) {
                changed.insert(one.replica);
            }
        }
        for replica in changed {
            self.look_up(id, replica);
        }
    }

    /// What a replica has at a node is read a moment later and told a moment after that, as the driver does.
    pub(crate) fn look_up(&mut self, id: NodeId, replica: ReplicaId) {
        if !self.nodes[id.0].run.as_ref().is_some_and(|run| run.core.shares(replica)) {
            return;
        }
        let at = self.now + self.draw(0..2_000);
        let run = self.nodes[id.0].runs;
        self.at(at, What::LookUp { node: id, run, replica });
    }

    /// What an app does about an event.
    pub(super) fn notice(&mut self, id: NodeId, event: Event) {
        match event {
            Event::JoinRequested { connection, identity, identity_bytes, replica, secret } if self.app_answers => {
                let run = self.nodes[id.0].runs;
                let after = self.draw(0..50_000);
                self.later(after, move |world| {
                    if !world.is_run(id, run) {
                        return;
                    }
                    let refused = world.admit(id, replica, (identity, identity_bytes), &secret).err();
                    world.feed(id, Input::Admit { connection, replica, refused });
                });
            }
            Event::JoinAnswered { replica, refused: None, .. } => {
                self.nodes[id.0].joins.retain(|(wanted, ..)| *wanted != replica);
            }
            _ => {}
        }
    }

    fn admit(
        &mut self,
        id: NodeId,
        replica: ReplicaId,
        (identity, bytes): (IdentityId, Vec<u8>),
        secret: &[u8],
    ) -> Result<(), String> {
        if self.nodes[id.0].secrets.get(&replica).map(Vec::as_slice) != Some(secret) {
            return Err("that is not the secret".into());
        }
        let store = self.store(id);
        if block_on(store.may(replica, identity, Capability::WRITE)).unwrap() {
            return Ok(());
        }
        block_on(store.put_identity(bytes)).unwrap();
        match self.append(id, replica, granting(identity)) {
            Some(_) => Ok(()),
            None => Err("the member who was asked may not let others in".into()),
        }
    }

    /// A node grants somebody the right to write and to let others in.
    pub(crate) fn grant(&mut self, id: NodeId, replica: ReplicaId, to: &Author) -> OpId {
        block_on(self.store(id).put_identity(to.identity_bytes().to_vec())).unwrap();
        self.append(id, replica, granting(to.id())).unwrap()
    }

    /// A node acts on authority, if it runs, has the replica, and may.
    pub(super) fn act(&mut self, id: NodeId, replica: ReplicaId, act: Act) -> Option<OpId> {
        self.append(id, replica, Draft { act: Some(act), ..Draft::default() })
    }

    /// A node withdraws all that was granted to somebody.
    pub(crate) fn revoke(&mut self, id: NodeId, replica: ReplicaId, grants: &[OpId]) -> OpId {
        let act = Act::Revoke { grants: grants.iter().copied().collect(), cut: Cut::new() };
        self.append(id, replica, Draft { act: Some(act), ..Draft::default() }).unwrap()
    }

    /// Whether a node may write.
    pub(crate) fn may_write(&self, id: NodeId, replica: ReplicaId) -> bool {
        let who = self.nodes[id.0].author.id();
        self.version(id, replica).is_some() && block_on(self.store(id).may(replica, who, Capability::WRITE)).unwrap()
    }

    /// When a node was told something first, after a time.
    pub(crate) fn told_after(&self, id: NodeId, since: Duration, what: impl Fn(&Event) -> bool) -> Option<Duration> {
        self.events(id).iter().find(|(at, event)| *at >= since && what(event)).map(|(at, _)| *at)
    }
}

fn granting(to: IdentityId) -> Draft {
    let can = BTreeSet::from([Capability::write(), Capability::grant()]);
    Draft { act: Some(Act::Grant { to, can }), payload: None, ..Draft::default() }
}
