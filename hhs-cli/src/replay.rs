//! `hhs replay`: builds a log with exactly the causal shape of a real history, lets a second process with an empty store
//! fetch it over QUIC on loopback, and measures both.
//!
//! Both sides write durably to redb. The figures are those of one machine that does all the work: build, send, check and
//! keep.

mod build;
mod dag;
mod fetch;
mod fetcher;
mod measure;
mod report;

use std::path::PathBuf;

use hhs::prelude::*;
use hhs::spaces::NodeError;
use hhs::store::{BackendError, StoreError};

use build::{BuildError, History, build};
use dag::{Dag, DagError};
use fetch::{Fetch, FetchError};
use fetcher::FetcherError;
use measure::{Outcome, peak_bytes};
use report::{Report, Reporter};

use crate::signals::Signals;

/// What to replay, and how.
#[derive(Debug, clap::Args)]
// Without `--fetch`, which is nobody's business, the file is not optional.
#[command(override_usage = "hhs replay [OPTIONS] <FILE.dag.gz>")]
pub(crate) struct Arguments {
    /// The history: gzipped text, a line for each op with its author, seconds since the first one, and its parents as the
    /// numbers of earlier lines (from 0).
    #[arg(value_name = "FILE.dag.gz", required_unless_present = "fetch")]
    file: Option<PathBuf>,

    /// Fold the authors of the history to this many keys. By default each has one of their own.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_KEYS))]
    authors: Option<u32>,

    /// Print events as JSON, one on each line; the last line holds the figures.
    #[arg(long)]
    json: bool,

    /// Be the second process: fetch the space at this address.
    #[arg(long, value_name = "ADDRESS", hide = true, requires = "store", conflicts_with_all = ["file", "authors", "json"])]
    fetch: Option<SpaceAddress>,

    /// The store of the second process.
    #[arg(long, value_name = "FILE", hide = true)]
    store: Option<PathBuf>,
}

/// Why a history was not replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The file cannot be used.
    #[error(transparent)]
    Dag(#[from] DagError),
    /// There is no room for the stores.
    #[error("no temporary folder can be made for the stores, free some space or set TMPDIR: {0}")]
    Folder(#[source] std::io::Error),
    /// The store of the first process failed.
    #[error("the store of the first process failed: {0}")]
    Store(#[from] StoreError),
    /// The history could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The first process cannot be reached.
    #[error("the first process cannot listen on loopback: {0}")]
    Node(#[from] NodeError),
    /// Its transport cannot start.
    #[error("the transport cannot start: {0}")]
    Transport(String),
    /// Its connections cannot be opened.
    #[error("the space cannot be shared: {0}")]
    Share(#[from] hhs::spaces::SpaceError),
    /// The second process failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// This is the second process, and it failed.
    #[error(transparent)]
    Fetcher(#[from] Box<FetcherError>),
    /// Both processes ended, but not with the same.
    #[error("the two sides differ, which is a bug: {0}")]
    Differ(String),
    /// The figures cannot be printed.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// Ctrl-C cannot be noticed.
    #[error("the system does not let this program handle signals: {0}")]
    Signals(#[source] std::io::Error),
    /// Ctrl-C.
    #[error("interrupted: the temporary stores were removed")]
    Interrupted,
}

impl From<BackendError> for ReplayError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

/// Replays a history, or is the process that fetches it.
pub(crate) async fn run(arguments: Arguments) -> Result<(), ReplayError> {
    if let (Some(address), Some(store)) = (&arguments.fetch, &arguments.store) {
        return Ok(fetcher::run(address, store).await.map_err(Box::new)?);
    }
    let Some(file) = &arguments.file else { unreachable!("clap lets nothing through without a file or --fetch") };
    let mut signals = Signals::new().map_err(ReplayError::Signals)?;
    let mut reporter = Reporter::new(arguments.json);
    let replayed = async {
        let mut dag = Dag::open(file)?;
        if let Some(keys) = arguments.authors {
            dag.fold_authors(keys);
        }
        dag.check_authors(file)?;
        replay(&dag, &mut reporter).await
    };
    tokio::select! {
        replayed = replayed => replayed,
        () = signals.next() => Err(ReplayError::Interrupted),
    }
}

async fn replay(dag: &Dag, reporter: &mut Reporter) -> Result<(), ReplayError> {
    let folder = tempfile::tempdir().map_err(ReplayError::Folder)?;
    let runtime = Tokio::new();
    let store = Store::open(RedbBackend::open(folder.path().join("builder.redb"))?, Registry::new()).await?;
    let started = runtime.elapsed();
    let replica = build(&store, dag, reporter).await?;
    let build_s = (runtime.elapsed() - started).as_secs_f64();

    // Who serves it has no part in it: anybody who holds a history can pass it on.
    let author = runtime.new_author("builder").map_err(|error| ReplayError::Transport(error.to_string()))?;
    let transport = QuicTransport::new(author.signer().clone());
    let transport = transport.map_err(|error| ReplayError::Transport(error.to_string()))?;
    let loopback = Url::parse("quic://127.0.0.1:0").expect("this is a URL");
    let node = Node::builder(runtime, author, store).transport(transport).listen(loopback).start().await?;
    let space: Space<History> = node.open(replica).await?;
    space.sync().await?;
    let ours = Outcome::of(&space).await?;

    let fetched = Fetch::start(&space, &folder.path().join("fetcher.redb"))?.finish(reporter).await?;
    node.stop().await;
    let wire_bytes = node.mesh().traffic().sent + fetched.sent;
    let difference = ours.difference(&fetched.outcome);
    reporter.done(&Report {
        ops: dag.len(),
        authors: dag.authors().len(),
        merges: dag.merges(),
        build_s,
        sync_s: fetched.sync_s,
        ops_per_s: dag.len() as f64 / fetched.sync_s,
        wire_bytes_per_op: wire_bytes as f64 / dag.len() as f64,
        peak_bytes_builder: peak_bytes(),
        peak_bytes_fetcher: fetched.peak_bytes,
        equal: difference.is_none(),
    })?;
    difference.map_or(Ok(()), |difference| Err(ReplayError::Differ(difference)))
}

/// The writers that a genesis can list, as clap wants it.
const MOST_KEYS: i64 = hhs::model::bounds::MAX_WRITERS as i64;
