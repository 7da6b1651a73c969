//! Taking in ops from others: everything is checked before anything is kept, and a bundle is kept whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hhs_model::authority::Refusal;
use hhs_model::identity::{Identity, PublicKey};
use hhs_model::op::{Header, Op};
use hhs_model::{IdentityId, Object, ObjectId, OpId, ReplicaId, object};

use super::error::IngestError;
use super::index;
use super::keys;
use super::pipeline::{Change, ChangedOps, Ticket};
use super::reach::Reached;
use super::record::{OpRecord, Place};
use super::replica::{Link, ReplicaState, Staged};
use super::writer::Writer;
use super::{Committed, Store, StoreError, corrupted, named_identities};

/// Ops as they travel, with the identities that they name and the receiver may lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Encoded identities.
    pub identities: Vec<Vec<u8>>,
    /// Ops, each after its parents.
    pub ops: Vec<SignedOp>,
}

/// An op as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOp {
    /// The header's canonical bytes, signature included.
    pub header: Vec<u8>,
    /// The payload's bytes, if the header names one.
    pub payload: Option<Vec<u8>>,
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ingested {
    /// Ops that are new here and were kept.
    pub added: u64,
    /// Ops that were here before.
    pub known: u64,
}

impl Store {
    /// Checks a bundle and keeps what is new in it, durably, before it returns.
    ///
    /// Every op has to be of `replica`, whose genesis has to be here, to come after its parents, and to be by an author
    /// who had the right to write it. Payloads are not looked into: what they mean is for the class, which may be unknown.
    ///
    /// # Errors
    /// Why nothing of it was kept, and through [`IngestError::blames_sender`] whether an honest peer could have sent it.
    pub async fn ingest(&self, replica: ReplicaId, bundle: Bundle) -> Result<Ingested, IngestError> {
        let mut ops = decode(replica, bundle.ops)?;
        let total = ops.len() as u64;
        let (commits, deletions) = (self.pipeline().commits(), self.inner.aside.deletions());
        let mut looked_up = LookedUp { commits, deletions, objects: false };
        looked_up.objects = self.drop_known(&mut ops).await?;
        let identities = self.identities_of(&ops, bundle.identities).await?;
        self.check_signatures(ops.iter().map(|(op, _)| op), &identities.keys)?;
        let new_keys: Vec<_> = identities.new.iter().map(|(id, _)| (*id, identities.keys[id])).collect();
        let objects = identities.new.into_iter().map(|(id, bytes)| (id.into(), bytes)).collect();

        let taken = match self.is_shared() {
            false => self.take(replica, ops, objects, looked_up).await,
            true => self.take_for_sure(replica, ops, objects, looked_up).await,
        };
        let ticket = match taken {
            Ok(ticket) => ticket,
            Err(error) => {
                self.drive_sealed(replica).await;
                return Err(error);
            }
        };
        let added = self.settled(&ticket).await?;
        self.remember_keys(new_keys);
        self.checkpoint_if_due(replica).await;
        Ok(Ingested { added, known: total - added })
    }

    /// Stages ops whose signatures hold.
    async fn take(
        &self,
        replica: ReplicaId,
        mut ops: Vec<PayloadedOp>,
        objects: Vec<(ObjectId, Vec<u8>)>,
        mut looked_up: LookedUp,
    ) -> Result<Arc<Ticket>, IngestError> {
        let mut writer = self.writer().await?;
        // What came in meanwhile, from another peer.
        let commits = self.drop_staged(&mut ops);
        if commits != looked_up.commits {
            looked_up.objects |= self.drop_known(&mut ops).await?;
        }
        if self.inner.aside.deletions() != looked_up.deletions {
            self.check_identities(&ops, &objects).await?;
        }
        if !ops.is_empty() {
            self.seal_open(&mut writer, replica).await?;
        }
        let objects = if ops.is_empty() { Vec::new() } else { objects };
        if ops.iter().any(|(op, _)| op.header().act.is_some()) {
            self.seal_dependents(&mut writer, replica).await?;
        }
        let mut change = self.stage_objects(&mut writer, objects, None).await?;
        if looked_up.objects {
            self.stage_instead_of_objects(&writer, &ops, &mut change).await?;
        }
        self.stage_ops(&mut writer, replica, ops, false, &mut change).await?;
        // Without ops as well: what is known may not be durable yet.
        let ticket = self.join(&writer, change);
        self.renew(&mut writer, replica).await.ok();
        self.renew_all(&mut writer).await;
        Ok(ticket)
    }

