//! Replicas: their geneses, and that no ops belong to none.

use std::ops::Bound;

use hhs_model::bounds::MAX_CHILD_LEVELS;
use hhs_model::op::{Founding, Genesis};
use hhs_model::{Identity, IdentityId, ObjectId, ReplicaId, object};

use super::super::record::Place;
use super::super::{StoreError, index, keys};
use super::Check;
use super::sequence::Sequence;
use crate::backend::{Limit, Order, prefix_range};

impl Check<'_> {
    pub(super) async fn replicas(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.page(&[keys::REPLICA], after.as_ref()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, value) in page {
                match (keys::replica_at(&key, 1), keys::number(&value, 0)) {
                    (Ok(replica), Ok(object)) if key.len() == 5 && value.len() == 8 => {
                        self.replica(replica, object).await?;
                    }
                    _ => self.damage(key, "a replica stands under a key of the wrong length, or leads nowhere"),
                }
            }
        }
        for kind in [keys::OP, keys::PAYLOAD, keys::ACT, keys::HEAD] {
            self.orphans(kind).await?;
        }
        Ok(())
    }

    async fn replica(&mut self, replica: u32, object: u64) -> Result<(), StoreError> {
        self.checked.replicas += 1;
        let bytes = self.backend.get(&keys::object(object)).await?;
        let read = bytes.as_deref().and_then(|bytes| Some((ReplicaId::of(bytes), object::from_bytes(bytes).ok()?)));
        let Some((id, genesis)): Option<(ReplicaId, Genesis)> = read else {
            self.damage(keys::replica(replica), "the genesis of a replica is missing or damaged");
            return Ok(());
        };
        let place = (keys::place(id), Place::Genesis { replica, object }.to_bytes());
        self.compare(&[place], "the id of a replica does not lead to it").await?;
        let by_class = index::of_replica(replica, id.into(), &genesis.class);
        self.compare(&[by_class], "a replica is not listed by its class").await?;
        for holder in genesis.holders() {
            if self.identity(holder).await?.is_none() {
                self.damage(keys::object(object), "a genesis names an identity that is not here");
            }
        }
        let authority = match self.founding(id, genesis).await? {
            Some(founding) => self.authority(founding).await?,
            None => {
                self.damage(keys::replica(replica), "the parent of a replica is missing");
                None
            }
        };
        Sequence::new(replica, id, authority).check(self).await
    }

    /// What a genesis founds, if all above it is here.
    pub(super) async fn founding(&self, id: ReplicaId, genesis: Genesis) -> Result<Option<Founding>, StoreError> {
        let (mut top, mut below) = (genesis, Vec::new());
        while let Some(parent) = top.parent() {
            let bytes = self.bytes(parent.into()).await?;
            let genesis = bytes.and_then(|bytes| object::from_bytes::<Genesis>(&bytes).ok());
            let Some(genesis) = genesis.filter(|_| below.len() < MAX_CHILD_LEVELS) else { return Ok(None) };
            below.push(std::mem::replace(&mut top, genesis));
        }
        let root = Founding::root(top).ok();
        let founding =
            root.and_then(|root| below.into_iter().rev().try_fold(root, |above, child| above.child(child).ok()));
        Ok(founding.filter(|founding| founding.id() == id))
    }

    /// An identity, if it is here and sound.
    pub(super) async fn identity(&self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        let bytes = self.bytes(id.into()).await?;
        Ok(bytes.filter(|bytes| IdentityId::of(bytes) == id).and_then(|bytes| Identity::from_bytes(&bytes).ok()))
    }

    async fn bytes(&self, id: ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        let place = self.backend.get(&keys::place(id)).await?;
        match place.map(|place| Place::from_bytes(&place)) {
            Some(Ok(Place::Object(number) | Place::Genesis { object: number, .. })) => {
                Ok(self.backend.get(&keys::object(number)).await?)
            }
            _ => Ok(None),
        }
    }

    /// Entries of one of the kinds that belong to ops, of replicas that are not there.
    async fn orphans(&mut self, kind: u8) -> Result<(), StoreError> {
        let (mut start, end) = prefix_range(&[kind]);
        loop {
            let one = Limit { entries: 1, bytes: 1 };
            let found = self.backend.scan((start, end.clone()), Order::Ascending, one).await?;
            let Some((key, _)) = found.into_iter().next() else { return Ok(()) };
            let replica = keys::replica_at(&key, 1);
            let next = match replica {
                Ok(replica) if key.len() == 13 => {
                    if !self.has_replica(replica).await? {
                        self.damage(key.clone(), "ops, or what belongs to them, are of a replica that is not here");
                    }
                    replica.checked_add(1)
                }
                // One without a replica: the next key may be right.
                _ => {
                    self.damage(key.clone(), "what belongs to an op stands under a key of the wrong length");
                    start = Bound::Excluded(key);
                    continue;
                }
            };
            let Some(next) = next else { return Ok(()) };
            start = Bound::Included([&[kind], &next.to_be_bytes()[..]].concat());
        }
    }

    /// Whether there is a replica of this number, if only to be deleted.
    async fn has_replica(&self, replica: u32) -> Result<bool, StoreError> {
        let wanted = [keys::replica(replica), keys::deleting(replica)];
        Ok(self.backend.get_many(&wanted).await?.iter().any(Option::is_some))
    }
}
