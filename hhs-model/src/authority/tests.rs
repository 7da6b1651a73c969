//! Tests of authority: the stories one by one, random histories against the definition, all small histories.

mod every_history;
mod foreign;
mod random;
mod reference;
mod rules;
mod seen;
mod standing;
mod stories;
mod told;
mod unjudged;
mod wide;

use std::collections::{BTreeMap, BTreeSet};

use super::definition::Definition;
use super::{Affected, Authority, Reason, Refusal, Seen, Standing, Verdict};
use crate::history::Positions;
use crate::id::{IdentityId, OpId, ReplicaId};
use crate::identity::{Domain, PublicKey, SecretKey, SignError, Signature, Signer};
use crate::op::{Act, Capability, Cut, Founding, Genesis, Header, Op};

/// The authors of the stories; Ana is the founder.
const ANA: usize = 0;
const BEN: usize = 1;
const CLEO: usize = 2;
const DAN: usize = 3;

const ALL: [&str; 2] = ["grant", "write"];

fn identity(author: usize) -> IdentityId {
    IdentityId::of(format!("author {author}").as_bytes())
}

fn can(names: &[&str]) -> BTreeSet<Capability> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn grant(to: usize, names: &[&str]) -> Option<Act> {
    Some(Act::Grant { to: identity(to), can: can(names) })
}

fn revoke(grants: &[OpId]) -> Option<Act> {
    Some(Act::Revoke { grants: grants.iter().copied().collect(), cut: Cut::new() })
}

fn renounce(grant: OpId) -> Option<Act> {
    Some(Act::Renounce { grant, cut: Cut::new() })
}

fn reinstate(revocation: OpId) -> Option<Act> {
    Some(Act::Reinstate { of: [revocation].into() })
}

fn founded_by_ana() -> Founding {
    founding(Genesis::with_founder("test/v1/Room", [0; 16], identity(ANA)))
}

fn founding(genesis: Genesis) -> Founding {
    Founding::root(genesis).unwrap()
}

/// A header; `number` makes those distinct that are equal otherwise.
fn header(author: usize, number: u64, parents: &[OpId], grants: &[OpId], act: Option<Act>) -> Header {
    Header {
        target: ReplicaId::of(b"room"),
        parents: sorted(parents),
        deps: vec![],
        grants: sorted(grants),
        act,
        author: identity(author),
        time: number,
        payload: None,
    }
}

