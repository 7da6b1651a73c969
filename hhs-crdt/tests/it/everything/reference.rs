//! What a set of ops means, from scratch, as the page on types says it: no arrival, no state that is kept up.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::codec::{Value, decode};

use super::Everything;
use crate::harness::History;
use crate::history::map as object;

/// The effective ops, and what each has seen.
pub(super) struct Definition {
    writes: Vec<Write>,
    pasts: BTreeMap<usize, BTreeSet<usize>>,
}

/// A mutation of a field, and where it stands.
#[derive(Debug, Clone)]
struct Write {
    place: (u64, OpId, u64),
    op: usize,
    says: Value,
}

impl Definition {
    pub(super) fn of(history: &History<Everything>, known: &BTreeSet<usize>) -> Self {
        let ops = || known.iter().map(|number| &history.ops[*number]);
        let withdrawn: BTreeSet<usize> = ops().flat_map(|op| &op.voids).copied().collect();
        let effective = || ops().filter(|op| !withdrawn.contains(&op.number));
        let writes = effective().filter_map(|op| {
            let says = decode(op.draft.payload.as_ref()?).expect("these payloads are canonical");
            Some(Write { place: (op.height, op.id(), 0), op: op.number, says })
        });
        let pasts = effective().map(|op| (op.number, history.past(op.number)));
        Self { writes: writes.collect(), pasts: pasts.collect() }
    }

    pub(super) fn everything(&self) -> Value {
        let field = |name: &str| {
            let of_op = |write: &Write| match &write.says {
                Value::Map(fields) => fields.get(name).map(|list| list.to::<Vec<Value>>().expect("a list")),
                _ => None,
            };
            let mutations = self.writes.iter().flat_map(|write| {
                let says = (0..).zip(of_op(write).unwrap_or_default());
                let (height, id, _) = write.place;
                says.map(move |(index, says)| Write { place: (height, id, index), op: write.op, says })
            });
            let mut mutations: Vec<Write> = mutations.collect();
            mutations.sort_by_key(|write| write.place);
            mutations
        };
        object([
            ("title", register(&field("title"))),
            ("mood", self.multi_register(&field("mood"))),
            ("tags", self.set(&field("tags"))),
            ("seen", grow_set(&field("seen"))),
            ("votes", counter(&field("votes"))),
            ("lines", log(&field("lines"))),
            ("tasks", self.map(&field("tasks"), |writes| self.task(writes))),
            ("shelves", self.map(&field("shelves"), |writes| self.map(writes, counter))),
        ])
    }

    fn task(&self, writes: &[Write]) -> Value {
        let field = |name| parts(writes, name);
        object([
            ("name", register(&field("name"))),
            ("mood", self.multi_register(&field("mood"))),
            ("labels", self.set(&field("labels"))),
            ("the-votes", counter(&field("the-votes"))),
            ("notes", log(&field("notes"))),
            ("steps", self.map(&field("steps"), register)),
        ])
    }

    /// Whether one write stands in the past of another, or before it in the same op.
    fn has_seen(&self, later: &Write, earlier: &Write) -> bool {
        self.pasts[&later.op].contains(&earlier.op) && earlier.place < later.place
    }

    /// Those that none of the others has seen.
    fn unseen_by<'w>(&self, writes: &'w [Write], others: &[Write]) -> Vec<&'w Write> {
        writes.iter().filter(|write| !others.iter().any(|other| self.has_seen(other, write))).collect()
    }

    fn multi_register(&self, writes: &[Write]) -> Value {
        Value::List(self.unseen_by(writes, writes).into_iter().map(|write| write.says.clone()).collect())
    }

    fn set(&self, writes: &[Write]) -> Value {
        let (adds, removes) = (parts(writes, "add"), parts(writes, "remove"));
        let elements: BTreeSet<u64> = adds.iter().map(number).collect();
        let is_in = |element: &u64| {
            let of =
                |writes: &[Write]| writes.iter().filter(|write| number(write) == *element).cloned().collect::<Vec<_>>();
            !self.unseen_by(&of(&adds), &of(&removes)).is_empty()
        };
        Value::List(elements.into_iter().filter(is_in).map(Value::from).collect())
    }

    fn map(&self, writes: &[Write], content: impl Fn(&[Write]) -> Value) -> Value {
        let (at, insert, removes) = (parts(writes, "at"), parts(writes, "insert"), parts(writes, "remove"));
        let mut lives: BTreeMap<u64, BTreeMap<u64, Vec<Write>>> = BTreeMap::new();
        for write in at.into_iter().chain(insert) {
            let Value::Map(says) = &write.says else { panic!("it names an entry") };
            let key = says.get("key").map(|key| key.to().expect("a number")).expect("a key");
            let life = says.get("life").map_or(0, |life| life.to().expect("a number"));
            if life <= 65_536 * (write.place.0 + 1) {
                lives.entry(key).or_default().entry(life).or_default().push(write);
            }
        }
        let entries = lives.into_iter().filter_map(|(key, lives)| {
            let removes: Vec<Write> = removes.iter().filter(|write| number(write) == key).cloned().collect();
            let stands = |writes: &[Write]| !self.unseen_by(writes, &removes).is_empty();
            let (_, writes) = lives.into_iter().rev().find(|(_, writes)| stands(writes))?;
            let mut inner = parts(&writes, "do");
            inner.sort_by_key(|write| write.place);
            Some(Value::List(vec![Value::from(key), content(&inner)]))
        });
        Value::List(entries.collect())
    }
}

fn register(writes: &[Write]) -> Value {
    Value::List(writes.last().map(|write| write.says.clone()).into_iter().collect())
}

fn grow_set(writes: &[Write]) -> Value {
    let elements: BTreeSet<u64> = writes.iter().map(number).collect();
    Value::List(elements.into_iter().map(Value::from).collect())
}

fn counter(writes: &[Write]) -> Value {
    Value::from(writes.iter().map(|write| write.says.to::<i64>().expect("a number")).sum::<i64>())
}

fn log(writes: &[Write]) -> Value {
    Value::List(writes.iter().map(|write| write.says.clone()).collect())
}

fn number(write: &Write) -> u64 {
    write.says.to().expect("a number")
}

/// What stands under a name, of those writes that are maps with that name.
fn parts(writes: &[Write], name: &str) -> Vec<Write> {
    let part = |write: &Write| match &write.says {
        Value::Map(says) => says.get(name).map(|says| Write { says: says.clone(), ..write.clone() }),
        _ => None,
    };
    writes.iter().filter_map(part).collect()
}
