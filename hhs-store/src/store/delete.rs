//! Deleting replicas and objects, and taking back their room.
//!
//! A replica is deleted by one commit that makes it invisible and remembers that it is to go; then its ops go, page by
//! page. What they named goes after them, unless something else refers to it: identities, and objects that payloads link
//! to, with what those link to. Each page is a commit, so that a crash in between loses nothing: opening the store goes on
//! with it.

mod sweep;

use hhs_model::{ObjectId, ReplicaId};

use super::listeners::Committed;
use super::pipeline::{Change, ChangedOps};
use super::record::Place;
use super::writer::Writer;
use super::{Store, StoreError, index, keys};
use crate::backend::{BackendError, Batch, Limit, Order, prefix_range};

/// Why something was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another object links to it.
    #[error("the object {id} is needed by the object {by}, which links to it: delete that one first")]
    Linked {
        /// What was to be deleted.
        id: ObjectId,
        /// What links to it.
        by: ObjectId,
    },
    /// An op names it.
    #[error("the object {id} is needed by ops of the replica {replica}: delete that replica first")]
    Named {
        /// What was to be deleted.
        id: ObjectId,
        /// The replica.
        replica: ReplicaId,
    },
    /// It is the beginning of a replica.
    #[error("{0} is the genesis of a replica: delete the replica")]
    Genesis(ReplicaId),
    /// It is an op.
    #[error("{0} is an op: ops go with their replica")]
    Op(ObjectId),
    /// A replica has children, which could not be judged without it.
    #[error("the replica {replica} has the child {child}: delete the children first, or the whole space")]
    Parent {
        /// What was to be deleted.
        replica: ReplicaId,
        /// One of its children.
        child: ReplicaId,
    },
    /// A replica gives authority to another one, whose ops could not be judged without it.
    #[error("the replica {replica} says who may write to {dependent}: delete that one first")]
    Source {
        /// What was to be deleted.
        replica: ReplicaId,
        /// One to which it gives authority.
        dependent: ReplicaId,
    },
}

