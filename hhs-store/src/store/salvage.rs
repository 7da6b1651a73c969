//! Saving what is sound in a damaged store into a new one, through the same checks as what comes from a peer.
//!
//! Nothing of the old indexes is relied upon, but that one of them has to agree that an object is what its bytes say: an
//! object that was changed would be a sound one of another id.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hhs_model::op::{Genesis, Op};
use hhs_model::{Identity, Object, ObjectId, Registry, ReplicaId, object};

use super::record::OpRecord;
use super::{Bundle, SignedOp, Store, StoreError, keys};
use crate::backend::{Backend, Batch, Entry, Limit, Order, prefix_range};
use crate::intake::{Intake, IntakeLimits, Taken};

/// What was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Salvaged {
    /// Objects.
    pub objects: u64,
    /// Replicas.
    pub replicas: u64,
    /// Ops.
    pub ops: u64,
    /// Things that were found and could not be saved.
    pub lost: u64,
}

/// Something that was found and could not be saved. What is not there at all is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its id, if it has one.
    pub id: Option<ObjectId>,
    /// Why it could not be saved.
    pub reason: String,
}

/// Entries that are read at once.
const PAGE: Limit = Limit { entries: 512, bytes: 4 << 20 };
/// Bytes of ops that are taken in at once.
const BYTES: usize = 4 << 20;

impl Store {
    /// Saves what is sound in a damaged backend into an empty one, and opens that. `lost` is told what could not be saved.
    ///
    /// Objects come before what links to them, ops after their parents; all of it passes the checks that what a peer sends
    /// has to pass. Memory: some pages, the ids of replicas, and what an [`Intake`] may park.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] if something is in the new one, or one of the two fails.
    pub async fn salvage(
        from: &dyn Backend,
        to: impl Backend,
        registry: Registry,
        mut lost: impl FnMut(Lost) + Send,
    ) -> Result<(Self, Salvaged), StoreError> {
        let store = Self::open(to, registry).await?;
        if store.last_cursor().await?.is_some() {
            return Err(StoreError::NotEmpty);
        }
        let mut salvage = Salvage {
            from,
            intake: store.intake(IntakeLimits::default()).await?,
            store: store.clone(),
            saved: Salvaged::default(),
            lost: &mut lost,
            geneses: BTreeMap::new(),
        };
        salvage.local().await?;
        salvage.objects(Part::Identities).await?;
        salvage.replicas().await?;
        salvage.objects(Part::Rest).await?;
        let Salvage { intake, mut saved, lost, .. } = salvage;
        let rest = intake.finish().await?;
        saved.objects += rest.added;
        tell(rest, &mut saved, lost);
        Ok((store, saved))
    }
}

struct Salvage<'a> {
    from: &'a dyn Backend,
    store: Store,
    intake: Intake,
    saved: Salvaged,
    lost: &'a mut (dyn FnMut(Lost) + Send),
    /// The numbers of the geneses among the objects.
    geneses: BTreeMap<ReplicaId, u64>,
}

/// Ops rest on identities, and objects may link to ops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Identities,
    Rest,
}

