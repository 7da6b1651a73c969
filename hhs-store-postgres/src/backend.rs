//! The backend itself: reads on a few connections, commits through the writer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use hhs_store::backend::{Backend, BackendError, BackendStats, Batch, Entry, KeyRange, Limit, Order, is_empty_range};

use crate::connect::Connector;
use crate::error::{Failure, Trouble};
use crate::format::{self, Refusal};
use crate::options::Options;
use crate::read::{Page, Query, Stats, Value, Values};
use crate::retry::Tries;
use crate::sql::Sql;
use crate::writer::{Session, Writer};

/// A [`Backend`] in a PostgreSQL database, which other hosts may have open too.
///
/// Clones are handles on the same open store. It works on the tokio runtime that it was opened on and is used from
/// tasks of it. Batches that were handed over when the last handle is dropped are still written, if the runtime goes on;
/// [`close`](Self::close) waits for them.
#[derive(Debug, Clone)]
pub struct PostgresBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    readers: Pool,
    writer: Writer,
    sql: Arc<Sql>,
    patience: Duration,
}

impl PostgresBackend {
    /// Opens the store that `options` name in the database of a connection string, such as
    /// `postgresql://USER:PASSWORD@HOST/DATABASE` or `host=/run/postgresql dbname=hhs user=hhs`; where there is none, it
    /// makes a new one. It waits for a server that is starting, but not for one that cannot be reached.
    ///
    /// # Errors
    /// - [`BackendError::NotAStore`] where the schema has tables of another program under our names;
    /// - [`BackendError::Version`] for a store in another format;
    /// - [`BackendError::Corrupted`] for a store without its table;
    /// - [`BackendError::Io`] when the connection string or a name cannot be used, and when the server cannot be reached
    ///   or refuses, with what to do about it.
    ///
    /// What was there keeps its content.
    pub async fn open(connection: &str, options: &Options) -> Result<Self, BackendError> {
        format::check_names(options)?;
        let connector = Connector::new(connection, options)?;
        let place = connector.place();
        let sql = Arc::new(Sql::new(&options.schema, &options.store));
        let pool = connector.writer()?;
        establish(&pool, &sql, &place, options.patience).await?;
        let writer = Writer::start(Session::new(pool, Arc::clone(&sql), place, options.patience));
        let readers = connector.readers()?;
        Ok(Self { shared: Arc::new(Shared { readers, writer, sql, patience: options.patience }) })
    }

    /// Waits until every batch that was handed over is decided, and closes the connections. Whatever is asked of any
    /// handle afterwards fails with [`BackendError::Closed`].
    pub async fn close(&self) {
        self.shared.writer.close().await;
        self.shared.readers.close();
    }

    /// What a query finds on some connection; on another one when that is lost, as long as patience lasts.
    async fn read<Q: Query>(&self, query: Q) -> Result<Q::Answer, BackendError> {
        let Shared { readers, writer, sql, patience } = &*self.shared;
        writer.settled().await?;
        let mut tries = Tries::new(*patience);
        loop {
            match attempt(readers, sql, *patience, &query).await {
                Ok(found) => return Ok(found),
                Err(trouble) => tries.again(trouble).await.map_err(|trouble| Failure::new(READ, trouble))?,
            }
        }
    }
}

async fn attempt<Q: Query>(readers: &Pool, sql: &Sql, patience: Duration, query: &Q) -> Result<Q::Answer, Trouble> {
    let mut client = readers.get().await?;
    // The server is to give up first, and say so.
    let outcome = query.ask(&mut client, sql, patience * 2).await;
    if outcome.as_ref().is_err_and(Trouble::is_passing) {
        // Not back to the others: it may not know yet that it is dead.
        drop(Object::take(client));
    }
    outcome
}

// Not the seam of `hhs-model`, which this crate does not know: it is native only, so the futures are always `Send`.
#[async_trait]
impl Backend for PostgresBackend {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.read(Value(key)).await
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.read(Values(keys)).await
    }

    async fn scan(&self, range: KeyRange, order: Order, limit: Limit) -> Result<Vec<Entry>, BackendError> {
        if is_empty_range(&range) || limit.entries == 0 {
            return Ok(Vec::new());
        }
        self.read(Page { range, order, limit }).await
    }

    async fn commit(&self, batch: Batch) -> Result<(), BackendError> {
        batch.check_bounds()?;
        if batch.is_empty() {
            return Ok(());
        }
        Ok(self.shared.writer.commit(batch).await?)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn stats(&self) -> Result<BackendStats, BackendError> {
        self.read(Stats).await
    }
}

/// Makes sure that there is a store. Only what a starting server says is waited out: a wrong address is to be told at once.
async fn establish(pool: &Pool, sql: &Sql, place: &str, patience: Duration) -> Result<(), BackendError> {
    let mut tries = Tries::new(patience);
    loop {
        let attempt = async {
            let mut client = pool.get().await.map_err(Trouble::from)?;
            format::establish(&mut client, sql, place).await
        };
        match attempt.await {
            Ok(()) => return Ok(()),
            Err(Refusal::Other(error)) => return Err(error),
            Err(Refusal::Trouble(trouble)) => {
                let trouble = if trouble.was_said() { tries.again(trouble).await } else { Err(trouble) };
                trouble.map_err(|trouble| Failure::new(OPEN, trouble))?;
            }
        }
    }
}

const READ: &str = "read";
const OPEN: &str = "be opened";
