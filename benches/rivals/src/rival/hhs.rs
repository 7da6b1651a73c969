//! This project: replicas in memory, of a class with one field for each kind of work.
//!
//! What is written in one go is one op, but maps, sets and counters are written in ops of [`ELEMENTS_PER_OP`]. Every op is
//! hashed and judged; it is signed and verified only where the task says so.

use std::collections::BTreeSet;

use bench_traces::{Concurrent, Edit, Sequential};
use hhs_crdt::{Carried, Counter, Document as Replicated, Map, Register, Replica, Set, Text};
use hhs_model::authority::Authority;
use hhs_model::bounds::{MAX_PACK_BYTES, MAX_PACK_OPS};
use hhs_model::class::Changes;
use hhs_model::op::{Founding, Genesis, pack};
use hhs_model::replay::{Kept, Replay};
use hhs_model::{Author, Frontier, OpId};

use super::{Content, Document, Exchange, Failure, Kind, Ops, Outcome, Rival, Saved, word};

/// <https://crates.io/crates/hhs-crdt>, from this repository.
pub(super) struct Hhs;

/// What is written to.
#[derive(Replica)]
#[replica(class = "bench/v1/Page")]
struct Page {
    text: Text,
    map: Map<String, Register<i64>>,
    set: Set<String>,
    counter: Counter,
}

/// How many writers a page has: no trace has more agents.
const WRITERS: u8 = 16;

const ELEMENTS_PER_OP: usize = 1_000;

impl Rival for Hhs {
    fn name(&self) -> &'static str {
        "hhs"
    }

    fn version(&self) -> String {
        super::locked("hhs-crdt")
    }

    fn notes(&self) -> &'static [&'static str] {
        &[
            "all that is typed in one go is one op; what was typed and erased again within an op is not in it",
            "maps, sets and counters are written in ops of 1,000 elements, concurrent traces in an op a transaction",
            "every op is hashed and judged; what is stored is packs of ops with a signature of 64 bytes each, what is opened a checkpoint",
        ]
    }

    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>> {
        let mut document = empty()?;
        unsigned(&mut document, 0, |page| {
            for (position, deleted, inserted) in trace.edits_from_empty() {
                page.text.splice(position, deleted, inserted);
            }
        })?;
        Ok(Box::new(Written { document, kind: Kind::Text }))
    }

    fn typed_signed(&self, trace: &Sequential, edits: usize) -> Outcome<Box<dyn Document>> {
        let (mut document, author) = (empty()?, author(0)?);
        let mut all = trace.edits_from_empty().peekable();
        while all.peek().is_some() {
            let write = |page: &mut PageEdit<'_>| {
                for (position, deleted, inserted) in all.by_ref().take(edits) {
                    page.text.splice(position, deleted, inserted);
                }
            };
            document.write(&author, 0, write).map_err(Failure::broke)?;
        }
        Ok(Box::new(Written { document, kind: Kind::Text }))
    }

    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>> {
        Ok(Box::new(Written { document: replay(trace)?, kind: Kind::Text }))
    }

    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>> {
        Ok(Box::new(All(replay(trace)?.beyond(&Frontier::default()))))
    }

    fn map(&self, keys: &[String]) -> Outcome<Box<dyn Document>> {
        let mut document = empty()?;
        let mut value = 0;
        for keys in keys.chunks(ELEMENTS_PER_OP) {
            unsigned(&mut document, 0, |page| {
                for key in keys {
                    page.map.at(key.clone()).set(value);
                    value += 1;
                }
            })?;
        }
        Ok(Box::new(Written { document, kind: Kind::Map }))
    }

    fn set(&self, elements: &[String]) -> Outcome<Box<dyn Document>> {
        let mut document = empty()?;
        for elements in elements.chunks(ELEMENTS_PER_OP) {
            unsigned(&mut document, 0, |page| elements.iter().for_each(|element| page.set.insert(element.clone())))?;
        }
        Ok(Box::new(Written { document, kind: Kind::Set }))
    }

    fn counter(&self, increments: usize) -> Outcome<Box<dyn Document>> {
        let mut document = empty()?;
        for done in (0..increments).step_by(ELEMENTS_PER_OP) {
            let count = ELEMENTS_PER_OP.min(increments - done);
            unsigned(&mut document, 0, |page| (0..count).for_each(|_| page.counter.increment()))?;
        }
        Ok(Box::new(Written { document, kind: Kind::Counter }))
    }

    /// From a checkpoint, which is what a store opens.
    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content> {
        let replay = Replay::<Page>::load(saved, &Authority::new(founding()?)).map_err(Failure::broke)?;
        let replay = replay.ok_or_else(|| Failure::broke("the checkpoint is not of this page"))?;
        Ok(read(replay.state(), kind))
    }

    fn alternating(&self, rounds: usize) -> Outcome<Exchange> {
        let mut documents = [empty()?, empty()?];
        let mut bytes = 0;
        for round in 0..rounds {
            let [first, second] = &mut documents;
            let (writer, reader) = if round % 2 == 0 { (first, second) } else { (second, first) };
            let op = unsigned(writer, (round % 2) as u8, |page| page.text.push_str(&word(round)))?;
            let carried = op.map(|op| carried(writer, &op)).transpose()?;
            bytes += carried.as_ref().map_or(0, size);
            reader.receive(carried);
        }
        Ok(Exchange { texts: documents.map(|document| document.state().text.to_string()), bytes })
    }
}