    /// As [`take`](Self::take) where others may write at the same time: what is read while they do may not go together, and
    /// then nobody is to blame.
    async fn take_for_sure(
        &self,
        replica: ReplicaId,
        ops: Vec<PayloadedOp>,
        objects: Vec<(ObjectId, Vec<u8>)>,
        looked_up: LookedUp,
    ) -> Result<Arc<Ticket>, IngestError> {
        for _ in 0..MAX_OUTDATED {
            let outcome = self.take(replica, ops.clone(), objects.clone(), looked_up).await;
            if outcome.is_ok() || !self.is_outdated().await? {
                return outcome;
            }
            self.refresh().await?;
        }
        self.take(replica, ops, objects, looked_up).await
    }

    /// Stages ops that are not there yet, on top of what is.
    pub(super) async fn stage_ops(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
        ops: Vec<PayloadedOp>,
        local: bool,
        change: &mut Change,
    ) -> Result<(), IngestError> {
        let mut state = self.take_state(writer, replica).await?;
        let (mut staged, before) = (Staged::default(), state.count);
        for (op, _) in &ops {
            state.prepare(self, op).await?;
        }
        let outcome = match self.outside(&state, &ops).await {
            Ok(links) => stage_all(&mut state, &mut staged, ops, &links),
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            Ok(()) => self.settle(&mut state, &mut staged, local).await,
            refused => refused,
        };
        let mut reached = Reached::default();
        if state.count != before && outcome.is_ok() {
            change.add_ops(&mut state, staged, replica, local);
            reached = self.reach(writer, change).await?;
        }
        if outcome.is_ok() || state.count == before {
            self.put_state(writer, replica, state);
            reached.put_back(self, writer);
        }
        outcome
    }

    /// What ops rest on that is not in their bundle: the parents, and that what they depend on is here.
    async fn outside(&self, state: &ReplicaState, ops: &[PayloadedOp]) -> Result<BTreeMap<OpId, Link>, IngestError> {
        self.check_deps(state, ops).await?;
        self.stored_links(state, ops).await
    }

    /// Checks that all that ops depend on is here as an act of a replica that gives authority to theirs.
    async fn check_deps(&self, state: &ReplicaState, ops: &[PayloadedOp]) -> Result<(), IngestError> {
        let Some((op, dep)) = unknown_dep(state, ops) else { return Ok(()) };
        let refused = match state.foreign.absent {
            // It may be said there, or in what gives that authority.
            Some(_) => false,
            None => state.foreign.sources.is_empty() || self.is_known_op(dep).await?,
        };
        match refused {
            true => Err(IngestError::Dependency { op, dep }),
            false => Err(IngestError::MissingDependency { op, missing: dep }),
        }
    }

    /// Whether an id is that of an op here or of something that is none.
    async fn is_known_op(&self, id: OpId) -> Result<bool, StoreError> {
        match self.staged_place(id).await? {
            None => Ok(false),
            // The header of an op that was deleted may be here on its own: the op may come again.
            Some(Place::Object(_)) => {
                let bytes = self.get_bytes(id.into()).await?.unwrap_or_default();
                Ok(!object::class_of(&bytes).is_ok_and(|class| class == Header::CLASS))
            }
            place => Ok(!self.is_hidden(place)),
        }
    }

    /// Looks at what has become of the heads, and whether what has no effect is more than is kept.
    async fn settle(&self, state: &mut ReplicaState, staged: &mut Staged, local: bool) -> Result<(), IngestError> {
        state.keep_arrived(self, staged).await?;
        state.settle_tips(self, staged).await?;
        if local { Ok(()) } else { state.check_quota(staged) }
    }

    /// The parents that are in the store and not in the bundle.
    async fn stored_links(
        &self,
        state: &ReplicaState,
        ops: &[PayloadedOp],
    ) -> Result<BTreeMap<OpId, Link>, IngestError> {
        let bundle: BTreeSet<OpId> = ops.iter().map(|(op, _)| op.id()).collect();
        let parents: BTreeSet<OpId> = ops.iter().flat_map(|(op, _)| op.header().parents.iter().copied()).collect();
        let outside = parents.difference(&bundle);
        // Heads are known without looking: they are copied, as the first op on top of one makes it a head no more.
        let (heads, rest): (Vec<OpId>, Vec<OpId>) = outside.partition(|id| state.heads.contains_key(*id));
        let mut links = self.links(state, rest).await?;
        links.extend(heads.into_iter().map(|id| (id, state.heads[&id].clone())));
        Ok(links)
    }

