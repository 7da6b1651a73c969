//! Authority: who may write, and what becomes of it when that is withdrawn; the same for every class.
//!
//! An op is *refused* if its author never held, in the op's own past, what the replica asks for ([`Authority::judge`]). That depends on nothing
//! that can change, so every peer refuses the same ops for ever. An op that is kept is *void* while a grant that it stands on is withdrawn by
//! somebody senior who had not seen the op ([`Authority::verdict`]). Grants, revocations, renunciations and
//! reinstatements are ops themselves, and so are subject to the same. There is exactly one verdict on every op, because
//! each rests only on verdicts about what is more senior. `docs/authority.md` explains it, `docs/format.md` defines it, and
//! [`definition`] is a page of code that says the same from scratch.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{IdentityId, OpId, ReplicaId};
use crate::op::{Act, Capability, Founding, Op};

mod acts;
mod adding;
mod ancestry;
#[doc(hidden)]
pub mod definition;
mod grants;
mod holders;
mod judge;
mod moment;
mod numbers;
mod past;
mod reasons;
mod seen;
mod settle;
mod standing;
#[cfg(test)]
mod tests;
mod vantage;
mod verdict;

use acts::Known;
use ancestry::Ancestry;
use moment::Changed;

pub use acts::Rank;
pub use adding::Added;
pub use grants::GrantState;
pub use holders::Holders;
pub use judge::Refusal;
pub use moment::Moment;
pub use reasons::{Because, Explanation, Reason, Verdict};
pub use seen::Seen;
pub use settle::Affected;
pub(crate) use vantage::Vantage;
pub use verdict::Standing;

/// The authority of one replica, as far as it is known here: its founding, and every op that acts on authority in it or in
/// a replica that gives it authority.
///
/// Ops are added in causal order; those of other replicas before those that depend on them.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The replica itself, then those that give it authority.
    replicas: Vec<Source>,
    acts: Vec<Known>,
    ancestry: Ancestry,
    index: BTreeMap<OpId, u32>,
    /// All grants to somebody, the most senior first.
    granted: BTreeMap<IdentityId, BTreeMap<Rank, u32>>,
    /// Those of them that stand now.
    live: BTreeMap<IdentityId, BTreeMap<Rank, u32>>,
    /// How many of those in the replica or its root give a capability to somebody.
    held: BTreeMap<(Capability, IdentityId), u32>,
    holders: Holders,
    epoch: u64,
    changed: Changed,
    /// Grows whenever something else is known of what cuts keep.
    cuts: u64,
    edition: u64,
}

/// A replica whose acts count.
#[derive(Debug, Clone)]
struct Source {
    founding: Founding,
    /// Its acts, by their numbers among them.
    acts: Vec<u32>,
    /// The replica and its root: grants in the root count as well.
    home: [Option<u32>; 2],
}

impl Authority {
    /// The authority that a replica begins with, if no other replica gives it any: the roles and rules of its genesis.
    pub fn new(founding: Founding) -> Self {
        Self::with_sources(founding, [])
    }

    /// The authority that a replica begins with: its own founding, and those of its [sources](Founding::sources), of their
    /// sources and so on. The grants of a source that is not given do not count.
    pub fn with_sources(founding: Founding, sources: impl IntoIterator<Item = Founding>) -> Self {
        let holders = Holders::from_roles(founding.roles());
        let mut replicas: Vec<Source> = Vec::new();
        for founding in [founding].into_iter().chain(sources) {
            if !replicas.iter().any(|source| source.founding.id() == founding.id()) {
                replicas.push(Source { founding, acts: Vec::new(), home: [None; 2] });
            }
        }
        let ids: Vec<ReplicaId> = replicas.iter().map(|source| source.founding.id()).collect();
        let find = |id: ReplicaId| ids.iter().position(|known| *known == id).and_then(|at| u32::try_from(at).ok());
        for source in &mut replicas {
            source.home = [find(source.founding.id()), find(source.founding.root_id())];
        }
        Self {
            replicas,
            acts: Vec::new(),
            ancestry: Ancestry::default(),
            index: BTreeMap::new(),
            granted: BTreeMap::new(),
            live: BTreeMap::new(),
            held: BTreeMap::new(),
            holders,
            epoch: 0,
            changed: Changed::default(),
            cuts: 0,
            edition: 0,
        }
    }

    /// Tells this apart from others of the same replica, which may have come to know the same acts in another order: what was
    /// worked out by one is not taken for what another says. 0 unless it is set.
    #[must_use]
    pub fn with_edition(self, edition: u64) -> Self {
        Self { edition, ..self }
    }

    /// What it began with.
    pub fn founding(&self) -> &Founding {
        &self.replicas[0].founding
    }

    /// The foundings of the replicas that give it authority.
    pub fn sources(&self) -> impl Iterator<Item = &Founding> {
        self.replicas[1..].iter().map(|source| &source.founding)
    }

    /// How many acts of the replica itself are known.
    pub fn len(&self) -> usize {
        self.replicas[0].acts.len()
    }

    /// Whether no act of the replica itself is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Grows whenever the verdict on any op that was there may have changed.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who holds what now: each capability with the identities that hold it by roles or by grants that stand, in the replica
    /// or its root. What rules ask for besides is not in it: see [`may`](Self::may).
    pub fn holders(&self) -> &Holders {
        &self.holders
    }

    /// The replicas, among this one and its sources, of which the act of an op keeps something, each with the heads that its cut lists:
    /// what [`keep`](Self::keep) has to be told about.
    pub fn cuts<'a>(&'a self, op: &'a Op) -> impl Iterator<Item = (ReplicaId, &'a BTreeSet<OpId>)> {
        let cut = op.header().act.iter().filter_map(Act::cut).flat_map(|cut| cut.iter());
        cut.filter(|(replica, _)| self.replica(replica).is_some()).map(|(replica, heads)| (*replica, heads))
    }

    fn known(&self, act: u32) -> &Known {
        &self.acts[act as usize]
    }

    /// The act of this id.
    fn act(&self, id: &OpId) -> Option<u32> {
        self.index.get(id).copied()
    }

    /// The act of this id, if it is one of `heads` or in the past of one.
    fn act_below(&self, id: &OpId, heads: &[u32]) -> Option<u32> {
        self.act(id).filter(|act| self.ancestry.any_covers(heads, *act))
    }

    fn replica(&self, id: &ReplicaId) -> Option<u32> {
        let at = self.replicas.iter().position(|source| source.founding.id() == *id);
        at.and_then(|at| u32::try_from(at).ok())
    }

    fn home(&self, replica: u32) -> [Option<u32>; 2] {
        self.replicas[replica as usize].home
    }
}

/// The examples in the guide for app developers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/authority.md")]
struct Guide;
