//! `hhs space`: spaces as files, out of a store and into one.

mod export;
mod import;
mod list;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hhs::model::ReplicaId;
use hhs::store::transfer::{ExportError, ImportError};
use hhs::store::{BackendError, StoreError};

use crate::directory::StoreArgument;
use crate::output::reader_is_gone;

/// What one can do with spaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a space to a file, with all that belongs to it.
    ///
    /// The file is a CAR file (version 1), which other tools read too: one block for each object, identity, op and payload. It
    /// gets its name once it is whole; what had that name before is replaced then. Keys are never in it.
    Export(ExportArguments),
    /// Take in a space from a file.
    ///
    /// The file is read through first: where anything is missing or damaged, nothing of it is taken in. What is in it is checked
    /// as what a peer sends. Doing it twice, or again after a crash, does no harm.
    Import(ImportArguments),
    /// Print the spaces in a directory.
    List(ListArguments),
}

/// What to export.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    store: StoreArgument,
    /// The file to write
    file: PathBuf,
    /// The space [default: the one that is there]
    #[arg(long, value_name = "ID")]
    space: Option<ReplicaId>,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// What to import.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    store: StoreArgument,
    /// The file to read
    file: PathBuf,
    /// Print what was taken in as JSON
    #[arg(long)]
    json: bool,
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    store: StoreArgument,
    /// Print each space as JSON, one object on a line
    #[arg(long)]
    json: bool,
}

/// Why a space was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpaceError {
    /// There is no store.
    #[error("there is no store in {0}: give the directory of one")]
    NoStore(PathBuf),
    /// There is no space in it.
    #[error("there is no space in {0}")]
    NoSpace(PathBuf),
    /// There are several.
    #[error("there are {count} spaces in {directory}: say which one with --space; `hhs space list` prints them", directory = .directory.display())]
    SeveralSpaces { directory: PathBuf, count: usize },
    /// The directory cannot be made.
    #[error("the directory {directory} cannot be made or written to: {source}")]
    Directory { directory: PathBuf, source: io::Error },
    /// The file cannot be written.
    #[error("{file} cannot be written, check its directory and the space on its disk: {source}")]
    Write { file: PathBuf, source: io::Error },
    /// The file cannot be read.
    #[error("{file} cannot be read: {source}")]
    Read { file: PathBuf, source: io::Error },
    /// The space was not exported.
    #[error("the space was not exported: {0}")]
    Export(#[from] ExportError),
    /// The file was not imported.
    #[error("{file} was not imported: {source}")]
    Import { file: PathBuf, source: Box<ImportError> },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to: {0}")]
    Output(#[source] io::Error),
}

impl From<BackendError> for SpaceError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

/// Runs a command.
///
/// # Errors
/// Why it did not do what was asked.
pub(crate) async fn run(command: Command) -> Result<(), SpaceError> {
    let done = match command {
        Command::Export(arguments) => export::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::List(arguments) => list::run(arguments).await,
    };
    match done {
        Err(SpaceError::Output(error)) if reader_is_gone(&error) => Ok(()),
        done => done,
    }
}