    /// Those of `ids` that are ops of the replica, with what an op on top of them has to know.
    pub(super) async fn links(&self, state: &ReplicaState, ids: Vec<OpId>) -> Result<BTreeMap<OpId, Link>, StoreError> {
        let mut links = BTreeMap::new();
        let ids: Vec<OpId> = {
            let pipeline = self.pipeline();
            let staged = |id: &OpId| pipeline.link(id).filter(|(replica, _)| *replica == state.number);
            links.extend(ids.iter().filter_map(|id| staged(id).map(|(_, link)| (*id, link.clone()))));
            ids.into_iter().filter(|id| !links.contains_key(id)).collect()
        };
        let places = self.places(&ids).await?;
        let found: Vec<(OpId, u64)> = ids
            .into_iter()
            .zip(places)
            .filter_map(|(id, place)| match place {
                Some(Place::Op { replica, position }) if replica == state.number => Some((id, position)),
                _ => None,
            })
            .collect();
        let wanted: Vec<Vec<u8>> = found.iter().map(|(_, position)| keys::op(state.number, *position)).collect();
        for ((id, position), record) in found.into_iter().zip(self.backend().get_many(&wanted).await?) {
            let record = record.ok_or_else(|| corrupted("an index names an op that is not there"))?;
            let record = OpRecord::from_bytes(&record)?;
            let seen = state.seen_after(&id, record.seen)?;
            links.insert(id, Link { position, height: record.height, seen });
        }
        Ok(links)
    }

    /// Drops what is staged; says how many commits had ended by then.
    pub(super) fn drop_staged(&self, ops: &mut Vec<PayloadedOp>) -> u64 {
        let pipeline = self.pipeline();
        ops.retain(|(op, _)| pipeline.link(&op.id()).is_none());
        pipeline.commits()
    }

    /// Drops ops that are known; whether the bytes of any other are here as an object.
    pub(super) async fn drop_known(&self, ops: &mut Vec<PayloadedOp>) -> Result<bool, StoreError> {
        let ids: Vec<OpId> = ops.iter().map(|(op, _)| op.id()).collect();
        let places = self.places(&ids).await?;
        let objects = places.iter().any(|place| matches!(place, Some(Place::Object(_))));
        let mut places = places.into_iter();
        // An op's bytes may be here as an object: that does not make it known as an op. Nor does it that its replica was
        // here once and is being deleted.
        ops.retain(|_| !places.next().flatten().is_some_and(|place| self.is_op(place)));
        Ok(objects)
    }

    /// Stages that objects go which are the bytes of ops that come.
    pub(super) async fn stage_instead_of_objects(
        &self,
        writer: &Writer,
        ops: &[PayloadedOp],
        change: &mut Change,
    ) -> Result<(), StoreError> {
        keys::put_floors(&mut change.seen, writer.next_object, writer.next_replica);
        for (op, _) in ops {
            if let Some(Place::Object(number)) = self.staged_place(op.id()).await? {
                self.remove_object(&mut change.seen, op.id().into(), number).await?;
            }
        }
        Ok(())
    }

    /// Checks that the identities that ops name are still here, or come with them.
    async fn check_identities(&self, ops: &[PayloadedOp], objects: &[(ObjectId, Vec<u8>)]) -> Result<(), StoreError> {
        let named: BTreeSet<ObjectId> = ops.iter().flat_map(|(op, _)| index::named_in_header(op.header())).collect();
        for id in named {
            if objects.iter().all(|(came, _)| *came != id) && self.staged_place(id).await?.is_none() {
                return Err(StoreError::Gone(id));
            }
        }
        Ok(())
    }

    /// The keys of all identities that the ops name; those that come with the bundle and are new.
    async fn identities_of(&self, ops: &[PayloadedOp], encoded: Vec<Vec<u8>>) -> Result<Identities, IngestError> {
        let mut came = BTreeMap::new();
        for bytes in encoded {
            let identity = Identity::from_bytes(&bytes)?;
            came.insert(IdentityId::of(&bytes), (identity.key, bytes));
        }
        let mut found = Identities::default();
        for (op, _) in ops {
            for id in named_identities(op.header()) {
                if found.keys.contains_key(&id) {
                    continue;
                }
                if let Some(key) = self.key_of(id).await? {
                    found.keys.insert(id, key);
                } else if let Some((key, bytes)) = came.remove(&id) {
                    found.keys.insert(id, key);
                    found.new.push((id, bytes));
                } else {
                    return Err(IngestError::NoIdentity { op: op.id(), missing: id });
                }
            }
        }
        Ok(found)
    }

