//! Histories made up for tests, for any class: several authors with a replica each, the ops that they write, and ops that
//! withdraw others. It drives a class as its law says, in the simplest way: what changes an earlier verdict makes the state
//! anew from the start.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::Replica;
use hhs_model::authority::Holders;
use hhs_model::class::{Change, Changes, Draft, Loader, OpContext, Rights, Saver, Unseen, Void};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::op::{Act, Founding, Genesis};
use hhs_model::{IdentityId, OpId};
use proptest::collection::vec;
use proptest::prelude::*;

/// The founding of the replica: author 0 may write, and admit others.
pub(crate) fn founding(class: &str) -> Founding {
    Founding::root(Genesis::with_founder(class, [7; 16], identity(0))).expect("it has canonical bytes")
}

/// The identity of an author.
pub(crate) fn identity(author: usize) -> IdentityId {
    IdentityId::of(format!("author {author}").as_bytes())
}

/// The id of the op with this number: known before the op is there, so that tests can lie about it.
pub(crate) fn op_id(number: usize) -> OpId {
    OpId::of(format!("op {number}").as_bytes())
}

/// An op as the store would hand it to a class.
#[derive(Debug, Clone)]
pub(crate) struct TestOp {
    pub(crate) number: usize,
    pub(crate) parents: BTreeSet<usize>,
    pub(crate) height: u64,
    pub(crate) author: usize,
    pub(crate) draft: Draft,
    /// The ops that it makes void, for who has it; they may be anywhere.
    pub(crate) voids: BTreeSet<usize>,
}

impl TestOp {
    pub(crate) fn id(&self) -> OpId {
        op_id(self.number)
    }

    pub(crate) fn time(&self) -> u64 {
        // Not in the order of anything else.
        (self.number as u64 * 7919) % 1000
    }

    pub(crate) fn act(&self) -> Option<&Act> {
        self.draft.act.as_ref()
    }
}

/// What one author has: the state, and the ops in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Local<R> {
    pub(crate) state: R,
    pub(crate) heads: BTreeSet<usize>,
    pub(crate) ops: Vec<TestOp>,
    graph: Graph,
    positions: BTreeMap<usize, u64>,
    holders: Holders,
}

impl<R: Replica> Local<R> {
    /// A replica before any op.
    pub(crate) fn new() -> Self {
        let holders = Holders::from_roles(founding(R::CLASS).roles());
        let mut state = R::new();
        state.authorise(&holders, &mut Changes::unwatched());
        let (graph, positions) = (Graph::new(), BTreeMap::new());
        Self { state, heads: BTreeSet::new(), ops: Vec::new(), graph, positions, holders }
    }

    /// The numbers of the ops that are here.
    pub(crate) fn known(&self) -> BTreeSet<usize> {
        self.positions.keys().copied().collect()
    }

    /// Applies an op and returns what changed.
    pub(crate) fn apply(&mut self, op: &TestOp) -> Result<Vec<Change>, Void> {
        let mut changes = Changes::of(op.id(), identity(op.author));
        self.apply_with(op, &mut changes)?;
        Ok(changes.into_vec())
    }

    pub(crate) fn apply_with(&mut self, op: &TestOp, changes: &mut Changes) -> Result<(), Void> {
        if op.voids.iter().all(|void| !self.positions.contains_key(void)) {
            return self.step(op, changes);
        }
        let ops: Vec<TestOp> = self.ops.iter().chain([op]).cloned().collect();
        let before = std::mem::replace(self, Self::new());
        let voids: BTreeSet<usize> = ops.iter().flat_map(|op| &op.voids).copied().collect();
        for op in &ops {
            let _void = self.step_as(op, voids.contains(&op.number), &mut Changes::unwatched());
        }
        before.state.diff(&self.state, changes);
        Ok(())
    }

    /// Goes by way of a checkpoint.
    pub(crate) fn save_and_load(&mut self) {
        let mut saver = Saver::new();
        self.state.save(&mut saver);
        let bytes = saver.finish();
        let mut loader = Loader::new(&bytes);
        self.state = R::load(&mut loader).expect("it was saved");
        loader.finish().expect("nothing else was saved");
        self.state.authorise(&self.holders, &mut Changes::unwatched());
        let mut again = Saver::new();
        self.state.save(&mut again);
        assert_eq!(again.finish(), bytes, "what was loaded is what was saved");
    }

