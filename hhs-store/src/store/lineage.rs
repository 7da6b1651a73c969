//! Ops by id, what came before and after them, and replicas by class and by parent.

use std::ops::{Bound, Range};

use hhs_model::history::Positions;
use hhs_model::op::{Genesis, Op};
use hhs_model::{Frontier, Object, ObjectId, OpId, ReplicaId};

use super::index::Selector;
use super::query::Query;
use super::record::{OpRecord, Place};
use super::{ReadLimit, Store, StoreError, StoredOp, corrupted, keys};
use crate::backend::{Limit, Order, prefix_range};

/// Records that are looked through at once.
const PAGE: Limit = Limit { entries: 1024, bytes: 4 << 20 };
/// Children that are looked up at once.
const CHILDREN: usize = 512;

/// An op that was looked up by its id alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOp {
    /// The replica that it changes.
    pub replica: ReplicaId,
    /// The op, and where it stands.
    pub stored: StoredOp,
}

/// Everything that builds on an op, directly or not: what it may have had consequences for.
///
/// It reads the history from the op on once, and holds the positions that it found, as ranges.
#[derive(Debug)]
pub struct Consequences {
    store: Store,
    replica: u32,
    next: u64,
    /// Ascending: the op itself and what builds on it.
    found: Vec<Range<u64>>,
}

