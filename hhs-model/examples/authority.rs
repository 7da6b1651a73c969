//! How long authority takes: `cargo run --release -p hhs-model --example authority`.
//!
//! Prints one line for each figure. Histories are made beforehand, ops decoded, signatures left aside; what is measured is what a
//! store does with an op that acts on authority: find what it has seen, judge it, and take note of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hhs_model::authority::{Authority, Seen, Standing};
use hhs_model::history::Graph;
use hhs_model::identity::{Domain, PublicKey, SecretKey, SignError, Signature, Signer};
use hhs_model::op::{Act, Capability, Cut, Founding, Genesis, Header, Op};
use hhs_model::{IdentityId, OpId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const AUTHORS: usize = 100;

fn main() {
    for (acts, width) in [(5_000, 8), (10_000, 1), (10_000, 8), (10_000, 64)] {
        random(acts, width);
    }
    for toggles in [500, 1000, 2000] {
        switched(toggles);
    }
    fan(100_000);
    chain(10_000);
    revoked_over_and_over(10_000);
    comb(1_000);
    comb(2_000);
}

/// Nobody looks at signatures here.
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

/// A history that is being made, or kept again.
#[derive(Clone)]
struct History {
    authority: Authority,
    graph: Graph,
    ops: Vec<(Op, Vec<u64>)>,
    above: Vec<Seen>,
}

fn identity(author: usize) -> IdentityId {
    IdentityId::of(&author.to_be_bytes())
}

fn founding() -> Founding {
    Founding::root(Genesis::with_founder("bench/v1/Room", [0; 16], identity(0))).expect("it is a root")
}

fn both() -> BTreeSet<Capability> {
    [Capability::write(), Capability::grant()].into()
}

impl History {
    fn new() -> Self {
        Self { authority: Authority::new(founding()), graph: Graph::new(), ops: Vec::new(), above: Vec::new() }
    }

    fn seen(&self, parents: &[u64]) -> Seen {
        self.authority.join(parents.iter().map(|parent| &self.above[*parent as usize]))
    }

    /// What a store does with an op.
    fn take(&mut self, op: &Op, parents: &[u64]) -> bool {
        let seen = self.seen(parents);
        if self.authority.judge(op.header(), &seen).is_err() {
            return false;
        }
        let unseen = op.header().act.as_ref().is_some_and(Act::withdraws);
        let unseen = unseen.then(|| self.graph.difference(self.graph.heads(), parents).0);
        let position = self.graph.push(parents);
        let height = self.graph.height(position);
        let added = self.authority.add(op, position, height, seen, || unseen.unwrap_or_default());
        self.above.push(added.seen);
        true
    }

    /// Somebody does something, if they may.
    fn write(&mut self, author: usize, parents: &[u64], act: Option<Act>) -> Option<u64> {
        let op = self.op(author, parents, act)?;
        self.take(&op, parents).then(|| {
            self.ops.push((op, parents.to_vec()));
            self.ops.len() as u64 - 1
        })
    }

    fn op(&self, author: usize, parents: &[u64], act: Option<Act>) -> Option<Op> {
        let seen = self.seen(parents);
        let grants = self.authority.standing_for(&identity(author), act.as_ref(), &seen)?;
        self.op_by(author, parents, grants, act)
    }

    fn op_by(&self, author: usize, parents: &[u64], grants: Vec<OpId>, act: Option<Act>) -> Option<Op> {
        let ids: BTreeSet<OpId> = parents.iter().map(|parent| self.ops[*parent as usize].0.id()).collect();
        let header = Header {
            target: self.authority.founding().id(),
            parents: ids.into_iter().collect(),
            deps: Vec::new(),
            grants,
            act,
            author: identity(author),
            time: self.ops.len() as u64,
            payload: None,
        };
        Op::sign(header, &Nobody).ok()
    }

    /// The same from scratch.
    fn again(&self) -> (Self, Duration) {
        let start = now();
        let mut again = Self::new();
        for (op, parents) in &self.ops {
            assert!(again.take(op, parents));
        }
        let elapsed = start.elapsed();
        again.ops = self.ops.clone();
        (again, elapsed)
    }

    /// Keeps an op that nobody refuses.
    fn keep(&mut self, op: Op, parents: &[u64]) -> u64 {
        assert!(self.take(&op, parents), "it is not refused");
        self.ops.push((op, parents.to_vec()));
        self.ops.len() as u64 - 1
    }

    fn id(&self, position: u64) -> OpId {
        self.ops[position as usize].0.id()
    }

    fn standing(&self, position: u64) -> Standing<'_> {
        let op = &self.ops[position as usize].0;
        Standing { grants: &op.header().grants, position, act: op.header().act.is_some().then(|| op.id()) }
    }
}

