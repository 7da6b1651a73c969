//! `hhs space import`: a space from a file, all of it or nothing.

use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;

use futures::io::AllowStdIo;
use hhs::store::transfer::{Imported, verify_car};
use serde::Serialize;

use super::{ImportArguments, SpaceError};
use crate::chat;
use crate::directory::{self, store_file};
use crate::node::open_store;
use crate::output::Output;
use crate::progress::Progress;

#[derive(Debug, Serialize)]
struct Report {
    space: String,
    replicas: u64,
    added: u64,
    known: u64,
    objects: u64,
    absent: u64,
}

/// Imports a file.
///
/// # Errors
/// If the file is not that of a whole space, and then nothing was made or changed; or the store fails.
pub(super) async fn run(arguments: ImportArguments) -> Result<(), SpaceError> {
    let ImportArguments { store, file, json } = arguments;
    let imported = read(&file, &store.directory).await?;
    tell(Output::new(json), &imported, &file).map_err(SpaceError::Output)
}

async fn read(path: &Path, directory: &Path) -> Result<Imported, SpaceError> {
    let unreadable = |source| SpaceError::Read { file: path.to_owned(), source };
    let refused = |error| SpaceError::Import { file: path.to_owned(), source: Box::new(error) };
    let mut file = File::open(path).map_err(unreadable)?;

    let progress = Progress::unbounded("blocks checked");
    let source = AllowStdIo::new(BufReader::new(&file));
    let verified = verify_car(source, |blocks| progress.at(blocks)).await.map_err(refused)?;
    progress.finish();

    file.rewind().map_err(unreadable)?;
    let unmade = |source| SpaceError::Directory { directory: directory.to_owned(), source };
    directory::make(directory).map_err(unmade)?;
    let store = open_store(&store_file(directory)).await?;
    let progress = Progress::of("blocks taken in", verified.blocks());
    let source = AllowStdIo::new(BufReader::new(&file));
    let imported = store.import_car(source, &verified, |blocks| progress.at(blocks)).await.map_err(refused)?;
    progress.finish();
    chat::take_room(&store, imported.space).await?;
    Ok(imported)
}

fn tell(output: Output, imported: &Imported, file: &Path) -> io::Result<()> {
    let Imported { space, replicas, added, known, objects, absent, .. } = *imported;
    if output.is_json() {
        return output.json(&Report { space: space.to_string(), replicas, added, known, objects, absent });
    }
    output.line(&format!("{space}"))?;
    let file = file.display();
    output.line(&format!("{added} new ops from {file}, {known} were here before"))
}
