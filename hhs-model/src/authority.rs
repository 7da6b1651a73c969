//! Authority: who may write, and what becomes of it when that is withdrawn; the same for every class.
//!
//! An op is *refused* if its author never held, in the op's own past, what the replica asks for ([`Authority::judge`]). That depends on nothing
//! that can change, so every peer refuses the same ops for ever. An op that is kept is *void* while a grant that it stands on is withdrawn by
//! somebody senior who had not seen the op ([`Authority::verdict`]). Grants, revocations, renunciations and
//! reinstatements are ops themselves, and so are subject to the same. There is exactly one verdict on every op, because
//! each rests only on verdicts about what is more senior. `docs/authority.md` explains it, `docs/format.md` defines it, and
//! [`definition`] is a page of code that says the same from scratch.

use std::collections::{BTreeMap, BTreeSet};

use crate::bounds::MAX_ACT_TARGETS;
use crate::history::Positions;
use crate::id::{IdentityId, OpId, ReplicaId};
use crate::op::{Act, Capability, Cut, Founding, Op};

mod acts;
mod ancestry;
#[doc(hidden)]
pub mod definition;
mod holders;
mod judge;
mod moment;
mod past;
mod seen;
mod settle;
#[cfg(test)]
mod tests;
mod verdict;

use acts::{Grant, Kept, Known, KnownAct, Turn, Withdrawal};
use ancestry::Ancestry;
use moment::Changed;

pub use acts::Rank;
pub use holders::Holders;
pub use judge::Refusal;
pub use moment::Moment;
pub use seen::Seen;
pub use settle::Affected;
pub use verdict::{Because, Explanation, Reason, Standing, Verdict};

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

/// An op that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// What ops on top of it have seen.
    pub seen: Seen,
    /// What has changed for ops that were there before.
    pub affected: Affected,
}

