//! `hhs chat`: people share a room, offline first.

mod begin;
mod event;
mod home;
mod input;
mod log;
mod people;
mod room;
mod session;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use hhs::spaces::{JoinError, NodeError, SpaceAddress, SpaceError};
use hhs::store::{AppendError, StoreError};

use crate::directory::StoreArgument;
use crate::endpoint::Endpoint;
use crate::keys::{Name, PassphraseArguments};
use crate::node::StartError;
use crate::output::{Output, reader_is_gone};

pub(crate) use event::{Event, MessageLine, Totals};
pub(crate) use home::{HomeError, take_room};
pub(crate) use log::read as read_log;

/// What one can do with a room.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Begin a room, and print the address that others join by.
    ///
    /// Each line of standard input becomes a message. The end of input ends it (Ctrl-D on a terminal), once everything is
    /// durable and, if somebody is there, with them; Ctrl-C and SIGTERM end it at once. What was acknowledged is never
    /// lost.
    New(NewArguments),
    /// Join a room at the address that a member's program prints.
    ///
    /// It goes on like `new`. What is typed before the member has let us in waits, and is acknowledged then.
    Join(JoinArguments),
    /// Go on in the room that is in a directory, with the peers that are known.
    ///
    /// It prints the messages that are there and then those that come, and takes lines like `new`.
    Open(OpenArguments),
    /// Print the messages that are in a directory, in the order that all agree on.
    ///
    /// It needs no key, and writes nothing. The room must not be open elsewhere.
    Log(LogArguments),
}

/// How to begin a room.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    how: How,
}

/// How to join a room.
#[derive(Debug, Args)]
pub(crate) struct JoinArguments {
    /// The address: quic://HOST:PORT/IDENTITY/ROOM/SECRET
    address: SpaceAddress,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    how: How,
}

/// How to go on in a room.
#[derive(Debug, Args)]
pub(crate) struct OpenArguments {
    #[command(flatten)]
    store: StoreArgument,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Neither listen nor dial: write to the store alone, and synchronise another time
    #[arg(long, conflicts_with = "listen")]
    offline: bool,
}

/// How to print a room.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    #[command(flatten)]
    store: StoreArgument,
    /// Print the messages as JSON, one object on a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Who {
    /// The directory for the store and the key; made if it is missing
    #[arg(long = "store", value_name = "DIR")]
    directory: PathBuf,
    /// The name that others know you by
    #[arg(long)]
    name: Name,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

#[derive(Debug, Args)]
struct How {
    /// Where to listen: HOST:PORT, port 0 for any free one, or a URL [default: where it was, or 0.0.0.0:0]
    #[arg(long, value_name = "ADDR")]
    listen: Option<Endpoint>,
    /// Keep running after the end of input, until Ctrl-C or SIGTERM
    #[arg(long)]
    stay: bool,
    /// Print what happens as JSON, one object on a line
    #[arg(long)]
    json: bool,
    /// How long to try before giving up: to reach a peer when joining, to be let in after the end of input
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    patience: u16,
}

impl How {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.patience.into())
    }
}

/// Why a chat ended otherwise than it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChatError {
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The node does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The node failed.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The room was not joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The room failed.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message could not be written.
    #[error("the message was not written: {0}")]
    Write(#[from] AppendError),
    /// The input cannot be taken.
    #[error(transparent)]
    Input(#[from] input::InputError),
    /// Nobody has let us in.
    #[error("{count} messages{} were not written, because nobody has let us in so far: run it again while a member is there", if *more { " and what follows them" } else { "" })]
    NotWritten {
        /// How many messages were taken in.
        count: usize,
        /// Whether there are more, which were not taken in.
        more: bool,
    },
    /// Standard output cannot be written to.
    #[error("standard output cannot be written to: {0}")]
    Output(#[source] std::io::Error),
    /// The system does not tell us of signals.
    #[error("signals cannot be waited for: {0}")]
    Signals(#[source] std::io::Error),
}

/// Runs a command.
///
/// # Errors
/// What it ended with, if not as it should.
pub(crate) async fn run(command: Command) -> Result<(), ChatError> {
    let done = match command {
        Command::New(arguments) => begin::new(arguments).await,
        Command::Join(arguments) => begin::join(arguments).await,
        Command::Open(arguments) => begin::open(arguments).await,
        Command::Log(arguments) => log::print(&arguments.store.directory, Output::new(arguments.json)).await,
    };
    match done {
        Err(ChatError::Output(error)) if reader_is_gone(&error) => Ok(()),
        done => done,
    }
}
