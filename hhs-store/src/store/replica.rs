//! The writer's view of one replica: its heads and its authority, and how ops are judged and staged on top.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::authority::{Authority, Refusal, Seen};
use hhs_model::bounds::MAX_CHILD_LEVELS;
use hhs_model::history::{Graph, Positions};
use hhs_model::object;
use hhs_model::op::{Founding, FoundingError, Genesis, Op};
use hhs_model::{ObjectId, OpId, ReplicaId};

use super::acts;
use super::foreign::Foreign;
use super::index;
use super::keys;
use super::read::StoredOp;
use super::recent::Recent;
use super::record::{MAX_INLINE_BYTES, OpRecord, Place};
use super::tips::{Tips, act_entry, withdraws};
use super::{Store, StoreError, corrupted, next_number};
use crate::backend::Batch;

pub(super) struct ReplicaState {
    pub(super) number: u32,
    pub(super) authority: Authority,
    pub(super) count: u64,
    pub(super) heads: BTreeMap<OpId, Link>,
    /// Which op stands on which, as soon as any op withdraws authority: then it matters what that one has not seen.
    pub(super) graph: Option<Graph>,
    /// Which of the heads count.
    pub(super) tips: Tips,
    /// What it has to do with those that give it authority.
    pub(super) foreign: Foreign,
    /// Whether the heads have entries. A single one needs none: it is the last op, as that has no successor.
    listed: bool,
    /// Identities that the index lists as named by ops of this replica, as far as that was needed lately.
    named: Recent<ObjectId, ()>,
}

/// What an op on top of another has to know of it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) position: u64,
    pub(super) height: u64,
    pub(super) seen: Seen,
}

/// Ops that were judged and will be committed together.
#[derive(Default)]
pub(super) struct Staged {
    pub(super) batch: Batch,
    pub(super) ops: Vec<StoredOp>,
    pub(super) links: BTreeMap<OpId, Link>,
    /// What those of them have not seen that withdraw something, by position.
    pub(super) unseen: BTreeMap<u64, Positions>,
    /// Acts of sources whose cuts list one of them.
    pub(super) arrived: BTreeSet<OpId>,
    /// What such acts keep of the replica by now.
    pub(super) kept: Vec<(OpId, Positions)>,
    heads_added: BTreeMap<u64, OpId>,
    heads_removed: BTreeSet<u64>,
}

impl Staged {
    /// The op, if it is among the staged ones.
    pub(super) fn link(&self, op: &OpId) -> Option<&Link> {
        self.links.get(op)
    }
}

impl ReplicaState {
    /// Reads the state of a replica.
    pub(super) async fn load(store: &Store, id: ReplicaId) -> Result<Self, StoreError> {
        let (number, genesis) = store.find_staged_replica(id).await?;
        let founding = store.founded(id, genesis).await?;
        let sources = store.sources_of(&founding).await?;
        let foreign = Foreign::new(&sources);
        let staged = store.pipeline().staged_acts(&foreign.sources);
        let count = next_number(store.backend(), &keys::ops_of(number)).await?;
        let (authority, with_cuts) = Self::found(store, founding, &sources, staged).await?;
        let (heads, tips, named) = (BTreeMap::new(), Tips::default(), Recent::new(NAMED));
        let mut state = Self { number, authority, count, heads, graph: None, tips, foreign, listed: false, named };
        let mut acts = acts::listed(store.backend(), number).await?;
        store.complete_unseen((number, id), &mut acts).await?;
        for act in acts {
            if !state.authority.knows(&act.seen) {
                return Err(corrupted("an op does not act on authority as the list says"));
            }
            if state.authority.judge(act.op.header(), &act.seen).is_err() {
                return Err(corrupted("an act is by somebody who had no right to it"));
            }
            state.authority.add(&act.op, act.position, act.height, act.seen, || act.unseen.unwrap_or_default());
        }
        state.keep_cuts(store, &with_cuts).await?;
        state.load_heads(store).await?;
        state.load_tips(store).await?;
        Ok(state)
    }

    async fn load_heads(&mut self, store: &Store) -> Result<(), StoreError> {
        let entries = store.all(&keys::heads_of(self.number)).await?;
        let mut positions: Vec<u64> =
            entries.iter().map(|(key, _)| keys::number(key, 5)).collect::<Result<_, StoreError>>()?;
        self.listed = !positions.is_empty();
        if !self.listed {
            positions.extend(self.count.checked_sub(1));
        }
        for (position, record) in acts::records(store.backend(), self.number, &positions).await? {
            let id = OpId::of(&record.header);
            let seen = self.seen_after(&id, record.seen)?;
            self.heads.insert(id, Link { position, height: record.height, seen });
        }
        Ok(())
    }

