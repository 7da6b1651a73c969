//! Whether the engine's own structure holds.

use std::path::Path;

use hhs_store::BackendError;
use redb::{ReadableTable, ReadableTableMetadata};

use crate::compact::Progress;
use crate::engine::{Engine, Entries};
use crate::error::{Failure, guarded};
use crate::open;
use crate::options::Options;

/// What a check has found in a file that is sound, or sound again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Entries in the store.
    pub entries: u64,
    /// Whether something was not as it should be and has been put right: the record of which pages are in use, as a rule.
    /// No entry was lost by it.
    pub repaired: bool,
}

/// Checks the file at `path`: every page against its checksum, the record of pages in use against the pages that are, the
/// order of the keys and their count. What redb can repair without losing an entry it repairs. Nobody else may have the
/// store open. It blocks for some seconds per GB and tells `progress` now and then how far it is.
///
/// What the entries mean is for the store above to check.
///
/// # Errors
/// [`BackendError::Corrupted`] if the file is damaged, otherwise as
/// [`RedbBackend::open_with`](crate::RedbBackend::open_with), and [`BackendError::Io`] where nothing is.
pub fn check(
    path: impl AsRef<Path>,
    options: &Options,
    mut progress: impl FnMut(Progress),
) -> Result<Checked, BackendError> {
    let mut database = open::open_existing(path.as_ref(), options)?;
    guarded(|| {
        let sound = database.check_integrity().map_err(|error| Failure::new(CHECK, error))?;
        let engine = Engine::new(database);
        let entries = walk(&*engine.snapshot()?, &mut progress)?;
        engine.close().map_err(|error| Failure::new(CHECK, error))?;
        Ok(Checked { entries, repaired: !sound })
    })
}

/// Reads every entry; how many there are.
fn walk(entries: &Entries, progress: &mut dyn FnMut(Progress)) -> Result<u64, Failure> {
    let failed = |error| Failure::new(CHECK, error);
    let mut at = Progress { done: 0, total: entries.len().map_err(failed)? };
    let mut last: Option<Vec<u8>> = None;
    for entry in entries.iter().map_err(failed)? {
        let (key, _value) = entry.map_err(failed)?;
        if last.as_deref().is_some_and(|last| last >= key.value()) {
            return Err(Failure::Corrupted("its keys are not in order".to_owned()));
        }
        last = Some(key.value().to_vec());
        at.done += 1;
        if at.done.is_multiple_of(PROGRESS_EVERY) {
            progress(at);
        }
    }
    if at.done != at.total {
        return Err(Failure::Corrupted(format!("it has {} entries and says {}", at.done, at.total)));
    }
    progress(at);
    Ok(at.total)
}

const CHECK: &str = "check its file";
const PROGRESS_EVERY: u64 = 65_536;
