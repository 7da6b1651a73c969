//! Authority from other replicas: the writer's view of a replica with the acts of its sources, and with what cuts keep of it.
//!
//! An authority numbers the acts of each source as that replica does itself, so that what records say of what an op has seen
//! is the same everywhere. Acts that are staged and not durable count as well, as those of the replica itself do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use hhs_model::authority::{Authority, Seen};
use hhs_model::history::Positions;
use hhs_model::op::{Founding, Op};
use hhs_model::{OpId, ReplicaId};

use super::acts::{self, ListedAct};
use super::pipeline::{ChangedOps, StagedAct};
use super::replica::{ReplicaState, Staged};
use super::shape::Shapes;
use super::sources::Sources;
use super::tips::withdraws;
use super::writer::Writer;
use super::{Store, StoreError, StoredOp, corrupted};

/// What a replica has to do with those that give it authority.
#[derive(Default)]
pub(super) struct Foreign {
    /// Those that are here, those first on which others rest.
    pub(super) sources: Vec<ReplicaId>,
    /// One that is not here, if there is one.
    pub(super) absent: Option<ReplicaId>,
    /// What the tips of the sources have seen, if that was looked at since something was said there.
    pub(super) seen: Option<Seen>,
    /// Acts with cuts that list heads of this replica which have not come yet.
    cuts: BTreeMap<OpId, Awaiting>,
    awaited: BTreeMap<OpId, BTreeSet<OpId>>,
}

/// The heads of a cut, as far as they have come and where they stand.
#[derive(Default)]
struct Awaiting {
    found: Vec<u64>,
    missing: BTreeSet<OpId>,
}

/// What an act of a source keeps of a replica.
struct CutOn {
    act: OpId,
    replica: ReplicaId,
    heads: BTreeSet<OpId>,
}

impl Foreign {
    pub(super) fn new(sources: &Sources) -> Self {
        let ids = sources.here().map(|(_, founding)| founding.id()).collect();
        let seen = sources.here().next().is_none().then(Seen::default);
        Self { sources: ids, absent: sources.absent(), seen, ..Self::default() }
    }

    /// The acts whose cuts list an op that has just come.
    pub(super) fn arrived(&mut self, op: &OpId, position: u64) -> BTreeSet<OpId> {
        let acts = self.awaited.remove(op).unwrap_or_default();
        for act in &acts {
            if let Some(cut) = self.cuts.get_mut(act) {
                cut.missing.remove(op);
                cut.found.push(position);
            }
        }
        acts
    }

    fn wait_for(&mut self, act: OpId, awaiting: Awaiting) {
        for head in &awaiting.missing {
            self.awaited.entry(*head).or_default().insert(act);
        }
        self.cuts.insert(act, awaiting);
    }
}

impl ReplicaState {
    /// The authority of a replica with that of its sources, before any act of its own. `staged` are acts of the sources that were on
    /// their way to the backend before any of it was read.
    pub(super) async fn found(
        store: &Store,
        founding: Founding,
        sources: &Sources,
        staged: Vec<StagedAct>,
    ) -> Result<(Authority, Vec<Op>), StoreError> {
        let foundings = sources.here().map(|(_, founding)| founding.clone());
        let mut authority = Authority::with_sources(founding, foundings);
        if sources.here().next().is_none() {
            return Ok((authority, Vec::new()));
        }
        // Whoever judged by an earlier one may have come to know the acts in another order.
        authority = authority.with_edition(store.inner.editions.fetch_add(1, Ordering::Relaxed) + 1);
        let mut with_cuts = Vec::new();
        for (number, founding) in sources.here() {
            let id = founding.id();
            let mut acts = acts::listed(store.backend(), number).await?;
            store.complete_unseen((number, id), &mut acts).await?;
            for act in acts {
                if !authority.knows(&seen_from(id, &act.seen)) {
                    return Err(corrupted("an op does not act on authority as the list says"));
                }
                authority
                    .add_source(id, &act.op, act.position, act.height, &act.seen, || act.unseen.unwrap_or_default());
                with_cuts.extend(has_cut(&act.op).then_some(act.op));
            }
        }
        for StagedAct { replica, stored, unseen } in staged {
            if add_staged(&mut authority, replica, &stored, unseen) && has_cut(&stored.op) {
                with_cuts.push(stored.op);
            }
        }
        Ok((authority, with_cuts))
    }

    /// Takes note of what the cuts of acts of sources keep, as far as the heads are here.
    pub(super) async fn keep_cuts(&mut self, store: &Store, acts: &[Op]) -> Result<(), StoreError> {
        let mut shapes = Shapes::default();
        let cuts: Vec<CutOn> = acts.iter().flat_map(|op| self.cuts_of(op)).collect();
        for cut in cuts {
            self.keep(store, None, &mut shapes, &Staged::default(), cut).await?;
        }
        Ok(())
    }

