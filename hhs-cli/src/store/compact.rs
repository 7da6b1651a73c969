//! `hhs store compact`: the same store in less room.

use hhs::redb::{Compacted, Options, compact};
use serde::Serialize;

use super::{Arguments, StoreCommandError, file};
use crate::output::Output;
use crate::progress::Progress;

#[derive(Debug, Serialize)]
struct Report {
    entries: u64,
    before_bytes: u64,
    after_bytes: u64,
}

/// Compacts a store.
///
/// # Errors
/// If there is none, it is in use, or the disk is full. The store is as it was then.
pub(super) fn run(arguments: Arguments) -> Result<(), StoreCommandError> {
    let file = file(&arguments.store.directory)?;
    let progress = Progress::of("entries", 0);
    let compacted = compact(file, &Options::default(), |at| progress.of_at(at.total, at.done))?;
    progress.finish();
    let Compacted { entries, before_bytes, after_bytes } = compacted;
    let output = Output::new(arguments.json);
    let written = match output.is_json() {
        true => output.json(&Report { entries, before_bytes, after_bytes }),
        false => output.line(&format!("{entries} entries: {before_bytes} bytes before, {after_bytes} bytes now")),
    };
    Ok(written?)
}
