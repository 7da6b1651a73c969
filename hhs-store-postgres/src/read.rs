//! Reads: each is one statement, or several in one snapshot, and is repeated when the connection is lost.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use deadpool_postgres::{Client, GenericClient};
use hhs_store::backend::{BackendStats, Entry, KeyRange, Limit, MAX_KEY_BYTES, Order};
use tokio_postgres::{IsolationLevel, Row};

use crate::error::Trouble;
use crate::retry::within;
use crate::sql::Sql;

/// Something to ask on one connection; asked again on another one when that is lost.
pub(crate) trait Query: Sync {
    /// What it finds.
    type Answer: Send;

    /// Asks, and waits for each answer at most `limit`.
    fn ask(
        &self,
        client: &mut Client,
        sql: &Sql,
        limit: Duration,
    ) -> impl Future<Output = Result<Self::Answer, Trouble>> + Send;
}

/// The value under a key.
pub(crate) struct Value<'a>(pub(crate) &'a [u8]);

impl Query for Value<'_> {
    type Answer = Option<Vec<u8>>;

    async fn ask(&self, client: &mut Client, sql: &Sql, limit: Duration) -> Result<Self::Answer, Trouble> {
        let look_up = async {
            let get = client.prepare_cached(&sql.get).await?;
            Ok(client.query_opt(&get, &[&self.0]).await?)
        };
        let row = within(limit, look_up).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}

/// The values under keys, in their order.
pub(crate) struct Values<'a>(pub(crate) &'a [Vec<u8>]);

impl Query for Values<'_> {
    type Answer = Vec<Option<Vec<u8>>>;

    async fn ask(&self, client: &mut Client, sql: &Sql, limit: Duration) -> Result<Self::Answer, Trouble> {
        let keys: Vec<&[u8]> = self.0.iter().map(Vec::as_slice).collect();
        let found = within(limit, found(client, sql, &keys)).await?;
        Ok(self.0.iter().map(|key| found.get(key).cloned()).collect())
    }
}

/// The entries under `keys`, of those that are there.
pub(crate) async fn found(client: &Client, sql: &Sql, keys: &[&[u8]]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Trouble> {
    let get_many = client.prepare_cached(&sql.get_many).await?;
    client.query(&get_many, &[&keys]).await?.iter().map(entry).collect()
}

/// The entries of a range that a limit lets through.
pub(crate) struct Page {
    pub(crate) range: KeyRange,
    pub(crate) order: Order,
    pub(crate) limit: Limit,
}

impl Query for Page {
    type Answer = Vec<Entry>;

    async fn ask(&self, client: &mut Client, sql: &Sql, limit: Duration) -> Result<Self::Answer, Trouble> {
        let mut scan = Scan::new(self);
        if self.limit.entries <= STEP_ENTRIES && self.limit.bytes <= STEP_BYTES {
            within(limit, scan.step(&*client, sql)).await?;
            return Ok(scan.entries);
        }
        let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let snapshot = within(limit, async { Ok(snapshot.start().await?) }).await?;
        while within(limit, scan.step(&snapshot, sql)).await? {}
        within(limit, async { Ok(snapshot.commit().await?) }).await?;
        Ok(scan.entries)
    }
}

/// How much there is.
pub(crate) struct Stats;

impl Query for Stats {
    type Answer = BackendStats;

    async fn ask(&self, client: &mut Client, sql: &Sql, limit: Duration) -> Result<Self::Answer, Trouble> {
        let begin = async {
            let transaction = client.build_transaction().read_only(true).start().await?;
            // It reads everything, which may take longer than anything else does.
            transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
            Ok(transaction)
        };
        let transaction = within(limit, begin).await?;
        let row = transaction.query_one(&sql.stats, &[]).await?;
        within(limit, async { Ok(transaction.commit().await?) }).await?;
        let number = |column| Ok::<_, Trouble>(row.try_get::<_, i64>(column)?.unsigned_abs());
        Ok(BackendStats { entries: number(0)?, stored_bytes: number(1)?, disk_bytes: number(2)? })
    }
}

/// A scan that goes on step by step, so that the server is never asked for much more than the caller wants.
struct Scan {
    order: Order,
    limit: Limit,
    rest: Keys,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Scan {
    fn new(page: &Page) -> Self {
        Self { order: page.order, limit: page.limit, rest: Keys::of(&page.range), entries: Vec::new(), bytes: 0 }
    }

    /// Reads on; whether there may be more to read.
    async fn step(&mut self, client: &impl GenericClient, sql: &Sql) -> Result<bool, Trouble> {
        let (statement, entries, bytes) = match self.order {
            Order::Ascending => (&sql.ascending, self.entries_wanted(), self.bytes_wanted()),
            Order::Descending => (&sql.descending, self.entries_wanted(), self.bytes_wanted()),
        };
        let statement = client.prepare_cached(statement).await?;
        let (most_entries, most_bytes) = (entries as i64, bytes as i64);
        let rows = client.query(&statement, &[&self.rest.first, &self.rest.end, &most_entries, &most_bytes]).await?;
        let (count, before) = (rows.len(), self.bytes);
        self.entries.reserve(count);
        for row in rows {
            let (key, value) = entry(&row)?;
            self.bytes += key.len() + value.len();
            self.entries.push((key, value));
        }
        let range_ended = count < entries && self.bytes - before < bytes;
        if range_ended || !self.limit.admits(self.entries.len(), self.bytes) {
            return Ok(false);
        }
        if let Some((last, _)) = self.entries.last() {
            self.rest.leave_out(last, self.order);
        }
        Ok(true)
    }

    fn entries_wanted(&self) -> usize {
        STEP_ENTRIES.min(self.limit.entries - self.entries.len())
    }

    fn bytes_wanted(&self) -> usize {
        STEP_BYTES.min(self.limit.bytes.saturating_sub(self.bytes))
    }
}

/// The keys from `first` to before `end`. Every range has this form, because keys are short: the next key after one is
/// that key and a zero byte, and the end of all keys is one that is longer than any.
#[derive(Debug, PartialEq, Eq)]
struct Keys {
    first: Vec<u8>,
    end: Vec<u8>,
}

impl Keys {
    fn of(range: &KeyRange) -> Self {
        let first = match &range.0 {
            Bound::Included(key) => key.clone(),
            Bound::Excluded(key) => next(key),
            Bound::Unbounded => Vec::new(),
        };
        let end = match &range.1 {
            Bound::Included(key) => next(key),
            Bound::Excluded(key) => key.clone(),
            Bound::Unbounded => vec![u8::MAX; MAX_KEY_BYTES + 1],
        };
        Self { first, end }
    }

    /// Leaves out what has been read, up to `last`.
    fn leave_out(&mut self, last: &[u8], order: Order) {
        match order {
            Order::Ascending => self.first = next(last),
            Order::Descending => self.end = last.to_vec(),
        }
    }
}

fn next(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn entry(row: &Row) -> Result<Entry, Trouble> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// The most entries of one statement of a scan. Too low: a round trip for few entries; too high: the server walks over
/// entries that the limit of bytes then leaves out.
const STEP_ENTRIES: usize = 4096;
/// The most bytes of one statement of a scan, and one entry: what is in memory twice for a moment.
const STEP_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests;
