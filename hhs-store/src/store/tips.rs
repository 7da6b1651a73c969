//! Which ops new ones stand on, and which heads peers are told of: the effective ops with no effective one above them.
//!
//! Heads that are void are *withheld*, with all void ops below them down to what an effective op stands on. Who was removed
//! and goes on writing so costs the others little: nobody builds on that, nobody is told of it, and nobody keeps more of it
//! than a quota. Most replicas have no such ops, and then the tips are the heads.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::authority::Standing;
use hhs_model::bounds::MAX_PARENTS;
use hhs_model::class::{Loader, Saver};
use hhs_model::history::Positions;
use hhs_model::op::{Act, Op};
use hhs_model::{Hash, IdentityId, OpId};

use super::acts;
use super::error::IngestError;
use super::record::OpRecord;
use super::replica::{Link, ReplicaState, Staged};
use super::{Store, StoreError, StoredOp, corrupted, keys};
use crate::backend::Batch;

/// What is withheld, and what stands in the backend of it.
#[derive(Default)]
pub(super) struct Tips {
    /// The tips, if there are heads that are none.
    some: Option<BTreeMap<OpId, Link>>,
    withheld: BTreeMap<u64, Withheld>,
    /// Whether verdicts have changed since the tips were looked for.
    unsettled: bool,
    /// Whether what is withheld is other than what is listed.
    moved: bool,
    listed: Option<Vec<u8>>,
    listed_withheld: BTreeSet<u64>,
}

/// An op that is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Withheld {
    author: IdentityId,
    bytes: u64,
}

/// An op that was looked at.
struct Looked {
    op: Op,
    parents: Vec<u64>,
    link: Link,
}

impl ReplicaState {
    /// The effective ops with no effective one above them.
    pub(super) fn tips(&self) -> &BTreeMap<OpId, Link> {
        self.tips.some.as_ref().unwrap_or(&self.heads)
    }

    /// The ops that are withheld.
    pub(super) fn withheld(&self) -> impl Iterator<Item = u64> {
        self.tips.withheld.keys().copied()
    }

    /// Whether an op on top of the tips has all that is here in its past, as far as one op can name them.
    pub(super) fn stands_on_all(&self) -> bool {
        self.tips.some.is_none() && self.heads.len() <= MAX_PARENTS
    }

    /// Takes note of an op that is about to become a head.
    pub(super) fn move_tips(&mut self, op: &Op, parents: &[Link], link: &Link, affects: bool) {
        let tips = &mut self.tips;
        tips.unsettled |= affects;
        if self.authority.verdict(standing(op, link.position)).is_void() {
            tips.some.get_or_insert_with(|| self.heads.clone());
            tips.withheld.insert(link.position, Withheld::of(op));
            tips.moved = true;
        } else if let Some(some) = &mut tips.some {
            tips.unsettled |= parents.iter().any(|parent| tips.withheld.contains_key(&parent.position));
            op.header().parents.iter().for_each(|parent| drop(some.remove(parent)));
            some.insert(op.id(), link.clone());
        }
    }

    /// Looks for the tips anew if verdicts have changed: walks down from the heads, through all that is void.
    pub(super) async fn settle_tips(&mut self, store: &Store, staged: &Staged) -> Result<(), StoreError> {
        if !self.tips.unsettled {
            return Ok(());
        }
        let (mut tips, mut withheld) = (BTreeMap::new(), BTreeMap::new());
        let mut left: BTreeSet<u64> = self.heads.values().map(|link| link.position).collect();
        while let Some(position) = left.pop_last() {
            let looked = self.look(store, staged, position).await?;
            if self.authority.verdict(standing(&looked.op, position)).is_void() {
                withheld.insert(position, Withheld::of(&looked.op));
                left.extend(looked.parents);
            } else {
                tips.insert(position, (looked.op.id(), looked.link));
            }
        }
        if withheld.is_empty() {
            self.tips.some = None;
        } else {
            self.read_graph(store, staged).await?;
            if let Some(graph) = &self.graph {
                let positions: Vec<u64> = tips.keys().copied().collect();
                let heads = graph.heads_of(&positions);
                tips.retain(|position, _| heads.binary_search(position).is_ok());
                withheld.retain(|position, _| !graph.contains(&heads, *position));
            }
            self.tips.some = Some(tips.into_values().collect());
        }
        self.tips.withheld = withheld;
        (self.tips.unsettled, self.tips.moved) = (false, true);
        Ok(())
    }

