//! diamond-types: texts only. Its op log holds the graph of edits, and a branch is a text at a version of it.

use bench_traces::{Concurrent, Sequential, Transaction};
use diamond_types::list::encoding::{ENCODE_FULL, ENCODE_PATCH};
use diamond_types::list::{ListCRDT, OpLog};
use diamond_types::{AgentId, Time};

use super::{Content, Document, Exchange, Failure, Kind, Ops, Outcome, Rival, Saved, locked, word};

/// <https://crates.io/crates/diamond-types>
pub(super) struct DiamondTypes;

const TEXT_ONLY: Failure = Failure::Lacks("it has texts only");

impl Rival for DiamondTypes {
    fn name(&self) -> &'static str {
        "diamond-types"
    }

    fn version(&self) -> String {
        locked("diamond-types")
    }

    fn notes(&self) -> &'static [&'static str] {
        &["merging adds the transactions to a log in memory and checks out its tip"]
    }

    fn typed(&self, trace: &Sequential) -> Outcome<Box<dyn Document>> {
        let mut document = ListCRDT::new();
        let agent = document.get_or_create_agent_id("author");
        for (position, deleted, inserted) in trace.edits_from_empty() {
            if deleted > 0 {
                document.delete_without_content(agent, position..position + deleted);
            }
            if !inserted.is_empty() {
                document.insert(agent, position, inserted);
            }
        }
        Ok(Box::new(document))
    }

    /// One log holds the work of all agents, each edit at the version that its agent saw.
    fn replayed(&self, trace: &Concurrent) -> Outcome<Box<dyn Document>> {
        let oplog = oplog(trace);
        let branch = oplog.checkout_tip();
        Ok(Box::new(ListCRDT { oplog, branch }))
    }

    fn ops(&self, trace: &Concurrent) -> Outcome<Box<dyn Ops>> {
        Ok(Box::new(trace.clone()))
    }

    fn map(&self, _keys: &[String]) -> Outcome<Box<dyn Document>> {
        Err(TEXT_ONLY)
    }

    fn set(&self, _elements: &[String]) -> Outcome<Box<dyn Document>> {
        Err(TEXT_ONLY)
    }

    fn counter(&self, _increments: usize) -> Outcome<Box<dyn Document>> {
        Err(TEXT_ONLY)
    }

    fn open(&self, kind: Kind, saved: &[u8]) -> Outcome<Content> {
        match kind {
            Kind::Text => {
                let document = ListCRDT::load_from(saved).map_err(|error| Failure::Broke(format!("{error:?}")))?;
                Ok(document.content())
            }
            Kind::Map | Kind::Set | Kind::Counter => Err(TEXT_ONLY),
        }
    }

    fn alternating(&self, rounds: usize) -> Outcome<Exchange> {
        let mut documents = [ListCRDT::new(), ListCRDT::new()];
        let mut bytes = 0;
        for round in 0..rounds {
            let [first, second] = &mut documents;
            let (writer, reader) = if round % 2 == 0 { (first, second) } else { (second, first) };
            let agent = writer.get_or_create_agent_id(["a", "b"][round % 2]);
            let before = writer.oplog.local_version();
            writer.insert(agent, writer.len(), &word(round));
            let patch = writer.oplog.encode_from(ENCODE_PATCH, &before);
            bytes += patch.len();
            reader.merge_data_and_ff(&patch).map_err(|error| Failure::Broke(format!("{error:?}")))?;
        }
        Ok(Exchange { texts: documents.map(|document| document.branch.content().to_string()), bytes })
    }
}

impl Document for ListCRDT {
    fn content(&self) -> Content {
        Content::Text(self.branch.content().to_string())
    }

    fn saved(&mut self) -> Saved {
        Saved::whole(self.oplog.encode(ENCODE_FULL))
    }
}

/// The transactions in memory; taking them in is adding them to a log, and checking out its tip.
impl Ops for Concurrent {
    fn merged(&self) -> Outcome<String> {
        Ok(oplog(self).checkout_tip().content().to_string())
    }
}

fn oplog(trace: &Concurrent) -> OpLog {
    let mut oplog = OpLog::new();
    let agents: Vec<AgentId> =
        (0..trace.agents).map(|agent| oplog.get_or_create_agent_id(&format!("agent {agent}"))).collect();
    let mut versions: Vec<Vec<Time>> = Vec::with_capacity(trace.transactions.len());
    for transaction in &trace.transactions {
        let parents = parents(&oplog, transaction, &versions);
        versions.push(add(&mut oplog, agents[transaction.agent], transaction, parents));
    }
    oplog
}

/// The version that a transaction was made at.
fn parents(oplog: &OpLog, transaction: &Transaction, versions: &[Vec<Time>]) -> Vec<Time> {
    match transaction.parents.as_slice() {
        [] => Vec::new(),
        [one] => versions[*one].clone(),
        [first, rest @ ..] => {
            rest.iter().fold(versions[*first].clone(), |all, next| oplog.version_union(&all, &versions[*next]).to_vec())
        }
    }
}

/// Adds the edits of a transaction, and says at which version they end.
fn add(oplog: &mut OpLog, agent: AgentId, transaction: &Transaction, mut version: Vec<Time>) -> Vec<Time> {
    for edit in &transaction.edits {
        if edit.deleted > 0 {
            version = vec![oplog.add_delete_at(agent, &version, edit.position..edit.position + edit.deleted)];
        }
        if !edit.inserted.is_empty() {
            version = vec![oplog.add_insert_at(agent, &version, edit.position, &edit.inserted)];
        }
    }
    version
}