fn sorted(ids: &[OpId]) -> Vec<OpId> {
    ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Nothing here looks at signatures: one that is none is quick to make.
fn signed(header: Header) -> Op {
    Op::sign(header, &Nobody).unwrap()
}

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

/// One peer's view of a replica: what it keeps, in the order in which it came.
struct World {
    authority: Authority,
    kept: Vec<Op>,
    places: BTreeMap<OpId, Place>,
}

#[derive(Clone)]
struct Place {
    position: u64,
    height: u64,
    /// What it has seen itself, and what ops on top of it have.
    seen: Seen,
    above: Seen,
    /// Positions in its past.
    past: BTreeSet<u64>,
}

impl World {
    fn new(founding: Founding) -> Self {
        Self::with_sources(founding, [])
    }

    fn with_sources(founding: Founding, sources: impl IntoIterator<Item = Founding>) -> Self {
        Self { authority: Authority::with_sources(founding, sources), kept: Vec::new(), places: BTreeMap::new() }
    }

    /// What an op with these parents has seen.
    fn seen(&self, parents: &[OpId]) -> Seen {
        self.authority.join(parents.iter().map(|parent| &self.places[parent].above))
    }

    fn seen_with(&self, parents: &[OpId], deps: &[OpId]) -> Seen {
        let deps: Vec<Seen> = deps.iter().map(|dep| self.authority.dependency(dep).unwrap()).collect();
        self.authority.join(parents.iter().map(|parent| &self.places[parent].above).chain(&deps))
    }

    /// Judges an op, and keeps it if it is not refused.
    fn take(&mut self, op: &Op) -> Result<OpId, Refusal> {
        self.take_in(op).map(|_| op.id())
    }

    fn take_in(&mut self, op: &Op) -> Result<Affected, Refusal> {
        let seen = self.seen_with(&op.header().parents, &op.header().deps);
        self.authority.judge(op.header(), &seen)?;
        Ok(self.keep(op))
    }

    /// Keeps an op, whatever is to be said of it.
    fn keep(&mut self, op: &Op) -> Affected {
        let seen = self.seen_with(&op.header().parents, &op.header().deps);
        let position = self.kept.len() as u64;
        let parents: Vec<&Place> = op.header().parents.iter().map(|parent| &self.places[parent]).collect();
        let height = parents.iter().map(|parent| parent.height + 1).max().unwrap_or(0);
        let mut past: BTreeSet<u64> = parents.iter().flat_map(|parent| parent.past.iter().copied()).collect();
        past.extend(parents.iter().map(|parent| parent.position));
        let unseen = || unseen(position, &past);
        let added = self.authority.add(op, position, height, seen.clone(), unseen);
        self.places.insert(op.id(), Place { position, height, seen, above: added.seen, past });
        self.kept.push(op.clone());
        added.affected
    }

    /// Somebody writes on top of `parents`, by these grants.
    fn write(&mut self, author: usize, parents: &[OpId], grants: &[OpId], act: Option<Act>) -> Result<OpId, Refusal> {
        let number = self.kept.len() as u64;
        self.take(&signed(header(author, number, parents, grants, act)))
    }

    /// As `write`, of what nobody refuses.
    #[track_caller]
    fn wrote(&mut self, author: usize, parents: &[OpId], grants: &[OpId], act: Option<Act>) -> OpId {
        self.write(author, parents, grants, act).expect("the op is kept")
    }

    fn op(&self, id: &OpId) -> &Op {
        &self.kept[self.places[id].position as usize]
    }

    fn standing<'a>(&'a self, id: &OpId) -> Standing<'a> {
        let header = self.op(id).header();
        let act = header.act.is_some().then_some(*id);
        Standing { grants: &header.grants, position: self.places[id].position, act }
    }

    fn verdict(&self, id: OpId) -> Verdict {
        self.authority.verdict(self.standing(&id))
    }

    #[track_caller]
    fn is_effective(&self, ids: &[OpId]) {
        for id in ids {
            assert_eq!(self.verdict(*id), Verdict::Effective, "{}", self.authority.explain(self.standing(id)));
        }
    }

    #[track_caller]
    fn is_void(&self, ids: &[OpId]) {
        for id in ids {
            assert!(self.verdict(*id).is_void(), "{id} is effective");
        }
    }

    fn withdrawn(&self, id: OpId, grant: OpId, by: OpId) {
        assert_eq!(self.verdict(id), Verdict::Void(Reason::Withdrawn { grant, by }));
    }

    /// Whether an op is void in what another one's author saw.
    fn is_void_for(&self, id: OpId, viewer: OpId) -> bool {
        self.authority.is_void_for(self.standing(&id), &self.places[&viewer].seen)
    }

    fn past(&self, id: &OpId) -> Vec<OpId> {
        self.places[id].past.iter().map(|position| self.kept[*position as usize].id()).collect()
    }

    fn withdraws(&self, id: &OpId) -> bool {
        self.op(id).header().act.as_ref().is_some_and(Act::withdraws)
    }

    /// That all verdicts are those of the definition.
    fn is_as_defined(&self) {
        let definition = Definition::new(&self.kept);
        for op in &self.kept {
            assert_eq!(self.verdict(op.id()), definition.verdict(&op.id()).into());
        }
    }
}

/// The positions before one that are not in its past.
fn unseen(position: u64, past: &BTreeSet<u64>) -> Positions {
    (0..position).filter(|other| !past.contains(other)).collect()
}
