//! Runs the second process and follows what it tells.

use std::path::Path;
use std::process::Stdio;

use hhs::mesh::PeerAddress;
use hhs::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::build::History;
use super::fetcher::{Fetched, Told};
use super::report::Reporter;

/// The second process. It is killed when this is dropped.
pub(super) struct Fetch {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

/// Why the second process did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// It cannot be started.
    #[error("the second process cannot be started: {0}")]
    Start(#[source] std::io::Error),
    /// What it says cannot be read.
    #[error("what the second process says cannot be read: {0}")]
    Output(#[from] std::io::Error),
    /// It says something that it never says.
    #[error("the second process says {line:?}, which is a bug: {source}")]
    Nonsense {
        /// What it says.
        line: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It ended without having fetched everything.
    #[error("the second process failed: {0}")]
    Failed(String),
    /// The first process listens nowhere.
    #[error("the first process listens nowhere, which is a bug")]
    NotListening,
}

impl Fetch {
    /// Starts the process: it fetches `space` from this node into a store at `store`.
    ///
    /// # Errors
    /// If the system does not let it start.
    pub(super) fn start(space: &Space<History>, store: &Path) -> Result<Self, FetchError> {
        let endpoint = space.node().listening().first().ok_or(FetchError::NotListening)?.clone();
        let peer = PeerAddress { endpoint, identity: space.node().author().id() };
        let address = SpaceAddress { peer, space: space.id(), secret: None };
        let mut command = Command::new(std::env::current_exe().map_err(FetchError::Start)?);
        command.args(["replay", "--fetch", &address.to_string(), "--store"]).arg(store);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(FetchError::Start)?;
        let output = child.stdout.take().expect("it was asked to be piped");
        Ok(Self { child, output: BufReader::new(output).lines() })
    }

    /// Follows the process to its end.
    ///
    /// # Errors
    /// If it fails, with what it says.
    pub(super) async fn finish(mut self, reporter: &mut Reporter) -> Result<Fetched, FetchError> {
        while let Some(line) = self.output.next_line().await? {
            match serde_json::from_str(&line) {
                Ok(Told::Fetched { ops, total }) => reporter.fetched(ops, total),
                Ok(Told::Done(fetched)) => {
                    self.child.wait().await?;
                    return Ok(fetched);
                }
                Err(source) => return Err(FetchError::Nonsense { line, source }),
            }
        }
        Err(FetchError::Failed(self.last_words().await?))
    }

    async fn last_words(mut self) -> Result<String, FetchError> {
        let mut words = String::new();
        if let Some(errors) = self.child.stderr.take() {
            errors.take(MAX_WORDS).read_to_string(&mut words).await?;
        }
        let status = self.child.wait().await?;
        let words = words.trim().trim_start_matches("hhs: ");
        Ok(if words.is_empty() { status.to_string() } else { words.to_owned() })
    }
}

/// Bytes of what a failed process says that are shown.
const MAX_WORDS: u64 = 4096;
