//! Which replicas give authority to which: their sources, and the other way round their dependents.
//!
//! Sources follow from geneses: for a child its root, and the replicas that rules ask about; then the sources of those. No
//! replica is a source of its own, as ids are hashes. Dependents are found by the index of links, as every genesis names
//! the parent of its replica and the replicas that its rules ask about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hhs_model::bounds::MAX_ALL_SOURCES;
use hhs_model::op::{Founding, Genesis};
use hhs_model::{Object, ReplicaId};

use super::query::Query;
use super::record::Place;
use super::writer::Writer;
use super::{Store, StoreError};

/// The replicas that give authority to one, those first on which others rest.
#[derive(Debug, Default)]
pub(super) struct Sources {
    all: Vec<Source>,
}

/// A replica that gives authority.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) id: ReplicaId,
    /// Its number and founding, if it is here.
    pub(super) here: Option<(u32, Founding)>,
}

impl Sources {
    /// Those that are here.
    pub(super) fn here(&self) -> impl Iterator<Item = (u32, &Founding)> {
        self.all.iter().filter_map(|source| source.here.as_ref()).map(|(number, founding)| (*number, founding))
    }

    /// One that is not here. What it says of authority is not known, nor which sources it has itself.
    pub(super) fn absent(&self) -> Option<ReplicaId> {
        self.all.iter().find(|source| source.here.is_none()).map(|source| source.id)
    }
}

/// Finds the sources of a replica. It says which founding it wants to see next, and is told.
pub(super) struct Walk {
    of: ReplicaId,
    found: BTreeMap<ReplicaId, Option<(u32, Founding)>>,
    order: Vec<ReplicaId>,
    /// Replicas, each with those of its sources that were not looked at yet: it comes when none are left. The replica itself at the
    /// bottom.
    path: Vec<(ReplicaId, Vec<ReplicaId>)>,
    wanted: Option<ReplicaId>,
}

impl Walk {
    pub(super) fn new(founding: &Founding) -> Self {
        let path = vec![(founding.id(), founding.sources().into_iter().collect())];
        Self { of: founding.id(), found: BTreeMap::new(), order: Vec::new(), path, wanted: None }
    }

    /// The replica that it wants to see next; none at the end.
    pub(super) fn wants(&mut self) -> Option<ReplicaId> {
        while let Some((id, left)) = self.path.last_mut() {
            match left.pop() {
                Some(next) if self.found.contains_key(&next) => {}
                Some(next) => {
                    self.wanted = Some(next);
                    return self.wanted;
                }
                None => {
                    self.order.push(*id);
                    self.path.pop();
                }
            }
        }
        None
    }

    /// Takes the number and founding of the replica that it wants, if that is here.
    ///
    /// # Errors
    /// [`StoreError::Sources`] if there are more than may be.
    pub(super) fn supply(&mut self, here: Option<(u32, Founding)>) -> Result<(), StoreError> {
        let Some(wanted) = self.wanted.take() else { return Ok(()) };
        if self.found.len() == MAX_ALL_SOURCES {
            return Err(StoreError::Sources(self.of));
        }
        let sources = here.iter().flat_map(|(_, founding)| founding.sources()).collect();
        self.found.insert(wanted, here);
        self.path.push((wanted, sources));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Sources {
        // The replica itself came last.
        self.order.pop();
        let source = |id: ReplicaId| Source { id, here: self.found.remove(&id).flatten() };
        Sources { all: self.order.into_iter().map(source).collect() }
    }
}

impl Store {
    /// The replicas that give a replica authority, here or not, those first on which others rest: for a child its root, and
    /// those that the rules ask about, with the sources of all these as far as they are here.
    ///
    /// # Errors
    /// [`StoreError::NoReplica`] if the replica itself is not here, or if the backend cannot read.
    pub async fn sources(&self, replica: ReplicaId) -> Result<Vec<ReplicaId>, StoreError> {
        let founding = self.founding(replica).await?;
        Ok(self.sources_of(&founding).await?.all.into_iter().map(|source| source.id).collect())
    }

