//! Tests of authority: the stories one by one, and random histories against the definition.

mod random;
mod reference;
mod stories;

use std::collections::{BTreeMap, BTreeSet};

use super::{Authority, Refusal, Seen};
use crate::id::{IdentityId, OpId, ReplicaId};
use crate::identity::SecretKey;
use crate::op::{Act, Capability, Founding, Genesis, Header, Op};

/// The authors of the stories; Ana is the founder.
const ANA: usize = 0;
const BEN: usize = 1;
const CLEO: usize = 2;
const DAN: usize = 3;

fn identity(author: usize) -> IdentityId {
    IdentityId::of(format!("author {author}").as_bytes())
}

fn can(names: &[&str]) -> BTreeSet<Capability> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn grant(to: usize, names: &[&str]) -> Option<Act> {
    Some(Act::Grant { to: identity(to), can: can(names) })
}

fn founded_by_ana() -> Founding {
    founding(Genesis::with_founder("test/v1/Room", [0; 16], identity(ANA)))
}

fn founding(genesis: Genesis) -> Founding {
    Founding::root(genesis).unwrap()
}

/// A header; `number` makes those distinct that are equal otherwise.
fn header(author: usize, number: u64, parents: &[OpId], grants: &[OpId], act: Option<Act>) -> Header {
    let sorted = |ids: &[OpId]| ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
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

/// Nothing here looks at signatures: one key signs for everybody.
fn signed(header: Header) -> Op {
    Op::sign(header, &SecretKey::from_seed(&[1; 32])).unwrap()
}

/// One peer's view of a replica: what it keeps, in the order in which it came.
struct World {
    authority: Authority,
    kept: Vec<Op>,
    /// What ops on top of each have seen.
    above: BTreeMap<OpId, Seen>,
}

impl World {
    fn new(founding: Founding) -> Self {
        Self { authority: Authority::new(founding), kept: Vec::new(), above: BTreeMap::new() }
    }

    /// What an op with these parents has seen.
    fn seen(&self, parents: &[OpId]) -> Seen {
        self.authority.join(parents.iter().map(|parent| &self.above[parent]))
    }

    /// Judges an op, and keeps it if it is not refused.
    fn take(&mut self, op: &Op) -> Result<OpId, Refusal> {
        let seen = self.seen(&op.header().parents);
        self.authority.judge(op.header(), &seen)?;
        let above = self.authority.add(op, seen);
        self.above.insert(op.id(), above);
        self.kept.push(op.clone());
        Ok(op.id())
    }

    /// Somebody writes on top of `parents`, by these grants.
    fn write(&mut self, author: usize, parents: &[OpId], grants: &[OpId], act: Option<Act>) -> Result<OpId, Refusal> {
        let number = self.kept.len() as u64;
        self.take(&signed(header(author, number, parents, grants, act)))
    }
}
