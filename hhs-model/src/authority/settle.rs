//! Verdicts as acts come in: only those are judged again whose reasons have changed, each once.

use std::collections::BTreeSet;

use super::acts::{Due, KnownAct};
use super::verdict::Present;
use super::{Authority, Reason};
use crate::history::Positions;
use crate::id::{IdentityId, OpId, ReplicaId};

/// What a new act has changed for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// Grants: the verdict on ops that stand on these may have changed.
    pub grants: BTreeSet<OpId>,
    /// Acts whose own verdict has changed.
    pub acts: BTreeSet<OpId>,
}

impl Affected {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.acts.is_empty()
    }
}

impl Authority {
    /// Takes note of what a withdrawal or an extension keeps of a replica other than its own: the positions there that are at or
    /// below the heads that its cut lists, as far as they are here. To be told again when more of the heads have come.
    ///
    /// That an act is not known, or has no cut, changes nothing.
    pub fn keep(&mut self, act: &OpId, replica: ReplicaId, kept: Positions) -> Affected {
        let mut affected = Affected::default();
        let (Some(act), Some(replica)) = (self.act(act), self.replica(&replica)) else { return affected };
        let known = &mut self.acts[act as usize];
        let elsewhere = known.replica != replica;
        match known.kept_mut().filter(|all| elsewhere && all.get(&replica) != Some(&kept)) {
            Some(all) => all.insert(replica, kept),
            None => return affected,
        };
        self.cuts += 1;
        let mut due = Due::default();
        if self.known(act).counts {
            self.cut_changed(act, &mut due, &mut affected);
        }
        self.settle(due, &mut affected);
        self.epoch += u64::from(!affected.is_empty());
        self.changed.record(self.epoch, &affected);
        affected
    }

    /// The first verdict on a new act, and what follows from it.
    pub(super) fn settle_new(&mut self, act: u32) -> Affected {
        let mut affected = Affected::default();
        let mut due = Due::default();
        due.extend([self.known(act).key]);
        self.settle(due, &mut affected);
        let id = self.known(act).id;
        affected.grants.remove(&id);
        affected.acts.remove(&id);
        self.epoch += u64::from(!affected.is_empty());
        self.changed.record(self.epoch, &affected);
        affected
    }

    /// Judges what is due, and what has become due by that.
    fn settle(&mut self, mut due: Due, affected: &mut Affected) {
        while let Some(act) = due.pop() {
            let reason = self.reason(&self.at(act), &Present(self));
            let known = &mut self.acts[act as usize];
            let turned = known.counts != reason.is_none();
            if turned || known.reason != reason {
                affected.acts.insert(known.id);
            }
            (known.counts, known.reason) = (reason.is_none(), reason);
            if turned {
                self.turned(act, &mut due, affected);
            }
        }
    }

    /// Finds what the verdict on an act decides, which was turned.
    fn turned(&mut self, act: u32, due: &mut Due, affected: &mut Affected) {
        let known = self.known(act);
        let (id, counts) = (known.id, known.counts);
        match &known.act {
            KnownAct::Grant(grant) => {
                affected.grants.insert(id);
                self.judge_again(grant.on_it(), Reason::Grant(id), !counts, due);
                self.relive(act);
            }
            KnownAct::Withdrawal(withdrawal) => {
                for grant in withdrawal.grants.clone() {
                    let known = &mut self.acts[grant as usize];
                    let reason = Reason::Withdrawn { grant: known.id, by: id };
                    affected.grants.insert(known.id);
                    if let Some(details) = known.grant_mut() {
                        match counts {
                            true => drop(details.in_force.insert(id, act)),
                            false => drop(details.in_force.remove(&id)),
                        }
                    }
                    self.judge_again(self.missed(act, grant), reason, counts, due);
                    self.relive(grant);
                }
            }
            KnownAct::Reinstatement(of) => {
                self.judge_again(of.iter().copied(), Reason::Reinstated { by: id }, counts, due);
            }
            KnownAct::Extension(..) => self.cut_changed(act, due, affected),
        }
    }

