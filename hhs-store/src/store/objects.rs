//! Objects by id, identities and geneses among them.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::op::Genesis;
use hhs_model::{Author, Identity, IdentityId, Object, ObjectId, ReplicaId, object};

use super::index;
use super::keys;
use super::pipeline::Change;
use super::record::Place;
use super::writer::Writer;
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

    /// Adds all to a batch, and their index entries to another; returns the number of the next object.
    pub(super) fn finish(self, batch: &mut Batch, indexes: &mut Batch) -> u64 {
        let mut classes = BTreeSet::new();
        for (id, number, bytes) in self.entries {
            batch.put(keys::place(id), Place::Object(number).to_bytes());
            let indexed = index::of_object(number, id, &bytes).expect("what is staged was checked to be an object");
            for (key, value) in indexed {
                if index::goes_with_object(&key) || classes.insert(key.clone()) {
                    indexes.put(key, value);
                }
            }
            batch.put(keys::object(number), bytes);
        }
        self.next
    }
}

impl Store {
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
        match self.place(id).await?.filter(|place| !self.is_hidden(Some(*place))) {
            None => Ok(None),
            Some(Place::Object(object) | Place::Genesis { object, .. }) => {
                let bytes = self.backend().get(&keys::object(object)).await?;
                bytes.map(Some).ok_or_else(|| corrupted("an index names an object that is not there"))
            }
            Some(Place::Op { replica, position }) => {
                let bytes = self.backend().get(&keys::op(replica, position)).await?;
                let bytes = bytes.ok_or_else(|| corrupted("an index names an op that is not there"))?;
                super::record::OpRecord::into_header(bytes).map(Some)
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

    /// Creates a replica, unless it is there. Whoever holds anything in its genesis has to be among `identities`, or here;
    /// the parent of a child has to be here.
    ///
    /// # Errors
    /// If an identity or the parent is missing, a bound is exceeded, or the backend cannot write. Replicas that the rules ask about
    /// need not be here: nobody holds anything by what is said there until they are.
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
    /// If the bytes are not those of `id`, not a genesis, or name an identity that did not come along, or a parent that is
    /// not here.
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
        let (holders, class) = (decoded.holders(), decoded.class.clone());
        let mut objects = Vec::new();
        if !matches!(self.staged_place(id).await?, Some(Place::Genesis { .. })) {
            self.sources_of(&self.founded(id, decoded).await?).await?;
            for holder in holders {
                if self.staged_identity(holder).await?.is_none() {
                    let bytes = came.get(&holder).ok_or(StoreError::NoIdentity(holder))?;
                    objects.push((holder.into(), bytes.to_vec()));
                }
            }
            objects.push((id.into(), genesis));
        }
        let change = self.stage_objects(&mut writer, objects, Some((id, class))).await?;
        let ticket = self.join(&writer, change);
        drop(writer);
        self.settled(&ticket).await?;
        Ok(())
    }

    /// Stages those objects that are not there yet, and makes a replica of the genesis among them unless it is one.
    pub(super) async fn stage_objects(
        &self,
        writer: &mut Writer,
        objects: Vec<(ObjectId, Vec<u8>)>,
        adopted: Option<(ReplicaId, String)>,
    ) -> Result<Change, StoreError> {
        self.check_links(writer, &objects).await?;
        let again = if self.is_shared() { objects.clone() } else { Vec::new() };
        let mut change = Change { objects: again, adopted: adopted.clone(), ..Change::default() };
        let mut staged = StagedObjects::new(writer.next_object);
        let mut places = BTreeMap::new();
        for (id, bytes) in objects {
            let place = match places.get(&id) {
                Some(place) => *place,
                None => self.staged_place(id).await?,
            };
            places.insert(id, Some(place.unwrap_or_else(|| Place::Object(staged.put(id, bytes)))));
        }
        let dependents = match &adopted {
            Some((id, _)) => self.find_dependents(*id).await?,
            None => Vec::new(),
        };
        writer.next_object = staged.finish(&mut change.seen, &mut change.unseen);
        if let Some((id, class)) = adopted {
            // Who takes authority from it looks at it anew.
            dependents.into_iter().for_each(|dependent| writer.forget(dependent));
            writer.dependents.clear();
            let place = match places.get(&id.into()) {
                Some(place) => *place,
                None => self.staged_place(id).await?,
            };
            match place {
                Some(Place::Genesis { .. }) => {}
                // Somebody may have saved its bytes as an object before: that did not make it a replica.
                Some(Place::Object(object)) => stage_replica(writer, &mut change.seen, id, object, &class)?,
                Some(Place::Op { .. }) => return Err(corrupted("the id of a genesis leads to an op")),
                None => return Err(corrupted("the genesis of a replica is not there")),
            }
        }
        Ok(change)
    }

    /// Whether what is there belongs to a replica that is being deleted.
    pub(super) fn is_hidden(&self, place: Option<Place>) -> bool {
        matches!(place, Some(Place::Op { replica, .. }) if self.inner.aside.hides(replica))
    }

    /// Whether what is there is an op of a replica that is here.
    pub(super) fn is_op(&self, place: Place) -> bool {
        matches!(place, Place::Op { .. }) && !self.is_hidden(Some(place))
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

/// Makes a replica of an object. After the object itself, so that this is what the id of the genesis leads to.
fn stage_replica(
    writer: &mut Writer,
    batch: &mut Batch,
    id: ReplicaId,
    object: u64,
    class: &str,
) -> Result<(), StoreError> {
    let replica = writer.next_replica;
    writer.next_replica = replica.checked_add(1).ok_or_else(|| corrupted("a replica number is out of range"))?;
    batch.put(keys::place(id), Place::Genesis { replica, object }.to_bytes());
    batch.put(keys::replica(replica), object.to_be_bytes());
    let (key, value) = index::of_replica(replica, id.into(), class);
    batch.put(key, value);
    Ok(())
}
