//! What an id leads to, without reading it.

use std::collections::BTreeMap;

use hhs_model::id::Codec;
use hhs_model::{Cid, ObjectId, ReplicaId};

use super::keys;
use super::record::Place;
use super::{Store, StoreError, corrupted};

/// What something with an id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Located {
    /// An object, identities among them.
    Object,
    /// The genesis of a replica.
    Replica(ReplicaId),
    /// An op.
    Op {
        /// Its replica.
        replica: ReplicaId,
        /// Where it stands in this store's causal order of that replica.
        position: u64,
    },
}

impl Store {
    /// What links lead to, in their order; `None` for what is not here.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn locate(&self, links: &[Cid]) -> Result<Vec<Option<Located>>, StoreError> {
        let ids: Vec<ObjectId> = links.iter().map(|link| ObjectId(link.hash)).collect();
        let places = self.places(&ids).await?;
        let mut replicas = BTreeMap::new();
        let mut located = Vec::with_capacity(links.len());
        for (link, place) in links.iter().zip(places) {
            located.push(match place {
                // No block of codec raw is ever stored; one of these bytes has another id.
                _ if link.codec == Codec::Raw => None,
                None => None,
                Some(place) if self.is_hidden(Some(place)) => None,
                Some(Place::Object(_)) => Some(Located::Object),
                Some(Place::Genesis { .. }) => Some(Located::Replica(ReplicaId(link.hash))),
                Some(Place::Op { replica: number, position }) => {
                    let replica = match replicas.get(&number) {
                        Some(replica) => *replica,
                        None => *replicas.entry(number).or_insert(self.replica_of(number).await?),
                    };
                    Some(Located::Op { replica, position })
                }
            });
        }
        Ok(located)
    }

    /// The replica of a number.
    async fn replica_of(&self, number: u32) -> Result<ReplicaId, StoreError> {
        let object = self.backend().get(&keys::replica(number)).await?;
        let object = object.ok_or_else(|| corrupted("an op is of a replica that is not there"))?;
        let bytes = self.backend().get(&keys::object(keys::number(&object, 0)?)).await?;
        let bytes = bytes.ok_or_else(|| corrupted("the genesis of a replica is not there"))?;
        Ok(ReplicaId::of(&bytes))
    }
}