    /// Whether more was staged than is kept of what has no effect.
    pub(super) fn check_quota(&self, staged: &Staged) -> Result<(), IngestError> {
        let withdraws =
            |stored: &StoredOp| withdraws(&stored.op) && !self.authority.verdict(stored.standing()).is_void();
        if staged.ops.iter().any(withdraws) {
            // What came before that was ordinary when it came.
            return Ok(());
        }
        let is_withheld = |stored: &&StoredOp| self.tips.withheld.contains_key(&stored.position);
        for stored in staged.ops.iter().filter(is_withheld) {
            let author = stored.op.header().author;
            let all = self.tips.withheld.values().filter(|withheld| withheld.author == author);
            let (count, bytes) = all.fold((0, 0), |(count, bytes), withheld| (count + 1, bytes + withheld.bytes));
            if count > MAX_WITHHELD || bytes > MAX_WITHHELD_BYTES {
                return Err(IngestError::Withheld { op: stored.op.id(), author });
            }
            if count == staged.ops.len() {
                // All of them are by one author, who was looked at.
                break;
            }
        }
        Ok(())
    }

    /// Adds to a batch what has changed in the lists of tips and of what is withheld.
    pub(super) fn list_tips(&mut self, batch: &mut Batch) {
        let number = self.number;
        let tips = &mut self.tips;
        let listed = tips.some.as_ref().map(to_bytes);
        if listed != tips.listed {
            match &listed {
                Some(bytes) => batch.put(keys::tips(number), bytes.clone()),
                None => batch.delete(keys::tips(number)),
            };
            tips.listed = listed;
        }
        if !std::mem::take(&mut tips.moved) {
            return;
        }
        let now: BTreeSet<u64> = tips.withheld.keys().copied().collect();
        for gone in tips.listed_withheld.difference(&now) {
            batch.delete(keys::withheld(number, *gone));
        }
        for new in now.difference(&tips.listed_withheld) {
            batch.put(keys::withheld(number, *new), tips.withheld[new].to_bytes());
        }
        tips.listed_withheld = now;
    }

    /// Reads the lists of tips and of what is withheld.
    pub(super) async fn load_tips(&mut self, store: &Store) -> Result<(), StoreError> {
        let Some(listed) = store.backend().get(&keys::tips(self.number)).await? else { return Ok(()) };
        for (key, value) in store.all(&keys::all_withheld(self.number)).await? {
            self.tips.withheld.insert(keys::number(&key, 5)?, Withheld::from_bytes(&value)?);
        }
        self.tips.listed_withheld = self.tips.withheld.keys().copied().collect();
        self.tips.listed = Some(listed.clone());
        if listed.is_empty() {
            // They were forgotten, to be looked for anew.
            self.tips.unsettled = true;
            return self.settle_tips(store, &Staged::default()).await;
        }
        let mut some = BTreeMap::new();
        let positions: Vec<u64> = from_bytes(&listed)?.into_iter().map(|(position, _)| position).collect();
        for (position, record) in acts::records(store.backend(), self.number, &positions).await? {
            let id = OpId::of(&record.header);
            let seen = self.seen_after(&id, record.seen)?;
            some.insert(id, Link { position, height: record.height, seen });
        }
        self.tips.some = Some(some);
        Ok(())
    }

    /// Reads which op stands on which, unless that is known; the staged ones among them.
    pub(super) async fn read_graph(&mut self, store: &Store, staged: &Staged) -> Result<(), StoreError> {
        if self.graph.is_some() {
            return Ok(());
        }
        let replica = self.authority.founding().id();
        let graph = store.read_shape(self.number, replica, self.count, staged).await?;
        self.graph = Some(graph);
        Ok(())
    }

    /// Takes note that verdicts may have changed since an epoch of the authority, of ops that are there.
    pub(super) fn verdicts_may_differ(&mut self, since: u64) {
        self.tips.unsettled |= self.authority.epoch() != since;
    }

    async fn look(&self, store: &Store, staged: &Staged, position: u64) -> Result<Looked, StoreError> {
        let (op, parents, height, seen) = match store.backend().get(&keys::op(self.number, position)).await? {
            Some(record) => {
                let record = OpRecord::from_bytes(&record)?;
                let op = Op::from_vec(record.header).map_err(|_| corrupted("the header of an op cannot be read"))?;
                (op, record.parents, record.height, record.seen)
            }
            None => {
                let StoredOp { op, parents, height, seen, .. } = self.staged_op(store, staged, position)?;
                (op, parents, height, seen)
            }
        };
        if parents.iter().any(|parent| *parent >= position) {
            return Err(corrupted("an op stands before its parents"));
        }
        let seen = self.seen_after(&op.id(), seen)?;
        Ok(Looked { op, parents, link: Link { position, height, seen } })
    }

