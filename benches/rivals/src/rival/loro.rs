//! loro: texts, maps and counters. Edits are pending until a commit, but can be read at once.

use bench_traces::{Concurrent, Edit, Sequential};
use loro::{ExportMode, LoroDoc, LoroError, LoroText, VersionVector};

use super::{Content, Document, Exchange, Failure, Kind, Ops, Outcome, Rival, Saved, locked, word};

/// <https://crates.io/crates/loro>
pub(super) struct Loro;

const NAME: &str = "value";

impl Rival for Loro {
    fn name(&self) -> &'static str {
        "loro"
    }

    fn version(&self) -> String {
        locked("loro")
    }

    fn notes(&self) -> &'static [&'static str] {
        &["typed in one commit; stored and opened as a snapshot; merged from all updates"]
    }

    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>> {
        let document = replica(1)?;
        let text = document.get_text(NAME);
        for (position, deleted, inserted) in trace.edits_from_empty() {
            edit(&text, position, deleted, inserted).map_err(Failure::broke)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>> {
        let document = replay(trace)?;
        Ok(Box::new(Opened { document, kind: Kind::Text }))
    }

    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>> {
        let updates = replay(trace)?.export(ExportMode::all_updates()).map_err(Failure::broke)?;
        Ok(Box::new(Updates(updates)))
    }

    fn map(&self, keys: &[String]) -> Outcome<Box<dyn Document>> {
        let document = replica(1)?;
        let map = document.get_map(NAME);
        for (value, key) in (0_i64..).zip(keys) {
            map.insert(key, value).map_err(Failure::broke)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Map }))
    }

    fn counter(&self, increments: usize) -> Outcome<Box<dyn Document>> {
        let document = replica(1)?;
        let counter = document.get_counter(NAME);
        for _ in 0..increments {
            counter.increment(1.0).map_err(Failure::broke)?;
        }
        document.commit();
        Ok(Box::new(Opened { document, kind: Kind::Counter }))
    }

    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content> {
        let document = LoroDoc::from_snapshot(saved).map_err(Failure::broke)?;
        Ok(Opened { document, kind }.content())
    }

    fn alternating(&self, rounds: usize) -> Outcome<Exchange> {
        let documents = [replica(1)?, replica(2)?];
        let mut bytes = 0;
        for round in 0..rounds {
            let (writer, reader) = (&documents[round % 2], &documents[1 - round % 2]);
            let before = writer.oplog_vv();
            writer.get_text(NAME).push_str(&word(round)).map_err(Failure::broke)?;
            let update = exported(writer, &before)?;
            bytes += update.len();
            reader.import(&update).map_err(Failure::broke)?;
        }
        Ok(Exchange { texts: documents.map(|document| document.get_text(NAME).to_string()), bytes })
    }
}

struct Opened {
    document: LoroDoc,
    kind: Kind,
}

impl Document for Opened {
    fn content(&self) -> Content {
        match self.kind {
            Kind::Text => Content::Text(self.document.get_text(NAME).to_string()),
            Kind::Map | Kind::Set => Content::Entries(self.document.get_map(NAME).len()),
            Kind::Counter => Content::Number(self.document.get_counter(NAME).get_value() as i64),
        }
    }

    fn saved(&mut self) -> Saved {
        Saved::whole(self.document.export(ExportMode::Snapshot).expect("a document can be exported"))
    }
}

struct Updates(Vec<u8>);

impl Ops for Updates {
    fn merged(&self) -> Outcome<String> {
        let document = LoroDoc::new();
        document.import(&self.0).map_err(Failure::broke)?;
        Ok(document.get_text(NAME).to_string())
    }
}

fn replica(peer: u64) -> Outcome<LoroDoc> {
    let document = LoroDoc::new();
    document.set_peer_id(peer).map_err(Failure::broke)?;
    Ok(document)
}

fn edit(text: &LoroText, position: usize, deleted: usize, inserted: &str) -> Result<(), LoroError> {
    if deleted > 0 {
        text.delete(position, deleted)?;
    }
    if !inserted.is_empty() {
        text.insert(position, inserted)?;
    }
    Ok(())
}

/// What was written since.
fn exported(document: &LoroDoc, since: &VersionVector) -> Outcome<Vec<u8>> {
    document.commit();
    document.export(ExportMode::updates(since)).map_err(Failure::broke)
}

/// A document for each agent; they exchange the updates that a transaction each makes.
fn replay(trace: &Concurrent) -> Outcome<LoroDoc> {
    let mut documents: Vec<LoroDoc> = (1..).take(trace.agents).map(replica).collect::<Outcome<_>>()?;
    let mut updates: Vec<Vec<u8>> = Vec::with_capacity(trace.transactions.len());
    for (transaction, delivery) in trace.transactions.iter().zip(trace.deliveries().map_err(Failure::broke)?) {
        let document = &documents[transaction.agent];
        import(document, &delivery, &updates)?;
        let before = document.oplog_vv();
        let text = document.get_text(NAME);
        for Edit { position, deleted, inserted } in &transaction.edits {
            edit(&text, *position, *deleted, inserted).map_err(Failure::broke)?;
        }
        updates.push(exported(document, &before)?);
    }
    let first = documents.swap_remove(0);
    import(&first, &trace.missing_at_end(0), &updates)?;
    Ok(first)
}

fn import(document: &LoroDoc, delivery: &[usize], updates: &[Vec<u8>]) -> Outcome<()> {
    match delivery {
        [] => {}
        [one] => drop(document.import(&updates[*one]).map_err(Failure::broke)?),
        several => {
            let batch: Vec<Vec<u8>> = several.iter().map(|update| updates[*update].clone()).collect();
            document.import_batch(&batch).map_err(Failure::broke)?;
        }
    }
    Ok(())
}
