//! Making the indexes of a store, all or those that an older format did not have: page by page, and from where it was left
//! if it is interrupted.
//!
//! A store in format 1 has no entries under the keys from 16 on. It is brought to format 3 in place: every page writes
//! entries that follow from what is there, together with how far this has come, and the number of the format comes last.

use std::collections::BTreeMap;
use std::ops::Bound;

use hhs_model::history::Graph;
use hhs_model::op::{Genesis, Op};
use hhs_model::{ObjectId, OpId, object};

use super::acts;
use super::index;
use super::keys;
use super::record::{OpRecord, Place};
use super::tips::{act_entry, withdraws};
use super::{FORMAT, StoreError, corrupted};
use crate::backend::{Backend, BackendError, Batch, Entry, Limit, Order, Write, prefix_range};

/// Makes a backend ready to be used: an empty one becomes an empty store, an older format this one, and what was
/// interrupted goes on.
///
/// # Errors
/// If it has a format that is not known here, or the backend fails.
pub(super) async fn prepare(backend: &dyn Backend, place: &str) -> Result<(), StoreError> {
    let numbers = [WITHOUT_INDEXES, WITHOUT_VERDICTS, FORMAT].map(u64::to_be_bytes);
    let known = numbers.each_ref().map(|number| Some(number.as_slice()));
    match backend.get(keys::FORMAT).await? {
        None => create(backend).await,
        Some(found) if known.contains(&Some(found.as_slice())) => match backend.get(keys::INDEXING).await? {
            Some(progress) => Progress::from_bytes(&progress)?.run(backend).await,
            None if found == WITHOUT_INDEXES.to_be_bytes() => Progress::missing().run(backend).await,
            None if found == WITHOUT_VERDICTS.to_be_bytes() => {
                // No op in it is void, and there are no checkpoints.
                let mut batch = Batch::new();
                batch.put(keys::FORMAT, FORMAT.to_be_bytes());
                Ok(backend.commit(batch).await?)
            }
            None => Ok(()),
        },
        Some(found) => Err(StoreError::Backend(BackendError::Version {
            place: place.to_owned(),
            found: found.try_into().map_or("unknown".into(), |bytes| u64::from_be_bytes(bytes).to_string()),
            supported: format!("{WITHOUT_INDEXES} to {FORMAT}"),
        })),
    }
}

/// Forgets all indexes and makes them again, those of ids, heads and acts among them.
///
/// # Errors
/// If what is indexed is damaged itself, or the backend fails. What was begun goes on when the store is opened.
pub(super) async fn rebuild(backend: &dyn Backend) -> Result<(), StoreError> {
    Progress::all().run(backend).await
}

async fn create(backend: &dyn Backend) -> Result<(), StoreError> {
    let any = (Bound::Unbounded, Bound::Unbounded);
    if !backend.scan(any, Order::Ascending, Limit { entries: 1, bytes: 1 }).await?.is_empty() {
        return Err(corrupted("it has entries, but no mark of the format that they are in"));
    }
    let mut batch = Batch::new();
    batch.put(keys::FORMAT, FORMAT.to_be_bytes());
    Ok(backend.commit(batch).await?)
}

/// The format before there were indexes of classes and links.
const WITHOUT_INDEXES: u64 = 1;
/// The format before ops could be void.
const WITHOUT_VERDICTS: u64 = 2;
/// How much is read for one batch.
const PAGE: Limit = Limit { entries: 1024, bytes: 4 << 20 };
/// What is wiped before all is made again.
const WIPED: [u8; 14] = [
    keys::PLACE,
    keys::ACT,
    keys::HEAD,
    keys::ID_OF,
    keys::OF_CLASS,
    keys::CLASS_NAME,
    keys::REFERENCE,
    keys::LINKED,
    keys::REPLICA_OF_CLASS,
    keys::WRITES,
    keys::CHECKPOINT,
    keys::CHECKPOINT_PART,
    keys::TIPS,
    keys::WITHHELD,
];

/// How far the indexes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    /// Whether all indexes are made, or only those that format 1 did not have.
    all: bool,
    step: Step,
    /// Of the replica whose ops are indexed.
    replica: u32,
    /// The first object, replica or position that is not indexed yet.
    next: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Wipe,
    Objects,
    Replicas,
    Ops,
}

impl Progress {
    fn missing() -> Self {
        Self { all: false, step: Step::Objects, replica: 0, next: 0 }
    }