    fn step(&mut self, op: &TestOp, changes: &mut Changes) -> Result<(), Void> {
        let void = self.ops.iter().chain([op]).any(|other| other.voids.contains(&op.number));
        self.step_as(op, void, changes)
    }

    fn step_as(&mut self, op: &TestOp, void: bool, changes: &mut Changes) -> Result<(), Void> {
        let parents: Vec<u64> = op.parents.iter().map(|parent| self.positions[parent]).collect();
        assert!(!self.positions.contains_key(&op.number), "an op comes once");
        let position = self.graph.push(&parents);
        self.positions.insert(op.number, position);
        self.heads.retain(|head| !op.parents.contains(head));
        self.heads.insert(op.number);
        self.ops.push(op.clone());
        let hidden = self.hidden(position);
        let context = OpContext {
            id: op.id(),
            position,
            height: op.height,
            author: identity(op.author),
            time: op.time(),
            act: op.act(),
            graph: &self.graph,
            hidden: &hidden,
            rights: &ByRoles(op.author),
            unseen: Unseen::default(),
        };
        let result = drive(&mut self.state, op, &context, void, changes);
        if let (false, Some(Act::Grant { to, can })) = (void, op.act()) {
            for capability in can {
                self.holders.insert(capability.clone(), *to);
            }
            self.state.authorise(&self.holders, changes);
        }
        result
    }

    /// What was void in the eyes of who wrote the op at this position: what an op of its past makes void.
    fn hidden(&self, position: u64) -> SharedPositions {
        let past = self.ops.iter().filter(|op| {
            let at = self.positions[&op.number];
            at < position && !self.graph.unseen(position).contains(at)
        });
        past.flat_map(|op| &op.voids).filter_map(|void| self.positions.get(void)).copied().collect()
    }
}

fn drive<R: Replica>(
    state: &mut R,
    op: &TestOp,
    context: &OpContext<'_>,
    void: bool,
    changes: &mut Changes,
) -> Result<(), Void> {
    let mut result = Ok(());
    if let Some(payload) = &op.draft.payload {
        let decoded = R::decode(payload).and_then(|mutations| R::accepts(&mutations, context).map(|()| mutations));
        match decoded {
            Ok(mutations) if void => state.shadow(mutations, context),
            Ok(mutations) => state.apply(mutations, context, changes),
            Err(void) => result = Err(void),
        }
    }
    if !void {
        state.observe(context, changes);
    }
    result
}

/// Author 0 may do everything, author 1 may `paint`.
struct ByRoles(usize);

impl Rights for ByRoles {
    fn holds(&self, capability: &str) -> bool {
        self.0 == 0 || (self.0 == 1 && capability == "paint")
    }
}

/// How two replicas get the ops of a history.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries {
    some: Vec<usize>,
    other: Vec<usize>,
    /// Behind which ops there are checkpoints.
    saves: Vec<bool>,
}

pub(crate) fn deliveries() -> impl Strategy<Value = Deliveries> {
    let order = || vec(0..1000_usize, 1..40);
    (order(), order(), vec(any::<bool>(), 1..10)).prop_map(|(some, other, saves)| Deliveries { some, other, saves })
}

/// Authors with a replica each, and every op that any of them has written, parents first.
#[derive(Debug)]
pub(crate) struct History<R> {
    pub(crate) ops: Vec<TestOp>,
    pub(crate) replicas: Vec<Local<R>>,
}

impl<R: Replica> History<R> {
    pub(crate) fn new(authors: usize) -> Self {
        Self { ops: Vec::new(), replicas: (0..authors).map(|_| Local::new()).collect() }
    }