/// Grants, delegations and revocations by a hundred authors, of whom about `width` at a time have not seen each other.
fn random(acts: usize, width: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut pick = |below: usize| (random.next_u64() % below.max(1) as u64) as usize;
    let mut history = History::new();
    let mut heads: Vec<u64> = Vec::new();
    let (mut grants, mut revocations): (Vec<OpId>, Vec<OpId>) = Default::default();
    while history.ops.len() < acts {
        let mut parents: Vec<u64> = Vec::new();
        for _ in 0..if heads.len() < width { 1 } else { 2 } {
            parents.extend((!heads.is_empty()).then(|| heads[pick(heads.len())]));
        }
        // Some do not see the newest.
        if pick(4) == 0 && heads.len() < width && !history.ops.is_empty() {
            let recent = history.ops.len() - pick(width.min(history.ops.len())) - 1;
            parents = vec![recent as u64];
        }
        parents.sort_unstable();
        parents.dedup();
        let author = if pick(5) == 0 { 0 } else { pick(AUTHORS) };
        let act = match pick(10) {
            0..6 => Act::Grant { to: identity(pick(AUTHORS)), can: both() },
            6..9 if !grants.is_empty() => {
                Act::Revoke { grants: [grants[grants.len() - 1 - pick(grants.len().min(200))]].into(), cut: Cut::new() }
            }
            _ if !revocations.is_empty() => {
                Act::Reinstate { of: [revocations[revocations.len() - 1 - pick(revocations.len().min(50))]].into() }
            }
            _ => continue,
        };
        let kind = (act.grantee().is_some(), act.withdraws());
        let Some(position) = history.write(author, &parents, Some(act)) else { continue };
        let id = history.ops[position as usize].0.id();
        match kind {
            (true, _) => grants.push(id),
            (_, true) => revocations.push(id),
            _ => {}
        }
        heads.retain(|head| !parents.contains(head));
        heads.push(position);
    }
    let (again, elapsed) = (0..3).map(|_| history.again()).min_by_key(|(_, elapsed)| *elapsed).expect("three of them");
    let void = (0..acts as u64).filter(|position| again.authority.verdict(again.standing(*position)).is_void()).count();
    line(&format!("{acts} acts by {AUTHORS} authors, {width} wide, {void} void: from scratch"), elapsed);
    one_more(&again, &mut pick);
}

/// One more op anywhere in the past: the usual and the worst case of a hundred.
fn one_more(history: &History, pick: &mut impl FnMut(usize) -> usize) {
    let mut times: Vec<Duration> = Vec::new();
    let mut more = history.clone();
    while times.len() < 100 {
        let parents = [pick(history.ops.len()) as u64];
        let target = history.ops[pick(parents[0] as usize + 1)].0.id();
        let author = if pick(2) == 0 { 0 } else { pick(AUTHORS) };
        let act = match pick(2) {
            0 => Act::Grant { to: identity(pick(AUTHORS)), can: both() },
            _ => Act::Revoke { grants: [target].into(), cut: Cut::new() },
        };
        let Some(op) = history.op(author, &parents, Some(act)) else { continue };
        let start = now();
        let taken = more.take(&op, &parents);
        let elapsed = start.elapsed();
        if taken {
            times.push(elapsed);
        }
    }
    times.sort_unstable();
    line("  one more act anywhere in the past, median", times[50]);
    line("  one more act anywhere in the past, worst of 100", times[99]);
}

/// One role is switched off and on; its holder acts in between, once with it and once without.
fn switched(toggles: usize) {
    let mut history = History::new();
    let role = history.write(0, &[], Some(Act::Grant { to: identity(1), can: both() })).expect("she may");
    let role_id = history.id(role);
    let mut head = role;
    let grant = || Some(Act::Grant { to: identity(2), can: both() });
    let by_holder = |history: &mut History, head: u64| {
        let op = history.op_by(1, &[head], vec![role_id], grant()).expect("it is an op");
        history.keep(op, &[head])
    };
    for _ in 0..toggles {
        head = by_holder(&mut history, head);
        let off = Act::Revoke { grants: [role_id].into(), cut: Cut::new() };
        head = history.write(0, &[head], Some(off)).expect("she may");
        let off = history.id(head);
        head = by_holder(&mut history, head);
        head = history.write(0, &[head], Some(Act::Reinstate { of: [off].into() })).expect("she may");
    }
    let (again, elapsed) = (0..5).map(|_| history.again()).min_by_key(|(_, elapsed)| *elapsed).expect("five of them");
    line(&format!("a role switched off and on {toggles} times: from scratch"), elapsed);
    let start = now();
    let count = again.ops.len() as u64;
    let viewer = &again.above[count as usize / 2];
    let void = (0..count).filter(|position| again.authority.is_void_for(again.standing(*position), viewer)).count();
    line(&format!("  void as seen from the middle, {void} of {count}: each"), start.elapsed() / count as u32);
}