    fn all() -> Self {
        Self { all: true, step: Step::Wipe, replica: 0, next: 0 }
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.all), self.step as u8];
        bytes.extend_from_slice(&self.replica.to_be_bytes());
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let bytes: &[u8; 14] = bytes.try_into().map_err(|_| corrupted("the progress of the indexes has no sense"))?;
        let [all, step, r0, r1, r2, r3, next @ ..] = *bytes;
        let step = match step {
            0 => Step::Wipe,
            1 => Step::Objects,
            2 => Step::Replicas,
            3 => Step::Ops,
            _ => return Err(corrupted("the progress of the indexes has no sense")),
        };
        let (replica, next) = (u32::from_be_bytes([r0, r1, r2, r3]), u64::from_be_bytes(next));
        Ok(Self { all: all == 1, step, replica, next })
    }

    async fn run(mut self, backend: &dyn Backend) -> Result<(), StoreError> {
        loop {
            let mut batch = Batch::new();
            let next = match self.step {
                Step::Wipe => self.wipe(backend, &mut batch).await?,
                Step::Objects => self.objects(backend, &mut batch).await?,
                Step::Replicas => self.replicas(backend, &mut batch).await?,
                Step::Ops => self.ops(backend, &mut batch).await?,
            };
            match next {
                Some(next) => batch.put(keys::INDEXING, next.to_bytes()),
                None => batch.delete(keys::INDEXING).put(keys::FORMAT, FORMAT.to_be_bytes()),
            };
            backend.commit(batch).await?;
            match next {
                Some(next) => self = next,
                None => return Ok(()),
            }
        }
    }

    async fn wipe(self, backend: &dyn Backend, batch: &mut Batch) -> Result<Option<Self>, StoreError> {
        for kind in WIPED {
            let found = backend.scan(prefix_range(&[kind]), Order::Ascending, PAGE).await?;
            if !found.is_empty() {
                batch.writes.extend(found.into_iter().map(|(key, _)| Write::Delete(key)));
                return Ok(Some(self));
            }
        }
        Ok(Some(Self { step: Step::Objects, next: 0, ..self }))
    }

    async fn objects(self, backend: &dyn Backend, batch: &mut Batch) -> Result<Option<Self>, StoreError> {
        let found = page(backend, &[keys::OBJECT], keys::object(self.next)).await?;
        let Some((last, _)) = found.last() else { return Ok(Some(Self { step: Step::Replicas, next: 0, ..self })) };
        let next = keys::number(last, 1)?.saturating_add(1);
        let mut unique = BTreeMap::new();
        for (key, bytes) in &found {
            let (number, id) = (keys::number(key, 1)?, ObjectId::of(bytes));
            let entries = index::of_object(number, id, bytes);
            unique.extend(entries.map_err(|_| corrupted("an object cannot be read"))?);
            if self.all {
                unique.insert(keys::place(id), Place::Object(number).to_bytes());
            }
        }
        put_all(batch, unique);
        Ok(Some(Self { next, ..self }))
    }

    async fn replicas(self, backend: &dyn Backend, batch: &mut Batch) -> Result<Option<Self>, StoreError> {
        let first = u32::try_from(self.next).map_err(|_| corrupted("a replica number is out of range"))?;
        let found = page(backend, &[keys::REPLICA], keys::replica(first)).await?;
        let Some((last, _)) = found.last() else {
            return Ok(Some(Self { step: Step::Ops, replica: 0, next: 0, ..self }));
        };
        let next = keys::number(last, 1)?.saturating_add(1);
        for (key, object) in &found {
            let (replica, number) = (keys::replica_at(key, 1)?, keys::number(object, 0)?);
            let bytes = backend.get(&keys::object(number)).await?;
            let bytes = bytes.ok_or_else(|| corrupted("the genesis of a replica is not there"))?;
            let genesis: Genesis =
                object::from_bytes(&bytes).map_err(|_| corrupted("the genesis of a replica cannot be read"))?;
            let id = ObjectId::of(&bytes);
            put_all(batch, [index::of_replica(replica, id, &genesis.class)]);
            if self.all {
                batch.put(keys::place(id), Place::Genesis { replica, object: number }.to_bytes());
            }
        }
        Ok(Some(Self { next, ..self }))
    }

    async fn ops(self, backend: &dyn Backend, batch: &mut Batch) -> Result<Option<Self>, StoreError> {
        let replica = self.replica;
        let replicas = (Bound::Included(keys::replica(replica)), prefix_range(&[keys::REPLICA]).1);
        let one = Limit { entries: 1, bytes: 1 };
        let current = backend.scan(replicas, Order::Ascending, one).await?;
        let Some((key, _)) = current.first() else { return Ok(None) };
        let current = keys::replica_at(key, 1)?;
        if current != replica {
            return Ok(Some(Self { replica: current, next: 0, ..self }));
        }
        let found = page(backend, &keys::ops_of(replica), keys::op(replica, self.next)).await?;
        let Some((last, _)) = found.last() else {
            if self.all {
                forget_single_head(backend, batch, replica).await?;
                list_unseen(backend, batch, replica).await?;
            }
            return Ok(replica.checked_add(1).map(|replica| Self { replica, next: 0, ..self }));
        };
        let next = keys::number(last, 5)?.saturating_add(1);
        let wanted: Vec<Vec<u8>> = (self.next..next).map(|position| keys::payload(replica, position)).collect();
        put_all(batch, linked(backend, replica, &wanted).await?.into_iter().map(|key| (key, Vec::new())));
        let mut acts = next_act(backend, replica, self.all).await?;
        for (key, record) in &found {
            let position = keys::number(key, 5)?;
            let record = OpRecord::from_bytes(record)?;
            let op = Op::from_bytes(&record.header).map_err(|_| corrupted("the header of an op cannot be read"))?;
            for id in index::named_in_header(op.header()) {
                batch.put(keys::writes(id, replica), position.to_be_bytes());
            }
            for id in record.payload.iter().flat_map(|payload| index::linked_from(payload)) {
                batch.put(keys::linked(id, replica, position), []);
            }
            if !self.all {
                continue;
            }
            batch.put(keys::place(op.id()), Place::Op { replica, position }.to_bytes());
            if op.header().act.is_some() {
                batch.put(keys::act(replica, acts), position.to_be_bytes());
                acts += 1;
            }
            if withdraws(&op) || !op.header().deps.is_empty() {
                // Which heads count is found out by who reads the replica.
                batch.put(keys::tips(replica), []);
            }
            move_heads(batch, replica, position, op.id(), &record.parents);
        }
        Ok(Some(Self { next, ..self }))
    }
}

