//! Bringing what lacks nothing to the store, and finding out what came there another way.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::object::{class_of, links};
use hhs_model::op::Op;
use hhs_model::{Identity, IdentityId, Object, ObjectId, OpId, ReplicaId};

use super::parked::Item;
use super::{DropReason, Intake, Read, Taken};
use crate::store::{Bundle, IngestError, Query, SignedOp, StoreError};

/// Ops, or objects, that are committed at once.
const AT_ONCE: usize = 512;
/// Bytes after which no more is committed at once.
const BYTES: usize = 4 << 20;

/// An op on its way to the store.
struct Going {
    id: ObjectId,
    identities: Vec<IdentityId>,
    signed: SignedOp,
}

impl Intake {
    /// Parks items until they lack nothing, which may be at once.
    pub(super) async fn park(&mut self, items: Vec<Read>, taken: &mut Taken) -> Result<(), StoreError> {
        let ids: Vec<ObjectId> = items.iter().map(|(id, ..)| *id).collect();
        let ops: Vec<bool> = items.iter().map(|(.., item)| matches!(item, Item::Op { .. })).collect();
        let known = self.store.holds(&ids, &ops).await?;
        let needs: BTreeSet<ObjectId> = items.iter().flat_map(|(_, needs, _)| needs.iter().copied()).collect();
        let needs: Vec<ObjectId> = needs.into_iter().collect();
        let here = self.store.holds(&needs, &[]).await?;
        let absent: BTreeSet<ObjectId> =
            needs.into_iter().zip(here).filter(|(_, here)| !here).map(|(id, _)| id).collect();
        for ((id, needs, item), known) in items.into_iter().zip(known) {
            if known {
                taken.known += 1;
                // Others may wait for it, if it came another way just now.
                self.parked.arrive(id);
                continue;
            }
            if let Some(refused) = needs.iter().find(|id| self.parked.is_refused(id)) {
                taken.drop(Some(id), DropReason::RestsOn(*refused));
                self.refuse(id, taken);
                continue;
            }
            if !self.parked.is_new(id) {
                continue;
            }
            let lacks = |need: &ObjectId| absent.contains(need) && !self.parked.has_identity(*need);
            let missing = needs.into_iter().filter(lacks).collect();
            self.parked.add(id, missing, item);
        }
        Ok(())
    }

    /// Brings all that lacks nothing to the store, and then makes room.
    pub(super) async fn settle(&mut self, mut taken: Taken) -> Result<Taken, StoreError> {
        loop {
            let (mut ops, mut bytes, mut count) = (BTreeMap::<ReplicaId, Vec<Going>>::new(), 0, 0);
            let (mut identities, mut objects) = (Vec::new(), Vec::new());
            while bytes < BYTES && count < AT_ONCE {
                let Some((id, item)) = self.parked.next_ready() else { break };
                count += 1;
                match item {
                    Item::Op { replica, identities, signed } => {
                        bytes += signed.header.len() + signed.payload.as_ref().map_or(0, Vec::len);
                        ops.entry(replica).or_default().push(Going { id, identities, signed });
                    }
                    Item::Object(object) => {
                        bytes += object.len();
                        match class_of(&object) {
                            Ok(Identity::CLASS) => identities.push((id, object)),
                            _ => objects.push((id, object)),
                        }
                    }
                }
            }
            if count == 0 {
                break;
            }
            // Ops rest on identities, and objects on ops.
            self.take_objects(identities, &mut taken).await?;
            for (replica, ops) in by_dependency(ops) {
                self.take_ops(replica, ops, &mut taken).await?;
            }
            self.take_objects(objects, &mut taken).await?;
        }
        self.make_room(&mut taken);
        Ok(taken)
    }

    /// Ingests ops, each after its parents. If some are refused, halves are tried, so that few tries are needed for few.
    async fn take_ops(&mut self, replica: ReplicaId, ops: Vec<Going>, taken: &mut Taken) -> Result<(), StoreError> {
        let mut left = vec![ops];
        while let Some(mut ops) = left.pop() {
            self.drop_resting(&mut ops, taken);
            if ops.is_empty() {
                continue;
            }
            let named: BTreeSet<IdentityId> = ops.iter().flat_map(|op| op.identities.iter().copied()).collect();
            let identities = named.iter().filter_map(|id| self.parked.identity(id).cloned()).collect();
            let bundle = Bundle { identities, ops: ops.iter().map(|op| op.signed.clone()).collect() };
            match self.store.ingest(replica, bundle).await {
                Ok(ingested) => {
                    taken.added += ingested.added;
                    taken.known += ingested.known;
                    named.iter().for_each(|id| self.parked.forget_identity(id));
                }
                Err(IngestError::Store(error)) => return Err(error),
                Err(error) if ops.len() == 1 => {
                    let id = ops[0].id;
                    taken.drop(Some(id), DropReason::Op(error));
                    self.refuse(id, taken);
                }
                Err(_) => {
                    let right = ops.split_off(ops.len() / 2);
                    left.push(right);
                    left.push(ops);
                }
            }
        }
        Ok(())
    }

