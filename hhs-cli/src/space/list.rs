//! `hhs space list`: which spaces a store has.

use std::path::Path;

use hhs::model::ReplicaId;
use hhs::prelude::Store;
use serde::Serialize;

use super::{ListArguments, SpaceError};
use crate::directory::store_file;
use crate::node::open_store;
use crate::output::{Output, printable};

/// A space in a store.
#[derive(Debug, Serialize)]
struct Line {
    space: String,
    class: String,
    ops: u64,
}

/// Prints the spaces.
///
/// # Errors
/// If there is no store, or it cannot be read.
pub(super) async fn run(arguments: ListArguments) -> Result<(), SpaceError> {
    let store = open(&arguments.store.directory).await?;
    let output = Output::new(arguments.json);
    for space in spaces(&store).await? {
        let line =
            Line { space: space.to_string(), class: store.genesis(space).await?.class, ops: store.count(space).await? };
        let written = match output.is_json() {
            true => output.json(&line),
            false => output.line(&format!("{}  {}  {} ops", line.space, printable(&line.class), line.ops)),
        };
        written.map_err(SpaceError::Output)?;
    }
    Ok(())
}

/// Opens the store of a directory; makes nothing.
///
/// # Errors
/// If there is none, or it cannot be used.
pub(super) async fn open(directory: &Path) -> Result<Store, SpaceError> {
    let file = store_file(directory);
    if !file.exists() {
        return Err(SpaceError::NoStore(directory.to_owned()));
    }
    Ok(open_store(&file).await?)
}

/// The replicas that have nothing above them.
///
/// # Errors
/// If the store cannot be read.
pub(super) async fn spaces(store: &Store) -> Result<Vec<ReplicaId>, SpaceError> {
    let mut spaces = Vec::new();
    for replica in store.replicas().await? {
        if store.genesis(replica).await?.parent().is_none() {
            spaces.push(replica);
        }
    }
    Ok(spaces)
}