impl Salvage<'_> {
    async fn local(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        while let Some(page) = self.page(&[keys::LOCAL], &mut after).await? {
            let mut batch = Batch::new();
            for (key, value) in page {
                batch.put(key, value);
            }
            self.store.backend().commit(batch).await?;
        }
        Ok(())
    }

    async fn objects(&mut self, part: Part) -> Result<(), StoreError> {
        let mut after = None;
        while let Some(page) = self.page(&[keys::OBJECT], &mut after).await? {
            let mut sound = Vec::new();
            for (key, bytes) in page {
                let class = object::class_of(&bytes).unwrap_or_default();
                if (class == Identity::CLASS) != (part == Part::Identities) {
                    continue;
                }
                let number = keys::number(&key, 1).unwrap_or(u64::MAX);
                if !self.is_itself(number, &bytes).await? {
                    self.lose(None, "the bytes of an object were changed");
                } else if class == Genesis::CLASS {
                    self.genesis(bytes).await?;
                } else {
                    sound.push(bytes);
                }
            }
            let taken = self.intake.put(sound).await?;
            self.saved.objects += taken.added;
            tell(taken, &mut self.saved, self.lost);
        }
        Ok(())
    }

    /// Saves a genesis as an object, unless it became a replica.
    async fn genesis(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let id = ObjectId::of(&bytes);
        if self.store.place(id).await?.is_some() {
            return Ok(());
        }
        match self.store.put_bytes(bytes).await {
            Ok(_) => self.saved.objects += 1,
            Err(StoreError::Backend(error)) => return Err(error.into()),
            Err(error) => self.lose(Some(id), &error.to_string()),
        }
        Ok(())
    }

    /// Whether an index agrees that the bytes under a number are what they were.
    async fn is_itself(&self, number: u64, bytes: &[u8]) -> Result<bool, StoreError> {
        let id = ObjectId::of(bytes);
        let wanted = [keys::id_of(number), keys::place(id)];
        let found = self.from.get_many(&wanted).await?;
        Ok(match (&found[0], &found[1]) {
            (_, Some(_)) | (None, None) => object::class_of(bytes).is_ok(),
            (Some(known), None) => known == id.as_bytes(),
        })
    }

    async fn replicas(&mut self) -> Result<(), StoreError> {
        self.find_geneses().await?;
        // Those that are listed, and those of which only ops are left.
        let mut numbers = BTreeSet::new();
        for kind in [keys::REPLICA, keys::OP] {
            self.numbers(kind, &mut numbers).await?;
        }
        let mut adopted = BTreeMap::new();
        for number in numbers {
            if self.from.get(&keys::deleting(number)).await?.is_some() {
                continue;
            }
            match self.replica_of(number).await? {
                Some(id) if self.adopt(id).await? => drop(adopted.insert(id, number)),
                _ => self.lose(None, "the genesis of a replica, and with it its ops"),
            }
        }
        for (number, id) in self.by_authority(adopted).await? {
            self.ops(number, id).await?;
        }
        Ok(())
    }

    /// Replicas after those that give them authority: ops depend on what was said there.
    async fn by_authority(&self, mut left: BTreeMap<ReplicaId, u32>) -> Result<Vec<(u32, ReplicaId)>, StoreError> {
        let (mut ordered, all) = (Vec::with_capacity(left.len()), left.keys().copied().collect::<Vec<_>>());
        for replica in all {
            let sources = self.store.sources(replica).await?;
            let next = sources.into_iter().chain([replica]);
            ordered.extend(next.filter_map(|id| left.remove(&id).map(|number| (number, id))));
        }
        Ok(ordered)
    }

    async fn find_geneses(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        while let Some(page) = self.page(&[keys::OBJECT], &mut after).await? {
            for (key, bytes) in page {
                if object::class_of(&bytes).is_ok_and(|class| class == Genesis::CLASS)
                    && let Ok(number) = keys::number(&key, 1)
                {
                    self.geneses.insert(ReplicaId::of(&bytes), number);
                }
            }
        }
        Ok(())
    }

    /// The replica of a number, by the list of replicas or by its first sound op.
    async fn replica_of(&self, number: u32) -> Result<Option<ReplicaId>, StoreError> {
        if let Some(object) = self.from.get(&keys::replica(number)).await?
            && let Ok(object) = keys::number(&object, 0)
            && let Some((id, _)) = self.geneses.iter().find(|(_, number)| **number == object)
        {
            return Ok(Some(*id));
        }
        let mut after = None;
        while let Some(page) = self.page(&keys::ops_of(number), &mut after).await? {
            let target = page.iter().find_map(|(_, record)| read(record)).map(|(op, _)| op.header().target);
            if target.is_some() {
                return Ok(target);
            }
        }
        Ok(None)
    }

    /// Adopts a replica after those above it; whether that could be done.
    async fn adopt(&mut self, id: ReplicaId) -> Result<bool, StoreError> {
        let (mut chain, mut next) = (Vec::new(), Some(id));
        while let Some(id) = next {
            if self.store.has_replica(id).await? {
                break;
            }
            let Some(number) = self.geneses.get(&id) else { return Ok(false) };
            let Some(bytes) = self.from.get(&keys::object(*number)).await? else { return Ok(false) };
            let Ok(genesis) = object::from_bytes::<Genesis>(&bytes) else { return Ok(false) };
            next = genesis.parent();
            chain.push((id, bytes));
        }
        for (id, bytes) in chain.into_iter().rev() {
            match self.store.adopt(id, bytes, &[]).await {
                Ok(()) => self.saved.replicas += 1,
                Err(StoreError::Backend(error)) => return Err(error.into()),
                Err(error) => {
                    self.lose(Some(id.into()), &error.to_string());
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn ops(&mut self, number: u32, id: ReplicaId) -> Result<(), StoreError> {
        let (mut after, mut bundle, mut bytes) = (None, Bundle::default(), 0);
        while let Some(page) = self.page(&keys::ops_of(number), &mut after).await? {
            for (key, record) in page {
                let Some((op, inline)) = read(&record) else {
                    self.lose(None, "an op that cannot be read");
                    continue;
                };
                let position = keys::number(&key, 5).unwrap_or(u64::MAX);
                let payload = match op.header().payload {
                    Some(_) if inline.is_some() => inline,
                    Some(_) => self.from.get(&keys::payload(number, position)).await?,
                    None => None,
                };
                bytes += op.bytes().len() + payload.as_ref().map_or(0, Vec::len);
                bundle.ops.push(SignedOp { header: op.bytes().to_vec(), payload });
                if bytes > BYTES {
                    bytes = 0;
                    self.ingest(id, std::mem::take(&mut bundle)).await?;
                }
            }
        }
        self.ingest(id, bundle).await
    }

    async fn ingest(&mut self, id: ReplicaId, bundle: Bundle) -> Result<(), StoreError> {
        let taken = self.intake.ingest(id, bundle).await?;
        self.saved.ops += taken.added;
        tell(taken, &mut self.saved, self.lost);
        Ok(())
    }

    /// The replica numbers under which there are entries of a kind.
    async fn numbers(&self, kind: u8, numbers: &mut BTreeSet<u32>) -> Result<(), StoreError> {
        let (mut start, end) = prefix_range(&[kind]);
        loop {
            let one = Limit { entries: 1, bytes: 1 };
            let found = self.from.scan((start, end.clone()), Order::Ascending, one).await?;
            let Some((key, _)) = found.into_iter().next() else { return Ok(()) };
            start = match keys::replica_at(&key, 1) {
                Ok(number) => {
                    numbers.insert(number);
                    let Some(next) = number.checked_add(1) else { return Ok(()) };
                    Bound::Included([&[kind], &next.to_be_bytes()[..]].concat())
                }
                Err(_) => Bound::Excluded(key),
            };
        }
    }

    /// The next page of entries, if there is one.
    async fn page(&self, prefix: &[u8], after: &mut Option<Vec<u8>>) -> Result<Option<Vec<Entry>>, StoreError> {
        let (mut start, end) = prefix_range(prefix);
        if let Some(after) = after.take() {
            start = Bound::Excluded(after);
        }
        let page = self.from.scan((start, end), Order::Ascending, PAGE).await?;
        *after = page.last().map(|(key, _)| key.clone());
        Ok((!page.is_empty()).then_some(page))
    }

    fn lose(&mut self, id: Option<ObjectId>, reason: &str) {
        self.saved.lost += 1;
        (self.lost)(Lost { id, reason: reason.to_owned() });
    }
}

/// An op, and its payload if it stands in the record.
fn read(record: &[u8]) -> Option<(Op, Option<Vec<u8>>)> {
    let record = OpRecord::from_bytes(record).ok()?;
    Some((Op::from_vec(record.header).ok()?, record.payload))
}

fn tell(taken: Taken, saved: &mut Salvaged, lost: &mut (dyn FnMut(Lost) + Send)) {
    for dropped in taken.dropped {
        saved.lost += 1;
        lost(Lost { id: dropped.id, reason: dropped.reason.to_string() });
    }
}
