//! The transactions of one open backend, and what becomes of them when the connection is lost.
//!
//! A commit whose acknowledgement does not arrive may have happened or not. Each transaction therefore counts up the
//! number of commits in a row that only this backend changes. It holds the lock on that row before `COMMIT` is sent, so
//! whoever reads the row with a lock afterwards waits until the transaction has ended, and then sees which way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Client, Object, Pool};
use futures::future::join;
use hhs_store::backend::Batch;

use super::Outcome;
use super::group::{Plan, guarded_keys};
use crate::error::{Failure, Trouble};
use crate::format::{FORMAT, other_format};
use crate::read;
use crate::retry::{Tries, within};
use crate::sql::Sql;

/// What the writer's task works with.
#[derive(Debug)]
pub(crate) struct Session {
    pool: Pool,
    sql: Arc<Sql>,
    place: String,
    patience: Duration,
    /// This backend's row among the writers.
    writer: Option<i64>,
    /// How many commits that row counts.
    commits: i64,
    doubt: Doubt,
}

/// Whether there is a commit of which nobody knows whether it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    /// The commit that makes this the number of commits.
    About(i64),
    /// One that was reported as failed is there: what callers have been told is not so.
    Broken,
}

impl Session {
    pub(crate) fn new(pool: Pool, sql: Arc<Sql>, place: String, patience: Duration) -> Self {
        Self { pool, sql, place, patience, writer: None, commits: 0, doubt: Doubt::None }
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.doubt != Doubt::None
    }

    /// Writes the batches of a group durably; which of them were left out because their guard did not hold.
    pub(crate) async fn commit(&mut self, batches: &[&Batch]) -> Result<BTreeSet<usize>, Failure> {
        self.settle().await?;
        let mut tries = Tries::new(self.patience);
        loop {
            let trouble = match self.attempt(batches).await {
                Ok(conflicts) => return Ok(conflicts),
                Err(Stopped::Before(trouble)) => trouble,
                Err(Stopped::InDoubt(trouble, conflicts)) => {
                    self.doubt = Doubt::About(self.commits + 1);
                    if self.look_up().await? {
                        return Ok(conflicts);
                    }
                    trouble
                }
            };
            tries.again(trouble).await.map_err(|trouble| Failure::new(WRITE, trouble))?;
        }
    }

    /// Ends a doubt that is left from before.
    pub(crate) async fn settle(&mut self) -> Outcome {
        if matches!(self.doubt, Doubt::About(_)) && self.look_up().await? {
            self.doubt = Doubt::Broken;
        }
        if self.doubt == Doubt::Broken { Err(Failure::Io("go on", Arc::new(Overtaken))) } else { Ok(()) }
    }

    /// Takes back what this backend has left in the database besides entries.
    pub(crate) async fn leave(mut self) {
        let Some(writer) = self.writer.take() else { return };
        let leave = async {
            let client = self.pool.get().await?;
            client.execute(&self.sql.leave, &[&writer]).await?;
            Ok(())
        };
        // A row that stays is deleted when it is old.
        let _ = within(self.patience, leave).await;
        self.pool.close();
    }

    /// One transaction.
    async fn attempt(&mut self, batches: &[&Batch]) -> Result<BTreeSet<usize>, Stopped> {
        let client = within(self.limit(), async { Ok(self.pool.get().await?) }).await?;
        let outcome = self.transact(&client, batches).await;
        match &outcome {
            Ok(_) => self.commits += 1,
            // The connection may be in the middle of a transaction, or dead.
            Err(_) => drop(Object::take(client)),
        }
        outcome
    }

    async fn transact(&mut self, client: &Client, batches: &[&Batch]) -> Result<BTreeSet<usize>, Stopped> {
        let writer = within(self.limit(), self.enrolled(client)).await?;
        let found = within(self.limit(), self.begin(client, writer, &guarded_keys(batches))).await?;
        let plan = Plan::new(batches, &found);
        let steps = plan.steps();
        let mut last = None;
        for (at, step) in steps.iter().enumerate() {
            let statement = within(self.limit(), step.prepare(client, &self.sql)).await?;
            if at + 1 < steps.len() {
                within(self.limit(), step.run(client, &statement)).await?;
            } else {
                last = Some((step, statement));
            }
        }
        let write = async {
            match &last {
                Some((step, statement)) => step.run(client, statement).await,
                None => Ok(()),
            }
        };
        // Both are sent at once, in this order. Where the first is refused, the server makes the second a rollback.
        let end = async {
            let (written, committed) = join(write, client.batch_execute("COMMIT")).await;
            written.and(committed.map_err(Trouble::from))
        };
        judge(within(self.limit(), end).await, plan.conflicts)
    }

