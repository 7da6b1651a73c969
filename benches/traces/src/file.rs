//! Reading the two formats.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use thiserror::Error;

use crate::{Concurrent, Edit, Sequential, Trace, Transaction};

/// Why a file is no trace.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is not there, or not ours to read.
    #[error("{} cannot be read ({source}): check the path", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not JSON of either format.
    #[error("{} is no trace ({source}): it must be JSON with `txns` and `endContent`, gzipped or not", path.display())]
    Format {
        /// Where.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A transaction names a parent that does not come before it, or an agent that does not exist.
    #[error("{}: transaction {transaction} {what}", path.display())]
    Transaction {
        /// Where.
        path: PathBuf,
        /// From 0.
        transaction: usize,
        /// What is wrong, and what would be right.
        what: &'static str,
    },
}

/// Where the trace `name` lies on this machine, or else all the places where it was looked for.
///
/// # Errors
///
/// When it lies in none of them.
pub fn find(name: &str) -> Result<PathBuf, Vec<PathBuf>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folders = env::var_os("HHS_DATA").map(PathBuf::from).into_iter().chain([beside]);
    let places: Vec<PathBuf> = folders.map(|data| data.join("traces").join(format!("{name}.json.gz"))).collect();
    places.iter().find(|place| place.exists()).cloned().ok_or(places)
}

/// Reads a file of either format.
///
/// # Errors
///
/// When it cannot be read or is no trace.
pub fn read(path: &Path) -> Result<Trace, ReadError> {
    let bytes = fs::read(path).and_then(unzipped).map_err(|source| ReadError::File { path: path.into(), source })?;
    let file: File =
        serde_json::from_slice(&bytes).map_err(|source| ReadError::Format { path: path.into(), source })?;
    let wrong = |(transaction, what)| ReadError::Transaction { path: path.into(), transaction, what };
    file.into_trace().map_err(wrong)
}

fn unzipped(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unzipped = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unzipped)?;
    Ok(unzipped)
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Either format; other keys are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    start_content: String,
    end_content: String,
    num_agents: Option<usize>,
    txns: Vec<Txn>,
}

#[derive(Deserialize)]
struct Txn {
    parents: Option<Vec<usize>>,
    #[serde(default)]
    agent: usize,
    patches: Vec<(usize, usize, String)>,
}

impl File {
    fn into_trace(self) -> Result<Trace, (usize, &'static str)> {
        if self.num_agents.is_none() && self.txns.iter().all(|txn| txn.parents.is_none()) {
            let edits = self.txns.into_iter().flat_map(|txn| edits(txn.patches)).collect();
            return Ok(Trace::Sequential(Sequential { start: self.start_content, end: self.end_content, edits }));
        }
        let agents = self.num_agents.or_else(|| self.txns.iter().map(|txn| txn.agent + 1).max()).unwrap_or(0);
        if !self.start_content.is_empty() {
            return Err((0, "follows on a text that no agent wrote: a concurrent trace begins empty"));
        }
        let transactions = self.txns.into_iter().enumerate().map(|(index, txn)| txn.checked(index, agents));
        Ok(Trace::Concurrent(Concurrent {
            agents,
            end: self.end_content,
            transactions: transactions.collect::<Result<_, _>>()?,
        }))
    }
}

impl Txn {
    fn checked(self, index: usize, agents: usize) -> Result<Transaction, (usize, &'static str)> {
        let parents = self.parents.ok_or((index, "has no `parents`: all have them or none"))?;
        if parents.iter().any(|parent| *parent >= index) {
            return Err((index, "names a parent that does not come before it: sort the transactions, parents first"));
        }
        if self.agent >= agents {
            return Err((index, "is by an agent that `numAgents` does not count"));
        }
        Ok(Transaction { parents, agent: self.agent, edits: edits(self.patches).collect() })
    }
}

fn edits(patches: Vec<(usize, usize, String)>) -> impl Iterator<Item = Edit> {
    patches.into_iter().map(|(position, deleted, inserted)| Edit { position, deleted, inserted })
}
