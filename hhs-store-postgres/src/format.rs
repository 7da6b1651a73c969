//! What a store looks like inside PostgreSQL: a table of its own, and a row in each of two tables that its schema has.
//!
//! | table | columns | rows |
//! | --- | --- | --- |
//! | `hhs_stores` | `name text`, `format bigint` | one for each store of the schema, with the number of its format, [`FORMAT`] |
//! | `hhs_writers` | `id bigint`, `store text`, `commits bigint`, `seen timestamptz` | one for each open backend: how many commits it has made |
//! | the store's name | `key bytea`, `value bytea` | one for each entry |
//!
//! The row in `hhs_stores` marks the table as ours; it is written in the transaction that creates the table. It is also
//! the lock that a host holds while it writes. The row in `hhs_writers` changes with each commit, in the same transaction,
//! so that a host that has lost its connection can see which of its commits was the last.

use std::sync::Arc;

use deadpool_postgres::{Client, GenericClient};
use hhs_store::BackendError;

use crate::error::{Failure, Trouble};
use crate::options::Options;
use crate::sql::{self, MAX_NAME_BYTES, RESERVED, STORES, Sql, WRITERS};

/// Makes sure that there is a store in our format; where nothing is, a new one is made.
///
/// # Errors
/// [`BackendError::NotAStore`] for tables of another program, [`BackendError::Version`] for a store in another format,
/// and what the server fails with.
pub(crate) async fn establish(client: &mut Client, sql: &Sql, place: &str) -> Result<(), Refusal> {
    // Anything else than a store may be one that another host is creating.
    if matches!(look(client, sql, place).await, Ok(Found::Store)) {
        return Ok(());
    }
    let transaction = client.transaction().await.map_err(Trouble::from)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&CREATION_LOCK]).await.map_err(Trouble::from)?;
    if look(&transaction, sql, place).await? == Found::Nothing {
        create(&transaction, sql).await?;
    }
    Ok(transaction.commit().await.map_err(Trouble::from)?)
}

/// Refuses names that cannot be those of a store.
///
/// # Errors
/// If the server would cut a name off, or the store's is that of a table of ours.
pub(crate) fn check_names(options: &Options) -> Result<(), Failure> {
    let wrong = |why| Err(Failure::Io("use the names in its options", Arc::new(why)));
    for name in [&options.schema, &options.store] {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains('\0') {
            return wrong(WrongName::Length(name.clone()));
        }
    }
    if options.store.starts_with(RESERVED) {
        return wrong(WrongName::Reserved(options.store.clone()));
    }
    Ok(())
}

/// Why there is no store, and none was made.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// What is there is something else.
    Other(BackendError),
    /// The server did not do it.
    Trouble(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Store,
}

async fn look(client: &impl GenericClient, sql: &Sql, place: &str) -> Result<Found, Refusal> {
    let foreign = |reason: String| Refusal::Other(BackendError::NotAStore { place: place.to_owned(), reason });
    let marks = columns(client, &sql.schema, STORES).await?;
    let entries = columns(client, &sql.schema, &sql.store).await?;
    if marks.is_empty() {
        return if entries.is_empty() {
            Ok(Found::Nothing)
        } else {
            Err(foreign(format!("the schema has a table {:?} and no mark of ours", sql.store)))
        };
    }
    if marks != STORES_COLUMNS {
        return Err(foreign(format!("the table {STORES:?} is another program's")));
    }
    let mark = format!("SELECT format FROM {} WHERE name = $1", sql::qualified(&sql.schema, STORES));
    let mark = client.query_opt(&mark, &[&sql.store]).await.map_err(Trouble::from)?;
    let format = mark.map(|row| row.try_get(0)).transpose().map_err(Trouble::from)?;
    match format {
        None if entries.is_empty() => Ok(Found::Nothing),
        None => Err(foreign(format!("the table {:?} is another program's", sql.store))),
        Some(FORMAT) if entries == ENTRIES_COLUMNS => Ok(Found::Store),
        Some(FORMAT) => {
            let reason = format!("the table {:?} was dropped or changed", sql.store);
            Err(Refusal::Other(BackendError::Corrupted { reason }))
        }
        Some(found) => Err(Refusal::Other(other_format(found, place).into())),
    }
}

/// The failure of a program that meets a store in another format.
pub(crate) fn other_format(found: i64, place: &str) -> Failure {
    let (found, supported) = (found.to_string(), FORMAT.to_string());
    Failure::Version { place: place.to_owned(), found, supported }
}

/// The columns of a table with their types; none where there is no such table.
async fn columns(client: &impl GenericClient, schema: &str, table: &str) -> Result<Vec<String>, Trouble> {
    let rows = client.query(COLUMNS, &[&schema, &table]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

async fn create(transaction: &impl GenericClient, sql: &Sql) -> Result<(), Trouble> {
    let schema = sql::identifier(&sql.schema);
    let exists = transaction.query_opt("SELECT FROM pg_namespace WHERE nspname = $1", &[&sql.schema]).await?;
    if exists.is_none() {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    let (stores, writers) = (sql::qualified(&sql.schema, STORES), sql::qualified(&sql.schema, WRITERS));
    let entries = sql::qualified(&sql.schema, &sql.store);
    let tables = format!(
        "CREATE TABLE IF NOT EXISTS {stores} (name text PRIMARY KEY, format bigint NOT NULL); \
         CREATE TABLE IF NOT EXISTS {writers} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
           store text NOT NULL, commits bigint NOT NULL DEFAULT 0, seen timestamptz NOT NULL DEFAULT now()); \
         CREATE TABLE {entries} (key bytea PRIMARY KEY, value bytea NOT NULL); \
         INSERT INTO {stores} VALUES ({}, {FORMAT})",
        sql::literal(&sql.store)
    );
    Ok(transaction.batch_execute(&tables).await?)
}

#[derive(Debug, thiserror::Error)]
enum WrongName {
    #[error("{0:?} must have 1 to {MAX_NAME_BYTES} bytes and no zero byte: choose another name")]
    Length(String),
    #[error("{0:?} begins with {RESERVED}, like the tables that all stores share: choose another name")]
    Reserved(String),
}

/// The number of the format that this module describes.
pub(crate) const FORMAT: i64 = 1;

const STORES_COLUMNS: [&str; 2] = ["name text", "format bigint"];
const ENTRIES_COLUMNS: [&str; 2] = ["key bytea", "value bytea"];
const COLUMNS: &str = "SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute \
    JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace \
    WHERE nspname = $1 AND relname = $2 AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
/// "hhs" in ASCII: a lock that only hosts creating stores take.
const CREATION_LOCK: i64 = 0x0068_6873;