    /// This backend's row among the writers, made where there is none.
    async fn enrolled(&mut self, client: &Client) -> Result<i64, Trouble> {
        if let Some(writer) = self.writer {
            return Ok(writer);
        }
        client.execute(&self.sql.forget, &[&self.sql.store]).await?;
        let writer = client.query_one(&self.sql.enrol, &[&self.sql.store]).await?.try_get(0)?;
        (self.writer, self.commits) = (Some(writer), 0);
        Ok(writer)
    }

    /// Begins a transaction, alone in the store, that counts as the next commit; what is stored under `keys`.
    async fn begin(
        &mut self,
        client: &Client,
        writer: i64,
        keys: &[&[u8]],
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Trouble> {
        let lock = client.prepare_cached(&self.sql.lock).await?;
        let note = client.prepare_cached(&self.sql.note).await?;
        client.prepare_cached(&self.sql.get_many).await?;
        let number = self.commits + 1;
        let guards =
            async { if keys.is_empty() { Ok(BTreeMap::new()) } else { read::found(client, &self.sql, keys).await } };
        // Sent at once, in this order. Each statement sees what was committed when it began, and the one after the lock
        // began after every other host's commit.
        let (begun, locked, noted, found) = futures::join!(
            client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
            async { client.query_opt(&lock, &[&self.sql.store]).await },
            async { client.execute(&note, &[&writer, &number]).await },
            guards,
        );
        begun?;
        let format = locked?.map(|row| row.try_get(0)).transpose()?;
        if format != Some(FORMAT) {
            let gone = Failure::Corrupted("its row in hhs_stores was deleted".to_owned());
            return Err(Trouble::Final(format.map_or(gone, |format| other_format(format, &self.place))));
        }
        if noted? != 1 {
            self.writer = None;
            return Err(Trouble::Forgotten);
        }
        found
    }

    /// Finds out whether the commit in doubt is there, for as long as patience lasts; it stays in doubt if that fails.
    async fn look_up(&mut self) -> Result<bool, Failure> {
        let (Doubt::About(number), Some(writer)) = (self.doubt, self.writer) else { return Ok(false) };
        let mut tries = Tries::new(self.patience);
        let is_there = loop {
            match within(self.limit(), self.last_commit(writer)).await {
                // A row that is gone went with what a fail-over has lost: an open backend's is never deleted.
                Ok(last) => break last == Some(number),
                Err(trouble) => tries.again(trouble).await.map_err(|trouble| Failure::new(LOOK_UP, trouble))?,
            }
        };
        self.doubt = Doubt::None;
        self.commits += i64::from(is_there);
        Ok(is_there)
    }

    async fn last_commit(&self, writer: i64) -> Result<Option<i64>, Trouble> {
        let client = self.pool.get().await?;
        let row = client.query_opt(&self.sql.last_commit, &[&writer]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// The longest wait for one answer. The server is to give up first, and say so.
    fn limit(&self) -> Duration {
        self.patience * 2
    }
}

/// Why a transaction did not end as it should.
#[derive(Debug)]
enum Stopped {
    /// It is not committed and never will be.
    Before(Trouble),
    /// `COMMIT` was sent and no answer came; the batches that it left out.
    InDoubt(Trouble, BTreeSet<usize>),
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Before(trouble)
    }
}

/// What the end of a transaction means.
fn judge(outcome: Result<(), Trouble>, conflicts: BTreeSet<usize>) -> Result<BTreeSet<usize>, Stopped> {
    match outcome {
        Ok(()) => Ok(conflicts),
        Err(trouble) if trouble.is_refusal() => Err(Stopped::Before(trouble)),
        Err(trouble) => Err(Stopped::InDoubt(trouble, conflicts)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "a commit that was reported as failed, because the server was gone for too long, is there: open the store again"
)]
struct Overtaken;

const WRITE: &str = "write a batch";
const LOOK_UP: &str = "find out whether a commit is there";
