//! Objects: their bytes, their links, and that all their index entries are there.

use std::collections::BTreeSet;

use hhs_model::ObjectId;

use super::super::record::Place;
use super::super::{StoreError, index, keys};
use super::{Check, Severity};
use crate::backend::Entry;

impl Check<'_> {
    pub(super) async fn objects(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.page(&[keys::OBJECT], after.as_ref()).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut links = Links::default();
            for (key, bytes) in page {
                match key.get(1..).and_then(|number| number.try_into().ok()) {
                    Some(number) => self.object(u64::from_be_bytes(number), &key, &bytes, &mut links).await?,
                    None => self.damage(key, "an object stands under a key of the wrong length"),
                }
            }
            self.links(links).await?;
        }
    }

    async fn object(&mut self, number: u64, key: &[u8], bytes: &[u8], links: &mut Links) -> Result<(), StoreError> {
        self.checked.objects += 1;
        let id = ObjectId::of(bytes);
        let Ok(entries) = index::of_object(number, id, bytes) else {
            self.damage(key, "the bytes of an object are not those of an object");
            return Ok(());
        };
        if self.backend.get(&keys::id_of(number)).await?.is_some_and(|known| known != *id.as_bytes()) {
            // One of the two is wrong. If the id leads here, it is the index.
            let place = self.backend.get(&keys::place(id)).await?;
            if place.is_none() {
                self.damage(key, "the bytes of an object are not those of its id");
            }
        }
        if self.registry.check(bytes).is_err() {
            self.damage(key, "an object is not valid by its class");
        }
        self.count(&entries);
        let (class, rest): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|(key, _)| !index::goes_with_object(key));
        self.compare(&class, "the name of a class is missing or another").await?;
        self.compare(&rest, "an index entry of an object is missing or wrong").await?;
        self.place_of_object(number, id).await?;
        links.add(key, index::needs(bytes).unwrap_or_default());
        Ok(())
    }

    fn count(&mut self, entries: &[Entry]) {
        let of = |kind: u8| entries.iter().filter(|(key, _)| key.first() == Some(&kind)).count() as u64;
        let (of_class, references) = (of(keys::OF_CLASS), of(keys::REFERENCE));
        self.expected.of_class += of_class;
        self.expected.references += references;
    }

    async fn place_of_object(&mut self, number: u64, id: ObjectId) -> Result<(), StoreError> {
        let place = self.backend.get(&keys::place(id)).await?;
        match place.map(|place| Place::from_bytes(&place)) {
            Some(Ok(Place::Object(found) | Place::Genesis { object: found, .. })) if found == number => {}
            _ => self.wrong_index(keys::place(id), "the id of an object does not lead to it"),
        }
        Ok(())
    }

    async fn links(&mut self, links: Links) -> Result<(), StoreError> {
        let targets: Vec<ObjectId> = links.links.iter().map(|(target, _)| *target).collect();
        let here = self.is_here(&targets).await?;
        for ((_, key), here) in links.links.into_iter().zip(here) {
            if !here {
                self.tell(Severity::Loose, key, "an object links to what is not here");
            }
        }
        Ok(())
    }
}

/// Links of a page of objects, each with an object that it stands in.
#[derive(Default)]
struct Links {
    links: BTreeSet<(ObjectId, Vec<u8>)>,
}

impl Links {
    fn add(&mut self, key: &[u8], targets: Vec<ObjectId>) {
        self.links.extend(targets.into_iter().map(|target| (target, key.to_vec())));
    }
}