/// Grants side by side, all of them merged, and some more on top.
fn fan(width: usize) {
    let mut history = History::new();
    let root = history.write(0, &[], Some(Act::Grant { to: identity(1), can: both() })).expect("she may");
    let grant = |to: usize| Some(Act::Grant { to: identity(to), can: both() });
    let mut heads: Vec<u64> = (0..width).filter_map(|to| history.write(0, &[root], grant(2 + to))).collect();
    while heads.len() > 1 {
        let merged = heads.chunks(64).map(|some| history.write(0, some, None).expect("she may"));
        heads = merged.collect();
    }
    let mut head = heads[0];
    for to in 0..1000 {
        head = history.write(0, &[head], grant(to)).expect("she may");
    }
    let (_, elapsed) = history.again();
    line(&format!("{width} grants side by side, merged, 1000 on top: from scratch"), elapsed);
}

/// A chain of delegations, each by whom the one before let in; its first link is withdrawn and given back.
fn chain(length: usize) {
    let mut history = History::new();
    let mut head: Vec<u64> = Vec::new();
    let mut stands: Vec<OpId> = Vec::new();
    for link in 0..length {
        let act = Some(Act::Grant { to: identity(link + 1), can: both() });
        let op = history.op_by(link, &head, stands, act).expect("it is an op");
        head = vec![history.keep(op, &head)];
        stands = vec![history.id(head[0])];
    }
    let (mut again, elapsed) = history.again();
    line(&format!("{length} delegations, each by the one before: from scratch"), elapsed);
    let off = Act::Revoke { grants: [again.id(0)].into(), cut: Cut::new() };
    let start = now();
    let off = again.write(0, &[0], Some(off)).expect("she may");
    line("  the first is withdrawn, and all are void", start.elapsed());
    let on = Act::Reinstate { of: [again.id(off)].into() };
    let start = now();
    again.write(0, &[off], Some(on)).expect("she may");
    line("  and given back", start.elapsed());
}

/// Grants on a grant, which is revoked again and again by ops that have seen them all; then what it stands on goes and comes.
fn revoked_over_and_over(times: usize) {
    let mut history = History::new();
    let bens = history.write(0, &[], Some(Act::Grant { to: identity(1), can: both() })).expect("she may");
    let bens_id = history.id(bens);
    let cleos = history.op_by(1, &[bens], vec![bens_id], Some(Act::Grant { to: identity(2), can: both() }));
    let cleos = history.keep(cleos.expect("it is an op"), &[bens]);
    let (cleos_id, mut head) = (history.id(cleos), cleos);
    for to in 0..times {
        let act = Some(Act::Grant { to: identity(3 + to), can: both() });
        let op = history.op_by(2, &[head], vec![cleos_id], act).expect("it is an op");
        head = history.keep(op, &[head]);
    }
    for _ in 0..times {
        let off = Act::Revoke { grants: [cleos_id].into(), cut: Cut::new() };
        head = history.write(0, &[head], Some(off)).expect("she may");
    }
    let (mut again, elapsed) = history.again();
    line(&format!("a grant with {times} on it is revoked {times} times: from scratch"), elapsed);
    let off = Act::Revoke { grants: [bens_id].into(), cut: Cut::new() };
    let start = now();
    let off = again.write(0, &[bens], Some(off)).expect("she may");
    line("  what it stands on is withdrawn", start.elapsed());
    let on = Act::Reinstate { of: [again.id(off)].into() };
    let start = now();
    again.write(0, &[off], Some(on)).expect("she may");
    line("  and given back, and each that stands on it asks every revocation", start.elapsed());
}

/// A member who merges nothing leaves over and over: each leaving has seen every other op below it.
fn comb(length: usize) {
    let mut history = History::new();
    let bens = history.write(0, &[], Some(Act::Grant { to: identity(1), can: both() })).expect("she may");
    let bens_id = history.id(bens);
    let (mut here, mut there) = (bens, bens);
    for _ in 0..length {
        here = history.write(0, &[here], None).expect("she may");
        let op = history.op_by(1, &[there], vec![bens_id], None).expect("it is an op");
        there = history.keep(op, &[there]);
    }
    for _ in 0..length {
        let left = Act::Renounce { grant: bens_id, cut: Cut::new() };
        let op = history.op_by(1, &[there], vec![bens_id], Some(left)).expect("it is an op");
        history.keep(op, &[there]);
    }
    let (_, elapsed) = history.again();
    line(&format!("{length} leavings that have each seen {length} ops and not {length} others between them"), elapsed);
}

#[expect(clippy::disallowed_methods, reason = "a program that measures time is the edge")]
fn now() -> Instant {
    Instant::now()
}

fn line(what: &str, time: Duration) {
    println!("{what}: {:.3} ms", time.as_secs_f64() * 1e3);
}
