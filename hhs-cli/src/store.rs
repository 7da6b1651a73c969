//! `hhs store`: looking into a store, and keeping it in order.

mod check;
mod compact;
mod repair;
mod stats;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hhs::store::{BackendError, StoreError};

use crate::directory::{StoreArgument, store_file};
use crate::output::reader_is_gone;

/// What one can do with a store. Nobody else may have it open.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at everything in a store, and say what is not as it should be.
    ///
    /// Every object is compared with its id, every index with what it names, and the file with its checksums. Exits with 0 only
    /// if all is sound.
    Check(CheckArguments),
    /// Put a store right.
    ///
    /// Indexes are made again in place. Where more is damaged, all that is sound is saved into a new store, which takes the place
    /// of the old one; the old one stays beside it under another name. What was lost can be synchronised from a peer.
    Repair(Arguments),
    /// Print how much is in a store, and what takes its room.
    Stats(Arguments),
    /// Rewrite a store so that it takes as little room as it can.
    ///
    /// For a while there has to be room for the old and the new file.
    Compact(Arguments),
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    store: StoreArgument,
    /// Print JSON, one object on a line
    #[arg(long)]
    json: bool,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    store: Arguments,
    /// Check signatures and rights of all ops again, too
    #[arg(long)]
    signatures: bool,
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreCommandError {
    /// There is no store.
    #[error("there is no store in {0}: give the directory of one")]
    NoStore(PathBuf),
    /// The store is not sound.
    #[error("the store is not sound: `hhs store repair --store {}` puts it right as far as that can be done", .0.display())]
    Unsound(PathBuf),
    /// The engine cannot read its file.
    #[error(
        "the file of the store cannot be read, so nothing in it can be saved: synchronise a new one from a peer, or restore a copy ({0})"
    )]
    Unreadable(BackendError),
    /// The new file cannot take the old one's place.
    #[error("{what} cannot be renamed to {to}: {source}", what = .what.display(), to = .to.display())]
    Rename { what: PathBuf, to: PathBuf, source: io::Error },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to: {0}")]
    Output(#[from] io::Error),
}

impl From<BackendError> for StoreCommandError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

/// Runs a command.
///
/// # Errors
/// Why it did not do what was asked.
pub(crate) async fn run(command: Command) -> Result<(), StoreCommandError> {
    let done = match command {
        Command::Check(arguments) => check::run(arguments).await,
        Command::Repair(arguments) => repair::run(arguments).await,
        Command::Stats(arguments) => stats::run(arguments).await,
        Command::Compact(arguments) => compact::run(arguments),
    };
    match done {
        Err(StoreCommandError::Output(error)) if reader_is_gone(&error) => Ok(()),
        done => done,
    }
}

/// The file of the store that is in a directory.
///
/// # Errors
/// If there is none.
fn file(directory: &Path) -> Result<PathBuf, StoreCommandError> {
    let file = store_file(directory);
    if file.exists() { Ok(file) } else { Err(StoreCommandError::NoStore(directory.to_owned())) }
}