    /// Makes ready to stage ops from elsewhere: for those that withdraw authority it matters what they have not seen.
    pub(super) async fn prepare(&mut self, store: &Store, op: &Op) -> Result<(), StoreError> {
        match withdraws(op) {
            true => self.read_graph(store, &Staged::default()).await,
            false => Ok(()),
        }
    }

    /// What ops on top of `op` have seen, if `op` itself had seen `seen`.
    ///
    /// # Errors
    /// If that, which comes from a record, cannot be.
    pub(super) fn seen_after(&self, op: &OpId, seen: Seen) -> Result<Seen, StoreError> {
        match self.authority.number_of(op) {
            Some(number) => Ok(Seen::act(number)),
            None if self.authority.knows(&seen) => Ok(seen),
            None => Err(corrupted("an op has seen what is not there")),
        }
    }

    /// Judges an op whose parents are all held and stages it.
    pub(super) fn stage(
        &mut self,
        staged: &mut Staged,
        op: Op,
        payload: Option<Vec<u8>>,
        parents: &[Link],
    ) -> Result<(), Refusal> {
        let deps: Vec<Seen> = op.header().deps.iter().filter_map(|dep| self.authority.dependency(dep)).collect();
        let seen = self.authority.join(parents.iter().map(|parent| &parent.seen).chain(&deps));
        self.authority.judge(op.header(), &seen)?;
        let position = self.count;
        let height = parents.iter().map(|parent| parent.height + 1).max().unwrap_or(0);
        let below: Vec<u64> = parents.iter().map(|parent| parent.position).collect();
        let inline = payload.as_deref().filter(|payload| payload.len() <= MAX_INLINE_BYTES);
        let record = OpRecord::encode(height, &below, &seen, op.bytes(), inline);
        let batch = &mut staged.batch;
        batch.put(keys::place(op.id()), Place::Op { replica: self.number, position }.to_bytes());
        batch.put(keys::op(self.number, position), record);
        if let (Some(payload), None) = (&payload, inline) {
            batch.put(keys::payload(self.number, position), payload.clone());
        }
        for id in index::named_in_header(op.header()) {
            if self.named.get(id).is_none() {
                batch.put(keys::writes(id, self.number), position.to_be_bytes());
                self.named.put(id, ());
            }
        }
        for id in payload.iter().flat_map(|payload| index::linked_from(payload)) {
            batch.put(keys::linked(id, self.number, position), []);
        }
        self.count += 1;
        if let Some(graph) = &mut self.graph {
            graph.push(&below);
        }
        let (number, before) = (self.authority.len() as u64, self.authority.epoch());
        // Without a graph, what withdraws authority stands on all heads: own ops do.
        let not_seen = withdraws(&op).then(|| unseen(self.graph.as_ref(), position));
        if op.header().act.is_some() {
            batch.put(keys::act(self.number, number), act_entry(position, not_seen.as_ref()));
        }
        staged.unseen.extend(not_seen.iter().map(|unseen| (position, unseen.clone())));
        staged.arrived.extend(self.foreign.arrived(&op.id(), position));
        let its_own = seen.clone();
        let added = self.authority.add(&op, position, height, seen, || not_seen.unwrap_or_default());
        let link = Link { position, height, seen: added.seen };
        self.move_tips(&op, parents, &link, self.authority.epoch() != before);
        self.move_heads(staged, &op, link);
        staged.ops.push(StoredOp { position, height, parents: below, seen: its_own, op, payload });
        Ok(())
    }

    fn move_heads(&mut self, staged: &mut Staged, op: &Op, link: Link) {
        for parent in &op.header().parents {
            if let Some(head) = self.heads.remove(parent)
                && staged.heads_added.remove(&head.position).is_none()
            {
                staged.heads_removed.insert(head.position);
            }
        }
        staged.heads_added.insert(link.position, op.id());
        staged.links.insert(op.id(), link.clone());
        self.heads.insert(op.id(), link);
    }

    /// Whether an op of this replica names an identity, so that it is here. Not always known.
    pub(super) fn names(&mut self, identity: ObjectId) -> bool {
        self.named.get(identity).is_some()
    }

