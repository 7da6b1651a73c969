//! Histories made up for tests: a room, several authors with a replica each, and the ops that they write.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::{Log, Members, Register, Replica, Set};
use hhs_model::class::{Change, Changes, Draft, OpContext, Void};
use hhs_model::codec::{Value, encode};
use hhs_model::op::{Act, Founding, Genesis};
use hhs_model::{IdentityId, OpId};

/// The class that the tests are about.
#[derive(Replica, Debug, Clone, PartialEq)]
#[replica(class = "test/v1/Room")]
pub(crate) struct Room {
    pub(crate) name: Register<String>,
    pub(crate) tags: Set<String>,
    pub(crate) members: Members,
    pub(crate) messages: Log<String>,
}

impl Room {
    /// A room before any op.
    pub(crate) fn empty() -> Self {
        Self::new(&founding())
    }
}

/// The founding of the room: author 0 may write, and admit others.
pub(crate) fn founding() -> Founding {
    Founding::root(Genesis::with_founder(Room::CLASS, [7; 16], identity(0))).expect("it has canonical bytes")
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

    /// Applies the op and returns what changed.
    pub(crate) fn apply<R: Replica>(&self, room: &mut R) -> Result<Vec<Change>, Void> {
        let mut changes = Changes::of(self.id(), identity(self.author));
        self.apply_with(room, &mut changes)?;
        Ok(changes.into_vec())
    }

    pub(crate) fn apply_with<R: Replica>(&self, room: &mut R, changes: &mut Changes) -> Result<(), Void> {
        let author = identity(self.author);
        let op = OpContext { id: self.id(), height: self.height, author, time: self.time(), act: self.act() };
        room.apply(&op, self.draft.payload.as_deref(), changes)
    }
}

/// Authors with a replica each, and every op that any of them has written, parents first.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ops: Vec<TestOp>,
    pub(crate) replicas: Vec<LocalReplica>,
}

/// What one author has.
#[derive(Debug, Clone)]
pub(crate) struct LocalReplica {
    pub(crate) room: Room,
    pub(crate) heads: BTreeSet<usize>,
    pub(crate) known: BTreeSet<usize>,
}

impl World {
    pub(crate) fn new(authors: usize) -> Self {
        let replica = LocalReplica { room: Room::empty(), heads: BTreeSet::new(), known: BTreeSet::new() };
        Self { ops: Vec::new(), replicas: vec![replica; authors] }
    }

    /// An author writes on top of what they have.
    pub(crate) fn edit(&mut self, author: usize, write: impl FnOnce(&mut RoomEdit<'_>)) -> &TestOp {
        let mut edit = self.replicas[author].room.edit();
        write(&mut edit);
        let draft = Room::finish(edit).expect("the tests write what can be saved");
        self.write(author, draft)
    }

    /// An author writes any payload on top of what they have.
    pub(crate) fn write(&mut self, author: usize, draft: Draft) -> &TestOp {
        let number = self.ops.len();
        let replica = &mut self.replicas[author];
        let parents = std::mem::replace(&mut replica.heads, BTreeSet::from([number]));
        let height = parents.iter().map(|parent| self.ops[*parent].height + 1).max().unwrap_or(0);
        let op = TestOp { number, parents, height, author, draft };
        replica.known.insert(number);
        // Payloads that mean nothing are part of some tests.
        let _void = op.apply(&mut replica.room);
        self.ops.push(op);
        &self.ops[number]
    }

    /// An author comes to have everything that another one has.
    pub(crate) fn pull(&mut self, to: usize, from: usize) {
        let missing: Vec<usize> = self.replicas[from].known.difference(&self.replicas[to].known).copied().collect();
        let replica = &mut self.replicas[to];
        for number in missing {
            let op = &self.ops[number];
            let _void = op.apply(&mut replica.room);
            replica.known.insert(number);
            replica.heads.retain(|head| !op.parents.contains(head));
            replica.heads.insert(number);
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

    pub(crate) fn room(&self, author: usize) -> &Room {
        &self.replicas[author].room
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

/// A payload from parts, as a peer could write it.
pub(crate) fn payload<const N: usize>(fields: [(&str, Vec<Value>); N]) -> Draft {
    let map = fields.into_iter().map(|(name, mutations)| (name.to_owned(), Value::List(mutations))).collect();
    Draft { act: None, payload: Some(bytes(&Value::Map(map))) }
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    encode(value).expect("the value has a canonical form")
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

pub(crate) fn add(element: &str) -> Value {
    map([("add", text(element))])
}

/// The mutation that removes an element as far as the ops of these numbers add it.
pub(crate) fn remove(element: &str, seen: &[usize]) -> Value {
    let seen: BTreeSet<OpId> = seen.iter().map(|number| op_id(*number)).collect();
    let seen = seen.iter().map(|op| Value::from(op.cid())).collect();
    map([("remove", map([("value", text(element)), ("seen", Value::List(seen))]))])
}
