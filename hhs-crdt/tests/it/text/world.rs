//! Histories of texts, made up at random, and a replica that takes them in.

use std::collections::{BTreeMap, BTreeSet};

use hhs_crdt::{At, Field, Text, TextEdit, TextMutation};
use hhs_model::class::{Action, Changes, Loader, NoRights, OpContext, Saver, Unseen};
use hhs_model::codec::{Value, decode, encode};
use hhs_model::history::{Graph, SharedPositions};
use hhs_model::{Bytes, IdentityId, OpId};
use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::{Op, Reference};

/// The identity of an author.
pub(crate) fn identity(author: usize) -> IdentityId {
    IdentityId::of(format!("author {author}").as_bytes())
}

/// A text, the ops that were applied to it, and what somebody reads who follows its changes.
#[derive(Debug, Default)]
pub(crate) struct Replica {
    pub(crate) text: Text,
    pub(crate) followed: String,
    /// What its changes were, all of them.
    pub(crate) told: Vec<Action>,
    quiet: bool,
    graph: Graph,
    positions: BTreeMap<OpId, u64>,
    void: BTreeSet<u64>,
}

impl Replica {
    /// Takes in an op of a made-up history.
    pub(crate) fn apply(&mut self, op: &Op, all: &[Op]) {
        let parents: Vec<u64> = op.parents.iter().map(|parent| self.positions[&all[*parent].id]).collect();
        let hidden = op.hidden.iter().filter_map(|hidden| self.positions.get(&all[*hidden].id)).copied().collect();
        let mutations = (!op.edits.is_empty()).then(|| mutation(&op.edits)).into_iter().collect();
        self.positions.insert(op.id, self.graph.len());
        self.apply_with(op.id, op.author, &parents, &hidden, op.void, mutations);
    }

    /// A replica whose changes nobody follows.
    pub(crate) fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// Takes in an op that stands on those at some positions.
    pub(crate) fn apply_at(&mut self, id: OpId, parents: &[u64], mutation: TextMutation) {
        self.apply_with(id, 0, parents, &SharedPositions::default(), false, vec![mutation]);
    }

