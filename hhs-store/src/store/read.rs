//! Reading ops and history: in causal order, page by page, and what lies between two versions.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use hhs_model::authority::{Seen, Standing};
use hhs_model::history::{Difference, Positions};
use hhs_model::op::{Genesis, Op};
use hhs_model::replay::Kept;
use hhs_model::{Frontier, Hash, OpId, ReplicaId};

use super::keys;
use super::record::{OpRecord, Place, Signed};
use super::{Store, StoreError, corrupted, next_number};
use crate::backend::{Entry, Limit, Order, prefix_range};

/// An op as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOp {
    /// Where it stands in this store's causal order of the replica; below those of all ops that came later.
    pub position: u64,
    /// One more than the greatest height of its parents; 0 without parents.
    pub height: u64,
    /// The positions of its parents, in the order in which the op names them.
    pub parents: Vec<u64>,
    /// What its author had seen of authority.
    pub seen: Seen,
    /// The op.
    pub op: Op,
    /// Its payload, if it has one.
    pub payload: Option<Vec<u8>>,
}

impl StoredOp {
    /// The op as a replay takes it.
    pub fn kept(&self) -> Kept<'_> {
        let Self { position, parents, seen, op, payload, .. } = self;
        Kept { op, position: *position, parents, seen, payload: payload.as_deref() }
    }

    /// What its verdict depends on.
    pub fn standing(&self) -> Standing<'_> {
        let header = self.op.header();
        Standing { grants: &header.grants, position: self.position, act: header.act.as_ref().map(|_| self.op.id()) }
    }

    /// Bytes of its payload.
    pub(crate) fn payload_bytes(&self) -> usize {
        self.payload.as_ref().map_or(0, Vec::len)
    }

    /// Bytes of header and payload.
    pub(crate) fn bytes(&self) -> usize {
        self.op.bytes().len() + self.payload_bytes()
    }
}

/// How much to read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most this many ops.
    pub ops: usize,
    /// No further op once headers and payloads have about this many bytes.
    pub bytes: usize,
}

/// Records are looked through in pages of this many.
const PAGE: u64 = 1024;

