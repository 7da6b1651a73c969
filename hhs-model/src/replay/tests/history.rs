//! Histories made up for tests: authors who write, grant, withdraw and reinstate on top of whatever they have seen.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Witness, draft};
use crate::authority::{Authority, Seen};
use crate::class::{Changes, Replica};
use crate::history::Graph;
use crate::id::{IdentityId, OpId};
use crate::identity::{Domain, PublicKey, SecretKey, SignError, Signature, Signer};
use crate::op::{Act, Capability, Founding, Genesis, Header, Op, PayloadRef};
use crate::replay::{Kept, Replay};

/// What to write next.
#[derive(Debug, Clone)]
pub(super) struct Picks {
    author: usize,
    what: u8,
    at: Index,
    parents: Vec<Index>,
    /// Set where the op is one that was made before, in another history.
    made: Option<Op>,
}

impl Picks {
    /// The ops of a history at and below a head, to be made again by themselves.
    pub(super) fn below(picks: &[Self], history: &History, head: u64) -> Vec<Self> {
        let mut below: BTreeSet<u64> = history.past_of(head);
        below.insert(head);
        let Some(pick) = picks.first() else { return Vec::new() };
        let made = |position: &u64| Self { made: Some(history.kept[*position as usize].op.clone()), ..pick.clone() };
        below.iter().map(made).collect()
    }
}

pub(super) fn histories() -> impl Strategy<Value = Vec<Picks>> {
    let parents = vec(any::<Index>(), 1..3);
    let pick = (0..4_usize, any::<u8>(), any::<Index>(), parents);
    vec(pick.prop_map(|(author, what, at, parents)| Picks { author, what, at, parents, made: None }), 0..40)
}

pub(super) fn identity(author: usize) -> IdentityId {
    IdentityId::of(format!("author {author}").as_bytes())
}

pub(super) struct History {
    founding: Founding,
    authority: Authority,
    graph: Graph,
    pub(super) kept: Vec<Entry>,
}

pub(super) struct Entry {
    pub(super) op: Op,
    parents: Vec<u64>,
    seen: Seen,
    above: Seen,
    payload: Vec<u8>,
}

impl History {
    pub(super) fn founded() -> Self {
        let genesis = Genesis::with_founder(Witness::CLASS, [0; 16], identity(0));
        let founding = Founding::root(genesis).unwrap();
        let authority = Authority::new(founding.clone());
        Self { founding, authority, graph: Graph::new(), kept: Vec::new() }
    }

    /// A history in which whoever may does what was picked.
    pub(super) fn new(picks: &[Picks]) -> Self {
        let mut history = Self::founded();
        for pick in picks {
            match &pick.made {
                Some(op) => history.keep(op.clone()).unwrap(),
                None => history.pick(pick),
            }
        }
        history
    }

    fn pick(&mut self, pick: &Picks) {
        let window = self.kept.len().min(6);
        let near = |index: &Index| (self.kept.len() - 1 - index.index(window)) as u64;
        let parents: Vec<u64> = if window == 0 { vec![] } else { pick.parents.iter().map(near).collect() };
        let parents = self.graph.heads_of(&parents);
        let act = self.act(pick);
        // Some stand on whatever was granted to them, withdrawn or not.
        let any = self.grant_to(pick).filter(|_| pick.what & 24 == 24).map(|grant| vec![grant]);
        let grants = any.or_else(|| self.grants_for(pick.author, &parents, act.as_ref()));
        let refused = grants.and_then(|grants| self.write_by(pick.author, grants, &parents, act, "yes"));
        assert!(refused.is_some() || !self.kept.is_empty() || pick.author != 0 || pick.what % 8 > 1, "Ana may write");
    }

    fn act(&self, pick: &Picks) -> Option<Act> {
        let of = |wanted: fn(&Act) -> bool| -> Vec<OpId> {
            let acts = self.ops().filter(|op| op.header().act.as_ref().is_some_and(wanted));
            acts.map(Op::id).collect()
        };
        let grants = of(|act| matches!(act, Act::Grant { .. }));
        let revocations = of(|act| matches!(act, Act::Revoke { .. }));
        let to = identity(pick.at.index(4));
        match pick.what % 8 {
            0 | 1 => Some(Act::Grant { to, can: [Capability::write(), Capability::grant()].into() }),
            2 | 3 if !grants.is_empty() => {
                Some(Act::Revoke { grants: [*pick.at.get(&grants)].into(), cut: Default::default() })
            }
            4 if !revocations.is_empty() => Some(Act::Reinstate { of: [*pick.at.get(&revocations)].into() }),
            _ => None,
        }
    }

    /// Somebody writes on top of everything.
    pub(super) fn write(&mut self, author: usize, act: Option<Act>, text: &str) -> OpId {
        let heads = self.graph.heads().to_vec();
        self.write_on(author, &heads, act, text).expect("they may")
    }

    fn write_on(&mut self, author: usize, parents: &[u64], act: Option<Act>, text: &str) -> Option<OpId> {
        let grants = self.grants_for(author, parents, act.as_ref())?;
        self.write_by(author, grants, parents, act, text)
    }