impl From<BackendError> for DeleteError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Deletes a replica that has no children. When this returns it is gone, and its room is free; who drops the future
    /// leaves the rest to the next deletion, or to the next opening. It can be adopted anew, from others who have it.
    ///
    /// What its ops alone named goes with it: identities, and objects that their payloads link to. So does an object that
    /// the app saved by itself, if such a payload links to it and nothing else does. Objects that link to ops of the
    /// replica keep the headers of those.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if it is not here, [`DeleteError::Parent`] if it has children, [`DeleteError::Source`] if it
    /// gives authority to others, or if the backend fails.
    pub async fn delete_replica(&self, id: ReplicaId) -> Result<(), DeleteError> {
        self.hide_replica(id).await?;
        Ok(self.sweep().await?)
    }

    /// Deletes a replica with all below it, children first.
    ///
    /// # Errors
    /// As [`delete_replica`](Self::delete_replica); what was deleted before stays deleted. None is, if one of them gives authority
    /// to a replica that would stay.
    pub async fn delete_space(&self, root: ReplicaId) -> Result<(), DeleteError> {
        let (mut family, mut at) = (vec![root], 0);
        while let Some(replica) = family.get(at) {
            family.extend(self.children(*replica).await?);
            at += 1;
        }
        for replica in &family {
            let dependents = self.dependents(*replica).await?;
            if let Some(dependent) = dependents.into_iter().find(|dependent| !family.contains(dependent)) {
                return Err(DeleteError::Source { replica: *replica, dependent });
            }
        }
        // Parents come before their children there.
        for replica in family.into_iter().rev() {
            self.hide_replica(replica).await?;
        }
        Ok(self.sweep().await?)
    }

    /// Deletes an object; whether it was here. What it links to stays.
    ///
    /// # Errors
    /// If something refers to it, if it is a genesis or an op, or the backend fails.
    pub async fn delete_object(&self, id: ObjectId) -> Result<bool, DeleteError> {
        loop {
            let mut writer = self.quiet_writer().await?;
            let number = match self.place(id).await? {
                None => return Ok(false),
                Some(Place::Genesis { .. }) => return Err(DeleteError::Genesis(ReplicaId(id.0))),
                Some(Place::Op { .. }) => return Err(DeleteError::Op(id)),
                Some(Place::Object(number)) => number,
            };
            self.check_unreferenced(id).await?;
            let mut batch = Batch::new();
            self.remove_object(&mut batch, id, number).await?;
            keys::put_floors(&mut batch, writer.next_object, writer.next_replica);
            match self.commit(&mut writer, batch).await {
                Err(BackendError::Conflict) => continue,
                outcome => outcome?,
            }
            self.forget_identities();
            return Ok(true);
        }
    }

    /// Makes a replica invisible, for good.
    async fn hide_replica(&self, id: ReplicaId) -> Result<(), DeleteError> {
        loop {
            let mut writer = self.quiet_writer().await?;
            let Some(Place::Genesis { replica, object }) = self.place(id).await? else {
                return Err(StoreError::NoReplica(id).into());
            };
            if let Some(child) = self.children(id).await?.first() {
                return Err(DeleteError::Parent { replica: id, child: *child });
            }
            if let Some(dependent) = self.dependents_of(&mut writer, id).await?.first() {
                return Err(DeleteError::Source { replica: id, dependent: *dependent });
            }
            let class = self.genesis(id).await?.class;
            let mut batch = Batch::new();
            batch.put(keys::place(id), Place::Object(object).to_bytes());
            batch.delete(keys::replica(replica));
            batch.delete(index::of_replica(replica, id.into(), &class).0);
            batch.put(keys::deleting(replica), id.as_bytes());
            batch.put(keys::doomed(id.into()), []);
            keys::put_floors(&mut batch, writer.next_object, writer.next_replica);
            match self.commit_deletion(&mut writer, id, batch).await {
                Err(BackendError::Conflict) => continue,
                outcome => outcome?,
            }
            writer.forget(id);
            writer.dependents.clear();
            self.inner.aside.hide(replica);
            self.listeners().end(id);
            return Ok(());
        }
    }

    /// Commits that a replica is gone, and tells so who watches, other hosts too: it has no ops now.
    async fn commit_deletion(&self, writer: &mut Writer, replica: ReplicaId, batch: Batch) -> Result<(), BackendError> {
        let committed = Committed { replica, ops: 0, added: 0, local: 0 };
        let ops = Some(ChangedOps::new(committed, Vec::new()));
        self.commit_change(writer, Change { seen: batch, ops, ..Change::default() }).await
    }

    async fn check_unreferenced(&self, id: ObjectId) -> Result<(), DeleteError> {
        if let Some(number) = self.referrer(id).await? {
            let by = self.backend().get(&keys::id_of(number)).await?;
            let by = by.ok_or_else(|| super::corrupted("an index names an object that is not there"))?;
            return Err(DeleteError::Linked { id, by: keys::id_at(&by, 0)? });
        }
        match self.namer(id).await? {
            Some(replica) => Err(DeleteError::Named { id, replica: self.replica_id(replica).await? }),
            None => Ok(()),
        }
    }

    /// The number of an object that links to this one.
    async fn referrer(&self, id: ObjectId) -> Result<Option<u64>, StoreError> {
        let prefix = keys::references(id, index::Selector::ANY);
        let found = self.backend().scan(prefix_range(&prefix), Order::Ascending, FIRST).await?;
        found.first().map(|(key, _)| keys::number(key, prefix.len())).transpose()
    }

    /// The number of a replica with ops that name this, as who writes or in a payload.
    async fn namer(&self, id: ObjectId) -> Result<Option<u32>, StoreError> {
        for prefix in [keys::all_writes(id), keys::all_linked(id)] {
            let found = self.backend().scan(prefix_range(&prefix), Order::Ascending, FIRST).await?;
            if let Some((key, _)) = found.first() {
                return keys::replica_at(key, prefix.len()).map(Some);
            }
        }
        Ok(None)
    }

    /// Adds to a batch that an object goes, with its index entries; returns what it links to. Called with the writer locked.
    pub(super) async fn remove_object(
        &self,
        batch: &mut Batch,
        id: ObjectId,
        number: u64,
    ) -> Result<Vec<ObjectId>, StoreError> {
        let bytes = self.staged_get(&keys::object(number)).await?;
        let bytes = bytes.ok_or_else(|| super::corrupted("an index names an object that is not there"))?;
        batch.delete(keys::place(id));
        batch.delete(keys::object(number));
        let entries = index::of_object(number, id, &bytes).map_err(|_| super::corrupted("an object cannot be read"))?;
        for (key, _) in entries.into_iter().filter(|(key, _)| index::goes_with_object(key)) {
            batch.delete(key);
        }
        index::targets(&bytes).map_err(|_| super::corrupted("an object cannot be read"))
    }

    /// Keys of identities that are remembered may be of some that are gone.
    pub(super) fn forget_identities(&self) {
        self.inner.aside.count_deletion();
        *self.author_keys() = super::Recent::new(super::AUTHOR_KEYS);
    }
}

const FIRST: Limit = Limit { entries: 1, bytes: 1 };
