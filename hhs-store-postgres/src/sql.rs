//! The names of a store's tables, and every statement about its entries.

/// The statements for one store.
#[derive(Debug)]
pub(crate) struct Sql {
    pub(crate) schema: String,
    pub(crate) store: String,
    /// `$1` the key.
    pub(crate) get: String,
    /// `$1` the keys; in no order, without those that are not there.
    pub(crate) get_many: String,
    /// `$1` the first key, `$2` the key behind the last, `$3` the most entries, `$4` the most bytes: entries until that
    /// many bytes have been reached.
    pub(crate) ascending: String,
    pub(crate) descending: String,
    pub(crate) stats: String,
    /// `$1` the store's name: waits until no other host is writing, and says the format.
    pub(crate) lock: String,
    /// `$1` the writer, `$2` the number of its commit.
    pub(crate) note: String,
    /// `$1` the writer: waits until its last transaction has ended, and says its last commit.
    pub(crate) last_commit: String,
    /// `$1` the store's name: a new writer.
    pub(crate) enrol: String,
    /// `$1` the store's name: deletes the rows of writers that have gone without a word, as killed ones do.
    pub(crate) forget: String,
    /// `$1` the writer.
    pub(crate) leave: String,
    /// `$1` the keys, `$2` their values.
    pub(crate) put: String,
    /// `$1` the keys.
    pub(crate) delete: String,
}

impl Sql {
    pub(crate) fn new(schema: &str, store: &str) -> Self {
        let entries = qualified(schema, store);
        let (stores, writers) = (qualified(schema, STORES), qualified(schema, WRITERS));
        Self {
            get: format!("SELECT value FROM {entries} WHERE key = $1"),
            get_many: format!("SELECT key, value FROM {entries} WHERE key = ANY($1)"),
            ascending: page(&entries, "ASC"),
            descending: page(&entries, "DESC"),
            stats: format!(
                "SELECT count(*), coalesce(sum(octet_length(key)::int8 + octet_length(value)), 0)::int8, \
                 pg_total_relation_size({}::regclass) FROM {entries}",
                literal(&entries)
            ),
            lock: format!("SELECT format FROM {stores} WHERE name = $1 FOR UPDATE"),
            note: format!("UPDATE {writers} SET commits = $2, seen = now() WHERE id = $1"),
            last_commit: format!("SELECT commits FROM {writers} WHERE id = $1 FOR UPDATE"),
            enrol: format!("INSERT INTO {writers} (store) VALUES ($1) RETURNING id"),
            forget: format!("DELETE FROM {writers} WHERE store = $1 AND seen < now() - interval '30 days'"),
            leave: format!("DELETE FROM {writers} WHERE id = $1"),
            // In the order of keys, as the map that they come from.
            put: format!(
                "INSERT INTO {entries} (key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            delete: format!("DELETE FROM {entries} WHERE key = ANY($1)"),
            schema: schema.to_owned(),
            store: store.to_owned(),
        }
    }
}

/// The window counts the bytes before each entry from lengths alone, which the server knows without reading large values;
/// those beyond the limit never leave it.
fn page(entries: &str, order: &str) -> String {
    format!(
        "SELECT key, value FROM (\
           SELECT key, value, sum(octet_length(key) + octet_length(value)) \
             OVER (ORDER BY key {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before \
           FROM (SELECT key, value FROM {entries} WHERE key >= $1 AND key < $2 ORDER BY key {order} LIMIT $3) AS first\
         ) AS counted WHERE before IS NULL OR before < $4 ORDER BY key {order}"
    )
}

/// A table's full name.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}

/// A name in quotes, whatever it holds.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text in quotes, whatever it holds.
pub(crate) fn literal(text: &str) -> String {
    // The form with E means the same whatever `standard_conforming_strings` says.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The table that lists the stores of a schema.
pub(crate) const STORES: &str = "hhs_stores";
/// The table that has a row for each open backend.
pub(crate) const WRITERS: &str = "hhs_writers";
/// What names of stores must not begin with.
pub(crate) const RESERVED: &str = "hhs_";
/// What the server would cut names off at.
pub(crate) const MAX_NAME_BYTES: usize = 63;
