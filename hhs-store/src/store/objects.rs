//! Objects by id, identities and geneses among them.

use std::collections::BTreeMap;

use hhs_model::op::Genesis;
use hhs_model::{Author, Identity, IdentityId, Object, ObjectId, ReplicaId, object};

use super::keys;
use super::record::Place;
use super::{Store, StoreError, corrupted};
use crate::backend::Batch;

/// Objects that will be committed together.
pub(super) struct StagedObjects {
    next: u64,
    entries: Vec<(ObjectId, u64, Vec<u8>)>,
}

impl StagedObjects {
    pub(super) fn new(next: u64) -> Self {
        Self { next, entries: Vec::new() }
    }

    /// Adds an object and returns its number.
    pub(super) fn put(&mut self, id: impl Into<ObjectId>, bytes: Vec<u8>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.entries.push((id.into(), number, bytes));
        number
    }

    /// Adds all to a batch; returns the number of the next object.
    pub(super) fn finish(self, batch: &mut Batch) -> u64 {
        for (id, number, bytes) in self.entries {
            batch.put(keys::place(id), Place::Object(number).to_bytes());
            batch.put(keys::object(number), bytes);
        }
        self.next
    }
}

impl Store {
    /// Saves an object, unless it is there, and returns its id.
    ///
    /// # Errors
    /// If it is not valid, or the backend cannot write.
    pub async fn put(&self, object: &impl Object) -> Result<ObjectId, StoreError> {
        self.put_bytes(object::to_bytes(object)?).await
    }

    /// Saves an encoded object, unless it is there, and returns its id. Its class need not be known here.
    ///
    /// # Errors
    /// If the bytes are not canonical or not valid by their class, or the backend cannot write.
    pub async fn put_bytes(&self, bytes: Vec<u8>) -> Result<ObjectId, StoreError> {
        self.inner.registry.check(&bytes)?;
        let id = ObjectId::of(&bytes);
        let mut writer = self.writer().await?;
        if self.place(id).await?.is_none() {
            let mut objects = StagedObjects::new(writer.next_object);
            objects.put(id, bytes);
            let mut batch = Batch::new();
            writer.next_object = objects.finish(&mut batch);
            self.commit(&mut writer, batch, None).await?;
        }
        Ok(id)
    }

    /// The object of an id, if it is here.
    ///
    /// # Errors
    /// If it is of another class, or the backend cannot read.
    pub async fn get<T: Object>(&self, id: ObjectId) -> Result<Option<T>, StoreError> {
        let bytes = self.get_bytes(id).await?;
        Ok(bytes.map(|bytes| object::from_bytes(&bytes)).transpose()?)
    }

    /// The bytes of the object or op header of an id, if it is here.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn get_bytes(&self, id: ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        match self.place(id).await? {
            None => Ok(None),
            Some(Place::Object(object) | Place::Genesis { object, .. }) => {
                let bytes = self.backend().get(&keys::object(object)).await?;
                bytes.map(Some).ok_or_else(|| corrupted("an index names an object that is not there"))
            }
            Some(Place::Op { replica, position }) => {
                let bytes = self.backend().get(&keys::op(replica, position)).await?;
                let bytes = bytes.ok_or_else(|| corrupted("an index names an op that is not there"))?;
                super::record::OpRecord::from_bytes(&bytes).map(|record| Some(record.header))
            }
        }
    }

    /// An identity, if it is here. Of an object that is no identity there is none, however it got its id into an op.
    ///
    /// # Errors
    /// If the backend cannot read, or has other bytes than were written.
    pub async fn identity(&self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        match self.get_bytes(id.into()).await? {
            None => Ok(None),
            Some(bytes) => match Identity::from_bytes(&bytes) {
                Ok(identity) => Ok(Some(identity)),
                Err(_) if IdentityId::of(&bytes) == id => Ok(None),
                Err(_) => Err(corrupted("the bytes of an object are not those of its id")),
            },
        }
    }

    /// Creates a replica, unless it is there. Whoever holds anything in its genesis has to be among `identities`, or here.
    ///
    /// # Errors
    /// If an identity is missing, a bound is exceeded, or the backend cannot write.
    pub async fn create(&self, genesis: &Genesis, identities: &[Vec<u8>]) -> Result<ReplicaId, StoreError> {
        let (bytes, id) = genesis.encoded()?;
        self.adopt(id, bytes, identities).await?;
        Ok(id)
    }

    /// Creates a replica that only `author` may write to and invite others to.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn found(&self, class: &str, nonce: [u8; 16], author: &Author) -> Result<ReplicaId, StoreError> {
        let genesis = Genesis::with_founder(class, nonce, author.id());
        self.create(&genesis, &[author.identity_bytes().to_vec()]).await
    }

    /// Takes in a replica that others have: its genesis, with the identities it names. Its ops come later.
    ///
    /// # Errors
    /// If the bytes are not those of `id`, not a genesis, or name an identity that did not come along.
    pub async fn adopt(&self, id: ReplicaId, genesis: Vec<u8>, identities: &[Vec<u8>]) -> Result<(), StoreError> {
        let found = ReplicaId::of(&genesis);
        if found != id {
            return Err(StoreError::WrongId { expected: id.into(), found: found.into() });
        }
        let decoded: Genesis = object::from_bytes(&genesis)?;
        let mut came = BTreeMap::new();
        for bytes in identities {
            Identity::from_bytes(bytes)?;
            came.insert(IdentityId::of(bytes), bytes);
        }
        let mut writer = self.writer().await?;
        let stored = match self.place(id).await? {
            Some(Place::Genesis { .. }) => return Ok(()),
            // Somebody saved its bytes as an object: that does not make it a replica.
            Some(Place::Object(object)) => Some(object),
            Some(Place::Op { .. }) => return Err(corrupted("the id of a genesis leads to an op")),
            None => None,
        };
        let mut objects = StagedObjects::new(writer.next_object);
        for holder in decoded.holders() {
            if self.identity(holder).await?.is_none() {
                let bytes = came.get(&holder).ok_or(StoreError::NoIdentity(holder))?;
                objects.put(holder, bytes.to_vec());
            }
        }
        let object = stored.unwrap_or_else(|| objects.put(id, genesis));
        let replica = writer.next_replica;
        let mut batch = Batch::new();
        let next = objects.finish(&mut batch);
        // After the objects, so that this is what the id of the genesis leads to.
        batch.put(keys::place(id), Place::Genesis { replica, object }.to_bytes());
        batch.put(keys::replica(replica), object.to_be_bytes());
        writer.next_object = next;
        writer.next_replica = replica.checked_add(1).ok_or_else(|| corrupted("a replica number is out of range"))?;
        Ok(self.commit(&mut writer, batch, None).await?)
    }

    /// Where something is.
    pub(super) async fn place(&self, id: impl Into<ObjectId>) -> Result<Option<Place>, StoreError> {
        let found = self.backend().get(&keys::place(id.into())).await?;
        found.map(|bytes| Place::from_bytes(&bytes)).transpose()
    }

    /// Where many things are.
    pub(super) async fn places<I: Into<ObjectId> + Copy>(&self, ids: &[I]) -> Result<Vec<Option<Place>>, StoreError> {
        let wanted: Vec<Vec<u8>> = ids.iter().map(|id| keys::place(*id)).collect();
        let found = self.backend().get_many(&wanted).await?;
        found.into_iter().map(|place| place.map(|bytes| Place::from_bytes(&bytes)).transpose()).collect()
    }
}