impl Store {
    /// An op by its id, of whatever replica. Three look-ups.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn op(&self, id: OpId) -> Result<Option<FoundOp>, StoreError> {
        let Some((number, position)) = self.place_of_op(id).await? else { return Ok(None) };
        let replica = self.replica_id(number).await?;
        let stored = self.ops(replica, position..position + 1, ReadLimit { ops: 1, bytes: 1 }).await?;
        let stored = stored.into_iter().next().ok_or_else(|| corrupted("an index names an op that is not there"))?;
        Ok(Some(FoundOp { replica, stored }))
    }

    /// The header of an op by its id, without its payload, which may be large.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn header(&self, id: OpId) -> Result<Option<Op>, StoreError> {
        let Some((number, position)) = self.place_of_op(id).await? else { return Ok(None) };
        let record = self.backend().get(&keys::op(number, position)).await?;
        let record = record.ok_or_else(|| corrupted("an index names an op that is not there"))?;
        Op::from_vec(OpRecord::into_header(record)?)
            .map(Some)
            .map_err(|_| corrupted("the header of an op cannot be read"))
    }

    /// Ops that have this one as a parent, with their positions, which are above `after`, if that is said: at most `limit`.
    ///
    /// There is no index of successors: it costs time in the ops from the op, or `after`, up to the last one found, and
    /// without enough of them up to the end of the replica.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] if it is not here, or if the backend cannot read.
    pub async fn successors(&self, op: OpId, after: Option<u64>, limit: usize) -> Result<Vec<(u64, OpId)>, StoreError> {
        let (replica, position) = self.place_of_op(op).await?.ok_or(StoreError::NoOp(op))?;
        let (mut found, mut next) = (Vec::new(), after.map_or(position, |after| after.max(position)).saturating_add(1));
        while found.len() < limit {
            let page = self.parents_from(replica, next).await?;
            let Some((last, ..)) = page.last() else { break };
            next = *last + 1;
            let above = page.iter().filter(|(_, parents, _)| parents.contains(&position));
            found.extend(above.map(|(at, _, id)| (*at, *id)).take(limit - found.len()));
        }
        Ok(found)
    }

    /// Everything that builds on an op.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] if it is not here, or if the backend cannot read.
    pub async fn consequences(&self, op: OpId) -> Result<Consequences, StoreError> {
        let (replica, position) = self.place_of_op(op).await?.ok_or(StoreError::NoOp(op))?;
        let found = std::iter::once(position..position + 1).collect();
        Ok(Consequences { store: self.clone(), replica, next: position + 1, found })
    }

    /// The positions of a version: its heads and all below them. Costs time in the ops of the replica below the highest
    /// head; memory in ranges.
    ///
    /// # Errors
    /// [`StoreError::NoOp`] for a head that is not an op of the replica here, or if the backend cannot read.
    pub async fn version(&self, replica: ReplicaId, version: &Frontier) -> Result<Positions, StoreError> {
        let heads: Vec<OpId> = version.heads.iter().copied().collect();
        let positions = self.positions(replica, &heads).await?;
        if let Some(missing) = heads.iter().find(|head| !positions.contains_key(head)) {
            return Err(StoreError::NoOp(*missing));
        }
        self.difference(replica, positions.into_values(), []).await
    }

    /// The replicas of a class, in the order in which they came, at most `limit` of those after `after`, if that is said.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if `after` is not here, or if the backend cannot read.
    pub async fn replicas_of_class(
        &self,
        class: &str,
        after: Option<ReplicaId>,
        limit: usize,
    ) -> Result<Vec<ReplicaId>, StoreError> {
        let class = Selector::class(class);
        let (mut start, end) = prefix_range(&keys::replicas_of_class(class));
        if let Some(after) = after {
            start = Bound::Excluded(keys::replica_of_class(class, self.replica_number(after).await?));
        }
        let limit = Limit { entries: limit, bytes: usize::MAX };
        let found = self.backend().scan((start, end), Order::Ascending, limit).await?;
        found.iter().map(|(_, id)| keys::id_at(id, 0).map(|id| ReplicaId(id.0))).collect()
    }

    /// The children of a replica that are here, in the order in which they came.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn children(&self, parent: ReplicaId) -> Result<Vec<ReplicaId>, StoreError> {
        let mut query = Query::referencing(parent).by_class(Genesis::CLASS).at("parent").limit(CHILDREN);
        let mut children = Vec::new();
        loop {
            let found = self.query(&query).await?;
            let Some(last) = found.last() else { return Ok(children) };
            query = query.after(last.cursor);
            // A genesis may be here as an object alone.
            let ids: Vec<ObjectId> = found.iter().map(|found| found.id).collect();
            let places = self.places(&ids).await?;
            let replicas = ids.iter().zip(places).filter(|(_, place)| matches!(place, Some(Place::Genesis { .. })));
            children.extend(replicas.map(|(id, _)| ReplicaId(id.0)));
        }
    }

    /// The replica of a number.
    pub(super) async fn replica_id(&self, number: u32) -> Result<ReplicaId, StoreError> {
        let object = self.backend().get(&keys::replica(number)).await?;
        let object = object.ok_or_else(|| corrupted("an op is of a replica that is not there"))?;
        let id = self.backend().get(&keys::id_of(keys::number(&object, 0)?)).await?;
        let id = id.ok_or_else(|| corrupted("the genesis of a replica is not there"))?;
        keys::id_at(&id, 0).map(|id| ReplicaId(id.0))
    }

    async fn place_of_op(&self, id: OpId) -> Result<Option<(u32, u64)>, StoreError> {
        match self.place(id).await? {
            Some(Place::Op { replica, position }) if !self.inner.aside.hides(replica) => Ok(Some((replica, position))),
            _ => Ok(None),
        }
    }

    /// Ops from a position on, with the positions of their parents.
    async fn parents_from(&self, replica: u32, next: u64) -> Result<Vec<(u64, Vec<u64>, OpId)>, StoreError> {
        let range = (Bound::Included(keys::op(replica, next)), prefix_range(&keys::ops_of(replica)).1);
        let records = self.backend().scan(range, Order::Ascending, PAGE).await?;
        let read = |(key, record): &(Vec<u8>, Vec<u8>)| {
            let record = OpRecord::from_bytes(record)?;
            Ok((keys::number(key, 5)?, record.parents, OpId::of(&record.header)))
        };
        records.iter().map(read).collect()
    }
}

impl Consequences {
    /// The next ops that build on it, with their positions; none at the end. A page may be of any length: it is what one
    /// reading of about a thousand ops gives, or more readings if that gave none.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn next_page(&mut self) -> Result<Vec<(u64, OpId)>, StoreError> {
        loop {
            let page = self.store.parents_from(self.replica, self.next).await?;
            let Some((last, ..)) = page.last() else { return Ok(Vec::new()) };
            self.next = *last + 1;
            let mut above = Vec::new();
            for (position, parents, id) in page {
                if parents.iter().any(|parent| self.holds(*parent)) {
                    self.add(position);
                    above.push((position, id));
                }
            }
            if !above.is_empty() {
                return Ok(above);
            }
        }
    }

    fn holds(&self, position: u64) -> bool {
        let at = self.found.partition_point(|range| range.end <= position);
        self.found.get(at).is_some_and(|range| range.start <= position)
    }

    fn add(&mut self, position: u64) {
        match self.found.last_mut() {
            Some(range) if range.end == position => range.end += 1,
            _ => self.found.push(position..position + 1),
        }
    }
}