    /// The replicas here to which a replica gives authority, directly or not. It need not be here itself.
    ///
    /// # Errors
    /// If the backend cannot read.
    pub async fn dependents(&self, replica: ReplicaId) -> Result<Vec<ReplicaId>, StoreError> {
        let mut writer = self.writer().await?;
        Ok(self.dependents_of(&mut writer, replica).await?.to_vec())
    }

    /// The sources of what a genesis founds, staged ones among them.
    pub(super) async fn sources_of(&self, founding: &Founding) -> Result<Sources, StoreError> {
        let mut walk = Walk::new(founding);
        while let Some(source) = walk.wants() {
            let here = match self.find_staged_replica(source).await {
                Ok((number, genesis)) => Some((number, self.founded(source, genesis).await?)),
                Err(StoreError::NoReplica(_)) => None,
                Err(error) => return Err(error),
            };
            walk.supply(here)?;
        }
        Ok(walk.finish())
    }

    /// As [`dependents`](Self::dependents), those among them that are being adopted. Called with the writer locked.
    pub(super) async fn dependents_of(
        &self,
        writer: &mut Writer,
        replica: ReplicaId,
    ) -> Result<Arc<[ReplicaId]>, StoreError> {
        if let Some(known) = writer.dependents.get(&replica) {
            return Ok(known.clone());
        }
        let dependents: Arc<[ReplicaId]> = self.find_dependents(replica).await?.into();
        if writer.dependents.len() == REMEMBERED {
            writer.dependents.clear();
        }
        writer.dependents.insert(replica, dependents.clone());
        Ok(dependents)
    }

    pub(super) async fn find_dependents(&self, replica: ReplicaId) -> Result<Vec<ReplicaId>, StoreError> {
        let adopted = self.pipeline().adopted();
        let mut found = self.referring(replica, None).await?;
        if self.is_child(replica).await? {
            // What is below a child stands on its root.
            for child in self.referring(replica, Some("parent")).await? {
                found.remove(&child);
            }
        }
        let mut left: Vec<ReplicaId> = found.iter().copied().collect();
        while let Some(next) = left.pop() {
            left.extend(self.referring(next, None).await?.into_iter().filter(|id| found.insert(*id)));
        }
        for id in adopted {
            // Of these the index knows nothing yet.
            let sources = match self.find_staged_replica(id).await {
                Ok((_, genesis)) => self.sources_of(&self.founded(id, genesis).await?).await?,
                Err(StoreError::NoReplica(_)) => continue,
                Err(error) => return Err(error),
            };
            if sources.all.iter().any(|source| source.id == replica) {
                found.insert(id);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// The replicas here whose geneses link to one, at a path if one is said.
    async fn referring(&self, replica: ReplicaId, at: Option<&str>) -> Result<BTreeSet<ReplicaId>, StoreError> {
        let query = Query::referencing(replica).by_class(Genesis::CLASS).limit(AT_ONCE);
        let mut query = at.into_iter().fold(query, Query::at);
        let mut referring = BTreeSet::new();
        loop {
            let found = self.query(&query).await?;
            let Some(last) = found.last() else { return Ok(referring) };
            query = query.after(last.cursor);
            // A genesis may be here as an object alone.
            let ids: Vec<ReplicaId> = found.iter().map(|found| ReplicaId(found.id.0)).collect();
            let places = self.places(&ids).await?;
            let replicas =
                ids.into_iter().zip(places).filter(|(_, place)| matches!(place, Some(Place::Genesis { .. })));
            referring.extend(replicas.map(|(id, _)| id));
        }
    }

    async fn is_child(&self, replica: ReplicaId) -> Result<bool, StoreError> {
        match self.find_staged_replica(replica).await {
            Ok((_, genesis)) => Ok(genesis.parent().is_some()),
            Err(StoreError::NoReplica(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Replicas whose geneses are looked up at once.
const AT_ONCE: usize = 512;
/// Replicas whose dependents are remembered. Too low: they are looked for again with every act.
const REMEMBERED: usize = 256;
