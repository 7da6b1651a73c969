//! What a store looks like inside redb: two tables.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `hhs` | `"format"` | the format's number, [`FORMAT`] |
//! | `entries` | a key of the backend | its value |
//!
//! The first marks the file as ours and says in which format it is; it is written in the same transaction that creates
//! the second.

use hhs_store::BackendError;
use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition, TableError, TableHandle};

use crate::error::Failure;

/// The entries of the backend.
pub(crate) const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

/// Makes sure that `database`, found at `place`, is a store in our format; a new one is made so, and `true` returned.
///
/// # Errors
/// [`BackendError::NotAStore`] for a database of another program, [`BackendError::Version`] for a store in another
/// format, and what the engine fails with.
pub(crate) fn establish(database: &Database, place: &str) -> Result<bool, BackendError> {
    let transaction = database.begin_read().map_err(|error| Failure::new(READ, error))?;
    let tables = tables(&transaction)?;
    if tables.is_empty() {
        mark(database)?;
        return Ok(true);
    }
    let foreign = |reason: String| BackendError::NotAStore { place: place.to_owned(), reason };
    if !tables.iter().any(|name| name == MARKS.name()) {
        return Err(foreign(format!("it is the database of another program, with a table {:?}", tables[0])));
    }
    match format(&transaction)? {
        Some(FORMAT) => {}
        Some(found) => {
            let (found, supported) = (found.to_string(), FORMAT.to_string());
            return Err(BackendError::Version { place: place.to_owned(), found, supported });
        }
        None => return Err(foreign("it is the database of another program, without our mark".to_owned())),
    }
    match transaction.open_table(ENTRIES) {
        Ok(_) => Ok(false),
        Err(TableError::Storage(error)) => Err(Failure::new(READ, error).into()),
        Err(error) => Err(BackendError::Corrupted { reason: error.to_string() }),
    }
}

fn tables(transaction: &ReadTransaction) -> Result<Vec<String>, Failure> {
    let failure = |error| Failure::new(READ, error);
    let mut names: Vec<_> = transaction.list_tables().map_err(failure)?.map(|table| table.name().to_owned()).collect();
    let multimaps = transaction.list_multimap_tables().map_err(failure)?;
    names.extend(multimaps.map(|table| redb::MultimapTableHandle::name(&table).to_owned()));
    Ok(names)
}

/// The number in the mark; none where another program has a table of that name.
fn format(transaction: &ReadTransaction) -> Result<Option<u64>, Failure> {
    let marks = match transaction.open_table(MARKS) {
        Ok(marks) => marks,
        Err(TableError::Storage(error)) => return Err(Failure::new(READ, error)),
        Err(_) => return Ok(None),
    };
    let number = marks.get(FORMAT_KEY).map_err(|error| Failure::new(READ, error))?;
    Ok(number.map(|number| number.value()))
}

fn mark(database: &Database) -> Result<(), Failure> {
    let write = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        transaction.open_table(MARKS)?.insert(FORMAT_KEY, FORMAT)?;
        transaction.open_table(ENTRIES)?;
        Ok(transaction.commit()?)
    };
    write().map_err(|error| Failure::new("create its tables", error))
}

/// The number of the format that this module describes.
pub(crate) const FORMAT: u64 = 1;

const MARKS: TableDefinition<'_, &str, u64> = TableDefinition::new("hhs");
const FORMAT_KEY: &str = "format";
const READ: &str = "read its format";