    /// An author writes on top of what they have.
    pub(crate) fn edit(&mut self, author: usize, write: impl FnOnce(&mut R::Edit<'_>)) -> &TestOp {
        let mut edit = self.replicas[author].state.edit();
        write(&mut edit);
        let draft = R::finish(edit).expect("the tests write what can be saved");
        self.write(author, draft)
    }

    /// An author writes any payload on top of what they have.
    pub(crate) fn write(&mut self, author: usize, draft: Draft) -> &TestOp {
        self.write_voiding(author, draft, BTreeSet::new())
    }

    /// An author makes other ops void, whether they have them or not.
    pub(crate) fn void(&mut self, author: usize, voids: impl IntoIterator<Item = usize>) -> &TestOp {
        self.write_voiding(author, Draft::default(), voids.into_iter().collect())
    }

    fn write_voiding(&mut self, author: usize, draft: Draft, voids: BTreeSet<usize>) -> &TestOp {
        let number = self.ops.len();
        let replica = &mut self.replicas[author];
        let parents = replica.heads.clone();
        let height = parents.iter().map(|parent| self.ops[*parent].height + 1).max().unwrap_or(0);
        let op = TestOp { number, parents, height, author, draft, voids };
        // Payloads that mean nothing are part of some tests.
        let _void = replica.apply(&op);
        self.ops.push(op);
        &self.ops[number]
    }

    /// What takes back, as far as it still stands, what an op did.
    pub(crate) fn undo(&mut self, author: usize, number: usize) -> &TestOp {
        let op = &self.ops[number];
        let mut before = Local::<R>::new();
        for past in self.past(number).iter().filter(|past| **past != number) {
            let _void = before.apply(&self.ops[*past]);
        }
        let replica = &self.replicas[author];
        let (position, hidden) = (replica.positions[&number], SharedPositions::default());
        let context = OpContext {
            id: op.id(),
            position,
            height: op.height,
            author: identity(op.author),
            time: op.time(),
            act: op.act(),
            graph: &replica.graph,
            hidden: &hidden,
            rights: &ByRoles(op.author),
            unseen: Unseen::default(),
        };
        let mutations = R::decode(op.draft.payload.as_ref().expect("it writes something")).expect("it means something");
        let draft = replica.state.undo(&mutations, &context, &before.state).expect("it can be saved");
        self.write(author, draft)
    }

    /// An author comes to have everything that another one has.
    pub(crate) fn pull(&mut self, to: usize, from: usize) {
        let known = self.replicas[to].known();
        let missing: Vec<usize> = self.replicas[from].known().difference(&known).copied().collect();
        for number in missing {
            let _void = self.replicas[to].apply(&self.ops[number]);
        }
    }

    /// Everybody comes to have everything.
    pub(crate) fn pull_all(&mut self) {
        for to in 0..self.replicas.len() {
            for from in 0..self.replicas.len() {
                self.pull(to, from);
            }
        }
    }

    pub(crate) fn state(&self, author: usize) -> &R {
        &self.replicas[author].state
    }

    /// The numbers of an op and of everything in its past.
    pub(crate) fn past(&self, number: usize) -> BTreeSet<usize> {
        let (mut past, mut pending) = (BTreeSet::new(), vec![number]);
        while let Some(next) = pending.pop() {
            if past.insert(next) {
                pending.extend(&self.ops[next].parents);
            }
        }
        past
    }

    /// The states of two replicas that get all ops in orders of their own; nobody listens to the second, which goes by way of
    /// checkpoints.
    pub(crate) fn delivered(&self, deliveries: &Deliveries) -> [R; 2] {
        let (mut one, mut two) = (Local::new(), Local::new());
        for op in self.causal_order(&deliveries.some) {
            one.apply(op).expect("it means something");
        }
        for (op, save) in self.causal_order(&deliveries.other).into_iter().zip(deliveries.saves.iter().cycle()) {
            two.apply_with(op, &mut Changes::unwatched()).expect("it means something");
            if *save {
                two.save_and_load();
            }
        }
        [one.state, two.state]
    }

    /// All ops in a causal order that `picks` decides.
    pub(crate) fn causal_order(&self, picks: &[usize]) -> Vec<&TestOp> {
        let mut waiting: BTreeMap<usize, usize> = self.ops.iter().map(|op| (op.number, op.parents.len())).collect();
        let mut order = Vec::new();
        for pick in picks.iter().cycle() {
            let ready: Vec<usize> = waiting.iter().filter(|(_, left)| **left == 0).map(|(number, _)| *number).collect();
            if ready.is_empty() {
                break;
            }
            let number = ready[pick % ready.len()];
            waiting.remove(&number);
            for child in self.ops.iter().filter(|op| op.parents.contains(&number)) {
                waiting.entry(child.number).and_modify(|left| *left -= 1);
            }
            order.push(&self.ops[number]);
        }
        assert_eq!(order.len(), self.ops.len(), "an op has its past before it");
        order
    }
}
