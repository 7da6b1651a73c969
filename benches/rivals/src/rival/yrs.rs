//! yrs, the Rust of Yjs: texts and maps. Edits are made in transactions.

use bench_traces::{Concurrent, Edit, Sequential};
use yrs::block::ClientID;
use yrs::updates::decoder::Decode;
use yrs::{
    Doc, GetString, Map, MapRef, OffsetKind, Options, ReadTxn, StateVector, Text, TextRef, Transact, TransactionMut,
    Update,
};

use super::{Content, Document, Exchange, Failure, Kind, Ops, Outcome, Rival, Saved, locked, word};

/// <https://crates.io/crates/yrs>
pub(super) struct Yrs;

const NAME: &str = "value";

const NO_COUNTER: Failure = Failure::Lacks("it has no counter");

impl Rival for Yrs {
    fn name(&self) -> &'static str {
        "yrs"
    }

    fn version(&self) -> String {
        locked("yrs")
    }

    fn notes(&self) -> &'static [&'static str] {
        &[
            "one transaction an edit, because in one that is larger looking for positions takes minutes; stored by its second encoding; merged from its state, in which what was deleted is left out",
        ]
    }

    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>> {
        let offsets = offsets(trace.edits_from_empty().map(|(_, _, inserted)| inserted))?;
        let document = replica(1, offsets);
        let text = document.get_or_insert_text(NAME);
        for (position, deleted, inserted) in trace.edits_from_empty() {
            // One transaction an edit: only a commit joins blocks, and looking for a position walks over blocks.
            edit(&mut document.transact_mut(), &text, position, deleted, inserted);
        }
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>> {
        let document = replay(trace)?;
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>> {
        Ok(Box::new(State(state(&replay(trace)?))))
    }

    fn map(&self, keys: &[String]) -> Outcome<Box<dyn Document>> {
        let document = replica(1, OffsetKind::Bytes);
        let map = document.get_or_insert_map(NAME);
        let mut transaction = document.transact_mut();
        for (value, key) in (0_i64..).zip(keys) {
            map.insert(&mut transaction, key.as_str(), value);
        }
        drop(transaction);
        Ok(Box::new(Opened { document, kind: Kind::Map }))
    }

    fn counter(&self, _increments: usize) -> Outcome<Box<dyn Document>> {
        Err(NO_COUNTER)
    }

    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content> {
        let document = replica(1, OffsetKind::Bytes);
        let update = Update::decode_v2(saved).map_err(Failure::broke)?;
        document.transact_mut().apply_update(update).map_err(Failure::broke)?;
        Ok(Opened { document, kind }.content())
    }

    fn alternating(&self, rounds: usize) -> Outcome<Exchange> {
        let documents = [replica(1, OffsetKind::Bytes), replica(2, OffsetKind::Bytes)];
        let texts = [0, 1].map(|writer: usize| documents[writer].get_or_insert_text(NAME));
        let mut bytes = 0;
        for round in 0..rounds {
            let writer = round % 2;
            let mut transaction = documents[writer].transact_mut();
            texts[writer].push(&mut transaction, &word(round));
            let update = transaction.encode_update_v1();
            drop(transaction);
            bytes += update.len();
            apply(&documents[1 - writer], &update)?;
        }
        Ok(Exchange { texts: [0, 1].map(|reader: usize| string(&documents[reader], &texts[reader])), bytes })
    }
}

struct Opened {
    document: Doc,
    kind: Kind,
}

impl Document for Opened {
    fn content(&self) -> Content {
        match self.kind {
            Kind::Text => Content::Text(string(&self.document, &self.document.get_or_insert_text(NAME))),
            Kind::Map | Kind::Set | Kind::Counter => {
                let map: MapRef = self.document.get_or_insert_map(NAME);
                Content::Entries(map.len(&self.document.transact()) as usize)
            }
        }
    }

    fn saved(&mut self) -> Saved {
        // The newer encoding, which is smaller.
        Saved::whole(self.document.transact().encode_state_as_update_v2(&StateVector::default()))
    }
}

struct State(Vec<u8>);

impl Ops for State {
    fn merged(&self) -> Outcome<String> {
        let document = replica(9, OffsetKind::Bytes);
        apply(&document, &self.0)?;
        Ok(string(&document, &document.get_or_insert_text(NAME)))
    }
}

fn replica(client: u64, offset_kind: OffsetKind) -> Doc {
    Doc::with_options(Options { offset_kind, ..Options::with_client_id(ClientID::new(client)) })
}

/// How positions that count code points can be said to yrs, which counts bytes or UTF-16 units.
fn offsets<'a>(mut inserted: impl Iterator<Item = &'a str> + Clone) -> Outcome<OffsetKind> {
    if inserted.clone().all(str::is_ascii) {
        Ok(OffsetKind::Bytes)
    } else if inserted.all(|text| text.chars().all(|char| char.len_utf16() == 1)) {
        Ok(OffsetKind::Utf16)
    } else {
        Err(Failure::Lacks("its positions count no code points"))
    }
}

fn edit(transaction: &mut TransactionMut<'_>, text: &TextRef, position: usize, deleted: usize, inserted: &str) {
    if deleted > 0 {
        text.remove_range(transaction, position as u32, deleted as u32);
    }
    if !inserted.is_empty() {
        text.insert(transaction, position as u32, inserted);
    }
}

fn state(document: &Doc) -> Vec<u8> {
    document.transact().encode_state_as_update_v1(&StateVector::default())
}

fn apply(document: &Doc, update: &[u8]) -> Outcome<()> {
    let update = Update::decode_v1(update).map_err(Failure::broke)?;
    document.transact_mut().apply_update(update).map_err(Failure::broke)
}

fn string(document: &Doc, text: &TextRef) -> String {
    text.get_string(&document.transact())
}

/// A document for each agent; they exchange the updates that a transaction each makes.
fn replay(trace: &Concurrent) -> Outcome<Doc> {
    let edits = trace.transactions.iter().flat_map(|transaction| &transaction.edits);
    let offsets = offsets(edits.map(|edit| edit.inserted.as_str()))?;
    let mut documents: Vec<Doc> = (1..).take(trace.agents).map(|client| replica(client, offsets)).collect();
    let mut updates: Vec<Vec<u8>> = Vec::with_capacity(trace.transactions.len());
    for (made, delivery) in trace.transactions.iter().zip(trace.deliveries().map_err(Failure::broke)?) {
        let document = &documents[made.agent];
        deliver(document, &delivery, &updates)?;
        let text = document.get_or_insert_text(NAME);
        let mut transaction = document.transact_mut();
        for Edit { position, deleted, inserted } in &made.edits {
            edit(&mut transaction, &text, *position, *deleted, inserted);
        }
        updates.push(transaction.encode_update_v1());
    }
    let first = documents.swap_remove(0);
    deliver(&first, &trace.missing_at_end(0), &updates)?;
    Ok(first)
}

fn deliver(document: &Doc, delivery: &[usize], updates: &[Vec<u8>]) -> Outcome<()> {
    let mut transaction = document.transact_mut();
    for update in delivery {
        let update = Update::decode_v1(&updates[*update]).map_err(Failure::broke)?;
        transaction.apply_update(update).map_err(Failure::broke)?;
    }
    Ok(())
}
