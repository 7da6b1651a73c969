//! What fields in fields mean, from scratch: a shape says how they are nested, and each shape asks the definition of its type what
//! the writes to it make of it.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::{ListMutation, UniqueListMutation};
use hhs_model::OpId;
use hhs_model::codec::{Value, decode};

use crate::harness::TestOp;
use crate::list::reference::{Step, run, step};
use crate::text::reference::{Op, Reference, edits};

/// How fields are nested.
pub(crate) enum Shape {
    Register,
    Text,
    Unique,
    List(&'static Shape),
    Map(&'static Shape),
    Struct(&'static [(&'static str, Shape)]),
}

/// A mutation of a field, and where it stands; those of void ops are among them, since others may have seen them.
#[derive(Debug, Clone)]
struct Write {
    op: usize,
    index: u32,
    says: Value,
}

/// Ops, and which of them are void.
pub(super) struct Definition<'o> {
    ops: Vec<&'o TestOp>,
    owned: Vec<TestOp>,
    void: BTreeSet<usize>,
}

impl<'o> Definition<'o> {
    /// Of ops some of which are void beside those that others of them make void.
    pub(super) fn of(ops: &'o [TestOp], void: Option<usize>) -> Self {
        let mut sorted: Vec<&TestOp> = ops.iter().collect();
        sorted.sort_by_key(|op| op.number);
        let void = sorted.iter().flat_map(|op| op.voids.clone()).chain(void).collect();
        let owned = sorted.iter().map(|op| (*op).clone()).collect();
        Self { ops: sorted, owned, void }
    }

