//! The ops of one replica, in order: their records, payloads, heads, acts, and on demand signatures and authority.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use hhs_model::authority::{Authority, Seen};
use hhs_model::history::{Graph, Positions};
use hhs_model::identity::verify_batch;
use hhs_model::op::Op;
use hhs_model::{IdentityId, OpId, PublicKey, ReplicaId};

use super::super::record::{MAX_INLINE_BYTES, OpRecord, Place};
use super::super::tips::{read_act_entry, withdraws};
use super::super::{StoreError, index, keys};
use super::{Check, Depth, PAGE};
use crate::backend::{Entry, Order, prefix_range};

/// Where the check of one replica is.
pub(super) struct Sequence {
    replica: u32,
    id: ReplicaId,
    /// None if the genesis is of no use; then authority is not looked at.
    authority: Option<Authority>,
    next: u64,
    graph: Graph,
    /// What acts that withdraw something have not seen, by their positions.
    unseen: BTreeMap<u64, Positions>,
    acts: u64,
    heads: BTreeMap<u64, OpId>,
    /// Identities that were looked up: their keys, if they are here.
    keys: BTreeMap<IdentityId, Option<PublicKey>>,
}

/// Identities that are remembered.
const IDENTITIES: usize = 4096;

impl Sequence {
    pub(super) fn new(replica: u32, id: ReplicaId, authority: Option<Authority>) -> Self {
        let (graph, unseen) = (Graph::new(), BTreeMap::new());
        Self { replica, id, authority, next: 0, graph, unseen, acts: 0, heads: BTreeMap::new(), keys: BTreeMap::new() }
    }

