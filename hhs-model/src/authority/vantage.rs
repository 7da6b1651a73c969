//! Verdicts as judged from a past, kept while one looks from past to past: what the author of each op of a history saw.
//!
//! To look from elsewhere, the acts that are in one of the two pasts alone come and go, and only those are judged again whose
//! reasons have changed by that, each once, as it is done for what is known in all (`settle.rs`). So going along a
//! history costs what comes between one op and the next, not what lies below.

use std::collections::{BTreeMap, BTreeSet};

use super::acts::{Due, KnownAct};
use super::verdict::{At, Standing, View};
use super::{Authority, Seen};
use crate::history::{Positions, SharedPositions};
use crate::id::OpId;

/// The acts in a past, and which of them count as judged from them alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vantage {
    seen: Seen,
    /// The acts that none of the others has in its past, ascending.
    heads: Vec<u32>,
    /// By the number of the act.
    sights: Vec<Sight>,
    /// How many are in the past.
    len: usize,
    /// What withdraws each grant and counts.
    in_force: BTreeMap<u32, BTreeMap<OpId, u32>>,
    /// What was known of cuts, in which edition.
    cuts: (u64, u64),
}

/// An act as it looks from a past.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sight {
    /// It is not in it.
    #[default]
    Absent,
    Counts,
    Void,
}

/// What is judged otherwise from another past.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    /// Grants: ops that stand on one, at these positions in the replica.
    pub(crate) stands: Vec<(OpId, SharedPositions)>,
    /// Acts themselves.
    pub(crate) acts: Vec<OpId>,
}

impl View for Vantage {
    fn counts(&self, act: u32) -> bool {
        self.sight(act) == Sight::Counts
    }

    fn withdrawals(&self, grant: u32) -> impl Iterator<Item = (OpId, u32)> {
        self.in_force.get(&grant).into_iter().flatten().map(|(id, act)| (*id, *act))
    }
}

impl Vantage {
    /// Looks from the past of who has seen `seen`.
    ///
    /// # Panics
    /// If `seen` is not [known](Authority::knows) here.
    pub(crate) fn new(authority: &Authority, seen: &Seen) -> Self {
        let mut vantage = Self { cuts: (authority.edition, authority.cuts), ..Self::default() };
        vantage.look_from(authority, seen);
        vantage
    }

    /// What is seen from here.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How many acts are in this past.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether it has to be made anew, because more is known of what cuts keep, or acts have other numbers.
    pub(crate) fn is_outdated(&self, authority: &Authority) -> bool {
        self.cuts != (authority.edition, authority.cuts)
    }

    /// Whether everything in this past is in that of who has seen `seen`.
    ///
    /// # Panics
    /// If `seen` is not [known](Authority::knows) here.
    pub(crate) fn is_below(&self, authority: &Authority, seen: &Seen) -> bool {
        let heads = authority.acts_of(seen);
        self.heads.iter().all(|act| authority.ancestry.any_covers(&heads, *act))
    }

    /// Looks from another past; says what is judged otherwise from there.
    ///
    /// # Panics
    /// If `seen` is not [known](Authority::knows) here.
    pub(crate) fn look_from(&mut self, authority: &Authority, seen: &Seen) -> Turned {
        let heads = authority.acts_of(seen);
        let gone = authority.below_alone(&self.heads, &heads);
        let come = authority.below_alone(&heads, &self.heads);
        self.sights.resize(authority.acts.len(), Sight::Absent);
        self.len = self.len + come.len() - gone.len();
        (self.seen, self.heads) = (seen.clone(), heads);
        let mut turned = Turned::default();
        let mut due = Due::default();
        due.extend(gone.iter().chain(&come).map(|act| authority.known(*act).key));
        while let Some(act) = due.pop() {
            let now = if gone.contains(&act) { Sight::Absent } else { self.judged(authority, act) };
            let before = std::mem::replace(&mut self.sights[act as usize], now);
            if (before == Sight::Void) != (now == Sight::Void) {
                let known = authority.known(act);
                turned.acts.push(known.id);
                turned.stands.extend(known.grant().map(|_| (known.id, all())));
            }
            if (before == Sight::Counts) != (now == Sight::Counts) {
                self.follow(authority, act, &mut due, &mut turned);
            }
        }
        turned
    }