    /// What a class of such fields shows.
    pub(super) fn read(&self, fields: &[(&'static str, Shape)]) -> Value {
        let field = |(name, shape): &(&'static str, Shape)| {
            let writes = self.ops.iter().flat_map(|op| {
                let payload = op.draft.payload.as_ref().map(|payload| decode(payload).expect("it is canonical"));
                let list = payload.and_then(|payload: Value| part(&payload, name)).unwrap_or(Value::List(Vec::new()));
                let says: Vec<Value> = list.to().expect("a list");
                let op = op.number;
                (0..).zip(says).map(move |(index, says)| Write { op, index, says }).collect::<Vec<_>>()
            });
            ((*name).to_owned(), self.field(shape, &writes.collect::<Vec<_>>()))
        };
        Value::Map(fields.iter().map(field).collect())
    }

    fn field(&self, shape: &Shape, writes: &[Write]) -> Value {
        match shape {
            Shape::Register => {
                let effective = writes.iter().filter(|write| self.counts(write));
                let last = effective.max_by_key(|write| self.place(write));
                Value::List(last.map(|write| write.says.clone()).into_iter().collect())
            }
            Shape::Text => Value::Text(self.text(writes)),
            Shape::Unique => Value::List(self.unique(writes)),
            Shape::List(content) => Value::List(self.list(writes, content)),
            Shape::Map(content) => Value::List(self.map(writes, content)),
            Shape::Struct(fields) => {
                let field = |(name, shape): &(&'static str, Shape)| {
                    ((*name).to_owned(), self.field(shape, &parts(writes, name)))
                };
                Value::Map(fields.iter().map(field).collect())
            }
        }
    }

    fn text(&self, writes: &[Write]) -> String {
        let mut text = Reference::default();
        let places: BTreeMap<usize, usize> = self.ops.iter().map(|op| op.number).zip(0..).collect();
        for (place, op) in self.ops.iter().enumerate() {
            let parents: BTreeSet<usize> = op.parents.iter().map(|parent| places[parent]).collect();
            let past: BTreeSet<usize> = parents.iter().flat_map(|parent| text.past(*parent)).collect();
            let hidden = past.iter().flat_map(|past| &self.ops[*past].voids).filter_map(|void| places.get(void));
            let (id, author, void) = (op.id(), op.author, self.void.contains(&op.number));
            let hidden = hidden.copied().collect();
            text.begin(Op { id, author, parents, void, hidden, edits: Vec::new() });
            for write in writes.iter().filter(|write| write.op == op.number) {
                match (part(&write.says, "text"), part(&write.says, "edits")) {
                    (Some(Value::Text(inserted)), Some(Value::Bytes(bytes))) => {
                        text.write(place, &edits(&inserted, &bytes.0));
                    }
                    _ => panic!("{write:?} edits nothing"),
                }
            }
        }
        text.text()
    }

    fn unique(&self, writes: &[Write]) -> Vec<Value> {
        let steps = |op: &TestOp| {
            let of_op = writes.iter().filter(|write| write.op == op.number);
            let step = of_op.map(|write| match write.says.to().expect("a mutation of a list") {
                UniqueListMutation::Insert { at, items } => {
                    let keys = items.iter().map(|item: &u64| item.to_string()).collect();
                    (write.index, Step::Put { at, keys, birth: true })
                }
                UniqueListMutation::Remove { at } => (write.index, Step::Take { at }),
            });
            step.collect()
        };
        let values = run(&self.owned, &self.void, steps).keys;
        values.into_iter().map(|value| Value::from(value.parse::<u64>().expect("a number"))).collect()
    }

    fn list(&self, writes: &[Write], content: &Shape) -> Vec<Value> {
        let mutation = |write: &Write| write.says.to::<ListMutation<Value>>().expect("a mutation of a list");
        let list = run(&self.owned, &self.void, |op| {
            let of_op = writes.iter().filter(|write| write.op == op.number);
            of_op.map(|write| (write.index, step(op.id(), write.index, &mutation(write)))).collect()
        });
        // What was written to each element, by its key.
        let mut inner: BTreeMap<String, Vec<Write>> = BTreeMap::new();
        for write in writes {
            let (op, index) = (write.op, write.index);
            let id = self.ops.iter().find(|other| other.number == op).expect("it is there").id();
            let says = |says| Write { op, index, says };
            match mutation(write) {
                ListMutation::Insert { items, .. } => {
                    for (number, item) in items.into_iter().enumerate() {
                        inner.entry(format!("{id}/{index}/{number}")).or_default().push(says(item));
                    }
                }
                ListMutation::At { inner: item, .. } => {
                    if let Some(key) = list.written.get(&(op, index)) {
                        inner.entry(key.clone()).or_default().push(says(item));
                    }
                }
                _ => {}
            }
        }
        let none = Vec::new();
        list.keys.iter().map(|key| self.field(content, inner.get(key).unwrap_or(&none))).collect()
    }

    fn map(&self, writes: &[Write], content: &Shape) -> Vec<Value> {
        let (at, insert, removes) = (parts(writes, "at"), parts(writes, "insert"), parts(writes, "remove"));
        let key = |write: &Write| part(&write.says, "key").expect("a key").to::<u64>().expect("a number");
        let life = |write: &Write| part(&write.says, "life").map_or(0, |life| life.to::<u64>().expect("a number"));
        let named: Vec<&Write> = at.iter().chain(&insert).filter(|write| self.counts(write)).collect();
        let keys: BTreeSet<u64> = named.iter().map(|write| key(write)).collect();
        let entry = |of: u64| {
            let ends = |write: &Write, remove: &Write| {
                self.counts(remove)
                    && remove.says.to::<u64>().expect("a key") == of
                    && self.past(remove.op).contains(&write.op)
                    && self.place(write) < self.place(remove)
            };
            let stand = named.iter().filter(|write| key(write) == of);
            let stand = stand.filter(|write| !removes.iter().any(|remove| ends(write, remove)));
            let shown = stand.map(|write| life(write)).max()?;
            let inside: Vec<Write> =
                at.iter().filter(|write| key(write) == of && life(write) == shown).cloned().collect();
            Some(Value::List(vec![Value::from(of), self.field(content, &parts(&inside, "do"))]))
        };
        keys.into_iter().filter_map(entry).collect()
    }

    fn counts(&self, write: &Write) -> bool {
        !self.void.contains(&write.op)
    }

    fn place(&self, write: &Write) -> (u64, OpId, u32) {
        let op = self.ops.iter().find(|op| op.number == write.op).expect("it is there");
        (op.height, op.id(), write.index)
    }

    fn past(&self, op: usize) -> BTreeSet<usize> {
        let (mut past, mut pending) = (BTreeSet::new(), vec![op]);
        while let Some(next) = pending.pop() {
            if past.insert(next) {
                pending.extend(self.ops.iter().filter(|op| op.number == next).flat_map(|op| &op.parents));
            }
        }
        past
    }
}

/// What stands in a map under a name.
fn part(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Map(entries) => entries.get(name).cloned(),
        _ => None,
    }
}

/// What stands under a name, of those writes that are maps with that name.
fn parts(writes: &[Write], name: &str) -> Vec<Write> {
    let part = |write: &Write| part(&write.says, name).map(|says| Write { says, ..*write });
    writes.iter().filter_map(part).collect()
}