/// An op is a head until one comes that has it as a parent.
fn move_heads(batch: &mut Batch, replica: u32, position: u64, id: OpId, parents: &[u64]) {
    for parent in parents {
        batch.delete(keys::head(replica, *parent));
    }
    batch.put(keys::head(replica, position), id.as_bytes().to_vec());
}

/// A head that is the only one has no entry. Not before all ops were looked at: others may come.
async fn forget_single_head(backend: &dyn Backend, batch: &mut Batch, replica: u32) -> Result<(), StoreError> {
    let two = Limit { entries: 2, bytes: usize::MAX };
    let heads = backend.scan(prefix_range(&keys::heads_of(replica)), Order::Ascending, two).await?;
    if let [(key, _)] = heads.as_slice() {
        batch.delete(key.clone());
    }
    Ok(())
}

/// What acts have not seen that withdraw something stands in their entries. It takes the shape of the whole history to know.
async fn list_unseen(backend: &dyn Backend, batch: &mut Batch, replica: u32) -> Result<(), StoreError> {
    let acts = acts::listed(backend, replica).await?;
    let withdrawals: Vec<(u64, u64)> =
        (0..).zip(&acts).filter(|(_, act)| withdraws(&act.op)).map(|(number, act)| (number, act.position)).collect();
    if withdrawals.is_empty() {
        return Ok(());
    }
    let mut graph = Graph::new();
    loop {
        let found = page(backend, &keys::ops_of(replica), keys::op(replica, graph.len())).await?;
        if found.is_empty() {
            break;
        }
        for (key, record) in &found {
            let parents = OpRecord::parents_of(record)?;
            if keys::number(key, 5)? != graph.len() || parents.iter().any(|parent| *parent >= graph.len()) {
                return Err(corrupted("an op stands before its parents, or some before it are missing"));
            }
            graph.push(&parents);
        }
    }
    for (number, position) in withdrawals {
        batch.put(keys::act(replica, number), act_entry(position, Some(&graph.unseen(position))));
    }
    Ok(())
}

async fn next_act(backend: &dyn Backend, replica: u32, asked: bool) -> Result<u64, StoreError> {
    if asked { super::next_number(backend, &keys::acts_of(replica)).await } else { Ok(0) }
}

/// Entries below `prefix` from a key on.
async fn page(backend: &dyn Backend, prefix: &[u8], from: Vec<u8>) -> Result<Vec<Entry>, StoreError> {
    let range = (Bound::Included(from), prefix_range(prefix).1);
    Ok(backend.scan(range, Order::Ascending, PAGE).await?)
}

/// The index entries of the payloads under consecutive keys of their own. The payloads are not held: a page of them may have gigabytes.
async fn linked(backend: &dyn Backend, replica: u32, wanted: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut linked = Vec::new();
    let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(linked) };
    let mut start = Bound::Included(first.clone());
    loop {
        let range = (start, Bound::Included(last.clone()));
        let payloads = backend.scan(range, Order::Ascending, PAGE).await?;
        let Some((key, _)) = payloads.last() else { return Ok(linked) };
        start = Bound::Excluded(key.clone());
        for (key, payload) in &payloads {
            let position = keys::number(key, 5)?;
            linked.extend(index::linked_from(payload).into_iter().map(|id| keys::linked(id, replica, position)));
        }
    }
}

fn put_all(batch: &mut Batch, entries: impl IntoIterator<Item = Entry>) {
    for (key, value) in entries {
        batch.put(key, value);
    }
}