    /// Of acts that there is a reason now to take for void, or no more, those that are judged otherwise by that: nothing comes
    /// before it, or it was the one.
    fn judge_again(&self, acts: impl IntoIterator<Item = u32>, reason: Reason, holds: bool, due: &mut Due) {
        let changes = |act: &u32| match self.known(*act).reason {
            now if !holds => now == Some(reason),
            now => now.is_none_or(|now| now > reason),
        };
        due.extend(acts.into_iter().filter(changes).map(|act| self.known(act).key));
    }

    /// What a withdrawal keeps of other replicas has changed, or what this extension of one does.
    fn cut_changed(&self, act: u32, due: &mut Due, affected: &mut Affected) {
        let withdrawal = match self.known(act).act {
            KnownAct::Extension(of, _) => of,
            _ => act,
        };
        let counts = self.acts.get(withdrawal as usize).is_some_and(|withdrawal| withdrawal.counts);
        let Some(kept) = self.known(act).kept().filter(|_| counts) else { return };
        for grant in self.known(withdrawal).withdraws() {
            affected.grants.insert(self.known(*grant).id);
            let Some(details) = self.known(*grant).grant() else { continue };
            for replica in kept.keys() {
                let there = details.stands.range((*replica, 0)..=(*replica, u64::MAX));
                due.extend(there.map(|(_, act)| self.known(*act).key));
            }
        }
    }

    /// The acts that stand on a grant and that a withdrawal of it has not seen; in other replicas also those that it keeps.
    pub(super) fn missed(&self, withdrawal: u32, grant: u32) -> Vec<u32> {
        let known = self.known(withdrawal);
        let (Some(details), Some(grant)) = (known.withdrawal(), self.known(grant).grant()) else { return Vec::new() };
        let (own, mut missed) = (known.replica, Vec::new());
        let given_back = (!details.renounces).then_some(&grant.given_back);
        for on_it in [&grant.stands].into_iter().chain(given_back) {
            missed.extend(on_it.range(..(own, 0)).map(|(_, act)| *act));
            // From one that was missed to the next that may have been.
            let mut here = on_it.range((own, 0)..(own, known.position));
            while let Some(((_, position), act)) = here.next() {
                if details.unseen.contains(*position) {
                    missed.push(*act);
                    continue;
                }
                let Some(next) = details.unseen.next_range(*position) else { break };
                here = on_it.range((own, next.start)..(own, known.position.max(next.start)));
            }
            missed.extend(on_it.range((own, known.position)..).map(|(_, act)| *act));
        }
        missed
    }

    /// Keeps the lists of who holds what, where it may have changed whether a grant is live.
    fn relive(&mut self, act: u32) {
        let known = &mut self.acts[act as usize];
        let (counts, replica) = (known.counts, known.replica);
        let Some(grant) = known.grant_mut() else { return };
        let live = counts && grant.in_force.is_empty();
        if std::mem::replace(&mut grant.live, live) == live {
            return;
        }
        let (rank, to) = (grant.rank, grant.to);
        let grants = self.live.entry(to).or_default();
        match live {
            true => drop(grants.insert(rank, act)),
            false => drop(grants.remove(&rank)),
        }
        if self.home(0).contains(&Some(replica)) {
            self.hold(act, to, live);
        }
    }

    fn hold(&mut self, act: u32, to: IdentityId, live: bool) {
        let Some(grant) = self.acts[act as usize].grant() else { return };
        for capability in &grant.can {
            let count = self.held.entry((capability.clone(), to)).or_default();
            *count = if live { *count + 1 } else { *count - 1 };
            match *count {
                0 => {
                    self.held.remove(&(capability.clone(), to));
                    if !self.replicas[0].founding.roles().holds(&to, capability.as_str()) {
                        self.holders.remove(capability.as_str(), &to);
                    }
                }
                1 if live => drop(self.holders.insert(capability.clone(), to)),
                _ => {}
            }
        }
    }
}
