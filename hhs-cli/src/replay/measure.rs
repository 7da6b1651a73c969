//! What is compared and measured: the version and the state of a history, and the memory of a process.

use hhs::model::{Hash, OpId};
use hhs::prelude::*;
use hhs::spaces::SpaceError;
use serde::{Deserialize, Serialize};

use super::build::History;

/// What a process ended with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Entries of the log.
    pub(super) entries: usize,
    /// The heads, ascending.
    pub(super) frontier: Vec<String>,
    /// A hash of the whole state.
    pub(super) state: String,
}

impl Outcome {
    /// What a space holds now.
    ///
    /// # Errors
    /// If its store cannot be read.
    pub(super) async fn of(space: &Space<History>) -> Result<Self, SpaceError> {
        let version = space.version().await?;
        let frontier = version.heads.iter().map(OpId::to_string).collect();
        let (entries, state) = space.read(|history| (history.log.len(), digest(&history.log)));
        Ok(Self { entries, frontier, state: data_encoding::HEXLOWER.encode(&state.0) })
    }

    /// How another outcome differs, in words; `None` if it does not.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.entries != other.entries {
            return Some(format!("one has {} entries, the other {}", self.entries, other.entries));
        }
        if self.frontier != other.frontier {
            return Some("their frontiers are not the same".into());
        }
        (self.state != other.state).then(|| "their entries are not the same, or not in the same order".into())
    }
}

/// A chain of hashes over everything in a log, in its order.
fn digest(log: &Log<Bytes>) -> Hash {
    let mut link = Vec::new();
    log.iter().fold(Hash::of(b""), |before, entry| {
        link.clear();
        link.extend_from_slice(&before.0);
        link.extend_from_slice(entry.op.as_bytes());
        link.extend_from_slice(&entry.index.to_be_bytes());
        link.extend_from_slice(entry.author.as_bytes());
        link.extend_from_slice(&entry.time.to_be_bytes());
        // Last, as it is the only part whose length differs.
        link.extend_from_slice(&entry.value.0);
        Hash::of(&link)
    })
}

/// The most memory that this process has used at once, in bytes; 0 where the system does not tell.
pub(super) fn peak_bytes() -> u64 {
    // Linux: the "high water mark" of resident memory.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests;