    /// Writes an op on top of what is there, and returns its id.
    pub(crate) fn write(&mut self, author: usize, write: impl FnOnce(&mut TextEdit<'_>)) -> OpId {
        let mutations = self.draft(write);
        self.write_mutations(author, mutations)
    }

    fn write_mutations(&mut self, author: usize, mutations: Vec<TextMutation>) -> OpId {
        let id = OpId::of(format!("written {}", self.graph.len()).as_bytes());
        let heads = self.graph.heads().to_vec();
        // Whoever writes here takes for void what is void.
        let hidden = self.void.iter().copied().collect();
        self.positions.insert(id, self.graph.len());
        self.apply_with(id, author, &heads, &hidden, false, mutations);
        id
    }

    /// Takes a mutation in as an op on top of some others.
    pub(crate) fn apply_on(
        &mut self,
        name: &str,
        author: usize,
        parents: &[OpId],
        mutations: Vec<TextMutation>,
    ) -> OpId {
        let id = OpId::of(name.as_bytes());
        let parents: Vec<u64> = parents.iter().map(|parent| self.positions[parent]).collect();
        self.positions.insert(id, self.graph.len());
        self.apply_with(id, author, &parents, &SharedPositions::default(), false, mutations);
        id
    }

    /// What an author would write on what is here, without doing it.
    pub(crate) fn draft(&self, write: impl FnOnce(&mut TextEdit<'_>)) -> Vec<TextMutation> {
        let mut edit = self.text.edit();
        write(&mut edit);
        Text::finish(edit).mutations
    }

    /// Takes an op back by another one, if there is anything to take back.
    pub(crate) fn undo(&mut self, op: &Op) -> Option<OpId> {
        self.undo_id(op.id)
    }

    pub(crate) fn undo_id(&mut self, id: OpId) -> Option<OpId> {
        let position = self.positions[&id];
        let hidden = SharedPositions::default();
        let op = context(id, 0, position, &self.graph, &hidden);
        let placeholder = mutation(&[(0, 0, "x".into())]);
        let mutations = self.text.undo(&placeholder, At { op: &op, index: 0 }, &Text::default());
        (!mutations.is_empty()).then(|| self.write_mutations(0, mutations))
    }

    fn apply_with(
        &mut self,
        id: OpId,
        author: usize,
        parents: &[u64],
        hidden: &SharedPositions,
        void: bool,
        mutations: Vec<TextMutation>,
    ) {
        let position = self.graph.push(parents);
        self.void.extend(void.then_some(position));
        let op = context(id, author, position, &self.graph, hidden);
        let mut changes = if self.quiet { Changes::unwatched() } else { Changes::of(id, identity(author)) };
        for (index, mutation) in (0..).zip(mutations) {
            let at = At { op: &op, index };
            match void {
                true => self.text.shadow(mutation, at),
                false => self.text.apply(mutation, at, &mut changes),
            }
        }
        for change in changes.into_vec() {
            follow(&mut self.followed, &change.action);
            self.told.push(change.action);
        }
    }

    /// From here on nobody follows the changes.
    pub(crate) fn quieten(&mut self) {
        self.quiet = true;
    }

    pub(crate) fn saved(&self) -> Vec<u8> {
        let mut saver = Saver::new();
        self.text.save(&mut saver);
        saver.finish()
    }

    pub(crate) fn save_and_load(&mut self) {
        let bytes = self.saved();
        let mut loader = Loader::new(&bytes);
        self.text = Text::load(&mut loader).expect("what was saved");
        loader.finish().expect("nothing else was saved");
        assert_eq!(self.saved(), bytes, "what was loaded is what was saved");
    }
}

fn context<'a>(id: OpId, author: usize, position: u64, graph: &'a Graph, hidden: &'a SharedPositions) -> OpContext<'a> {
    OpContext {
        id,
        position,
        height: graph.height(position),
        author: identity(author),
        time: 0,
        act: None,
        graph,
        hidden,
        rights: &NoRights,
        unseen: Unseen::default(),
    }
}

fn follow(text: &mut String, action: &Action) {
    let Action::Edited { at, deleted, inserted } = action else { return };
    let (at, deleted) = (*at as usize, *deleted as usize);
    assert!(text.chars().count() >= at + deleted, "a change is within the text");
    assert!(deleted > 0 || !inserted.is_empty(), "a change changes something");
    let rest: String = text.chars().skip(at + deleted).collect();
    *text = text.chars().take(at).chain(inserted.chars()).collect::<String>() + &rest;
}

/// A mutation as it arrives: from front to back, how many stay, how many go, what comes.
pub(crate) fn mutation(edits: &[(u32, u32, String)]) -> TextMutation {
    let mut bytes = Vec::new();
    for (skip, delete, insert) in edits {
        let count = insert.chars().count() as u32;
        leb128(&mut bytes, skip << 2 | u32::from(count > 0) << 1 | u32::from(*delete > 0));
        [*delete, count].into_iter().filter(|count| *count > 0).for_each(|count| leb128(&mut bytes, count));
    }
    let text = edits.iter().map(|(_, _, insert)| insert.as_str()).collect();
    let entries = [("text".to_owned(), Value::Text(text)), ("edits".to_owned(), Value::Bytes(Bytes(bytes)))];
    let bytes = encode(&Value::Map(entries.into_iter().collect())).expect("it is small");
    let mutation = decode(&bytes).expect("it is in its one form");
    assert_eq!(encode(&mutation).expect("it was decoded"), bytes);
    mutation
}

fn leb128(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What happens, in order.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    /// An author writes, on top of all they have.
    Write { author: usize, edits: Vec<(u16, u32, u32)>, void: bool, hidden: u32, name: u16 },
    /// An author takes over what another one has.
    Pull { author: usize, from: usize },
}

/// Four authors, each with what they know.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    let counts = || prop_oneof![4 => 0..3_u32, 1 => 0..6_u32];
    let edits = vec((any::<u16>(), counts(), counts()), 1..4);
    let hidden = prop_oneof![4 => Just(0), 1 => any::<u32>()];
    let write = (0..4_usize, edits, prop::bool::weighted(0.15), hidden, any::<u16>());
    let write = write.prop_map(|(author, edits, void, hidden, name)| Step::Write { author, edits, void, hidden, name });
    let pull = (0..4_usize, 0..4_usize).prop_map(|(author, from)| Step::Pull { author, from });
    vec(prop_oneof![3 => write, 2 => pull], 1..28).prop_map(|steps| Script { steps })
}

impl Script {
    pub(crate) fn play(&self) -> Reference {
        let mut reference = Reference::default();
        let mut heads: [BTreeSet<usize>; 4] = Default::default();
        let mut next = 0;
        for step in &self.steps {
            match step {
                Step::Pull { author, from } => {
                    let all: BTreeSet<usize> = heads[*author].union(&heads[*from]).copied().collect();
                    let below =
                        |head: &usize| all.iter().any(|other| other != head && reference.past(*other).contains(head));
                    heads[*author] = all.iter().copied().filter(|head| !below(head)).collect();
                }
                Step::Write { author, edits, void, hidden, name } => {
                    let number = reference.ops.len();
                    let parents = heads[*author].clone();
                    let past: BTreeSet<usize> = parents.iter().flat_map(|parent| reference.past(*parent)).collect();
                    let hidden = past.into_iter().filter(|op| hidden >> (op % 32) & 1 == 1).collect();
                    let len = reference.len_for(&parents, &hidden) as u32;
                    let edits = spread(edits, len, &mut next);
                    let id = OpId::of(format!("{name} {number}").as_bytes());
                    reference.push(Op { id, author: *author, parents, void: *void, hidden, edits });
                    heads[*author] = [number].into();
                }
            }
        }
        reference
    }
}

/// Edits somewhere in a text of a length, and now and then beyond it; each character is one of a kind.
fn spread(edits: &[(u16, u32, u32)], len: u32, next: &mut u32) -> Vec<(u32, u32, String)> {
    let mut spread = Vec::new();
    for (skip, delete, insert) in edits {
        let skip = u32::from(*skip) % (len + 2) / edits.len() as u32;
        let skip = if spread.is_empty() { skip } else { skip + 1 };
        let insert: String = (0..*insert).map(|at| char::from_u32(0x4e00 + *next + at).expect("a character")).collect();
        *next += insert.chars().count() as u32;
        if *delete > 0 || !insert.is_empty() {
            spread.push((skip, *delete, insert));
        }
    }
    spread
}
