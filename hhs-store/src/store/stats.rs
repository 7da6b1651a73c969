//! How much a store holds.

use std::collections::BTreeMap;

use hhs_model::{ReplicaId, object};

use super::record::OpRecord;
use super::{Store, StoreError, keys, next_number};
use crate::backend::{BackendStats, Limit, Order, prefix_range};

/// How much a store holds, as far as that costs little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// How many replicas are being deleted.
    pub deleting: u64,
    /// The replicas.
    pub replicas: Vec<ReplicaStats>,
    /// What the backend says.
    pub backend: BackendStats,
}

/// How much a replica holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStats {
    /// Its id.
    pub id: ReplicaId,
    /// Its class.
    pub class: String,
    /// Its ops.
    pub ops: u64,
    /// Its heads.
    pub heads: u64,
}

/// How many there are, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Their bytes, without keys and indexes.
    pub bytes: u64,
}

/// What takes the room of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Objects by class, identities and geneses among them.
    pub classes: BTreeMap<String, Amount>,
    /// Op headers and payloads by replica.
    pub replicas: BTreeMap<ReplicaId, Ops>,
    /// Index entries, and where ids lead.
    pub indexes: Amount,
    /// Checkpoints of live replicas.
    pub checkpoints: Amount,
}

/// What the ops of a replica take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ops {
    /// Their records, headers among them.
    pub records: Amount,
    /// Their payloads.
    pub payloads: Amount,
}

/// Entries that are read at once.
const PAGE: Limit = Limit { entries: 4096, bytes: 4 << 20 };

impl Store {
    /// How much is here: some look-ups for each replica, and what the backend itself has to read.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let mut replicas = Vec::new();
        for id in self.replicas().await? {
            let number = match self.replica_number(id).await {
                Err(StoreError::NoReplica(_)) => continue,
                number => number?,
            };
            let class = self.genesis(id).await?.class;
            let ops = next_number(self.backend(), &keys::ops_of(number)).await?;
            // A single head has no entry.
            let heads = self.amount(&keys::heads_of(number)).await?.count.max(ops.min(1));
            replicas.push(ReplicaStats { id, class, ops, heads });
        }
        let deleting = self.amount(&[keys::DELETING]).await?.count;
        Ok(Stats { deleting, replicas, backend: self.backend().stats().await? })
    }

    /// What takes the room: reads everything once. Memory: what it returns.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn room(&self) -> Result<Room, StoreError> {
        let mut room = Room::default();
        let mut after = None;
        while let Some(page) = self.page_of(&[keys::OBJECT], &mut after).await? {
            for (_, bytes) in page {
                let class = object::class_of(&bytes).unwrap_or_default();
                match room.classes.get_mut(class) {
                    Some(amount) => amount.add(bytes.len()),
                    None => drop(room.classes.insert(class.to_owned(), Amount { count: 1, bytes: bytes.len() as u64 })),
                }
            }
        }
        for id in self.replicas().await? {
            let number = match self.replica_number(id).await {
                Err(StoreError::NoReplica(_)) => continue,
                number => number?,
            };
            let (mut records, mut after) = (Amount::default(), None);
            let mut payloads = self.amount(&keys::payloads_of(number)).await?;
            while let Some(page) = self.page_of(&keys::ops_of(number), &mut after).await? {
                for (_, record) in page {
                    let inline = OpRecord::payload_bytes(&record)?;
                    records.add(record.len() - inline.unwrap_or(0));
                    inline.into_iter().for_each(|bytes| payloads.add(bytes));
                }
            }
            room.replicas.insert(id, Ops { records, payloads });
        }
        for kind in std::iter::once(keys::PLACE).chain(keys::ACT..=keys::HEAD).chain(keys::ID_OF..=keys::WRITES) {
            let mut after = None;
            while let Some(page) = self.page_of(&[kind], &mut after).await? {
                page.iter().for_each(|(key, value)| room.indexes.add(key.len() + value.len()));
            }
        }
        let verdicts = [keys::TIPS, keys::WITHHELD];
        for kind in verdicts {
            let amount = self.amount(&[kind]).await?;
            room.indexes.count += amount.count;
            room.indexes.bytes += amount.bytes;
        }
        room.checkpoints.count = self.amount(&[keys::CHECKPOINT]).await?.count;
        room.checkpoints.bytes = self.amount(&[keys::CHECKPOINT_PART]).await?.bytes;
        Ok(room)
    }

    /// What is below a prefix.
    async fn amount(&self, prefix: &[u8]) -> Result<Amount, StoreError> {
        let (mut amount, mut after) = (Amount::default(), None);
        while let Some(page) = self.page_of(prefix, &mut after).await? {
            page.iter().for_each(|(_, value)| amount.add(value.len()));
        }
        Ok(amount)
    }

    async fn page_of(
        &self,
        prefix: &[u8],
        after: &mut Option<Vec<u8>>,
    ) -> Result<Option<Vec<crate::backend::Entry>>, StoreError> {
        let (mut start, end) = prefix_range(prefix);
        if let Some(after) = after.take() {
            start = std::ops::Bound::Excluded(after);
        }
        let page = self.backend().scan((start, end), Order::Ascending, PAGE).await?;
        *after = page.last().map(|(key, _)| key.clone());
        Ok((!page.is_empty()).then_some(page))
    }
}

impl Amount {
    fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}