    /// The batch of all that was staged, the heads included: they have entries as long as there are several.
    pub(super) fn finish(&mut self, staged: &mut Staged) -> Batch {
        let mut batch = std::mem::take(&mut staged.batch);
        self.list_tips(&mut batch);
        let added = std::mem::take(&mut staged.heads_added);
        let removed = std::mem::take(&mut staged.heads_removed);
        if added.is_empty() {
            return batch;
        }
        let were_listed = std::mem::replace(&mut self.listed, self.heads.len() > 1);
        for position in removed.into_iter().filter(|_| were_listed) {
            batch.delete(keys::head(self.number, position));
        }
        let missing: Vec<(u64, OpId)> = match (were_listed, self.listed) {
            (_, false) => Vec::new(),
            (true, true) => added.into_iter().collect(),
            (false, true) => self.heads.iter().map(|(id, link)| (link.position, *id)).collect(),
        };
        for (position, id) in missing {
            batch.put(keys::head(self.number, position), id.as_bytes().to_vec());
        }
        batch
    }
}

/// The positions before one that are not in its past.
fn unseen(graph: Option<&Graph>, position: u64) -> Positions {
    graph.map(|graph| graph.unseen(position)).unwrap_or_default()
}

/// Identities that are remembered as listed, in each of two generations. Too low: some are listed again, which changes
/// nothing but costs a write.
const NAMED: usize = 1024;

impl Store {
    /// The number of a replica that is durable or will be.
    pub(super) async fn staged_replica_number(&self, id: ReplicaId) -> Result<u32, StoreError> {
        match self.staged_place(id).await? {
            Some(Place::Genesis { replica, .. }) => Ok(replica),
            _ => Err(StoreError::NoReplica(id)),
        }
    }

    /// The number and the genesis of a replica.
    pub(super) async fn find_replica(&self, id: ReplicaId) -> Result<(u32, Genesis), StoreError> {
        let (replica, object) = self.place_of_replica(id).await?;
        let bytes = self.backend().get(&keys::object(object)).await?;
        let bytes = bytes.ok_or_else(|| corrupted("the genesis of a replica is not there"))?;
        let genesis = object::from_bytes(&bytes).map_err(|_| corrupted("the genesis of a replica cannot be read"))?;
        Ok((replica, genesis))
    }

    /// The same of a replica that is durable or will be.
    pub(super) async fn find_staged_replica(&self, id: ReplicaId) -> Result<(u32, Genesis), StoreError> {
        let Some(Place::Genesis { replica, object }) = self.staged_place(id).await? else {
            return Err(StoreError::NoReplica(id));
        };
        let bytes = self.staged_get(&keys::object(object)).await?;
        let bytes = bytes.ok_or_else(|| corrupted("the genesis of a replica is not there"))?;
        let genesis = object::from_bytes(&bytes).map_err(|_| corrupted("the genesis of a replica cannot be read"))?;
        Ok((replica, genesis))
    }

    /// What a replica began with: its class, and the roles of the root above it.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn founding(&self, id: ReplicaId) -> Result<Founding, StoreError> {
        let (_, genesis) = self.find_replica(id).await?;
        self.founded(id, genesis).await
    }

    /// What the genesis of this id founds, if all that stands above it is here.
    pub(super) async fn founded(&self, id: ReplicaId, genesis: Genesis) -> Result<Founding, StoreError> {
        let (mut child, mut top, mut below) = (id, genesis, Vec::new());
        while let Some(parent) = top.parent() {
            if below.len() == MAX_CHILD_LEVELS {
                return Err(FoundingError::TooDeep.into());
            }
            below.push(top);
            top = match self.find_staged_replica(parent).await {
                Err(StoreError::NoReplica(_)) => return Err(StoreError::NoParent { child, parent }),
                found => found?.1,
            };
            child = parent;
        }
        let root = Founding::root(top)?;
        below.into_iter().rev().try_fold(root, |founding, child| Ok(founding.child(child)?))
    }

    /// The number of a replica, without reading its genesis, which may be large.
    pub(super) async fn replica_number(&self, id: ReplicaId) -> Result<u32, StoreError> {
        Ok(self.place_of_replica(id).await?.0)
    }

    async fn place_of_replica(&self, id: ReplicaId) -> Result<(u32, u64), StoreError> {
        match self.place(id).await? {
            Some(Place::Genesis { replica, object }) => Ok((replica, object)),
            _ => Err(StoreError::NoReplica(id)),
        }
    }
}