    /// The key of an identity that is here.
    pub(super) async fn key_of(&self, id: IdentityId) -> Result<Option<PublicKey>, StoreError> {
        if let Some(key) = self.author_keys().get(id) {
            return Ok(Some(key));
        }
        let key = self.identity(id).await?.map(|identity| identity.key);
        self.remember_keys(key.map(|key| (id, key)));
        Ok(key)
    }

    fn remember_keys(&self, keys: impl IntoIterator<Item = (IdentityId, PublicKey)>) {
        let mut cache = self.author_keys();
        keys.into_iter().for_each(|(id, key)| cache.put(id, key));
    }
}

/// What had happened when a bundle was looked at without the lock of the writer.
#[derive(Clone, Copy)]
struct LookedUp {
    commits: u64,
    deletions: u64,
    /// Whether bytes of ops were here as objects.
    objects: bool,
}

#[derive(Default)]
struct Identities {
    keys: BTreeMap<IdentityId, PublicKey>,
    new: Vec<(IdentityId, Vec<u8>)>,
}

/// An op and its payload, if it has one.
pub(super) type PayloadedOp = (Op, Option<Vec<u8>>);

/// Stages ops that come after their parents, which are in `stored` if they are not among the ops.
fn stage_all(
    state: &mut ReplicaState,
    staged: &mut Staged,
    ops: Vec<PayloadedOp>,
    stored: &BTreeMap<OpId, Link>,
) -> Result<(), IngestError> {
    for (op, payload) in ops {
        let id = op.id();
        let mut parents = Vec::with_capacity(op.header().parents.len());
        for parent in &op.header().parents {
            let link = staged.link(parent).or_else(|| stored.get(parent));
            parents.push(link.ok_or(IngestError::Incomplete { op: id, missing: *parent })?.clone());
        }
        state.stage(staged, op, payload, &parents).map_err(|reason| refused(state, id, reason))?;
    }
    Ok(())
}

/// An op, and what it depends on that is no act here of a replica that gives it authority.
fn unknown_dep(state: &ReplicaState, ops: &[PayloadedOp]) -> Option<(OpId, OpId)> {
    let mut deps = ops.iter().flat_map(|(op, _)| op.header().deps.iter().map(|dep| (op.id(), *dep)));
    deps.find(|(_, dep)| state.authority.dependency(dep).is_none())
}

/// Why an op is refused: for ever, unless what a replica says that is not here could change that.
fn refused(state: &ReplicaState, op: OpId, reason: Refusal) -> IngestError {
    match (&reason, state.foreign.absent) {
        (Refusal::Standing { .. } | Refusal::NoSuchGrant(_), Some(missing)) => {
            IngestError::MissingSource { op, missing }
        }
        _ => IngestError::Refused { op, reason },
    }
}

impl Change {
    /// Adds the ops that were staged on a replica.
    pub(super) fn add_ops(&mut self, state: &mut ReplicaState, mut staged: Staged, replica: ReplicaId, local: bool) {
        // Behind the index entries of identities that came along.
        let mut entries = state.finish(&mut staged);
        match self.unseen.writes.is_empty() {
            true => self.unseen = entries,
            false => self.unseen.writes.append(&mut entries.writes),
        }
        self.links = staged.links.into_iter().map(|(id, link)| (id, (state.number, link))).collect();
        let added = staged.ops.len() as u64;
        let committed = Committed { replica, ops: state.count, added, local: if local { added } else { 0 } };
        let (unseen, kept) = (staged.unseen, staged.kept);
        self.ops = Some(ChangedOps { unseen, kept, ..ChangedOps::new(committed, staged.ops) });
    }
}

/// Reads the headers and compares each payload with what its header names. An op that comes twice counts once.
fn decode(replica: ReplicaId, ops: Vec<SignedOp>) -> Result<Vec<PayloadedOp>, IngestError> {
    let mut seen = BTreeSet::new();
    let mut decoded = Vec::with_capacity(ops.len());
    for SignedOp { header, payload } in ops {
        let op = Op::from_vec(header)?;
        if op.header().target != replica {
            return Err(IngestError::Target { op: op.id(), found: op.header().target });
        }
        if !op.is_payload(payload.as_deref()) {
            return Err(IngestError::Payload(op.id()));
        }
        if seen.insert(op.id()) {
            decoded.push((op, payload));
        }
    }
    Ok(decoded)
}

/// How often what was read while others wrote is read again before the outcome counts all the same.
const MAX_OUTDATED: usize = 16;
