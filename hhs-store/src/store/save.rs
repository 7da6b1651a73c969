//! Saving objects and loading them, with all that is nested in them.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::object::{self, LoadError, Loading};
use hhs_model::registry::ReadError;
use hhs_model::{Object, ObjectId};

use super::writer::Writer;
use super::{Store, StoreError, index};

impl Store {
    /// Saves an object, unless it is there, and returns its id. What is nested in it and loaded is saved with it, in one
    /// commit.
    ///
    /// # Errors
    /// If one of them is not valid, links to what is neither here nor saved with it, or the backend cannot write.
    pub async fn save(&self, object: &impl Object) -> Result<ObjectId, StoreError> {
        let blocks = object::to_blocks(object)?;
        // The object itself comes after what is nested in it.
        let id = match blocks.last() {
            Some(block) => block.id,
            None => object::id(object)?,
        };
        self.put_all(blocks.into_iter().map(|block| block.bytes).collect()).await?;
        Ok(id)
    }

    /// Saves an object alone, unless it is there, and returns its id: what is nested in it has to be here.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub async fn put(&self, object: &impl Object) -> Result<ObjectId, StoreError> {
        self.put_bytes(object::to_bytes(object)?).await
    }

    /// Saves an encoded object, unless it is there, and returns its id. Its class need not be known here.
    ///
    /// # Errors
    /// If the bytes are not canonical or not valid by their class, link to what is not here, or the backend cannot write.
    pub async fn put_bytes(&self, bytes: Vec<u8>) -> Result<ObjectId, StoreError> {
        let id = ObjectId::of(&bytes);
        self.put_all(vec![bytes]).await?;
        Ok(id)
    }

    /// Saves encoded objects, those that are not there, in one commit, and returns their ids. They may link to each other,
    /// in any order.
    ///
    /// # Errors
    /// If one of them is not valid, or [`StoreError::Dangling`] if one links to what is neither here nor among them, or the
    /// backend cannot write. Then none was saved.
    pub async fn put_all(&self, objects: Vec<Vec<u8>>) -> Result<Vec<ObjectId>, StoreError> {
        let mut ids = Vec::with_capacity(objects.len());
        for bytes in &objects {
            self.inner.registry.check(bytes)?;
            ids.push(ObjectId::of(bytes));
        }
        let places = self.places(&ids).await?;
        if places.iter().all(Option::is_some) {
            return Ok(ids);
        }
        let mut writer = self.writer().await?;
        let objects = ids.iter().copied().zip(objects).collect();
        let change = self.stage_objects(&mut writer, objects, None).await?;
        let ticket = self.join(&writer, change);
        drop(writer);
        self.settled(&ticket).await?;
        Ok(ids)
    }

    /// An object by its id, if it is here, read as one of this class, through the upgrades of the registry if it is of an
    /// older one. What is nested in it is not loaded.
    ///
    /// # Errors
    /// If it cannot be read as one of this class, or the backend cannot read.
    pub async fn load<T: Object>(&self, id: ObjectId) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.get_bytes(id).await? else { return Ok(None) };
        match self.inner.registry.read(&bytes) {
            Ok(object) => Ok(Some(object)),
            Err(ReadError::Decode(error)) => Err(error.into()),
            Err(error) => Err(StoreError::Read { id, error: Box::new(error) }),
        }
    }

    /// An object by its id with all that is nested in it, if it is here.
    ///
    /// # Errors
    /// If one of them cannot be read as what it is nested as, is not here, or more is nested than may be, or the backend
    /// cannot read.
    pub async fn load_deep<T: Object>(&self, id: ObjectId) -> Result<Option<T>, StoreError> {
        let mut loading = Loading::<T>::new(id);
        let Some(bytes) = self.get_bytes(id).await? else { return Ok(None) };
        let supply = |loading: &mut Loading<T>, id, bytes: &[u8]| {
            loading.supply(id, bytes).map_err(|error| StoreError::Load { id, error: Box::new(error) })
        };
        supply(&mut loading, id, &bytes)?;
        loop {
            let wanted: Vec<ObjectId> = loading.wanted().take(AT_ONCE).collect();
            if wanted.is_empty() {
                return loading.finish().map(Some).map_err(|error| StoreError::Load { id, error: Box::new(error) });
            }
            for wanted in wanted {
                let missing = || StoreError::Load { id, error: Box::new(LoadError::Missing(vec![wanted])) };
                let bytes = self.get_bytes(wanted).await?.ok_or_else(missing)?;
                supply(&mut loading, wanted, &bytes)?;
            }
        }
    }

    /// Checks an encoded object by itself.
    pub(crate) fn check_object(&self, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(self.inner.registry.check(bytes).map(drop)?)
    }

    /// Which of these are here: as an op where `ops` says so, as anything where it does not.
    pub(crate) async fn holds(&self, ids: &[ObjectId], ops: &[bool]) -> Result<Vec<bool>, StoreError> {
        let mut here = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            for place in self.places(ids).await? {
                let is_op = ops.get(here.len()).copied().unwrap_or_default();
                here.push(place.is_some_and(|place| match is_op {
                    true => self.is_op(place),
                    false => !self.is_hidden(Some(place)),
                }));
            }
        }
        Ok(here)
    }

    /// Checks that what objects link to is here, staged, or among them. Called with the writer locked, so that nothing of
    /// it goes before they are staged.
    pub(super) async fn check_links(
        &self,
        _writer: &Writer,
        objects: &[(ObjectId, Vec<u8>)],
    ) -> Result<(), StoreError> {
        let among: BTreeSet<ObjectId> = objects.iter().map(|(id, _)| *id).collect();
        let mut outside: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
        for (id, bytes) in objects {
            let needs = index::needs(bytes)?.into_iter();
            outside.extend(needs.filter(|target| !among.contains(target)).map(|target| (target, *id)));
        }
        let targets: Vec<ObjectId> = outside.keys().copied().collect();
        for targets in targets.chunks(AT_ONCE) {
            for (target, place) in targets.iter().zip(self.places(targets).await?) {
                let hidden = self.is_hidden(place);
                if hidden || place.is_none() && self.staged_place(*target).await?.is_none() {
                    return Err(dangling(objects, outside[target], *target));
                }
            }
        }
        Ok(())
    }
}

fn dangling(objects: &[(ObjectId, Vec<u8>)], id: ObjectId, missing: ObjectId) -> StoreError {
    let bytes = objects.iter().find(|(found, _)| *found == id).map_or(&[][..], |(_, bytes)| bytes);
    let links = object::links(bytes).unwrap_or_default();
    let path = links.into_iter().find(|link| ObjectId(link.cid.hash) == missing);
    let path = path.map(|link| link.path.to_string().chars().take(SHOWN).collect()).unwrap_or_default();
    StoreError::Dangling { id, missing, path }
}

/// Objects that are looked up at once.
const AT_ONCE: usize = 512;
/// Characters of a path that an error shows.
const SHOWN: usize = 200;
