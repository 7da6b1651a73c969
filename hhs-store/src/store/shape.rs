//! Which op of a replica stands on which, read from records and from what is staged.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hhs_model::history::Graph;
use hhs_model::{OpId, ReplicaId};

use super::record::{OpRecord, Place};
use super::replica::Staged;
use super::writer::Writer;
use super::{Store, StoreError, corrupted, keys, next_number};

/// The graphs of replicas that were needed for one thing.
#[derive(Default)]
pub(super) struct Shapes(BTreeMap<ReplicaId, Graph>);

impl Shapes {
    /// Remembers a graph that somebody has.
    pub(super) fn put(&mut self, replica: ReplicaId, graph: &Graph) {
        self.0.entry(replica).or_insert_with(|| graph.clone());
    }

    /// The graph of a replica of a number: one that is remembered, or that the writer has, or else it is read.
    pub(super) async fn get(
        &mut self,
        store: &Store,
        writer: Option<&Writer>,
        (number, replica): (u32, ReplicaId),
    ) -> Result<&Graph, StoreError> {
        let graph = match self.0.entry(replica) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let known = writer.and_then(|writer| writer.state(replica)).and_then(|state| state.graph.clone());
                let graph = match known {
                    Some(graph) => graph,
                    None => store.shape_of(number, replica).await?,
                };
                unknown.insert(graph)
            }
        };
        Ok(graph)
    }
}

impl Store {
    /// Reads which op stands on which, those among them that are staged.
    async fn shape_of(&self, number: u32, replica: ReplicaId) -> Result<Graph, StoreError> {
        // In this order: what is staged becomes durable meanwhile, and not the other way round.
        let staged = self.pipeline().staged_count(replica);
        let durable = next_number(self.backend(), &keys::ops_of(number)).await?;
        self.read_shape(number, replica, staged.max(durable), &Staged::default()).await
    }

    /// Reads which of the first `count` ops stands on which.
    pub(super) async fn read_shape(
        &self,
        number: u32,
        replica: ReplicaId,
        count: u64,
        staged: &Staged,
    ) -> Result<Graph, StoreError> {
        let mut graph = Graph::new();
        while graph.len() < count {
            let page: Vec<u64> = (graph.len()..count).take(PAGE).collect();
            let wanted: Vec<Vec<u8>> = page.iter().map(|position| keys::op(number, *position)).collect();
            for (position, value) in page.into_iter().zip(self.backend().get_many(&wanted).await?) {
                let parents = match value {
                    Some(value) => OpRecord::parents_of(&value)?,
                    None => self.staged_parents(number, replica, position, staged).await?,
                };
                if parents.iter().any(|parent| *parent >= graph.len()) {
                    return Err(corrupted("an op stands before its parents"));
                }
                graph.push(&parents);
            }
        }
        Ok(graph)
    }

    /// The parents of an op that was not durable just now.
    async fn staged_parents(
        &self,
        number: u32,
        replica: ReplicaId,
        position: u64,
        staged: &Staged,
    ) -> Result<Vec<u64>, StoreError> {
        let own = staged.ops.iter().find(|stored| stored.position == position);
        if let Some(parents) = own.map(|stored| stored.parents.clone()) {
            return Ok(parents);
        }
        let staged = self.pipeline().staged_op(replica, position);
        if let Some(stored) = staged {
            return Ok(stored.parents);
        }
        // It became durable in between.
        let record = self.backend().get(&keys::op(number, position)).await?;
        let record = record.ok_or_else(|| corrupted("an op is not there, but one after it is"))?;
        OpRecord::parents_of(&record)
    }

    /// Where those of some ops stand that are ops of a replica, staged or durable.
    pub(super) async fn staged_positions<'a>(
        &self,
        number: u32,
        ids: impl IntoIterator<Item = &'a OpId>,
    ) -> Result<BTreeMap<OpId, u64>, StoreError> {
        let mut positions = BTreeMap::new();
        for id in ids {
            if let Some(Place::Op { replica, position }) = self.staged_place(*id).await?
                && replica == number
            {
                positions.insert(*id, position);
            }
        }
        Ok(positions)
    }
}

/// Records that are read at once.
const PAGE: usize = 512;
