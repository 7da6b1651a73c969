//! `hhs space export`: a space as one file, which has its name only once it is whole.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use futures::io::AllowStdIo;
use hhs::model::ReplicaId;
use hhs::prelude::Store;
use hhs::store::transfer::Exported;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::list::{open, spaces};
use super::{ExportArguments, SpaceError};
use crate::output::Output;
use crate::progress::Progress;

#[derive(Debug, Serialize)]
struct Report {
    space: String,
    blocks: u64,
    bytes: u64,
    replicas: u64,
    ops: u64,
    absent: u64,
}

/// Exports a space.
///
/// # Errors
/// If there is no such space, or the file cannot be written; then there is no new file.
pub(super) async fn run(arguments: ExportArguments) -> Result<(), SpaceError> {
    let ExportArguments { store, file, space, json } = arguments;
    let directory = store.directory;
    let store = open(&directory).await?;
    let space = match space {
        Some(space) => space,
        None => only(&directory, spaces(&store).await?)?,
    };
    let exported = write(&store, space, &file).await?;
    tell(Output::new(json), space, &exported, &file).map_err(SpaceError::Output)
}

fn only(directory: &Path, spaces: Vec<ReplicaId>) -> Result<ReplicaId, SpaceError> {
    match spaces[..] {
        [space] => Ok(space),
        [] => Err(SpaceError::NoSpace(directory.to_owned())),
        _ => Err(SpaceError::SeveralSpaces { directory: directory.to_owned(), count: spaces.len() }),
    }
}

async fn write(store: &Store, space: ReplicaId, file: &Path) -> Result<Exported, SpaceError> {
    let unwritable = |source| SpaceError::Write { file: file.to_owned(), source };
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = NamedTempFile::new_in(directory).map_err(unwritable)?;
    let mut sink = AllowStdIo::new(BufWriter::new(temporary));
    let progress = Progress::unbounded("blocks written");
    let exported = store.export_car(space, &mut sink, |blocks| progress.at(blocks)).await?;
    progress.finish();
    let temporary = sink.into_inner().into_inner().map_err(|error| unwritable(error.into_error()))?;
    temporary.as_file().sync_all().map_err(unwritable)?;
    temporary.persist(file).map_err(|error| unwritable(error.error))?;
    Ok(exported)
}

fn tell(output: Output, space: ReplicaId, exported: &Exported, file: &Path) -> io::Result<()> {
    let Exported { blocks, bytes, replicas, ops, absent, .. } = *exported;
    if output.is_json() {
        return output.json(&Report { space: space.to_string(), blocks, bytes, replicas, ops, absent });
    }
    output.line(&format!("{space}"))?;
    let file = file.display();
    output.line(&format!("{ops} ops, {blocks} blocks, {bytes} bytes in {file}"))?;
    if absent > 0 {
        let warning = format!("hhs: {absent} links in it lead to what this store does not have\n");
        io::stderr().write_all(warning.as_bytes())?;
    }
    Ok(())
}
