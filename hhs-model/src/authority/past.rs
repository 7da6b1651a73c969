//! Verdicts as judged from the acts in a past alone: what an author saw when they wrote.

use std::collections::{BTreeMap, BTreeSet};

use super::verdict::{At, Standing, View};
use super::{Authority, Reason, Seen};
use crate::id::OpId;

/// The acts that are in a past, and their verdicts as far as somebody has asked.
pub(super) struct Past<'a> {
    authority: &'a Authority,
    /// The acts that none of the others has in its past.
    heads: Vec<u32>,
    verdicts: BTreeMap<u32, Option<Reason>>,
}

impl View for Past<'_> {
    fn counts(&self, act: u32) -> bool {
        self.verdicts.get(&act) == Some(&None)
    }

    fn withdrawals(&self, grant: u32) -> impl Iterator<Item = (OpId, u32)> {
        let grant = self.authority.known(grant).grant();
        grant.into_iter().flat_map(|grant| grant.withdrawals.iter().map(|(id, act)| (*id, *act)))
    }
}

impl<'a> Past<'a> {
    pub(super) fn new(authority: &'a Authority, heads: Vec<u32>) -> Self {
        Self { authority, heads, verdicts: BTreeMap::new() }
    }

    /// Whether an op that is written on top of this past may stand on a grant in it.
    pub(super) fn is_live(&mut self, grant: u32) -> bool {
        self.judge(vec![grant]);
        let Some(details) = self.authority.known(grant).grant() else { return false };
        self.judge(details.withdrawals.values().copied().collect());
        self.counts(grant) && !details.withdrawals.values().any(|act| self.counts(*act))
    }

    fn reason(&mut self, at: &At<'_>) -> Option<Reason> {
        let authority = self.authority;
        let mut wanted = Vec::new();
        authority.rests_on(at, &mut wanted);
        self.judge(wanted);
        authority.reason(at, self)
    }

    /// Judges acts and all that their verdicts rest on, the least key first.
    fn judge(&mut self, mut wanted: Vec<u32>) {
        let (authority, mut due) = (self.authority, BTreeSet::new());
        while let Some(act) = wanted.pop() {
            let known = authority.known(act);
            if self.verdicts.contains_key(&act)
                || due.contains(&known.key)
                || !authority.ancestry.any_covers(&self.heads, act)
            {
                continue;
            }
            due.insert(known.key);
            authority.rests_on(&authority.at(act), &mut wanted);
        }
        for (.., act) in due {
            let reason = authority.reason(&authority.at(act), self);
            self.verdicts.insert(act, reason);
        }
    }
}

impl Authority {
    /// The acts that the verdict on an op asks about.
    fn rests_on(&self, at: &At<'_>, acts: &mut Vec<u32>) {
        for grant in at.grants {
            acts.push(*grant);
            for withdrawal in self.known(*grant).grant().iter().flat_map(|grant| grant.withdrawals.values()) {
                acts.push(*withdrawal);
                acts.extend(self.known(*withdrawal).withdrawal().iter().flat_map(|details| &details.extensions));
            }
        }
        if let Some(withdrawal) = at.act.and_then(|act| self.known(act).withdrawal()) {
            acts.extend(withdrawal.reinstatements.values());
        }
    }

    /// Whether any withdrawal is in a past: without one, nothing is void as judged from it.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn withdraws(&self, seen: &Seen) -> bool {
        self.acts_of(seen).iter().any(|act| self.known(*act).withdrawals_below)
    }

    /// Whether an op is void as judged from the acts in `seen` alone: those that the author of a later op had applied.
    ///
    /// What a cut keeps of this replica is taken from all that is here.
    ///
    /// # Panics
    /// If `seen` is not [known](Self::knows) here.
    pub fn is_void_for(&self, op: Standing<'_>, seen: &Seen) -> bool {
        let heads = self.acts_of(seen);
        if !heads.iter().any(|act| self.known(*act).withdrawals_below) {
            return false;
        }
        if self.is_all(&heads) {
            return self.verdict(op).is_void();
        }
        let mut past = Past::new(self, heads);
        let at = match op.act.and_then(|act| self.act(&act)) {
            Some(act) => self.at(act),
            None => At { grants: &self.grants_of(op.grants), replica: 0, position: op.position, act: None },
        };
        past.reason(&at).is_some()
    }
}
