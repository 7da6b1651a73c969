//! The last entries of a log, straight from history: nothing else is loaded.
//!
//! Entries stand in the order of their ops, by height and then by id, and an op stands above its parents in it. So the walk
//! from the heads takes the greatest op that it has found at each step, and is done once it has so many entries. It costs
//! reading these ops, and those between them that wrote something else.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::authority::Authority;
use hhs_model::class::{OpContext, Replica, Rights, Unseen};
use hhs_model::codec::{Decode, DecodeError, Decoder};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::op::Header;
use hhs_model::{IdentityId, OpId, ReplicaId};

use super::{Store, StoreError, StoredOp, corrupted};

/// The last entries of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail<T> {
    /// The entries, the last one last.
    pub entries: Vec<TailEntry<T>>,
    /// Whether these are all that the log has.
    pub whole: bool,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailEntry<T> {
    /// The op that it came with.
    pub op: OpId,
    /// Who wrote it.
    pub author: IdentityId,
    /// When, as the author claims: milliseconds since 1970.
    pub time: u64,
    /// The entry.
    pub value: T,
}

impl Store {
    /// The last `count` entries of a field of class `R` that is a log of `T`, as the log shows them, without opening the
    /// replica.
    ///
    /// # Errors
    /// If the replica is not here, is of another class, or the backend cannot read.
    pub async fn log_tail<R: Replica, T: Decode>(
        &self,
        replica: ReplicaId,
        field: &str,
        count: usize,
    ) -> Result<LogTail<T>, StoreError> {
        let found = self.genesis(replica).await?.class;
        if found != R::CLASS {
            return Err(StoreError::Class { id: replica, found, expected: R::CLASS });
        }
        let mut walk = Walk::begin(self, replica).await?;
        let mut tail = LogTail { entries: Vec::new(), whole: false };
        while tail.entries.len() < count {
            let lacking = count - tail.entries.len();
            let ops = walk.next(self, lacking, |payload| entries::<T>(payload, field).len()).await?;
            if ops.is_empty() {
                tail.whole = true;
                break;
            }
            let effective = |authority: &Authority| -> Vec<bool> {
                ops.iter().map(|stored| has_effect::<R>(stored, authority)).collect()
            };
            let effective = self.with_authority(replica, effective).await?;
            for (stored, _) in ops.iter().zip(effective).filter(|(_, effective)| *effective) {
                let (op, header) = (stored.op.id(), stored.op.header());
                let values = entries::<T>(stored.payload.as_deref().unwrap_or_default(), field);
                let entry = |value| TailEntry { op, author: header.author, time: header.time, value };
                tail.entries.extend(values.into_iter().rev().map(entry));
            }
        }
        tail.entries.truncate(count);
        tail.entries.reverse();
        Ok(tail)
    }
}

/// A walk from the heads, the greatest op first.
struct Walk {
    replica: ReplicaId,
    pending: BTreeMap<(u64, OpId), StoredOp>,
    found: BTreeSet<u64>,
}

impl Walk {
    async fn begin(store: &Store, replica: ReplicaId) -> Result<Self, StoreError> {
        let mut walk = Self { replica, pending: BTreeMap::new(), found: BTreeSet::new() };
        let heads: Vec<OpId> = store.frontier(replica).await?.heads.into_iter().collect();
        for position in store.positions(replica, &heads).await?.into_values() {
            walk.push(store, position).await?;
        }
        Ok(walk)
    }

    /// The next ops that carry anything, until that are `lacking` entries or so.
    async fn next(
        &mut self,
        store: &Store,
        lacking: usize,
        entries: impl Fn(&[u8]) -> usize,
    ) -> Result<Vec<StoredOp>, StoreError> {
        let (mut ops, mut count) = (Vec::new(), 0);
        while count < lacking
            && let Some((_, stored)) = self.pending.pop_last()
        {
            for parent in &stored.parents {
                self.push(store, *parent).await?;
            }
            let carries = stored.payload.as_deref().map_or(0, &entries);
            if carries > 0 {
                count += carries;
                ops.push(stored);
            }
        }
        Ok(ops)
    }

    async fn push(&mut self, store: &Store, position: u64) -> Result<(), StoreError> {
        if self.found.insert(position) {
            let stored = store.op_at(self.replica, position).await?;
            let stored = stored.filter(|stored| stored.position == position);
            let stored = stored.ok_or_else(|| corrupted("the op of a position is not there"))?;
            self.pending.insert((stored.height, stored.op.id()), stored);
        }
        Ok(())
    }
}

/// What a payload appends to a log; nothing if it cannot be read so.
fn entries<T: Decode>(payload: &[u8], field: &str) -> Vec<T> {
    let read = || -> Result<Vec<T>, DecodeError> {
        let mut decoder = Decoder::new(payload)?;
        let mut fields = decoder.map()?;
        while let Some(name) = fields.next_key(&mut decoder)? {
            if name == field {
                return (0..decoder.list()?).map(|_| decoder.value()).collect();
            }
            decoder.skip()?;
        }
        Ok(Vec::new())
    };
    read().unwrap_or_default()
}

/// Whether an op counts, by authority and for its class.
fn has_effect<R: Replica>(stored: &StoredOp, authority: &Authority) -> bool {
    let header = stored.op.header();
    let (graph, hidden, rights) = (Graph::new(), SharedPositions::default(), Held { authority, header });
    let context = OpContext {
        id: stored.op.id(),
        position: stored.position,
        height: stored.height,
        author: header.author,
        time: header.time,
        act: header.act.as_ref(),
        graph: &graph,
        hidden: &hidden,
        rights: &rights,
        unseen: Unseen::default(),
    };
    let payload = stored.payload.as_deref().unwrap_or_default();
    let accepted = || R::decode(payload).is_ok_and(|mutations| R::accepts(&mutations, &context).is_ok());
    !authority.verdict(stored.standing()).is_void() && accepted()
}

/// What the author of an op may do.
struct Held<'a> {
    authority: &'a Authority,
    header: &'a Header,
}

impl Rights for Held<'_> {
    fn holds(&self, capability: &str) -> bool {
        self.authority.holds(self.header, capability)
    }
}