    /// An op that is not durable yet.
    fn staged_op(&self, store: &Store, staged: &Staged, position: u64) -> Result<StoredOp, StoreError> {
        let own = staged.ops.iter().find(|stored| stored.position == position).cloned();
        let replica = self.authority.founding().id();
        let found = own.or_else(|| store.pipeline().staged_op(replica, position));
        found.ok_or_else(|| corrupted("an op is not there, but one after it is"))
    }
}

impl Store {
    /// Heads that nobody is told of: ops without effect, under which nothing effective stands. They can be asked for like
    /// all others; if what has made them void is undone, they become [heads](Self::frontier) again.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if the replica is not here.
    pub async fn withheld_heads(&self, replica: hhs_model::ReplicaId) -> Result<Vec<OpId>, StoreError> {
        self.with_state(replica, |state| {
            let tips = state.tips();
            state.heads.keys().filter(|head| !tips.contains_key(*head)).copied().collect()
        })
        .await
    }

    /// The tips that are listed, if they are not the heads.
    pub(super) async fn listed_tips(
        &self,
        number: u32,
        replica: hhs_model::ReplicaId,
    ) -> Result<Option<Vec<OpId>>, StoreError> {
        match self.backend().get(&keys::tips(number)).await? {
            None => Ok(None),
            Some(bytes) if bytes.is_empty() => {
                self.with_state(replica, |state| Some(state.tips().keys().copied().collect())).await
            }
            Some(bytes) => Ok(Some(from_bytes(&bytes)?.into_iter().map(|(_, id)| id).collect())),
        }
    }
}

impl Withheld {
    fn of(op: &Op) -> Self {
        let payload = op.header().payload.as_ref().map_or(0, |payload| payload.size);
        Self { author: op.header().author, bytes: op.bytes().len() as u64 + payload }
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.author.as_bytes()[..], &self.bytes.to_be_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let author = IdentityId(keys::id_at(bytes, 0)?.0);
        Ok(Self { author, bytes: keys::number(bytes, 32)? })
    }
}

/// What the verdict on an op depends on.
fn standing(op: &Op, position: u64) -> Standing<'_> {
    let header = op.header();
    Standing { grants: &header.grants, position, act: header.act.as_ref().map(|_| op.id()) }
}

/// Positions and ids, behind a byte: an empty value says that they have to be looked for.
fn to_bytes(tips: &BTreeMap<OpId, Link>) -> Vec<u8> {
    let mut bytes = vec![1];
    for (id, link) in tips {
        bytes.extend_from_slice(&link.position.to_be_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }
    bytes
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<Vec<(u64, OpId)>, StoreError> {
    let wrong = || corrupted("the list of tips has no sense");
    let (entries, rest) = bytes.split_first().filter(|(first, _)| **first == 1).ok_or_else(wrong)?.1.as_chunks::<40>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    let entry = |entry: &[u8; 40]| {
        let (position, id) = entry.split_at(8);
        Ok((keys::number(position, 0)?, OpId(Hash(id.try_into().map_err(|_| wrong())?))))
    };
    entries.iter().map(entry).collect()
}

/// What the entry of an act holds: its position, and for one that withdraws something which positions before it are not in
/// its past.
pub(super) fn act_entry(position: u64, unseen: Option<&Positions>) -> Vec<u8> {
    let mut bytes = position.to_be_bytes().to_vec();
    if let Some(unseen) = unseen {
        let mut saver = Saver::new();
        unseen.save(&mut saver);
        bytes.extend(saver.finish());
    }
    bytes
}

pub(super) fn read_act_entry(bytes: &[u8]) -> Result<(u64, Option<Positions>), StoreError> {
    let wrong = || corrupted("the entry of an op that acts on authority has no sense");
    let (position, unseen) = bytes.split_at_checked(8).ok_or_else(wrong)?;
    let position = keys::number(position, 0)?;
    if unseen.is_empty() {
        return Ok((position, None));
    }
    let mut loader = Loader::new(unseen);
    let unseen = Positions::load(&mut loader, position).map_err(|_| wrong())?;
    loader.finish().map_err(|_| wrong())?;
    Ok((position, Some(unseen)))
}

/// Whether it matters what an op has not seen.
pub(super) fn withdraws(op: &Op) -> bool {
    op.header().act.as_ref().is_some_and(Act::withdraws)
}

/// Ops of one author that are withheld in a replica. Too low: who was apart from the others, and did not know that somebody
/// was removed, cannot hand over what was built on more of theirs. Too high: who was removed can make others keep more.
pub(super) const MAX_WITHHELD: usize = 4096;
/// Bytes of their headers and payloads.
const MAX_WITHHELD_BYTES: u64 = 16 << 20;
