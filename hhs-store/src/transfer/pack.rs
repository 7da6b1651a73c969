//! Packs: objects with all that they need, for a receiver who has some, cut to a budget.

use std::collections::BTreeSet;

use hhs_model::object;
use hhs_model::{ObjectId, OpId, ReplicaId};

use crate::store::{Located, Store, StoreError};

/// How much a pack may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// At most this many objects.
    pub objects: usize,
    /// No further object once it has this many bytes; one always passes, however large.
    pub bytes: usize,
}

/// Objects that a receiver can save one after the other, or all at once: each comes after what it links to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    /// The encoded objects.
    pub objects: Vec<(ObjectId, Vec<u8>)>,
    /// Roots that are not in it, nor with the receiver: the budget was spent before. Pack them next, with what is in this
    /// pack among what the receiver has.
    pub left: Vec<ObjectId>,
    /// Replicas that objects in it lead to. They are synchronised, not packed.
    pub replicas: BTreeSet<ReplicaId>,
    /// Ops that objects in it lead to.
    pub ops: BTreeSet<OpId>,
}

impl Store {
    /// Packs `roots` with all that they lead to, but for what the receiver has: `has` says so of an object, and is taken to
    /// mean that the receiver has all below it too, as stores do.
    ///
    /// Costs time in what is packed and its links; memory as much as the pack, and the ids on the way to it.
    ///
    /// # Errors
    /// If a root is not an object that is here, or the backend cannot read.
    pub async fn pack(
        &self,
        roots: &[ObjectId],
        has: impl Fn(&ObjectId) -> bool,
        budget: Budget,
    ) -> Result<Pack, StoreError> {
        let mut packing =
            Packing { store: self, has, budget, bytes: 0, packed: BTreeSet::new(), pack: Pack::default() };
        for root in roots {
            if !packing.add(*root).await? {
                packing.pack.left.push(*root);
            }
        }
        Ok(packing.pack)
    }
}

struct Packing<'a, H> {
    store: &'a Store,
    has: H,
    budget: Budget,
    bytes: usize,
    packed: BTreeSet<ObjectId>,
    pack: Pack,
}

impl<H: Fn(&ObjectId) -> bool> Packing<'_, H> {
    /// Packs an object after all below it; whether the budget reached that far. Iterative: how deep objects hang is bounded
    /// by nothing.
    async fn add(&mut self, root: ObjectId) -> Result<bool, StoreError> {
        let mut entered = BTreeSet::new();
        let mut path = vec![root];
        while let Some(id) = path.last().copied() {
            if self.packed.contains(&id) || (self.has)(&id) {
                path.pop();
                continue;
            }
            let bytes = self.store.get_bytes(id).await?.ok_or(StoreError::Gone(id))?;
            if entered.insert(id) {
                path.extend(self.below(&bytes).await?);
                continue;
            }
            if !self.admits() {
                return Ok(false);
            }
            path.pop();
            self.bytes += bytes.len();
            self.packed.insert(id);
            self.pack.objects.push((id, bytes));
        }
        Ok(true)
    }

    /// The objects that an object links to; notes the replicas and ops.
    async fn below(&mut self, bytes: &[u8]) -> Result<Vec<ObjectId>, StoreError> {
        let links: BTreeSet<_> = object::links(bytes)?.into_iter().map(|link| link.cid).collect();
        let links: Vec<_> = links.into_iter().collect();
        let mut below = Vec::new();
        for (link, located) in links.iter().zip(self.store.locate(&links).await?) {
            match located {
                Some(Located::Object) => below.push(ObjectId(link.hash)),
                Some(Located::Replica(replica)) => drop(self.pack.replicas.insert(replica)),
                Some(Located::Op { replica, .. }) => {
                    self.pack.replicas.insert(replica);
                    self.pack.ops.insert(OpId(link.hash));
                }
                None => {}
            }
        }
        Ok(below)
    }

    fn admits(&self) -> bool {
        let (objects, bytes) = (self.pack.objects.len(), self.bytes);
        objects < self.budget.objects && (objects == 0 || bytes < self.budget.bytes)
    }
}