    /// Drops those that rest on what was refused meanwhile.
    fn drop_resting(&mut self, ops: &mut Vec<Going>, taken: &mut Taken) {
        for op in std::mem::take(ops) {
            let refused = below(&op.signed).into_iter().find(|below| self.parked.is_refused(below));
            match refused {
                Some(refused) => {
                    taken.drop(Some(op.id), DropReason::RestsOn(refused));
                    self.refuse(op.id, taken);
                }
                None => ops.push(op),
            }
        }
    }

    /// Saves objects, which were checked and lack nothing but each other, and ops that may just have been refused.
    async fn take_objects(&mut self, objects: Vec<(ObjectId, Vec<u8>)>, taken: &mut Taken) -> Result<(), StoreError> {
        let mut left: Vec<(ObjectId, Vec<u8>)> = objects;
        while !left.is_empty() {
            let bytes = left.iter().map(|(_, bytes)| bytes.clone()).collect();
            match self.store.put_all(bytes).await {
                Ok(ids) => {
                    taken.added += ids.len() as u64;
                    return Ok(());
                }
                Err(StoreError::Dangling { missing, .. }) => {
                    // It was refused, or deleted meanwhile. Each turn of this drops all that link to one thing.
                    let (gone, kept) = left.into_iter().partition(|(_, bytes)| links_to(bytes, missing));
                    left = kept;
                    for (id, _) in gone {
                        taken.drop(Some(id), DropReason::RestsOn(missing));
                        self.refuse(id, taken);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, id: ObjectId, taken: &mut Taken) {
        for (resting, on) in self.parked.refuse(id) {
            taken.drop(Some(resting), DropReason::RestsOn(on));
        }
    }

    fn make_room(&mut self, taken: &mut Taken) {
        while self.parked.exceeds(self.limits.items, self.limits.bytes) {
            match self.parked.pop_newest() {
                Some(id) => taken.drop(Some(id), DropReason::Full),
                None => match self.parked.any_identity() {
                    Some(id) => self.parked.forget_identity(&id),
                    None => return,
                },
            }
        }
    }

    /// Finds out what came to the store another way. Each op and object is looked at once, and only while something waits.
    pub(super) async fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.parked.is_empty() {
            while self.commits.next_ready().is_some() {}
            self.objects = self.store.last_cursor().await?;
            return Ok(());
        }
        while let Some(news) = self.commits.next_ready() {
            let mut next = news.ops.saturating_sub(news.added);
            while next < news.ops {
                let end = news.ops.min(next + AT_ONCE as u64);
                match self.store.op_ids(news.replica, next..end).await {
                    Ok(ids) => ids.into_iter().for_each(|id: OpId| self.parked.arrive(id.into())),
                    Err(StoreError::NoReplica(_)) => break,
                    Err(error) => return Err(error),
                }
                next = end;
            }
        }
        loop {
            let query = Query::all().limit(AT_ONCE);
            let found = self.store.query(&self.objects.into_iter().fold(query, Query::after)).await?;
            let Some(last) = found.last() else { return Ok(()) };
            self.objects = Some(last.cursor);
            found.iter().for_each(|found| self.parked.arrive(found.id));
        }
    }
}

/// Brings replicas in an order in which ops come after those of other replicas that they depend on.
fn by_dependency(mut ops: BTreeMap<ReplicaId, Vec<Going>>) -> Vec<(ReplicaId, Vec<Going>)> {
    let mut ordered = Vec::with_capacity(ops.len());
    while ops.len() > 1 {
        let of = |(replica, ops): (&ReplicaId, &Vec<Going>)| ops.iter().map(|op| (op.id, *replica)).collect::<Vec<_>>();
        let going: BTreeMap<ObjectId, ReplicaId> = ops.iter().flat_map(of).collect();
        let waits = |replica: &ReplicaId, op: &Going| {
            below(&op.signed).iter().any(|below| going.get(below).is_some_and(|other| other != replica))
        };
        let free = ops.iter().find(|(replica, ops)| !ops.iter().any(|op| waits(replica, op)));
        // Two that wait for each other are refused anyhow.
        let Some(next) = free.or(ops.first_key_value()).map(|(replica, _)| *replica) else { break };
        ordered.extend(ops.remove_entry(&next));
    }
    ordered.extend(ops);
    ordered
}

/// The ops that one rests on.
fn below(signed: &SignedOp) -> Vec<ObjectId> {
    let op = Op::from_bytes(&signed.header).ok();
    let below = |op: &Op| op.header().parents.iter().chain(&op.header().deps).map(|op| ObjectId::from(*op)).collect();
    op.as_ref().map(below).unwrap_or_default()
}

fn links_to(bytes: &[u8], target: ObjectId) -> bool {
    links(bytes).is_ok_and(|links| links.iter().any(|link| link.cid.hash == target.0))
}