impl Store {
    /// The genesis of a replica.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn genesis(&self, replica: ReplicaId) -> Result<Genesis, StoreError> {
        Ok(self.find_replica(replica).await?.1)
    }

    /// Whether a replica is here.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn has_replica(&self, replica: ReplicaId) -> Result<bool, StoreError> {
        Ok(matches!(self.place(replica).await?, Some(Place::Genesis { .. })))
    }

    /// All replicas, in the order in which they came.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn replicas(&self) -> Result<Vec<ReplicaId>, StoreError> {
        let all = Limit { entries: usize::MAX, bytes: usize::MAX };
        let mut ids = Vec::new();
        for (replica, object) in self.backend().scan(prefix_range(&[keys::REPLICA]), Order::Ascending, all).await? {
            match self.backend().get(&keys::id_of(keys::number(&object, 0)?)).await? {
                Some(id) => ids.push(ReplicaId(keys::id_at(&id, 0)?.0)),
                // Deleted between the two readings.
                None if self.backend().get(&replica).await?.is_none() => {}
                None => return Err(corrupted("the genesis of a replica is not there")),
            }
        }
        Ok(ids)
    }

    /// The heads of a replica: what a new op stands on, and peers are told of. Ops without effect that nothing effective
    /// stands on are left out; they are the [withheld heads](Self::withheld_heads).
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn frontier(&self, replica: ReplicaId) -> Result<Frontier, StoreError> {
        let number = self.replica_number(replica).await?;
        if let Some(tips) = self.listed_tips(number, replica).await? {
            return Ok(tips.into_iter().collect());
        }
        let all = Limit { entries: usize::MAX, bytes: usize::MAX };
        let mut last = self.last_op(number).await?;
        loop {
            let heads = self.backend().scan(prefix_range(&keys::heads_of(number)), Order::Ascending, all).await?;
            if !heads.is_empty() {
                let id = |id: Vec<u8>| id.try_into().map(|id| OpId(Hash(id)));
                let heads: Result<Frontier, _> = heads.into_iter().map(|(_, value)| id(value)).collect();
                return heads.map_err(|_| corrupted("a head is not an id"));
            }
            // It is the only head if it was the last op when there were no entries: positions only grow.
            let still = self.last_op(number).await?;
            match still == last {
                true => return Ok(last.into_iter().map(|(_, id)| id).collect()),
                false => last = still,
            }
        }
    }

    /// All entries below a prefix.
    pub(super) async fn all(&self, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let all = Limit { entries: usize::MAX, bytes: usize::MAX };
        Ok(self.backend().scan(prefix_range(prefix), Order::Ascending, all).await?)
    }

    /// The op with the highest position.
    async fn last_op(&self, replica: u32) -> Result<Option<(u64, OpId)>, StoreError> {
        let one = Limit { entries: 1, bytes: 1 };
        let last = self.backend().scan(prefix_range(&keys::ops_of(replica)), Order::Descending, one).await?;
        let id = |(key, record): &Entry| Ok((keys::number(key, 5)?, OpId::of(OpRecord::header_of(record)?)));
        last.first().map(id).transpose()
    }

    /// How many ops a replica has.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn count(&self, replica: ReplicaId) -> Result<u64, StoreError> {
        let number = self.replica_number(replica).await?;
        next_number(self.backend(), &keys::ops_of(number)).await
    }

    /// Those of `ids` that are not ops of the replica here.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn unknown(&self, replica: ReplicaId, ids: &[OpId]) -> Result<Vec<OpId>, StoreError> {
        let known = self.positions(replica, ids).await?;
        Ok(ids.iter().filter(|id| !known.contains_key(id)).copied().collect())
    }

    /// Those of `ids` that are ops of the replica here, with their positions.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here.
    pub async fn positions(&self, replica: ReplicaId, ids: &[OpId]) -> Result<BTreeMap<OpId, u64>, StoreError> {
        let number = self.replica_number(replica).await?;
        let mut known = BTreeMap::new();
        for (id, place) in ids.iter().zip(self.places(ids).await?) {
            if let Some(Place::Op { replica, position }) = place
                && replica == number
            {
                known.insert(*id, position);
            }
        }
        Ok(known)
    }

    /// The ops at or below `heads` that are not at or below any of `known`, all given by position.
    ///
    /// # Errors
    /// If the replica is not here or the backend cannot read.
    pub async fn difference(
        &self,
        replica: ReplicaId,
        heads: impl IntoIterator<Item = u64>,
        known: impl IntoIterator<Item = u64>,
    ) -> Result<Positions, StoreError> {
        let number = self.replica_number(replica).await?;
        let mut walk = Difference::new(heads, known);
        let mut page = Page { start: 0, parents: Vec::new() };
        while let Some(position) = walk.next_position() {
            let parents = match page.get(position) {
                Some(parents) => parents,
                None => {
                    page = self.page_below(number, position).await?;
                    page.get(position).ok_or_else(|| corrupted("the op of a position is not there"))?
                }
            };
            walk.visit(parents);
        }
        Ok(walk.finish())
    }

    async fn page_below(&self, replica: u32, position: u64) -> Result<Page, StoreError> {
        let start = position.saturating_sub(PAGE - 1);
        let range = (Bound::Included(keys::op(replica, start)), Bound::Included(keys::op(replica, position)));
        let all = Limit { entries: usize::MAX, bytes: usize::MAX };
        let records = self.backend().scan(range, Order::Ascending, all).await?;
        if records.len() as u64 != position - start + 1 {
            return Err(corrupted("the op of a position is not there"));
        }
        let parents =
            records.iter().map(|(_, record)| OpRecord::parents_of(record)).collect::<Result<_, StoreError>>()?;
        Ok(Page { start, parents })
    }

    /// The ids of the ops of a range of positions, in order.
    ///
    /// # Errors
    /// If the replica is not here or the backend cannot read.
    pub async fn op_ids(&self, replica: ReplicaId, range: Range<u64>) -> Result<Vec<OpId>, StoreError> {
        let number = self.replica_number(replica).await?;
        let mut ids = Vec::new();
        let mut start = Bound::Included(keys::op(number, range.start));
        let page = Limit { entries: PAGE as usize, bytes: usize::MAX };
        loop {
            // Page by page: a record is many times as large as the id.
            let keys = (start, Bound::Excluded(keys::op(number, range.end)));
            let records = self.backend().scan(keys, Order::Ascending, page).await?;
            for (_, record) in &records {
                ids.push(OpId::of(OpRecord::header_of(record)?));
            }
            match records.into_iter().next_back() {
                Some((last, _)) if (ids.len() as u64).is_multiple_of(PAGE) => start = Bound::Excluded(last),
                _ => return Ok(ids),
            }
        }
    }

    /// Reads ops of a range of positions, in order, until the limit; the first one whatever its size.
    ///
    /// # Errors
    /// If the replica is not here or the backend cannot read.
    pub async fn ops(
        &self,
        replica: ReplicaId,
        range: Range<u64>,
        limit: ReadLimit,
    ) -> Result<Vec<StoredOp>, StoreError> {
        let number = self.replica_number(replica).await?;
        let keys = (Bound::Included(keys::op(number, range.start)), Bound::Excluded(keys::op(number, range.end)));
        let limit = Limit { entries: limit.ops, bytes: limit.bytes };
        let records = self.backend().scan(keys, Order::Ascending, limit).await?;
        let mut ops = Vec::with_capacity(records.len());
        for (key, record) in records {
            let position = keys::number(&key, 5)?;
            let Signed { height, parents, seen, header, payload } = OpRecord::into_signed(record)?;
            let op = Op::from_vec(header).map_err(|_| corrupted("the header of an op cannot be read"))?;
            if payload.is_some() && op.header().payload.is_none() {
                return Err(corrupted("a payload stands in the record of an op that has none"));
            }
            if parents.iter().any(|parent| *parent >= position) {
                return Err(corrupted("an op stands above its parents, and one does not"));
            }
            ops.push(StoredOp { position, height, parents, seen, op, payload });
        }
        self.add_payloads(number, &mut ops, limit).await?;
        Ok(ops)
    }

    /// The op at a position, if there is one.
    ///
    /// # Errors
    /// If the replica is not here or the backend cannot read.
    pub async fn op_at(&self, replica: ReplicaId, position: u64) -> Result<Option<StoredOp>, StoreError> {
        let one = ReadLimit { ops: 1, bytes: usize::MAX };
        Ok(self.ops(replica, position..position.saturating_add(1), one).await?.pop())
    }

    /// Reads the payloads that do not stand in the records of their ops. Ops go that the limit cuts off with them.
    async fn add_payloads(&self, replica: u32, ops: &mut Vec<StoredOp>, limit: Limit) -> Result<(), StoreError> {
        let lacks = |stored: &StoredOp| stored.payload.is_none() && stored.op.header().payload.is_some();
        let Some(first) = ops.iter().position(lacks) else { return Ok(()) };
        let last = ops.iter().rposition(lacks).unwrap_or(first);
        let key = |at: usize| keys::payload(replica, ops[at].position);
        let keys = (Bound::Included(key(first)), Bound::Included(key(last)));
        let payloads = self.backend().scan(keys, Order::Ascending, limit).await?;
        let mut payloads = payloads.into_iter().peekable();
        let (mut admitted, mut bytes) = (0, 0);
        for stored in ops.iter_mut() {
            if !limit.admits(admitted, bytes) {
                break;
            }
            if lacks(stored) {
                let key = keys::payload(replica, stored.position);
                match payloads.next_if(|(found, _)| *found == key) {
                    Some((_, payload)) => stored.payload = Some(payload),
                    None if admitted > 0 => break,
                    None => return Err(corrupted("the payload of an op is not there")),
                }
            }
            bytes += stored.bytes();
            admitted += 1;
        }
        ops.truncate(admitted);
        Ok(())
    }
}

/// The parents of consecutive positions.
struct Page {
    start: u64,
    parents: Vec<Vec<u64>>,
}

impl Page {
    fn get(&self, position: u64) -> Option<&[u64]> {
        let at = usize::try_from(position.checked_sub(self.start)?).ok()?;
        self.parents.get(at).map(Vec::as_slice)
    }
}
