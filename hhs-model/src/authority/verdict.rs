//! The verdict on an op that is kept: whether it counts, and if not, why.

use super::acts::KnownAct;
use super::{Authority, Because, Explanation, Reason, Verdict};
use crate::id::{OpId, ReplicaId};

/// An op that is kept, as far as its verdict depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The grants that it names, ascending.
    pub grants: &'a [OpId],
    /// Its position in the replica.
    pub position: u64,
    /// Its id, if it acts on authority.
    pub act: Option<OpId>,
}

/// An op whose verdict is asked for.
pub(super) struct At<'a> {
    pub(super) grants: &'a [u32],
    pub(super) replica: u32,
    pub(super) position: u64,
    /// Its number, if it is an act.
    pub(super) act: Option<u32>,
}

/// Which acts there are, and which of them count.
pub(super) trait View {
    /// Whether an act is there and counts.
    fn counts(&self, act: u32) -> bool;
    /// What withdraws a grant, all that counts among it, ascending by id.
    fn withdrawals(&self, grant: u32) -> impl Iterator<Item = (OpId, u32)>;
}

/// All acts that are known, with their present verdicts.
pub(super) struct Present<'a>(pub(super) &'a Authority);

impl View for Present<'_> {
    fn counts(&self, act: u32) -> bool {
        self.0.known(act).counts
    }

    fn withdrawals(&self, grant: u32) -> impl Iterator<Item = (OpId, u32)> {
        self.0.known(grant).grant().into_iter().flat_map(|grant| grant.in_force.iter().map(|(id, act)| (*id, *act)))
    }
}

impl Authority {
    /// The definition, word by word: an op is void if a grant it stands on is; or a withdrawal of such a grant that counts
    /// has not seen it, unless both renounce; or it is a revocation, and a reinstatement of it counts.
    pub(super) fn reason(&self, at: &At<'_>, view: &impl View) -> Option<Reason> {
        if let Some(grant) = at.grants.iter().find(|grant| !view.counts(**grant)) {
            return Some(Reason::Grant(self.known(*grant).id));
        }
        let renounces = at.act.is_some_and(|act| self.known(act).renounces());
        for grant in at.grants {
            let hits = |(_, by): &(OpId, u32)| {
                view.counts(*by)
                    && !(renounces && self.known(*by).renounces())
                    && !self.has_seen_op(*by, at.replica, at.position, view)
            };
            if let Some((by, _)) = view.withdrawals(*grant).find(hits) {
                return Some(Reason::Withdrawn { grant: self.known(*grant).id, by });
            }
        }
        let withdrawal = self.known(at.act?).withdrawal().filter(|withdrawal| !withdrawal.renounces)?;
        let (by, _) = withdrawal.reinstatements.iter().find(|(_, act)| view.counts(**act))?;
        Some(Reason::Reinstated { by: *by })
    }

    /// Whether a withdrawal has seen an op: in its own replica what is in its past, in others what its cut and those of
    /// its extensions keep.
    fn has_seen_op(&self, withdrawal: u32, replica: u32, position: u64, view: &impl View) -> bool {
        let known = self.known(withdrawal);
        let Some(details) = known.withdrawal() else { return true };
        if known.replica == replica {
            return position < known.position && !details.unseen.contains(position);
        }
        let keeps = |act: u32| {
            let kept = self.known(act).kept().and_then(|kept| kept.get(&replica));
            kept.is_some_and(|kept| kept.contains(position))
        };
        keeps(withdrawal) || details.extensions.iter().any(|act| view.counts(*act) && keeps(*act))
    }

    /// Whether a cut lists an op of the replica itself, or one above it: the cut of an act of which `asked` is true, by its replica
    /// and its position there.
    pub fn is_kept(&self, position: u64, asked: impl Fn(ReplicaId, u64) -> bool) -> bool {
        self.acts.iter().any(|known| {
            let kept = known.kept().and_then(|kept| kept.get(&0));
            kept.is_some_and(|kept| kept.contains(position))
                && asked(self.replicas[known.replica as usize].founding.id(), known.position)
        })
    }

    /// Whether an op counts, by all that is known now.
    pub fn verdict(&self, op: Standing<'_>) -> Verdict {
        if let Some(act) = op.act.and_then(|act| self.act(&act)) {
            return self.known(act).reason.into();
        }
        let grants = self.grants_of(op.grants);
        self.reason(&At { grants: &grants, replica: 0, position: op.position, act: None }, &Present(self)).into()
    }

    /// Why an op counts or does not, in full.
    pub fn explain(&self, op: Standing<'_>) -> Explanation {
        let verdict = self.verdict(op);
        let mut because = Vec::new();
        match verdict {
            Verdict::Effective => {
                for grant in self.grants_of(op.grants) {
                    let Some(details) = self.known(grant).grant() else { continue };
                    let grant = self.known(grant).id;
                    because.extend(details.withdrawals.iter().map(|(by, act)| match self.known(*act).reason {
                        Some(reason) => Because::NotInForce { grant, by: *by, reason },
                        None => Because::HasSeen { grant, by: *by },
                    }));
                }
            }
            Verdict::Void(mut reason) => {
                while let Reason::Grant(act) = reason {
                    let Some(next) = self.act(&act).and_then(|act| self.known(act).reason) else { break };
                    because.push(Because::Void { act, reason: next });
                    reason = next;
                }
            }
        }
        Explanation { verdict, because }
    }

    /// An act as an op whose verdict is asked for.
    pub(super) fn at(&self, act: u32) -> At<'_> {
        let known = self.known(act);
        At { grants: &known.grants, replica: known.replica, position: known.position, act: Some(act) }
    }

    /// The grants among some ops.
    pub(super) fn grants_of(&self, ids: &[OpId]) -> Vec<u32> {
        let grant = |act: &u32| matches!(self.known(*act).act, KnownAct::Grant(_));
        ids.iter().filter_map(|id| self.act(id)).filter(grant).collect()
    }
}
