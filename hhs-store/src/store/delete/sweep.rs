//! Taking back the room of what was deleted: first ops, then what nothing refers to any more.

use std::ops::Bound;

use hhs_model::op::Op;

use super::super::objects::StagedObjects;
use super::super::record::{OpRecord, Place};
use super::super::writer::Writer;
use super::super::{Store, StoreError, corrupted, index, keys};
use crate::backend::{BackendError, Batch, Entry, Limit, Order, Write, prefix_range};

/// Ops that go with one commit.
const OPS: Limit = Limit { entries: 512, bytes: 2 << 20 };
/// Small entries that go with one commit.
const ENTRIES: Limit = Limit { entries: 4096, bytes: usize::MAX };
/// Objects that are looked at for one commit, unless they have many index entries.
const OBJECTS: usize = 256;
/// Writes after which a commit takes no further object.
const WRITES: usize = 8192;

impl Store {
    /// Takes back the room of all that was deleted, a commit at a time. Others write in between.
    ///
    /// # Errors
    /// If the backend fails. What is left goes with the next call.
    pub(in crate::store) async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let mut writer = self.quiet_writer().await?;
            let mut batch = Batch::new();
            let more = match self.first(&[keys::DELETING]).await? {
                Some((key, _)) => self.sweep_replica(&mut writer, &mut batch, keys::replica_at(&key, 1)?).await?,
                None => self.sweep_objects(&mut batch).await?,
            };
            if !more {
                self.forget_identities();
                return Ok(());
            }
            keys::put_floors(&mut batch, writer.next_object, writer.next_replica);
            match self.commit(&mut writer, batch).await {
                Ok(()) => self.forget_identities(),
                // Another host came first: it is all looked at again.
                Err(BackendError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Part of a replica goes; true, as there is always something left to look at.
    async fn sweep_replica(&self, writer: &mut Writer, batch: &mut Batch, replica: u32) -> Result<bool, StoreError> {
        let ops = self.backend().scan(prefix_range(&keys::ops_of(replica)), Order::Ascending, OPS).await?;
        if let Some((last, _)) = ops.last() {
            let last = keys::number(last, 5)?;
            let mut objects = StagedObjects::new(writer.next_object);
            for (key, record) in ops {
                let position = keys::number(&key, 5)?;
                self.remove_op(batch, &mut objects, replica, position, OpRecord::from_bytes(&record)?).await?;
            }
            self.remove_payloads(batch, replica, last).await?;
            let mut indexes = Batch::new();
            writer.next_object = objects.finish(batch, &mut indexes);
            batch.writes.append(&mut indexes.writes);
            return Ok(true);
        }
        let small = [keys::payloads_of, keys::acts_of, keys::heads_of, keys::tips, keys::all_withheld];
        for prefix in small.into_iter().chain([keys::checkpoints_of, keys::parts_of]).map(|of| of(replica)) {
            let entries = self.backend().scan(prefix_range(&prefix), Order::Ascending, ENTRIES).await?;
            if !entries.is_empty() {
                batch.writes.extend(entries.into_iter().map(|(key, _)| Write::Delete(key)));
                return Ok(true);
            }
        }
        batch.delete(keys::deleting(replica));
        Ok(true)
    }

    /// An op goes. One that an object links to stays as an object itself, so that the link leads somewhere.
    async fn remove_op(
        &self,
        batch: &mut Batch,
        objects: &mut StagedObjects,
        replica: u32,
        position: u64,
        record: OpRecord,
    ) -> Result<(), StoreError> {
        let op = Op::from_bytes(&record.header).map_err(|_| corrupted("the header of an op cannot be read"))?;
        batch.delete(keys::op(replica, position));
        batch.delete(keys::head(replica, position));
        if let Some(payload) = &record.payload {
            doom_linked(batch, replica, position, payload);
        }
        for id in index::named_in_header(op.header()) {
            batch.delete(keys::writes(id, replica));
            batch.put(keys::doomed(id), []);
        }
        if self.place(op.id()).await? != Some(Place::Op { replica, position }) {
            return Ok(());
        }
        match self.referrer(op.id().into()).await? {
            Some(_) => {
                objects.put(op.id(), record.header);
            }
            None => {
                batch.delete(keys::place(op.id()));
            }
        }
        Ok(())
    }

    /// The payloads up to a position go that have entries of their own.
    async fn remove_payloads(&self, batch: &mut Batch, replica: u32, last: u64) -> Result<(), StoreError> {
        let mut start = Bound::Included(keys::payload(replica, 0));
        loop {
            let range = (start, Bound::Included(keys::payload(replica, last)));
            let payloads = self.backend().scan(range, Order::Ascending, OPS).await?;
            let Some((key, _)) = payloads.last() else { return Ok(()) };
            start = Bound::Excluded(key.clone());
            for (key, payload) in payloads {
                let position = keys::number(&key, 5)?;
                batch.delete(key);
                doom_linked(batch, replica, position, &payload);
            }
        }
    }

    /// Some of the objects go that may; false if there are none.
    async fn sweep_objects(&self, batch: &mut Batch) -> Result<bool, StoreError> {
        let limit = Limit { entries: OBJECTS, bytes: usize::MAX };
        let doomed = self.backend().scan(prefix_range(&[keys::DOOMED]), Order::Ascending, limit).await?;
        let mut next = Vec::new();
        for (key, _) in &doomed {
            if batch.writes.len() > WRITES {
                break;
            }
            let id = keys::id_at(key, 1)?;
            batch.delete(key.clone());
            if let Some(Place::Object(number)) = self.place(id).await?
                && self.referrer(id).await?.is_none()
                && self.namer(id).await?.is_none()
            {
                next.extend(self.remove_object(batch, id, number).await?);
            }
        }
        // After the deletions: one of these may just have been spared for the sake of one that goes now.
        for id in next {
            batch.put(keys::doomed(id), []);
        }
        Ok(!doomed.is_empty())
    }

    async fn first(&self, prefix: &[u8]) -> Result<Option<Entry>, StoreError> {
        let found = self.backend().scan(prefix_range(prefix), Order::Ascending, super::FIRST).await?;
        Ok(found.into_iter().next())
    }
}

/// What only a payload that goes links to may go after it.
fn doom_linked(batch: &mut Batch, replica: u32, position: u64, payload: &[u8]) {
    for id in index::linked_from(payload) {
        batch.delete(keys::linked(id, replica, position));
        batch.put(keys::doomed(id), []);
    }
}