    fn grants_for(&self, author: usize, parents: &[u64], act: Option<&Act>) -> Option<Vec<OpId>> {
        self.authority.standing_for(&identity(author), act, &self.seen_above(parents))
    }

    fn grant_to(&self, pick: &Picks) -> Option<OpId> {
        let to_author =
            |op: &&Op| matches!(&op.header().act, Some(Act::Grant { to, .. }) if *to == identity(pick.author));
        let grants: Vec<OpId> = self.ops().filter(to_author).map(Op::id).collect();
        (!grants.is_empty()).then(|| *pick.at.get(&grants))
    }

    fn write_by(
        &mut self,
        author: usize,
        grants: Vec<OpId>,
        parents: &[u64],
        act: Option<Act>,
        text: &str,
    ) -> Option<OpId> {
        let payload = draft(text).payload.unwrap();
        let mut ids: Vec<OpId> = parents.iter().map(|parent| self.kept[*parent as usize].op.id()).collect();
        ids.sort_unstable();
        let header = Header {
            target: self.founding.id(),
            parents: ids,
            deps: vec![],
            grants,
            act,
            author: identity(author),
            time: self.kept.len() as u64,
            payload: Some(PayloadRef::to(&payload)),
        };
        let op = Op::sign(header, &Nobody).unwrap();
        let id = op.id();
        self.keep_with(op, payload).ok().map(|()| id)
    }

    fn keep(&mut self, op: Op) -> Result<(), crate::authority::Refusal> {
        self.keep_with(op, draft("yes").payload.unwrap())
    }

    fn keep_with(&mut self, op: Op, payload: Vec<u8>) -> Result<(), crate::authority::Refusal> {
        let position_of = |id: &OpId| self.kept.iter().position(|entry| entry.op.id() == *id).unwrap() as u64;
        let parents: Vec<u64> = op.header().parents.iter().map(position_of).collect();
        let seen = self.seen_above(&parents);
        self.authority.judge(op.header(), &seen)?;
        let position = self.graph.push(&parents);
        let (graph, height) = (&self.graph, self.graph.height(position));
        let added = self.authority.add(&op, position, height, seen.clone(), || graph.unseen(position));
        self.kept.push(Entry { op, parents, seen, above: added.seen, payload });
        Ok(())
    }

    fn seen_above(&self, parents: &[u64]) -> Seen {
        self.authority.join(parents.iter().map(|parent| &self.kept[*parent as usize].above))
    }

    pub(super) fn len(&self) -> u64 {
        self.graph.len()
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(super) fn ops(&self) -> impl Iterator<Item = &Op> {
        self.kept.iter().map(|entry| &entry.op)
    }

    /// What ops on top of this one have seen.
    pub(super) fn above(&self, position: u64) -> Seen {
        self.kept[position as usize].above.clone()
    }

    pub(super) fn past_of(&self, position: u64) -> BTreeSet<u64> {
        let (mut past, mut left) = (BTreeSet::new(), self.kept[position as usize].parents.clone());
        while let Some(next) = left.pop() {
            if past.insert(next) {
                left.extend(&self.kept[next as usize].parents);
            }
        }
        past
    }

    pub(super) fn past(&self, position: usize) -> impl Iterator<Item = &Op> {
        self.past_of(position as u64).into_iter().map(|position| &self.kept[position as usize].op)
    }

    pub(super) fn kept(&self, position: u64) -> Kept<'_> {
        let Entry { op, parents, seen, payload, .. } = &self.kept[position as usize];
        Kept { op, position, parents, seen, payload: Some(payload) }
    }

    pub(super) fn begin(&self) -> Replay<Witness> {
        Replay::new(&Authority::new(self.founding.clone()))
    }

    /// The state by all that is known.
    pub(super) fn replay(&self) -> Replay<Witness> {
        self.replay_with(&self.authority, self.len())
    }

    pub(super) fn replay_with(&self, authority: &Authority, end: u64) -> Replay<Witness> {
        let mut replay = Replay::new(authority);
        (0..end).for_each(|position| replay.apply(self.kept(position), authority, &mut Changes::unwatched()));
        replay
    }

    /// The authority when only the first ops were known.
    pub(super) fn authority_of(&self, ops: u64) -> Authority {
        let mut authority = Authority::new(self.founding.clone());
        (0..ops).for_each(|position| self.tell(&mut authority, position));
        authority
    }

    pub(super) fn tell(&self, authority: &mut Authority, position: u64) {
        let Entry { op, seen, .. } = &self.kept[position as usize];
        authority.add(op, position, self.graph.height(position), seen.clone(), || self.graph.unseen(position));
    }
}

/// Nothing here looks at signatures.
struct Nobody;

impl Signer for Nobody {
    fn public_key(&self) -> PublicKey {
        SecretKey::from_seed(&[1; 32]).public_key()
    }

    fn sign(&self, _domain: Domain, _message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature([0; 64]))
    }

    fn sign_tls13(&self, _content: &[u8]) -> Result<Signature, SignError> {
        Err(SignError::NotAHandshake)
    }
}