/// A grant, and what has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantState<'a> {
    /// The op.
    pub id: OpId,
    /// The replica where it stands.
    pub replica: ReplicaId,
    /// Who granted.
    pub by: IdentityId,
    /// To whom.
    pub to: IdentityId,
    /// What.
    pub can: &'a BTreeSet<Capability>,
    /// How senior it is.
    pub rank: Rank,
    /// Why it does not count, if it is void.
    pub void: Option<Reason>,
    /// What withdraws it, of all that counts the one with the least id.
    pub withdrawn: Option<OpId>,
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
        }
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

    /// The number of an op that acts on authority among those of its replica, if it is known.
    pub fn number_of(&self, op: &OpId) -> Option<u32> {
        self.act(op).map(|act| self.known(act).number)
    }

    /// Whether `seen` names known acts only. What was read from a damaged record may not, and must not get any further.
    pub fn knows(&self, seen: &Seen) -> bool {
        let there = |replica: u32, acts: &[u32]| {
            let known = self.replicas[replica as usize].acts.len();
            acts.iter().all(|number| (*number as usize) < known)
        };
        there(0, &seen.own)
            && seen.foreign.iter().all(|(id, acts)| self.replica(id).is_some_and(|replica| there(replica, acts)))
    }

    /// What an op has seen by depending on an act of another replica; `None` if there is no such act here.
    pub fn dependency(&self, act: &OpId) -> Option<Seen> {
        let act = self.act(act).filter(|act| self.known(*act).replica != 0)?;
        Some(self.seen_of(&[act]))
    }

    /// What an op has seen whose parents and [dependencies](Self::dependency) have seen `parents`.
    ///
    /// # Panics
    /// If one of them is not [known](Self::knows) here.
    pub fn join<'a>(&self, parents: impl IntoIterator<Item = &'a Seen>) -> Seen {
        let mut parents = parents.into_iter();
        let Some(first) = parents.next() else { return Seen::default() };
        let mut acts = Vec::new();
        for seen in parents.filter(|seen| *seen != first) {
            acts.extend(self.acts_of(seen));
        }
        if acts.is_empty() {
            return first.clone();
        }
        acts.extend(self.acts_of(first));
        acts.sort_unstable();
        acts.dedup();
        self.seen_of(&self.ancestry.maximal(&acts))
    }

    /// Takes note of an op that was judged and is kept, at its position. `unseen` is asked only for an op whose act
    /// [withdraws](Act::withdraws): which positions before its own are not in its past.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here, or there are 2³² acts already, which no memory holds.
    pub fn add(
        &mut self,
        op: &Op,
        position: u64,
        height: u64,
        seen: Seen,
        unseen: impl FnOnce() -> Positions,
    ) -> Added {
        if op.header().act.is_none() {
            return Added { seen, affected: Affected::default() };
        }
        let below = self.acts_of(&seen);
        self.insert(0, op, (position, height), &below, unseen)
    }

    /// Takes note of an op of a replica that gives this one authority. All but the first is as that replica has it for
    /// itself: what its acts have seen is numbered there, so that its acts have to be added in its order.
    ///
    /// An op without act, or of a replica that is none of the sources, changes nothing.
    ///
    /// # Panics
    /// If `seen` is not known here.
    pub fn add_source(
        &mut self,
        replica: ReplicaId,
        op: &Op,
        position: u64,
        height: u64,
        seen: &Seen,
        unseen: impl FnOnce() -> Positions,
    ) -> Affected {
        let Some(replica) = self.replica(&replica).filter(|_| op.header().act.is_some()) else {
            return Affected::default();
        };
        let below = self.acts_seen_in(replica, seen);
        self.insert(replica, op, (position, height), &below, unseen).affected
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

    /// All grants, in the order in which they came to be known.
    pub fn grants(&self) -> impl Iterator<Item = GrantState<'_>> {
        self.acts.iter().filter_map(|known| self.grant_state(known))
    }

    /// The grants to somebody, the most senior first.
    pub fn grants_to(&self, identity: &IdentityId) -> impl Iterator<Item = GrantState<'_>> {
        let grants = self.granted.get(identity).into_iter().flat_map(BTreeMap::values);
        grants.filter_map(|act| self.grant_state(self.known(*act)))
    }

    /// The act that withdraws what was granted to somebody here and counts, or as much of it as one act can, the most senior grants
    /// first; none if there is nothing.
    pub fn revoking(&self, from: &IdentityId) -> Option<Act> {
        let grants: BTreeSet<OpId> = self.counting(from).take(MAX_ACT_TARGETS).collect();
        (!grants.is_empty()).then(|| Act::Revoke { grants, cut: Cut::new() })
    }

    /// The act that gives back the most junior grant to somebody here that counts; none if there is nothing.
    pub fn renouncing(&self, by: &IdentityId) -> Option<Act> {
        let grant = self.counting(by).last();
        grant.map(|grant| Act::Renounce { grant, cut: Cut::new() })
    }

    /// The grants of this replica to somebody that count, the most senior first.
    fn counting(&self, to: &IdentityId) -> impl Iterator<Item = OpId> {
        let replica = self.founding().id();
        let grants = self.grants_to(to).filter(move |grant| grant.replica == replica);
        grants.filter(|grant| grant.void.is_none() && grant.withdrawn.is_none()).map(|grant| grant.id)
    }

    /// The withdrawals and extensions that are on the replicas which `replica` stands for, with the heads that their cuts keep
    /// of it: what [`keep`](Self::keep) has to be told about.
    pub fn cuts<'a>(&'a self, op: &'a Op) -> impl Iterator<Item = (ReplicaId, &'a BTreeSet<OpId>)> {
        let cut = op.header().act.iter().filter_map(Act::cut).flat_map(|cut| cut.iter());
        cut.filter(|(replica, _)| self.replica(replica).is_some()).map(|(replica, heads)| (*replica, heads))
    }

    fn grant_state<'a>(&'a self, known: &'a Known) -> Option<GrantState<'a>> {
        let grant = known.grant()?;
        Some(GrantState {
            id: known.id,
            replica: self.replicas[known.replica as usize].founding.id(),
            by: known.author,
            to: grant.to,
            can: &grant.can,
            rank: grant.rank,
            void: known.reason,
            withdrawn: grant.in_force.first_key_value().map(|(id, _)| *id),
        })
    }

    fn insert(
        &mut self,
        replica: u32,
        op: &Op,
        (position, height): (u64, u64),
        below: &[u32],
        unseen: impl FnOnce() -> Positions,
    ) -> Added {
        let header = op.header();
        let grants = self.grants_of(&header.grants);
        let act = self.ancestry.add(below);
        let stands = judge::highest(grants.iter().map(|grant| &self.known(*grant).act));
        let rank = Rank { chain: stands.map_or(1, |rank| rank.chain + 1), height, id: op.id() };
        let details = header.act.as_ref().expect("only acts are inserted");
        let (details, turn) = self.details(details, rank, unseen);
        let number = u32::try_from(self.replicas[replica as usize].acts.len()).expect("there are fewer than 2^32 acts");
        let withdrawals_below =
            matches!(details, KnownAct::Withdrawal(_)) || below.iter().any(|act| self.known(*act).withdrawals_below);
        let known = Known {
            id: op.id(),
            author: header.author,
            replica,
            number,
            position,
            grants,
            key: (stands, turn, act),
            act: details,
            withdrawals_below,
            counts: false,
            reason: None,
        };
        self.attach(act, &known);
        self.replicas[replica as usize].acts.push(act);
        self.index.insert(op.id(), act);
        self.acts.push(known);
        let affected = self.settle_new(act);
        Added { seen: self.seen_of(&[act]), affected }
    }

    fn details(&self, act: &Act, rank: Rank, unseen: impl FnOnce() -> Positions) -> (KnownAct, Turn) {
        let acts = |ids: &mut dyn Iterator<Item = &OpId>| -> Vec<u32> { ids.filter_map(|id| self.act(id)).collect() };
        let withdrawal = |grants, renounces| {
            let (kept, extensions, reinstatements) = Default::default();
            let unseen = unseen();
            KnownAct::Withdrawal(Withdrawal { grants, renounces, unseen, kept, extensions, reinstatements })
        };
        match act {
            Act::Grant { to, can } => {
                let (stands, withdrawals, in_force) = Default::default();
                let (to, can) = (*to, can.clone());
                (KnownAct::Grant(Grant { rank, to, can, stands, withdrawals, in_force, live: false }), Turn::Rest)
            }
            Act::Revoke { grants, .. } => (withdrawal(acts(&mut grants.iter()), false), Turn::Revocation),
            Act::Renounce { grant, .. } => (withdrawal(acts(&mut [*grant].iter()), true), Turn::Renunciation),
            Act::Reinstate { of } => (KnownAct::Reinstatement(acts(&mut of.iter())), Turn::ReinstatementOrExtension),
            Act::Extend { of, .. } => {
                // A target that is not there was judged by nobody: nothing is extended then.
                let of = self.act(of).unwrap_or(u32::MAX);
                (KnownAct::Extension(of, Kept::new()), Turn::ReinstatementOrExtension)
            }
        }
    }

    /// Tells the acts that a new one stands or acts on.
    fn attach(&mut self, act: u32, known: &Known) {
        for grant in &known.grants {
            if let Some(grant) = self.acts[*grant as usize].grant_mut() {
                grant.stands.insert((known.replica, known.position), act);
            }
        }
        match &known.act {
            KnownAct::Grant(grant) => drop(self.granted.entry(grant.to).or_default().insert(grant.rank, act)),
            KnownAct::Withdrawal(withdrawal) => {
                for grant in &withdrawal.grants {
                    if let Some(grant) = self.acts[*grant as usize].grant_mut() {
                        grant.withdrawals.insert(known.id, act);
                    }
                }
            }
            KnownAct::Reinstatement(of) => {
                for revocation in of {
                    if let Some(withdrawal) = self.acts[*revocation as usize].withdrawal_mut() {
                        withdrawal.reinstatements.insert(known.id, act);
                    }
                }
            }
            KnownAct::Extension(of, _) => {
                if let Some(withdrawal) = self.acts.get_mut(*of as usize).and_then(Known::withdrawal_mut) {
                    withdrawal.extensions.push(act);
                }
            }
        }
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

    /// Whether these acts and their pasts are all that is known.
    fn is_all(&self, acts: &[u32]) -> bool {
        acts.len() == self.ancestry.heads().len() && acts.iter().all(|act| self.ancestry.heads().contains(act))
    }

    fn acts_of(&self, seen: &Seen) -> Vec<u32> {
        self.acts_seen_in(0, seen)
    }

    /// The acts that an op of a replica has seen, ascending.
    fn acts_seen_in(&self, replica: u32, seen: &Seen) -> Vec<u32> {
        let acts = |replica: u32| &self.replicas[replica as usize].acts;
        let mut all: Vec<u32> = seen.own.iter().map(|number| acts(replica)[*number as usize]).collect();
        for (id, numbers) in &seen.foreign {
            let replica = self.replica(id).expect("what was seen is known");
            all.extend(numbers.iter().map(|number| acts(replica)[*number as usize]));
        }
        all.sort_unstable();
        all
    }

    fn seen_of(&self, acts: &[u32]) -> Seen {
        let mut seen = Seen::default();
        for known in acts.iter().map(|act| self.known(*act)) {
            match known.replica {
                0 => seen.own.push(known.number),
                other => {
                    let id = self.replicas[other as usize].founding.id();
                    seen.foreign.entry(id).or_default().push(known.number);
                }
            }
        }
        seen
    }
}

/// The examples in the guide for app developers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/authority.md")]
struct Guide;
