//! The second process: joins the space at an address with an empty store, and tells on standard output how it went.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use hhs::mesh::Event;
use hhs::model::ReplicaId;
use hhs::prelude::*;
use hhs::spaces::{JoinError, NodeError, SpaceError};
use hhs::store::{BackendError, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::build::History;
use super::measure::{Outcome, peak_bytes};

/// What the second process tells, one JSON object on a line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Told {
    /// Ops have come and are durable.
    Fetched {
        /// How many so far.
        ops: u64,
        /// How many there will be.
        total: u64,
    },
    /// Everything has come.
    Done(Fetched),
}

/// How it went.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// Seconds from before the first packet until after the last durable commit.
    pub(super) sync_s: f64,
    /// Bytes that it has sent: the payload of UDP datagrams.
    pub(super) sent: u64,
    /// The most memory that it has used at once.
    pub(super) peak_bytes: u64,
    /// What it has now.
    pub(super) outcome: Outcome,
}

/// Why the second process failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetcherError {
    /// Its store failed.
    #[error("its store failed: {0}")]
    Store(#[from] StoreError),
    /// It could not start.
    #[error("it could not start: {0}")]
    Start(String),
    /// The space could not be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The state could not be read.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// A peer sent what is refused, or the store could not keep it.
    #[error("{0}")]
    Stopped(String),
    /// Nothing came for too long.
    #[error("nothing has come for {STALL:?}, with {0} ops here")]
    Stalled(u64),
    /// Nobody listens to it.
    #[error("its output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// The first process is gone.
    #[error("the process that started it is gone")]
    Abandoned,
}

impl From<BackendError> for FetcherError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

impl From<NodeError> for FetcherError {
    fn from(error: NodeError) -> Self {
        Self::Start(error.to_string())
    }
}

/// Fetches the space at an address into a new store. Ends early when its standard input does: then nobody waits for it.
pub(super) async fn run(address: &SpaceAddress, store: &Path) -> Result<(), FetcherError> {
    tokio::select! {
        done = fetch(address, store) => tell(&Told::Done(done?)),
        () = end_of_input() => Err(FetcherError::Abandoned),
    }
}

async fn fetch(address: &SpaceAddress, store: &Path) -> Result<Fetched, FetcherError> {
    let runtime = Tokio::new();
    let store = Store::open(RedbBackend::open(store)?, Registry::new()).await?;
    let author = runtime.new_author("fetcher").map_err(|error| FetcherError::Start(error.to_string()))?;
    let transport = QuicTransport::new(author.signer().clone());
    let transport = transport.map_err(|error| FetcherError::Start(error.to_string()))?;
    let node = Node::builder(runtime, author, store).transport(transport).start().await?;

    let mut events = node.events();
    let started = runtime.elapsed();
    let space: Space<History> = node.join(address, PATIENCE).await?;
    let mut ops = 0;
    loop {
        let event = timeout(STALL, events.next()).await.map_err(|_| FetcherError::Stalled(ops))?;
        let event = event.ok_or_else(|| FetcherError::Stopped("its mesh has stopped".into()))?;
        if is_in_sync(event, space.id(), &mut ops)? {
            break;
        }
    }
    let sync_s = (runtime.elapsed() - started).as_secs_f64();
    let outcome = Outcome::of(&space).await?;
    node.stop().await;
    Ok(Fetched { sync_s, sent: node.mesh().traffic().sent, peak_bytes: peak_bytes(), outcome })
}

/// Whether everything is here now: our heads are those of the peer, and what lies below them is durable.
fn is_in_sync(event: Event, space: ReplicaId, ops: &mut u64) -> Result<bool, FetcherError> {
    match event {
        Event::InSync { replica, .. } => return Ok(replica == space),
        Event::Fetched { ops: now, total, .. } => {
            *ops = now;
            tell(&Told::Fetched { ops: now, total })?;
        }
        Event::Misbehaved { reason, .. } => {
            return Err(FetcherError::Stopped(format!("what was sent is refused: {reason}")));
        }
        Event::StoreFailed { reason } => {
            return Err(FetcherError::Stopped(format!("its store cannot keep what was sent: {reason}")));
        }
        _ => {}
    }
    Ok(false)
}

fn tell(what: &Told) -> Result<(), FetcherError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, what).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Waits until standard input ends. A thread of its own reads it, for which the end of the program does not wait.
async fn end_of_input() {
    let (sender, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // Nothing is ever sent, and an error is an end too.
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        // If nobody waits for it, the program is ending already.
        sender.send(()).ok();
    });
    ended.await.ok();
}

/// How long joining may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing may come. One batch takes a fraction of a second.
const STALL: Duration = Duration::from_secs(60);
