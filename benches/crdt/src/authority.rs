//! Ten thousand grants, delegations, revocations, renunciations and reinstatements by a hundred authors, on ten devices that
//! each hear of what the others did before one act in four: judged from scratch, and then one more, anywhere in the past.

use std::collections::BTreeSet;

use bench_harness::{Outcome, alone, median, milliseconds, timed};
use hhs_model::authority::{Authority, Seen, Standing};
use hhs_model::history::Graph;
use hhs_model::op::{Act, Capability, Cut, Founding, Genesis, Header, Op};
use hhs_model::{OpId, Signature};

use crate::replica::writer;

const ACTS: usize = 10_000;
const AUTHORS: u64 = 100;
const DEVICES: usize = 10;
const LATE: usize = 200;
const RUNS: usize = 5;

/// Measures both.
pub(crate) fn measure() -> Outcome<()> {
    let mut made = Made::new()?;
    let mut known: [Vec<u64>; DEVICES] = std::array::from_fn(|_| Vec::new());
    while made.ops.len() < ACTS {
        let device = made.below(DEVICES);
        if made.below(4) == 0 {
            known[device] = made.graph.heads().to_vec();
        }
        if let Some(position) = made.try_act(&known[device])? {
            known[device] = vec![position];
        }
    }
    let times = (0..RUNS).map(|_| timed(|| made.judge_anew()).1).collect();
    alone("authority, from scratch", milliseconds(median(times)))?;
    let mut times = Vec::with_capacity(LATE);
    while times.len() < LATE {
        let anywhere = made.below(ACTS) as u64;
        let (made, time) = timed(|| made.try_act(&[anywhere]));
        times.extend(made?.map(|_| time));
    }
    alone("authority, one more", milliseconds(median(times)))
}

/// A history of acts that were all kept.
struct Made {
    founding: Founding,
    authority: Authority,
    graph: Graph,
    ops: Vec<Kept>,
    grants: Vec<OpId>,
    revocations: Vec<OpId>,
    random: u64,
}

struct Kept {
    op: Op,
    parents: Vec<u64>,
    seen: Seen,
}

impl Made {
    fn new() -> Outcome<Self> {
        let founding = Founding::root(Genesis::with_founder("bench/v1/Members", [0; 16], writer(0)))?;
        let authority = Authority::new(founding.clone());
        let (ops, grants, revocations) = Default::default();
        Ok(Self { founding, authority, graph: Graph::new(), ops, grants, revocations, random: 1 })
    }

    /// Lets somebody try something on top of these ops; its place if that was not refused.
    fn try_act(&mut self, parents: &[u64]) -> Outcome<Option<u64>> {
        let author = writer(self.below(AUTHORS as usize) as u64);
        let act = self.act();
        let seen = self.authority.join(parents.iter().map(|parent| &self.ops[*parent as usize].seen));
        let Some(grants) = self.authority.standing_for(&author, Some(&act), &seen) else { return Ok(None) };
        let mut ids: Vec<OpId> = parents.iter().map(|parent| self.ops[*parent as usize].op.id()).collect();
        ids.sort_unstable();
        let header = Header {
            target: self.founding.id(),
            parents: ids,
            deps: Vec::new(),
            grants,
            act: Some(act),
            author,
            time: self.ops.len() as u64,
            payload: None,
        };
        if self.authority.judge(&header, &seen).is_err() {
            return Ok(None);
        }
        let op = Op::with_signature(header, Signature([0; 64]))?;
        let position = self.graph.push(parents);
        let (graph, height) = (&self.graph, self.graph.height(position));
        let seen = self.authority.add(&op, position, height, seen, || graph.unseen(position)).seen;
        match &op.header().act {
            Some(Act::Grant { .. }) => self.grants.push(op.id()),
            Some(Act::Revoke { .. }) => self.revocations.push(op.id()),
            _ => {}
        }
        self.ops.push(Kept { op, parents: parents.to_vec(), seen });
        Ok(Some(position))
    }

    fn act(&mut self) -> Act {
        let kind = self.below(100);
        let revocation = pick(&self.revocations, self.random);
        match (pick(&self.grants, self.random), revocation) {
            (Some(grant), _) if kind < 25 => Act::Revoke { grants: [grant].into(), cut: Cut::new() },
            (Some(grant), _) if kind < 30 => Act::Renounce { grant, cut: Cut::new() },
            (_, Some(revocation)) if kind < 40 => Act::Reinstate { of: [revocation].into() },
            _ => {
                let can = BTreeSet::from([Capability::write(), Capability::grant()]);
                Act::Grant { to: writer(self.below(AUTHORS as usize) as u64), can }
            }
        }
    }

    /// All of it again, as somebody does who knows nothing yet, and every verdict. How many are void.
    fn judge_anew(&self) -> usize {
        let (mut authority, mut graph) = (Authority::new(self.founding.clone()), Graph::new());
        let mut all_seen: Vec<Seen> = Vec::with_capacity(self.ops.len());
        for Kept { op, parents, .. } in &self.ops {
            let seen = authority.join(parents.iter().map(|parent| &all_seen[*parent as usize]));
            let refused = authority.judge(op.header(), &seen).is_err();
            assert!(!refused, "it was kept before");
            let withdraws = op.header().act.as_ref().is_some_and(Act::withdraws);
            let unseen = withdraws.then(|| graph.difference(graph.heads(), parents).0);
            let position = graph.push(parents);
            let added = authority.add(op, position, graph.height(position), seen, || unseen.unwrap_or_default());
            all_seen.push(added.seen);
        }
        let stands = (0..).zip(&self.ops).map(|(position, kept)| Standing {
            grants: &kept.op.header().grants,
            position,
            act: Some(kept.op.id()),
        });
        stands.filter(|stand| authority.verdict(*stand).is_void()).count()
    }

    /// A number below `limit`, from a sequence that is the same in every run (SplitMix64).
    fn below(&mut self, limit: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

fn pick(ids: &[OpId], random: u64) -> Option<OpId> {
    let at = (random >> 20) as usize % ids.len().max(1);
    ids.get(at).copied()
}
