//! Acts as they come in: each is told to those that it stands or acts on, and judged.

use super::acts::{Grant, Kept, Known, KnownAct, Rank, Turn, Withdrawal};
use super::{Affected, Authority, Seen, judge};
use crate::history::{Positions, SharedPositions};
use crate::id::{OpId, ReplicaId};
use crate::op::{Act, Op};

/// An op that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// What ops on top of it have seen.
    pub seen: Seen,
    /// What has changed for ops that were there before.
    pub affected: Affected,
}

impl Authority {
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
            let unseen = SharedPositions::from(&unseen());
            KnownAct::Withdrawal(Withdrawal { grants, renounces, unseen, kept, extensions, reinstatements })
        };
        match act {
            Act::Grant { to, can } => {
                let (stands, given_back, withdrawals, in_force) = Default::default();
                let (to, can) = (*to, can.clone());
                (
                    KnownAct::Grant(Grant { rank, to, can, stands, given_back, withdrawals, in_force, live: false }),
                    Turn::Rest,
                )
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
                let on_it = if known.renounces() { &mut grant.given_back } else { &mut grant.stands };
                on_it.insert((known.replica, known.position), act);
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
}
