//! automerge: texts, maps and counters. Edits are made in transactions, and can be read in them at once.

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, AutomergeError, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};
use bench_traces::{Concurrent, Edit, Sequential};

use super::{Content, Document, Exchange, Failure, Kind, Ops, Outcome, Patience, Rival, Saved, locked, word};

/// <https://crates.io/crates/automerge>
pub(super) struct Automerge;

const NAME: &str = "value";

impl Rival for Automerge {
    fn name(&self) -> &'static str {
        "automerge"
    }

    fn version(&self) -> String {
        locked("automerge")
    }

    fn notes(&self) -> &'static [&'static str] {
        &["typed in one transaction; merged from its decoded changes"]
    }

    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>> {
        let (mut document, text) = with_object(ObjType::Text)?;
        for (position, deleted, inserted) in trace.edits_from_empty() {
            splice(&mut document, &text, position, deleted, inserted)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>> {
        let document = replay(trace)?;
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>> {
        Ok(Box::new(Changes(replay(trace)?.get_changes(&[]))))
    }

    fn map(&self, keys: &[String]) -> Outcome<Box<dyn Document>> {
        let (mut document, map) = with_object(ObjType::Map)?;
        for (value, key) in (0_i64..).zip(keys) {
            document.put(&map, key.as_str(), value).map_err(Failure::broke)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Map }))
    }

    fn counter(&self, increments: usize) -> Outcome<Box<dyn Document>> {
        let mut document = AutoCommit::new().with_actor(actor(1));
        document.put(ROOT, NAME, ScalarValue::counter(0)).map_err(Failure::broke)?;
        let patience = Patience::begin();
        for done in 0..increments {
            patience.check(done, increments)?;
            document.increment(ROOT, NAME, 1).map_err(Failure::broke)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Counter }))
    }

    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content> {
        let document = AutoCommit::load(saved).map_err(Failure::broke)?;
        Ok(Opened { document, kind }.content())
    }

    fn alternating(&self, rounds: usize) -> Outcome<Exchange> {
        let (mut first, text) = with_object(ObjType::Text)?;
        let second = first.fork().with_actor(actor(2));
        let mut documents = [first, second];
        let mut bytes = 0;
        for round in 0..rounds {
            let writer = &mut documents[round % 2];
            let end = writer.length(&text);
            splice(writer, &text, end, 0, &word(round))?;
            let update = writer.save_incremental();
            bytes += update.len();
            let reader = &mut documents[1 - round % 2];
            reader.load_incremental(&update).map_err(Failure::broke)?;
            // What came in has been saved by the other side.
            reader.save_incremental();
        }
        let [first, second] = &documents;
        Ok(Exchange { texts: [string(first)?, string(second)?], bytes })
    }
}

struct Opened {
    document: AutoCommit,
    kind: Kind,
}

impl Document for Opened {
    fn content(&self) -> Content {
        let value = self.document.get(ROOT, NAME).ok().flatten();
        match (self.kind, value) {
            (Kind::Text, _) => Content::Text(string(&self.document).unwrap_or_default()),
            (Kind::Counter, Some((Value::Scalar(value), _))) => Content::Number(value.as_i64().unwrap_or_default()),
            (_, Some((_, map))) => Content::Entries(self.document.length(map)),
            (_, None) => Content::Entries(0),
        }
    }

    fn saved(&mut self) -> Saved {
        Saved::whole(self.document.save())
    }
}

struct Changes(Vec<Change>);

impl Ops for Changes {
    fn merged(&self) -> Outcome<String> {
        let mut document = AutoCommit::new();
        document.apply_changes_batch(self.0.iter().cloned()).map_err(Failure::broke)?;
        string(&document)
    }
}

fn actor(number: u8) -> ActorId {
    ActorId::from([number])
}

/// A document with an empty object in it, and the object.
fn with_object(kind: ObjType) -> Outcome<(AutoCommit, ObjId)> {
    let mut document = AutoCommit::new().with_actor(actor(1));
    let object = document.put_object(ROOT, NAME, kind).map_err(Failure::broke)?;
    document.commit();
    Ok((document, object))
}

fn splice(document: &mut AutoCommit, text: &ObjId, position: usize, deleted: usize, inserted: &str) -> Outcome<()> {
    document.splice_text(text, position, deleted as isize, inserted).map_err(Failure::broke)
}

fn string(document: &AutoCommit) -> Outcome<String> {
    let text = document.get(ROOT, NAME).map_err(Failure::broke)?;
    let (_, text) = text.ok_or(Failure::broke(AutomergeError::Fail))?;
    document.text(text).map_err(Failure::broke)
}

/// A document for each agent, forked from one with the empty text; they exchange the changes that a transaction each makes.
fn replay(trace: &Concurrent) -> Outcome<AutoCommit> {
    let (mut empty, text) = with_object(ObjType::Text)?;
    let mut documents: Vec<AutoCommit> =
        (2..).take(trace.agents).map(|number| empty.fork().with_actor(actor(number))).collect();
    let mut changes: Vec<Option<Change>> = Vec::with_capacity(trace.transactions.len());
    for (transaction, delivery) in trace.transactions.iter().zip(trace.deliveries().map_err(Failure::broke)?) {
        let document = &mut documents[transaction.agent];
        deliver(document, &delivery, &changes)?;
        for Edit { position, deleted, inserted } in &transaction.edits {
            splice(document, &text, *position, *deleted, inserted)?;
        }
        let change = document.commit().and_then(|_| document.get_last_local_change());
        changes.push(change);
    }
    let mut first = documents.swap_remove(0);
    deliver(&mut first, &trace.missing_at_end(0), &changes)?;
    Ok(first)
}

fn deliver(document: &mut AutoCommit, delivery: &[usize], changes: &[Option<Change>]) -> Outcome<()> {
    if delivery.is_empty() {
        return Ok(());
    }
    document.apply_changes(delivery.iter().filter_map(|change| changes[*change].clone())).map_err(Failure::broke)
}