    pub(super) async fn check(mut self, check: &mut Check<'_>) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = check.page(&keys::ops_of(self.replica), after.as_ref()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            let first = self.next;
            let ops = self.read(check, page);
            let parents = self.parents(check, &ops).await?;
            let mut expected = Vec::new();
            for (position, record, op) in &ops {
                self.op(check, *position, record, op, &parents);
                expected
                    .push((keys::place(op.id()), Place::Op { replica: self.replica, position: *position }.to_bytes()));
            }
            check.compare(&expected, "the id of an op does not lead to it").await?;
            self.identities(check, &ops).await?;
            if check.depth >= Depth::Signatures {
                self.signatures(check, &ops);
            }
            self.inline(check, &ops).await?;
            let end = Bound::Excluded(keys::payload(self.replica, self.next));
            self.payloads(check, &ops, first, end).await?;
        }
        // None should be left.
        self.payloads(check, &[], self.next, prefix_range(&keys::payloads_of(self.replica)).1).await?;
        self.acts(check).await?;
        self.heads(check).await
    }

    /// The records of a page that can be read.
    fn read(&mut self, check: &mut Check<'_>, page: Vec<Entry>) -> Vec<(u64, OpRecord, Op)> {
        let mut ops = Vec::with_capacity(page.len());
        for (key, value) in page {
            check.checked.ops += 1;
            let (13, Ok(position)) = (key.len(), keys::number(&key, 5)) else {
                check.damage(key, "an op stands under a key of the wrong length");
                continue;
            };
            if position != self.next {
                check.damage(key.clone(), "ops before this one are missing");
            }
            self.next = position.saturating_add(1);
            let record = OpRecord::from_bytes(&value).ok();
            match record.and_then(|record| Op::from_bytes(&record.header).ok().map(|op| (record, op))) {
                Some((record, op)) if op.header().target == self.id => ops.push((position, record, op)),
                _ => check.damage(key, "an op cannot be read, or is of another replica"),
            }
        }
        ops
    }

    /// The parents of a page of ops, by position: id, height and what they had seen.
    async fn parents(
        &self,
        check: &Check<'_>,
        ops: &[(u64, OpRecord, Op)],
    ) -> Result<BTreeMap<u64, (OpId, u64, Seen)>, StoreError> {
        let positions: BTreeSet<u64> = ops.iter().flat_map(|(_, record, _)| record.parents.iter().copied()).collect();
        let positions: Vec<u64> = positions.into_iter().collect();
        let mut parents = BTreeMap::new();
        for positions in positions.chunks(PAGE.entries) {
            let wanted: Vec<Vec<u8>> = positions.iter().map(|position| keys::op(self.replica, *position)).collect();
            for (position, value) in positions.iter().zip(check.backend.get_many(&wanted).await?) {
                if let Some(record) = value.and_then(|value| OpRecord::from_bytes(&value).ok()) {
                    parents.insert(*position, (OpId::of(&record.header), record.height, record.seen));
                }
            }
        }
        Ok(parents)
    }

    /// What the record of an op says about its past, and its place among heads and acts.
    fn op(
        &mut self,
        check: &mut Check<'_>,
        position: u64,
        record: &OpRecord,
        op: &Op,
        parents: &BTreeMap<u64, (OpId, u64, Seen)>,
    ) {
        let key = keys::op(self.replica, position);
        let found: Vec<_> =
            record.parents.iter().filter(|parent| **parent < position).map(|at| parents.get(at)).collect();
        let ids: Option<Vec<OpId>> = found.iter().map(|parent| parent.map(|(id, ..)| *id)).collect();
        if ids.as_ref() != Some(&op.header().parents) {
            check.damage(key.clone(), "the parents of an op are not where its record says");
        }
        let height = found.iter().flatten().map(|(_, height, _)| height.saturating_add(1)).max().unwrap_or(0);
        if record.height != height {
            check.damage(key.clone(), "the height of an op is not one more than that of its parents");
        }
        let below: Vec<u64> = record.parents.iter().copied().filter(|parent| *parent < self.graph.len()).collect();
        self.graph.push(&below);
        if withdraws(op) && self.graph.len() == position + 1 {
            self.unseen.insert(position, self.graph.unseen(position));
        }
        for parent in &record.parents {
            self.heads.remove(parent);
        }
        self.heads.insert(position, op.id());
        self.judge(check, (key, position), record, op, found.into_iter().flatten());
    }

    fn judge<'a>(
        &mut self,
        check: &mut Check<'_>,
        (key, position): (Vec<u8>, u64),
        record: &OpRecord,
        op: &Op,
        parents: impl Iterator<Item = &'a (OpId, u64, Seen)>,
    ) {
        let Some(authority) = &mut self.authority else { return };
        let after = |(id, _, seen): &(OpId, u64, Seen)| match authority.number_of(id) {
            Some(number) => Some(Seen::act(number)),
            None => authority.knows(seen).then(|| seen.clone()),
        };
        let Some(seen) = parents.map(after).collect::<Option<Vec<Seen>>>() else {
            // That of the parent was told, and what this one has seen cannot be known.
            return;
        };
        let deps: Option<Vec<Seen>> = op.header().deps.iter().map(|dep| authority.dependency(dep)).collect();
        let Some(deps) = deps else {
            check.damage(key, "an op depends on what is no act of a replica that gives it authority");
            return;
        };
        let seen = authority.join(seen.iter().chain(&deps));
        if seen != record.seen {
            check.damage(key.clone(), "an op has not seen what its record says");
        }
        if op.header().act.is_none() && check.depth < Depth::Signatures {
            return;
        }
        // Authority takes note of no act that it refuses.
        if authority.judge(op.header(), &seen).is_err() {
            check.damage(key, "an op is by somebody who had no right to it");
        } else if op.header().act.is_some() {
            // What is refused does not depend on what was unseen.
            let unseen = || self.unseen.get(&position).cloned().unwrap_or_default();
            authority.add(op, position, record.height, seen, unseen);
        }
    }

    /// That the identities that ops name are here, and listed as naming them.
    async fn identities(&mut self, check: &mut Check<'_>, ops: &[(u64, OpRecord, Op)]) -> Result<(), StoreError> {
        let mut named: BTreeMap<IdentityId, u64> = BTreeMap::new();
        for (position, _, op) in ops {
            named.extend(index::named_in_header(op.header()).map(|id| (IdentityId(id.0), *position)));
        }
        if self.keys.len() > IDENTITIES {
            self.keys.clear();
        }
        for (id, position) in named {
            if self.keys.contains_key(&id) {
                continue;
            }
            let identity = check.identity(id).await?;
            if identity.is_none() {
                check.damage(keys::op(self.replica, position), "an op names an identity that is not here");
            }
            self.keys.insert(id, identity.map(|identity| identity.key));
            let listed = keys::writes(id.into(), self.replica);
            if check.backend.get(&listed).await?.is_none() {
                check.wrong_index(listed, "an identity is not listed as named by ops of a replica");
            }
        }
        Ok(())
    }

    fn signatures(&self, check: &mut Check<'_>, ops: &[(u64, OpRecord, Op)]) {
        let signed = ops.iter().filter_map(|(position, _, op)| {
            let key = self.keys.get(&op.header().author).copied().flatten()?;
            Some((*position, op.signed_message(key)))
        });
        let (positions, messages): (Vec<u64>, Vec<_>) = signed.unzip();
        let mut first = 0;
        while let Err(bad) = verify_batch(&messages[first..]) {
            let position = positions[first + bad];
            check.damage(keys::op(self.replica, position), "the signature of an op does not hold");
            first += bad + 1;
        }
    }

    /// The payloads that stand in the records of their ops.
    async fn inline(&self, check: &mut Check<'_>, ops: &[(u64, OpRecord, Op)]) -> Result<(), StoreError> {
        for (position, record, op) in ops {
            let Some(payload) = &record.payload else { continue };
            let key = || keys::op(self.replica, *position);
            if payload.len() > MAX_INLINE_BYTES {
                check.damage(key(), "a payload is too large to stand in the record of its op");
            }
            match op.is_payload(Some(payload)) {
                true => self.linked(check, *position, payload).await?,
                false => check.damage(key(), "the payload in the record of an op is not the one that it names"),
            }
        }
        Ok(())
    }

    /// The payloads from a position on that have entries of their own, which have to be those that `ops` lack.
    async fn payloads(
        &self,
        check: &mut Check<'_>,
        ops: &[(u64, OpRecord, Op)],
        first: u64,
        end: Bound<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut missing: BTreeMap<u64, &Op> = ops
            .iter()
            .filter(|(_, record, op)| op.header().payload.is_some() && record.payload.is_none())
            .map(|(position, _, op)| (*position, op))
            .collect();
        let mut start = Bound::Included(keys::payload(self.replica, first));
        loop {
            let page = check.backend.scan((start, end.clone()), Order::Ascending, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            start = Bound::Excluded(last.clone());
            for (key, payload) in page {
                let position = keys::number(&key, 5).ok().filter(|_| key.len() == 13);
                match position.and_then(|position| Some((position, missing.remove(&position)?))) {
                    Some((position, op)) if op.is_payload(Some(&payload)) => {
                        self.linked(check, position, &payload).await?;
                    }
                    _ => check.damage(key, "a payload is not the one that its op names, or no op lacks it"),
                }
            }
        }
        for position in missing.into_keys() {
            check.damage(keys::payload(self.replica, position), "the payload of an op is missing");
        }
        Ok(())
    }

    async fn linked(&self, check: &mut Check<'_>, position: u64, payload: &[u8]) -> Result<(), StoreError> {
        let linked = index::linked_from(payload);
        check.expected.linked += linked.len() as u64;
        let entries: Vec<Entry> =
            linked.into_iter().map(|id| (keys::linked(id, self.replica, position), Vec::new())).collect();
        check.compare(&entries, "a link of a payload is not listed").await
    }

    async fn acts(&mut self, check: &mut Check<'_>) -> Result<(), StoreError> {
        let Some(authority) = &self.authority else { return Ok(()) };
        let acts = authority.len() as u64;
        let mut after = None;
        loop {
            let page = check.page(&keys::acts_of(self.replica), after.as_ref()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, value) in page {
                let number = keys::number(&key, 5).ok().filter(|_| key.len() == 13);
                if number != Some(self.acts) || !self.is_act(check, &value).await? {
                    check.wrong_index(key, "an op that acts on authority is not listed where it should be");
                }
                self.acts += 1;
            }
        }
        if self.acts != acts {
            let says = "other ops are listed as acting on authority than those that do";
            check.wrong_index(keys::acts_of(self.replica), says);
        }
        Ok(())
    }

    /// Whether the position in an entry is that of the op with the number of the entry.
    async fn is_act(&self, check: &Check<'_>, value: &[u8]) -> Result<bool, StoreError> {
        let Ok((position, unseen)) = read_act_entry(value) else { return Ok(false) };
        if unseen.is_some() && unseen.as_ref() != self.unseen.get(&position) {
            return Ok(false);
        }
        let record = check.backend.get(&keys::op(self.replica, position)).await?;
        let id = record.and_then(|record| OpRecord::from_bytes(&record).ok()).map(|record| OpId::of(&record.header));
        let number = id.and_then(|id| self.authority.as_ref()?.number_of(&id));
        Ok(number.is_some_and(|number| u64::from(number) == self.acts))
    }

    async fn heads(mut self, check: &mut Check<'_>) -> Result<(), StoreError> {
        let (mut after, mut listed) = (None, false);
        loop {
            let page = check.page(&keys::heads_of(self.replica), after.as_ref()).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            listed = true;
            for (key, value) in page {
                let position = keys::number(&key, 5).ok().filter(|_| key.len() == 13);
                let head = position.and_then(|position| self.heads.remove(&position));
                if head.is_none_or(|head| head.as_bytes()[..] != value) {
                    check.wrong_index(key, "an op is listed as a head that is none, or under another id");
                }
            }
        }
        // A single one is the last op, which is known without an entry.
        if !listed && self.heads.len() == 1 {
            return Ok(());
        }
        for position in self.heads.into_keys() {
            check.wrong_index(keys::head(self.replica, position), "a head is not listed");
        }
        Ok(())
    }
}