    /// Takes note of acts of a source that are being staged there.
    pub(super) async fn follow(
        &mut self,
        store: &Store,
        writer: &Writer,
        shapes: &mut Shapes,
        ops: &ChangedOps,
    ) -> Result<(), StoreError> {
        let before = self.authority.epoch();
        self.foreign.seen = None;
        for stored in ops.ops.iter().filter(|stored| stored.op.header().act.is_some()) {
            let unseen = ops.unseen.get(&stored.position).cloned();
            if add_staged(&mut self.authority, ops.committed.replica, stored, unseen) {
                for cut in self.cuts_of(&stored.op) {
                    self.keep(store, Some(writer), shapes, &Staged::default(), cut).await?;
                }
            }
        }
        for (act, kept) in &ops.kept {
            self.authority.keep(act, ops.committed.replica, kept.clone());
        }
        self.verdicts_may_differ(before);
        Ok(())
    }

    /// Takes note of what cuts keep now that more of their heads have come with `staged`.
    pub(super) async fn keep_arrived(&mut self, store: &Store, staged: &mut Staged) -> Result<(), StoreError> {
        let arrived = std::mem::take(&mut staged.arrived);
        if arrived.is_empty() {
            return Ok(());
        }
        let before = self.authority.epoch();
        self.read_graph(store, staged).await?;
        for act in arrived {
            let (Some(cut), Some(graph)) = (self.foreign.cuts.get(&act), &self.graph) else { continue };
            let kept = graph.difference(&cut.found, &[]).0;
            if cut.missing.is_empty() {
                self.foreign.cuts.remove(&act);
            }
            self.authority.keep(&act, self.authority.founding().id(), kept.clone());
            staged.kept.push((act, kept));
        }
        self.verdicts_may_differ(before);
        Ok(())
    }

    async fn keep(
        &mut self,
        store: &Store,
        writer: Option<&Writer>,
        shapes: &mut Shapes,
        staged: &Staged,
        cut: CutOn,
    ) -> Result<(), StoreError> {
        let CutOn { act, replica, heads } = cut;
        let own = replica == self.authority.founding().id();
        let number = if own { self.number } else { store.staged_replica_number(replica).await? };
        let found = store.staged_positions(number, &heads).await?;
        let positions: Vec<u64> = found.values().copied().collect();
        let graph = match own {
            true => {
                self.read_graph(store, staged).await?;
                let graph = self.graph.as_ref().ok_or_else(|| corrupted("the ops of a replica are not there"))?;
                shapes.put(replica, graph);
                graph
            }
            false => shapes.get(store, writer, (number, replica)).await?,
        };
        if positions.iter().any(|position| *position >= graph.len()) {
            return Err(corrupted("an index names an op that is not there"));
        }
        let kept = graph.difference(&positions, &[]).0;
        self.authority.keep(&act, replica, kept);
        let missing: BTreeSet<OpId> = heads.into_iter().filter(|head| !found.contains_key(head)).collect();
        if own && !missing.is_empty() {
            self.foreign.wait_for(act, Awaiting { found: positions, missing });
        }
        Ok(())
    }

    /// What an act keeps of this replica and of its sources.
    fn cuts_of(&self, op: &Op) -> Vec<CutOn> {
        let own = op.header().target;
        let cuts = self.authority.cuts(op).filter(|(replica, _)| *replica != own);
        cuts.map(|(replica, heads)| CutOn { act: op.id(), replica, heads: heads.clone() }).collect()
    }
}

/// What an op of a replica has seen, as who takes authority from that replica counts it.
pub(super) fn seen_from(replica: ReplicaId, seen: &Seen) -> Seen {
    let mut here = Seen { own: Vec::new(), foreign: seen.foreign.clone() };
    if !seen.own.is_empty() {
        here.foreign.insert(replica, seen.own.clone());
    }
    here
}

/// Whether it was added: it may be there.
fn add_staged(authority: &mut Authority, replica: ReplicaId, stored: &StoredOp, unseen: Option<Positions>) -> bool {
    if authority.number_of(&stored.op.id()).is_some() {
        return false;
    }
    let unseen = || unseen.unwrap_or_default();
    authority.add_source(replica, &stored.op, stored.position, stored.height, &stored.seen, unseen);
    true
}

fn has_cut(op: &Op) -> bool {
    op.header().act.as_ref().and_then(hhs_model::op::Act::cut).is_some_and(|cut| !cut.is_empty())
}

impl Store {
    /// Finds out what those acts have not seen that withdraw something and of which that is not listed.
    pub(super) async fn complete_unseen(
        &self,
        (number, replica): (u32, ReplicaId),
        acts: &mut [ListedAct],
    ) -> Result<(), StoreError> {
        if acts.iter().all(|act| act.unseen.is_some() || !withdraws(&act.op)) {
            return Ok(());
        }
        let mut shapes = Shapes::default();
        let graph = shapes.get(self, None, (number, replica)).await?;
        for act in acts.iter_mut().filter(|act| act.unseen.is_none() && withdraws(&act.op)) {
            act.unseen = Some(graph.unseen(act.position));
        }
        Ok(())
    }
}