    fn judged(&self, authority: &Authority, act: u32) -> Sight {
        match authority.reason(&authority.at(act), self) {
            None => Sight::Counts,
            Some(_) => Sight::Void,
        }
    }

    /// Finds what rests on an act that has begun to count, or ended to.
    fn follow(&mut self, authority: &Authority, act: u32, due: &mut Due, turned: &mut Turned) {
        let known = authority.known(act);
        match &known.act {
            KnownAct::Grant(grant) => self.judge_again(authority, grant.on_it(), due),
            KnownAct::Withdrawal(withdrawal) => {
                for grant in &withdrawal.grants {
                    let in_force = self.in_force.entry(*grant).or_default();
                    match self.sights[act as usize] {
                        Sight::Counts => drop(in_force.insert(known.id, act)),
                        _ => drop(in_force.remove(&known.id)),
                    }
                    if in_force.is_empty() {
                        self.in_force.remove(grant);
                    }
                    turned.stands.push((authority.known(*grant).id, authority.missed_ops(act)));
                    self.judge_again(authority, authority.missed(act, *grant), due);
                }
            }
            KnownAct::Reinstatement(of) => self.judge_again(authority, of.iter().copied(), due),
            KnownAct::Extension(of, _) if self.counts(*of) => {
                for grant in authority.known(*of).withdraws() {
                    turned.stands.push((authority.known(*grant).id, all()));
                    self.judge_again(authority, authority.missed(*of, *grant), due);
                }
            }
            KnownAct::Extension(..) => {}
        }
    }

    fn judge_again(&self, authority: &Authority, acts: impl IntoIterator<Item = u32>, due: &mut Due) {
        let there = acts.into_iter().filter(|act| self.sight(*act) != Sight::Absent);
        due.extend(there.map(|act| authority.known(act).key));
    }

    fn sight(&self, act: u32) -> Sight {
        self.sights.get(act as usize).copied().unwrap_or_default()
    }

    /// Whether all these grants stand, as far as they are in this past: then no op is void that stands on them and does not act.
    pub(crate) fn all_stand(&self, authority: &Authority, grants: &[OpId]) -> bool {
        let stands = |grant: &u32| self.sight(*grant) != Sight::Void && !self.in_force.contains_key(grant);
        grants.iter().filter_map(|id| authority.act(id)).all(|grant| stands(&grant))
    }

    /// Whether an op of this past is void as judged from it. What is not in it tells nothing about an op that is not either.
    pub(crate) fn is_void(&self, authority: &Authority, op: Standing<'_>) -> bool {
        if let Some(act) = op.act.and_then(|act| authority.act(&act)) {
            return self.sight(act) == Sight::Void;
        }
        if self.all_stand(authority, op.grants) {
            return false;
        }
        let mut grants = authority.grants_of(op.grants);
        grants.retain(|grant| self.sight(*grant) != Sight::Absent);
        authority.reason(&At { grants: &grants, replica: 0, position: op.position, act: None }, self).is_some()
    }
}

impl Authority {
    /// The acts at or below `heads` that are not at or below `others`.
    fn below_alone(&self, heads: &[u32], others: &[u32]) -> BTreeSet<u32> {
        let (mut alone, mut left) = (BTreeSet::new(), heads.to_vec());
        while let Some(act) = left.pop() {
            if !alone.contains(&act) && !self.ancestry.any_covers(others, act) {
                alone.insert(act);
                left.extend(self.ancestry.below(act));
            }
        }
        alone
    }

    /// The positions in the replica of ops that a withdrawal may not have seen.
    fn missed_ops(&self, withdrawal: u32) -> SharedPositions {
        let known = self.known(withdrawal);
        match known.withdrawal() {
            Some(details) if known.replica == 0 => {
                let mut missed = details.unseen.clone();
                missed.flip(known.position..u64::MAX);
                missed
            }
            _ => all(),
        }
    }
}

fn all() -> SharedPositions {
    SharedPositions::from(&Positions::from_range(0..u64::MAX))
}
