//! What the marks of a text are, by definition: for each character, gone ones passed over, and each name the mark of the greatest
//! position among those between whose ends the character stands.

use std::collections::{BTreeMap, BTreeSet};

use hhs_model::OpId;
use hhs_model::codec::{Value, decode};

use super::super::reference::{Op, Reference, edits};
use crate::harness::TestOp;

/// Every character with its marks.
pub(crate) type Styles = Vec<(char, BTreeMap<String, Value>)>;

struct Mark {
    place: (u64, OpId, u32),
    op: usize,
    from: End,
    to: End,
    name: String,
    value: Value,
}

/// Beside a character, or an end of the text.
pub(super) struct End {
    pub(super) char: Option<(OpId, u32)>,
    pub(super) behind: bool,
}

/// The text that some ops make, and its marks.
#[derive(Default)]
pub(super) struct Definition {
    text: Reference,
    marks: Vec<Mark>,
}

impl Definition {
    /// From ops of which some are void beside those that others of them make void.
    pub(super) fn of<'o>(ops: impl IntoIterator<Item = &'o TestOp>, void: &[usize]) -> Self {
        let ops: BTreeMap<usize, &TestOp> = ops.into_iter().map(|op| (op.number, op)).collect();
        let places: BTreeMap<usize, usize> = ops.keys().copied().zip(0..).collect();
        let voids = |op: &&TestOp| op.voids.iter().filter_map(|void| places.get(void)).copied().collect::<Vec<_>>();
        let all_void: BTreeSet<usize> =
            ops.values().flat_map(voids).chain(void.iter().map(|void| places[void])).collect();
        let mut definition = Self::default();
        for (place, op) in ops.values().enumerate() {
            let parents: BTreeSet<usize> = op.parents.iter().map(|parent| places[parent]).collect();
            let past: BTreeSet<usize> = parents.iter().flat_map(|parent| definition.text.past(*parent)).collect();
            let hidden = ops.values().enumerate().filter(|(place, _)| past.contains(place));
            let hidden = hidden.flat_map(|(_, op)| voids(op)).collect();
            let (id, author, void) = (op.id(), op.author, all_void.contains(&place));
            definition.text.begin(Op { id, author, parents, void, hidden, edits: Vec::new() });
            for (index, mutation) in (0..).zip(mutations(op)) {
                match mutation.get("mark") {
                    None => definition.text.write(place, &edits_of(&mutation)),
                    Some(mark) => definition.marks.push(mark_of(place, (op.height, op.id(), index), mark)),
                }
            }
        }
        definition
    }

    pub(super) fn styles(&self) -> Styles {
        let order = self.text.order();
        let mut marks: Vec<&Mark> = self.marks.iter().filter(|mark| !self.text.ops[mark.op].void).collect();
        marks.sort_by_key(|mark| mark.place);
        let style = |char: usize| {
            let place = order.iter().position(|other| *other == char).expect("it is there");
            let mut style = BTreeMap::new();
            for mark in &marks {
                let (Some(from), Some(to)) = (self.slot(&order, &mark.from), self.slot(&order, &mark.to)) else {
                    continue;
                };
                if (from..to).contains(&place) {
                    style.insert(mark.name.clone(), mark.value.clone());
                }
            }
            // A mark without a value takes away.
            style.retain(|_, value| *value != Value::Null);
            (self.text.char(char), style)
        };
        self.text.shown().into_iter().map(style).collect()
    }

    /// How many characters that ever were stand before an end.
    fn slot(&self, order: &[usize], end: &End) -> Option<usize> {
        let Some((op, number)) = end.char else { return Some(if end.behind { 0 } else { order.len() }) };
        let char = self.text.char_of(op, number)?;
        Some(order.iter().position(|other| *other == char)? + usize::from(end.behind))
    }
}

/// The mutations of the field `text` in an op.
fn mutations(op: &TestOp) -> Vec<BTreeMap<String, Value>> {
    let payload = op.draft.payload.as_ref().map(|payload| decode(payload).expect("these payloads are canonical"));
    let fields = payload.map(|payload: Value| entries(&payload)).unwrap_or_default();
    let list: Vec<Value> = fields.get("text").map(|list| list.to().expect("a list")).unwrap_or_default();
    list.iter().map(entries).collect()
}

fn entries(value: &Value) -> BTreeMap<String, Value> {
    let Value::Map(entries) = value else { panic!("{value:?} is no map") };
    entries.iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

fn mark_of(op: usize, place: (u64, OpId, u32), mark: &Value) -> Mark {
    let mark = entries(mark);
    let end = |name: &str| {
        let end = entries(&mark[name]);
        let of = end.get("op").map_or(place.1, |op| op.to().expect("a link to an op"));
        let char = end.get("at").map(|number| (of, number.to().expect("a number")));
        End { char, behind: end["behind"].to().expect("a truth value") }
    };
    let (from, to, name) = (end("from"), end("to"), mark["name"].to().expect("a text"));
    Mark { place, op, from, to, name, value: mark.get("value").cloned().unwrap_or_default() }
}

/// How many stay, how many go, what comes.
fn edits_of(mutation: &BTreeMap<String, Value>) -> Vec<(u32, u32, String)> {
    match (&mutation["text"], &mutation["edits"]) {
        (Value::Text(text), Value::Bytes(bytes)) => edits(text, &bytes.0),
        _ => panic!("{mutation:?} edits nothing"),
    }
}
