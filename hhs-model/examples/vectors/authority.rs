//! Histories of authority with the verdict on every op: `docs/format.md`, section 6.

use std::collections::BTreeSet;

use hhs_model::authority::definition::Definition;
use hhs_model::op::{Act, Capability, Cut, Genesis, Header, Op, Roles, Rule};
use hhs_model::{Author, OpId, ReplicaId};
use serde_json::{Value as Json, json};

use super::hex;
use super::identities::author;

pub(super) fn all() -> Vec<Json> {
    vec![removed_and_reinstated(), removed_while_adding(), seniority(), leaving(), another_replica()]
}

/// Ops as they are written, each on top of some of them. None of them is refused.
#[derive(Default)]
struct History {
    geneses: Vec<Vec<u8>>,
    ops: Vec<Op>,
}

impl History {
    fn found(&mut self, genesis: &Genesis) -> ReplicaId {
        let (bytes, id) = genesis.encoded().expect("vectors have canonical bytes");
        self.geneses.push(bytes);
        id
    }

    /// A room of Ana's, in which she has let in Ben, and then Cleo.
    fn room() -> (Self, ReplicaId, OpId, OpId) {
        let mut history = Self::default();
        let room = history.found(&Genesis::with_founder("chat/v1/Room", [11; 16], author(ANA).id()));
        let bens = history.write(room, ANA, &[], &[], Some(grant(BEN)));
        let cleos = history.write(room, ANA, &[bens], &[], Some(grant(CLEO)));
        (history, room, bens, cleos)
    }

    fn write(&mut self, target: ReplicaId, seed: u8, below: &[OpId], grants: &[OpId], act: Option<Act>) -> OpId {
        let author: Author = author(seed);
        let elsewhere = |id: &OpId| self.ops.iter().any(|op| op.id() == *id && op.header().target != target);
        let (deps, parents): (BTreeSet<OpId>, BTreeSet<OpId>) = below.iter().partition(|id| elsewhere(id));
        let header = Header {
            target,
            parents: parents.into_iter().collect(),
            deps: deps.into_iter().collect(),
            grants: grants.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            act,
            author: author.id(),
            time: self.ops.len() as u64,
            payload: None,
        };
        let op = Op::sign(header, author.signer().as_ref()).expect("it is within bounds, and keys in memory sign");
        self.ops.push(op);
        self.ops[self.ops.len() - 1].id()
    }

    fn vector(self, name: &str) -> Json {
        let definition = Definition::new(&self.ops);
        let op = |op: &Op| {
            let verdict = if definition.verdict(&op.id()).is_some() { "void" } else { "effective" };
            json!({ "hex": hex(op.bytes()), "id": op.id().to_string(), "verdict": verdict })
        };
        let ops: Vec<Json> = self.ops.iter().map(op).collect();
        json!({ "name": name, "geneses": self.geneses.iter().map(hex).collect::<Vec<_>>(), "ops": ops })
    }
}

fn removed_and_reinstated() -> Json {
    let (mut history, room, bens, cleos) = History::room();
    let seen = history.write(room, BEN, &[cleos], &[bens], None);
    let unseen = history.write(room, BEN, &[seen], &[bens], None);
    let removed = history.write(room, ANA, &[seen], &[], Some(revoke(bens)));
    let backdated = history.write(room, BEN, &[bens], &[bens], None);
    let again = history.write(room, ANA, &[removed], &[], Some(revoke(cleos)));
    let by_cleo = history.write(room, CLEO, &[cleos], &[cleos], None);
    let heads = [unseen, backdated, again, by_cleo];
    history.write(room, ANA, &heads, &[], Some(Act::Reinstate { of: [again].into() }));
    history.vector("one is removed, another one removed and reinstated")
}

fn removed_while_adding() -> Json {
    let (mut history, room, bens, _) = History::room();
    let cleos = history.write(room, BEN, &[bens], &[bens], Some(grant(CLEO)));
    let removed = history.write(room, ANA, &[bens], &[], Some(revoke(bens)));
    history.write(room, CLEO, &[cleos, removed], &[cleos], None);
    history.vector("an administrator lets somebody in while being removed")
}

fn seniority() -> Json {
    let (mut history, room, bens, cleos) = History::room();
    let dans = history.write(room, ANA, &[cleos], &[], Some(grant(DAN)));
    history.write(room, CLEO, &[dans], &[cleos], Some(revoke(dans)));
    history.write(room, BEN, &[dans], &[bens], Some(revoke(cleos)));
    history.write(room, DAN, &[dans], &[dans], None);
    history.vector("the most senior of three stays, and whoever was removed by one who is gone")
}

fn leaving() -> Json {
    let (mut history, room, bens, cleos) = History::room();
    let removal = history.write(room, BEN, &[cleos], &[bens], Some(revoke(cleos)));
    let left = history.write(room, BEN, &[cleos], &[bens], Some(Act::Renounce { grant: bens, cut: Cut::new() }));
    history.write(room, BEN, &[cleos], &[bens], Some(Act::Renounce { grant: bens, cut: Cut::new() }));
    history.write(room, CLEO, &[removal, left], &[cleos], None);
    history.vector("who leaves takes back what they had not seen, twice")
}

fn another_replica() -> Json {
    let (mut history, room, bens, cleos) = History::room();
    let write = Capability::write();
    let rules = [(write.clone(), Rule::CanIn(write, room))].into();
    let notes = history.found(&Genesis::with_rules("chat/v1/Notes", [12; 16], Roles::new(), rules));
    let kept = history.write(notes, BEN, &[bens], &[bens], None);
    let forgotten = history.write(notes, BEN, &[kept], &[bens], None);
    history.write(notes, BEN, &[forgotten], &[bens], None);
    let by_cleo = history.write(notes, CLEO, &[kept, cleos], &[cleos], None);
    let cut = [(notes, kept)].into_iter().collect();
    let removed = history.write(room, ANA, &[cleos], &[], Some(Act::Revoke { grants: [bens].into(), cut }));
    let cut = [(notes, forgotten)].into_iter().collect();
    let extended = history.write(room, ANA, &[removed], &[], Some(Act::Extend { of: removed, cut }));
    history.write(notes, CLEO, &[by_cleo, extended], &[cleos], None);
    history.vector("what a cut and its extension keep of another replica")
}

fn grant(to: u8) -> Act {
    Act::Grant { to: author(to).id(), can: [Capability::write(), Capability::grant()].into() }
}

fn revoke(grant: OpId) -> Act {
    Act::Revoke { grants: [grant].into(), cut: Cut::new() }
}

const ANA: u8 = 1;
const BEN: u8 = 2;
const CLEO: u8 = 5;
const DAN: u8 = 6;