struct Written {
    document: Replicated<Page>,
    kind: Kind,
}

impl Document for Written {
    fn content(&self) -> Content {
        read(self.document.state(), self.kind)
    }

    /// The history is the size of its packs. What is opened is a checkpoint.
    fn saved(&mut self) -> Saved {
        let ops = self.document.beyond(&Frontier::default());
        Saved { size: packed(&ops), opens: checkpoint(&self.document, &ops) }
    }
}

struct All(Vec<Carried>);

impl Ops for All {
    fn merged(&self) -> Outcome<String> {
        let mut document = empty()?;
        let received = document.receive(self.0.iter().cloned());
        match received.refused.first() {
            None => Ok(document.state().text.to_string()),
            Some((_, error)) => Err(Failure::broke(error)),
        }
    }
}

fn author(number: u8) -> Outcome<Author> {
    Author::from_seed(&format!("writer {number}"), &[number; 32]).map_err(Failure::broke)
}

fn founding() -> Outcome<Founding> {
    let writers = (0..WRITERS).map(|number| Ok(author(number)?.id())).collect::<Outcome<BTreeSet<_>>>()?;
    Founding::root(Genesis::with_writers(Page::CLASS, [0; 16], writers)).map_err(Failure::broke)
}

fn empty() -> Outcome<Replicated<Page>> {
    Ok(Replicated::trusting(founding()?))
}

fn unsigned(
    document: &mut Replicated<Page>,
    writer: u8,
    edit: impl FnOnce(&mut PageEdit<'_>),
) -> Outcome<Option<OpId>> {
    document.write_unsigned(author(writer)?.id(), 0, edit).map_err(Failure::broke)
}

fn read(page: &Page, kind: Kind) -> Content {
    match kind {
        Kind::Text => Content::Text(page.text.to_string()),
        Kind::Map => Content::Entries(page.map.len()),
        Kind::Set => Content::Entries(page.set.len()),
        Kind::Counter => Content::Number(page.counter.get()),
    }
}

/// A document for each agent; they exchange the op that a transaction each makes.
fn replay(trace: &Concurrent) -> Outcome<Replicated<Page>> {
    if trace.agents > usize::from(WRITERS) {
        return Err(Failure::Lacks("the trace has more agents than the page has writers"));
    }
    let mut documents = (0..trace.agents).map(|_| empty()).collect::<Outcome<Vec<_>>>()?;
    let mut made: Vec<Option<Carried>> = Vec::with_capacity(trace.transactions.len());
    let deliver = |made: &[Option<Carried>], delivery: &[usize]| -> Vec<Carried> {
        delivery.iter().filter_map(|index| made[*index].clone()).collect()
    };
    for (transaction, delivery) in trace.transactions.iter().zip(trace.deliveries().map_err(Failure::broke)?) {
        let document = &mut documents[transaction.agent];
        document.receive(deliver(&made, &delivery));
        let op = unsigned(document, transaction.agent as u8, |page| {
            for Edit { position, deleted, inserted } in &transaction.edits {
                page.text.splice(*position, *deleted, inserted);
            }
        })?;
        made.push(op.map(|op| carried(document, &op)).transpose()?);
    }
    let mut first = documents.swap_remove(0);
    first.receive(deliver(&made, &trace.missing_at_end(0)));
    Ok(first)
}

fn carried(document: &Replicated<Page>, op: &OpId) -> Outcome<Carried> {
    let (op, payload) = document.get(op).ok_or_else(|| Failure::broke("an op that was written is not there"))?;
    Ok(Carried { op: op.clone(), payload: payload.map(<[u8]>::to_vec) })
}

fn size(carried: &Carried) -> usize {
    carried.op.bytes().len() + carried.payload.as_ref().map_or(0, Vec::len)
}

/// How many bytes the ops take in packs as large as they may be.
fn packed(ops: &[Carried]) -> usize {
    let (mut sum, mut first) = (0, 0);
    while first < ops.len() {
        let mut bytes = 0;
        let fits = ops[first..].iter().take(MAX_PACK_OPS).take_while(|carried| {
            bytes += size(carried);
            bytes <= MAX_PACK_BYTES / 2
        });
        let end = first + fits.count().max(1);
        let packed = pack(ops[first..end].iter().map(|carried| (&carried.op, carried.payload.as_deref())));
        sum += packed.expect("ops of one replica within the bounds of a pack").len();
        first = end;
    }
    sum
}

/// The state after all ops, saved.
fn checkpoint(document: &Replicated<Page>, ops: &[Carried]) -> Vec<u8> {
    let authority = document.authority();
    let mut replay = Replay::<Page>::new(authority);
    for (position, carried) in (0..).zip(ops) {
        let parents = document.graph().parents(position);
        let kept = Kept {
            op: &carried.op,
            position,
            parents: parents.as_slice(),
            seen: &authority.join([]),
            payload: carried.payload.as_deref(),
        };
        replay.apply(kept, authority, &mut Changes::unwatched());
    }
    replay.save()
}
