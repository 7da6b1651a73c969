//! Taking in ops from others: everything is checked before anything is kept, and a bundle is kept whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::identity::{Identity, PublicKey};
use hhs_model::op::{Act, Op};
use hhs_model::{IdentityId, OpId, ReplicaId};

use super::error::IngestError;
use super::keys;
use super::objects::StagedObjects;
use super::record::{OpRecord, Place};
use super::replica::{Link, ReplicaState, Staged};
use super::{Committed, Store, StoreError, corrupted};

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
        let looked_up_after = self.commits();
        self.drop_known(&mut ops).await?;
        let identities = self.identities_of(&ops, bundle.identities).await?;
        self.check_signatures(ops.iter().map(|(op, _)| op), &identities.keys)?;

        let mut writer = self.writer().await?;
        let mut state = match writer.replicas.remove(&replica) {
            Some(state) => state,
            None => ReplicaState::load(self, replica).await?,
        };
        if self.commits() != looked_up_after {
            // What came in meanwhile, from another peer.
            self.drop_known(&mut ops).await?;
        }
        if ops.is_empty() {
            writer.replicas.insert(replica, state);
            return Ok(Ingested { added: 0, known: total });
        }
        // On any error the state is dropped, and read again by the next write.
        let mut staged = Staged::default();
        self.stage_all(&mut state, &mut staged, ops).await?;
        let mut objects = StagedObjects::new(writer.next_object);
        let mut new_keys = Vec::with_capacity(identities.new.len());
        for (id, bytes) in identities.new {
            new_keys.push((id, identities.keys[&id]));
            if self.place(id).await?.is_none() {
                objects.put(id, bytes);
            }
        }
        let mut batch = state.finish(&mut staged);
        writer.next_object = objects.finish(&mut batch);
        let kept = staged.ops.len() as u64;
        let committed = Committed { replica, ops: state.count, added: kept, local: false };
        self.commit(&mut writer, batch, Some(committed.clone())).await?;
        self.remember_keys(new_keys);
        writer.replicas.insert(replica, state);
        self.tell(committed, &staged.ops);
        Ok(Ingested { added: kept, known: total - kept })
    }

    async fn stage_all(
        &self,
        state: &mut ReplicaState,
        staged: &mut Staged,
        ops: Vec<PayloadedOp>,
    ) -> Result<(), IngestError> {
        let stored = self.stored_links(state, &ops).await?;
        for (op, payload) in ops {
            let id = op.id();
            let mut parents = Vec::with_capacity(op.header().parents.len());
            for parent in &op.header().parents {
                let link = staged.link(parent).or_else(|| stored.get(parent));
                parents.push(link.ok_or(IngestError::Incomplete { op: id, missing: *parent })?.clone());
            }
            state.stage(staged, op, payload, &parents).map_err(|reason| IngestError::Refused { op: id, reason })?;
        }
        Ok(())
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
        let mut links = BTreeMap::new();
        for ((id, position), record) in found.into_iter().zip(self.backend().get_many(&wanted).await?) {
            let record = record.ok_or_else(|| corrupted("an index names an op that is not there"))?;
            let record = OpRecord::from_bytes(&record)?;
            let seen = state.seen_after(&id, record.seen)?;
            links.insert(id, Link { position, height: record.height, seen });
        }
        Ok(links)
    }

    async fn drop_known(&self, ops: &mut Vec<PayloadedOp>) -> Result<(), StoreError> {
        let ids: Vec<OpId> = ops.iter().map(|(op, _)| op.id()).collect();
        let mut places = self.places(&ids).await?.into_iter();
        // An op's bytes may be here as an object: that does not make it known as an op.
        ops.retain(|_| !matches!(places.next(), Some(Some(Place::Op { .. }))));
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
            let header = op.header();
            let granted = header.act.iter().map(|Act::Grant { to, .. }| *to);
            for id in std::iter::once(header.author).chain(granted) {
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

#[derive(Default)]
struct Identities {
    keys: BTreeMap<IdentityId, PublicKey>,
    new: Vec<(IdentityId, Vec<u8>)>,
}

/// An op and its payload, if it has one.
type PayloadedOp = (Op, Option<Vec<u8>>);

/// Reads the headers and compares each payload with what its header names. An op that comes twice counts once.
fn decode(replica: ReplicaId, ops: Vec<SignedOp>) -> Result<Vec<PayloadedOp>, IngestError> {
    let mut seen = BTreeSet::new();
    let mut decoded = Vec::with_capacity(ops.len());
    for SignedOp { header, payload } in ops {
        let op = Op::from_bytes(&header)?;
        if op.header().target != replica {
            return Err(IngestError::Target { op: op.id(), found: op.header().target });
        }
        if !op.header().deps.is_empty() {
            return Err(IngestError::Dependencies(op.id()));
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
