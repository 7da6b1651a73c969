//! The verdict by its definition (`docs/format.md`, section 6), from scratch: a page to be read, and what the tests hold
//! [`Authority`](super::Authority) to. It costs time in the square of the history and more.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rank, Reason};
use crate::id::{OpId, ReplicaId};
use crate::op::{Act, Header, Op};

/// The ops that are kept, of a replica and of all that give it authority, and the verdict on each.
#[derive(Debug, Clone)]
pub struct Definition<'a> {
    ops: BTreeMap<OpId, &'a Op>,
    heights: BTreeMap<OpId, u64>,
    ranks: BTreeMap<OpId, Rank>,
    verdicts: BTreeMap<OpId, Option<Reason>>,
}

impl<'a> Definition<'a> {
    /// Judges ops whose pasts are among them.
    pub fn new(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        Self::judging(ops, |_| true)
    }

    /// As [`new`](Self::new), as if there were no other acts than those that `count`. A cut keeps what it would keep if they were all there.
    pub fn judging(ops: impl IntoIterator<Item = &'a Op>, count: impl Fn(&OpId) -> bool) -> Self {
        let ops: BTreeMap<OpId, &Op> = ops.into_iter().map(|op| (op.id(), op)).collect();
        let (heights, ranks, verdicts) = Default::default();
        let mut all = Self { ops, heights, ranks, verdicts };
        let mut acts_and_rest: Vec<OpId> = all.ops.keys().copied().collect();
        acts_and_rest.sort_by_key(|id| all.past(id).len());
        for id in &acts_and_rest {
            all.find_rank(id);
        }
        acts_and_rest.retain(|id| all.header(id).act.is_none() || count(id));
        // Each verdict rests on earlier ones only.
        acts_and_rest.sort_by_key(|id| (all.stands(id), turn(all.header(id)), *id));
        for id in acts_and_rest {
            let verdict = all.judge(&id);
            all.verdicts.insert(id, verdict);
        }
        all
    }

    /// Why an op is void; `None` if it is effective.
    pub fn verdict(&self, op: &OpId) -> Option<Reason> {
        self.verdicts.get(op).copied().flatten()
    }

    /// Those of a grant: its rank.
    pub fn rank(&self, grant: &OpId) -> Option<Rank> {
        self.ranks.get(grant).copied()
    }

    /// An op is void if and only if
    fn judge(&self, op: &OpId) -> Option<Reason> {
        let header = self.header(op);
        // (a) a grant that it stands on is void, or
        if let Some(grant) = header.grants.iter().find(|grant| !self.counts(grant)) {
            return Some(Reason::Grant(*grant));
        }
        // (b) a revocation or renunciation of such a grant that is not void has not seen it (renunciations do not hit renunciations), or
        for grant in &header.grants {
            let hits = |by: &&OpId| {
                self.withdraws(by, grant)
                    && self.counts(by)
                    && !(turn(header) == 0 && turn(self.header(by)) == 0)
                    && !self.has_seen(by, op)
            };
            if let Some(by) = self.ops.keys().find(hits) {
                return Some(Reason::Withdrawn { grant: *grant, by: *by });
            }
        }
        // (c) it is a revocation with a reinstatement that is not void.
        let undoes = |by: &&OpId| matches!(&self.header(by).act, Some(Act::Reinstate { of }) if of.contains(op));
        self.ops.keys().find(|by| undoes(by) && self.counts(by)).map(|by| Reason::Reinstated { by: *by })
    }

    fn withdraws(&self, by: &OpId, grant: &OpId) -> bool {
        match &self.header(by).act {
            Some(Act::Revoke { grants, .. }) => grants.contains(grant),
            Some(Act::Renounce { grant: renounced, .. }) => renounced == grant,
            _ => false,
        }
    }

    /// A withdrawal has seen an op of its own replica that is in its past. It has seen an op of another replica that is at or
    /// below a head which its cut lists, or the cut of an extension of it that is not void.
    fn has_seen(&self, withdrawal: &OpId, op: &OpId) -> bool {
        let replica = self.header(op).target;
        if self.header(withdrawal).target == replica {
            return self.past(withdrawal).contains(op);
        }
        let extends = |by: &&OpId| matches!(&self.header(by).act, Some(Act::Extend { of, .. }) if of == withdrawal);
        let extensions = self.ops.keys().filter(|by| extends(by) && self.counts(by));
        extensions.chain([withdrawal]).any(|by| self.keeps(by, replica, op))
    }

    fn keeps(&self, by: &OpId, replica: ReplicaId, op: &OpId) -> bool {
        let cut = self.header(by).act.iter().filter_map(Act::cut).flat_map(|cut| cut.iter());
        let mut heads = cut.filter(|(listed, _)| **listed == replica).flat_map(|(_, heads)| heads);
        heads.any(|head| self.ops.contains_key(head) && (head == op || self.past(head).contains(op)))
    }

    fn counts(&self, act: &OpId) -> bool {
        self.verdicts.get(act) == Some(&None)
    }

    /// The highest rank of the grants that an op names; none for the authority of the genesis.
    fn stands(&self, op: &OpId) -> Option<Rank> {
        self.header(op).grants.iter().map(|grant| self.ranks[grant]).max()
    }

    /// The rank of a grant: the length of its chain from the genesis, its height, its id.
    fn find_rank(&mut self, op: &OpId) {
        let height = self.header(op).parents.iter().map(|parent| self.heights[parent] + 1).max().unwrap_or(0);
        self.heights.insert(*op, height);
        if let Some(Act::Grant { .. }) = self.header(op).act {
            let chain = self.stands(op).map_or(1, |rank| rank.chain + 1);
            self.ranks.insert(*op, Rank { chain, height, id: *op });
        }
    }

    /// All that is in the past of an op, by way of parents and dependencies.
    fn past(&self, op: &OpId) -> BTreeSet<OpId> {
        let below = |op: &OpId| self.header(op).parents.iter().chain(&self.header(op).deps).copied();
        let (mut past, mut left) = (BTreeSet::new(), below(op).collect::<Vec<_>>());
        while let Some(op) = left.pop() {
            if past.insert(op) {
                left.extend(below(&op));
            }
        }
        past
    }

    fn header(&self, op: &OpId) -> &Header {
        self.ops[op].header()
    }
}

/// The order among ops that stand equally high: renunciations, reinstatements and extensions, revocations, the rest.
fn turn(header: &Header) -> u8 {
    match header.act {
        Some(Act::Renounce { .. }) => 0,
        Some(Act::Reinstate { .. } | Act::Extend { .. }) => 1,
        Some(Act::Revoke { .. }) => 2,
        Some(Act::Grant { .. }) | None => 3,
    }
}
