//! What opens, what is refused, and with which words.

use std::time::Duration;

use hhs_store::BackendError;
use hhs_store::backend::{Backend, Batch};
use hhs_store_postgres::{Options, PostgresBackend};

use crate::server::{SHARED, Server, named};

/// A store of a newer program is not touched.
#[tokio::test]
async fn a_store_in_a_newer_format_is_refused() {
    drop(SHARED.open("newer").await);
    SHARED.administer("UPDATE newer.hhs_stores SET format = 2").await;
    match refusal(&SHARED.address(), &named("newer")).await {
        BackendError::Version { place, found, supported } => {
            assert_eq!((found.as_str(), supported.as_str()), ("2", "1"));
            assert!(place.starts_with("newer.store in the database postgres on /"), "{place}");
        }
        other => panic!("got {other:?}"),
    }
}

/// A newer program migrates the store while this one has it open: this one writes nothing more into it.
#[tokio::test]
async fn an_open_store_that_was_migrated_is_not_written_to() {
    let store = SHARED.open("migrated").await;
    commit(&store, "before").await.unwrap();
    SHARED.administer("UPDATE migrated.hhs_stores SET format = 2").await;
    let refusal = commit(&store, "behind").await;
    assert!(matches!(refusal, Err(BackendError::Version { .. })), "got {refusal:?}");
    assert_eq!(store.get(b"behind").await.unwrap(), None);
}

/// A schema has a table of that name, or a table like the one that lists our stores, and they are another program's: they
/// stay as they are.
#[tokio::test]
async fn tables_of_other_programs_are_refused() {
    SHARED.administer("CREATE SCHEMA theirs; CREATE TABLE theirs.store (id int)").await;
    let found = refusal(&SHARED.address(), &named("theirs")).await;
    assert!(matches!(found, BackendError::NotAStore { .. }), "got {found:?}");

    SHARED.administer("CREATE SCHEMA lists; CREATE TABLE lists.hhs_stores (name text, street text)").await;
    let found = refusal(&SHARED.address(), &named("lists")).await;
    assert!(matches!(found, BackendError::NotAStore { .. }), "got {found:?}");

    drop(SHARED.open("guest").await);
    SHARED.administer("CREATE TABLE guest.other (key bytea, value bytea)").await;
    let options = Options { store: "other".to_owned(), ..named("guest") };
    let found = refusal(&SHARED.address(), &options).await;
    assert!(matches!(found, BackendError::NotAStore { .. }), "without our mark: {found:?}");
}

/// Somebody drops the table of a store, before it is opened or while it is: it is called damaged, not made anew.
#[tokio::test]
async fn a_store_without_its_table_is_damaged() {
    let open = SHARED.open("dropped").await;
    SHARED.administer("DROP TABLE dropped.store").await;
    for found in [open.get(b"key").await.unwrap_err(), commit(&open, "key").await.unwrap_err()] {
        assert!(matches!(found, BackendError::Corrupted { .. }), "got {found:?}");
    }
    let found = refusal(&SHARED.address(), &named("dropped")).await;
    assert!(matches!(found, BackendError::Corrupted { .. }), "got {found:?}");
}

/// No server, no such database, no right to create a schema: each error says what to do, at once.
#[tokio::test]
async fn what_is_wrong_with_the_server_is_said_with_what_to_do() {
    let nowhere = tempfile::tempdir().unwrap();
    let address = format!("host={} user=hhs password=secret", nowhere.path().display());
    let elsewhere = format!("host={} user=hhs password=secret dbname=elsewhere", SHARED.folder().display());
    SHARED.administer("CREATE ROLE guest LOGIN").await;
    SHARED.administer("CREATE DATABASE closed").await;
    let guest = format!("host={} user=guest password=secret dbname=closed", SHARED.folder().display());
    let advice = [
        (address, "check that the server runs"),
        (elsewhere, "create that database"),
        (guest, "let the role own the schema"),
        ("postgresql://hhs:secret@/hhs?colour=red".to_owned(), "the form is postgresql://"),
        ("host=/run user=hhs password=secret sslmode=require".to_owned(), "it asks for TLS"),
    ];
    for (address, advice) in advice {
        let found = refusal(&address, &Options::default()).await;
        assert!(matches!(found, BackendError::Io { .. }), "got {found:?}");
        assert!(found.to_string().contains(advice), "{found}");
        assert!(!format!("{found} {found:?}").contains("secret"), "{found:?} tells the password");
    }
}

/// Names that the server would cut off, and those of our own tables, are not names of stores.
#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    for name in ["", "hhs_stores", "hhs_mine", "zero\0byte", &"n".repeat(64)] {
        let found = refusal(&SHARED.address(), &Options { store: name.to_owned(), ..Options::default() }).await;
        assert!(found.to_string().contains("choose another name"), "{found}");
    }
    let longest = "n".repeat(63);
    let store = PostgresBackend::open(&SHARED.address(), &Options { store: longest.clone(), ..named(&longest) }).await;
    commit(&store.unwrap(), "key").await.unwrap();
}

/// The host comes up before the server, which is still starting: opening waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_starting_is_waited_for() {
    // It stays in recovery until it is promoted, and says that it takes no connections yet.
    let server = Server::create(&["fsync=off", "hot_standby=off"]);
    server.become_standby();
    server.up_without_waiting();
    server.wait_until_it_says("entering standby mode");
    let address = server.address();
    let open = tokio::spawn(async move { PostgresBackend::open(&address, &Options::default()).await });
    server.wait_until_it_says("the database system is not accepting connections");
    server.promote();
    commit(&open.await.unwrap().unwrap(), "key").await.unwrap();
}

/// A closed store has written what it was handed, and refuses everything else, on every handle.
#[tokio::test]
async fn a_closed_store_is_closed_for_every_handle() {
    let store = SHARED.open("closed").await;
    let handed_over = futures::future::join_all((0..50_u8).map(|number| {
        let mut batch = Batch::new();
        batch.put([number], "value");
        store.commit(batch)
    }));
    let (outcomes, ()) = futures::join!(handed_over, store.close());
    outcomes.into_iter().for_each(Result::unwrap);
    let handle = store.clone();
    assert!(matches!(handle.get(b"key").await, Err(BackendError::Closed)));
    assert!(matches!(commit(&handle, "key").await, Err(BackendError::Closed)));
    assert_eq!(SHARED.open("closed").await.stats().await.unwrap().entries, 50);
}

/// The database is set to acknowledge before it flushes: our commits are flushed all the same.
#[tokio::test]
async fn commits_are_flushed_whatever_the_database_is_set_to() {
    SHARED.administer("CREATE DATABASE lax").await;
    SHARED.administer("ALTER DATABASE lax SET synchronous_commit = off").await;
    let address = SHARED.address().replace("dbname=postgres", "dbname=lax");
    let store = PostgresBackend::open(&address, &Options::default()).await.unwrap();
    let spy = "CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN NEW.value = current_setting('synchronous_commit')::bytea; RETURN NEW; END $$; \
        CREATE TRIGGER spy BEFORE INSERT ON hhs.store FOR EACH ROW EXECUTE FUNCTION spy()";
    SHARED.administer_in("lax", spy).await;
    commit(&store, "key").await.unwrap();
    assert_eq!(store.get(b"key").await.unwrap().as_deref(), Some(b"on".as_slice()));
}

/// A person locks the store's rows and goes for lunch: commits give up with what to look for, and go on afterwards.
#[tokio::test]
async fn a_lock_that_somebody_keeps_is_an_error_in_time() {
    let options = Options { patience: Duration::from_millis(300), ..named("locked") };
    let store = PostgresBackend::open(&SHARED.address(), &options).await.unwrap();
    commit(&store, "before").await.unwrap();
    let (person, connection) = tokio_postgres::connect(&SHARED.address(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    person.batch_execute("BEGIN; SELECT FROM locked.hhs_stores FOR UPDATE").await.unwrap();
    let failure = commit(&store, "key").await.unwrap_err();
    assert!(failure.to_string().contains("pg_stat_activity"), "{failure}");
    assert!(store.get(b"before").await.unwrap().is_some(), "reads do not wait");
    person.batch_execute("ROLLBACK").await.unwrap();
    commit(&store, "key").await.unwrap();
}

async fn refusal(address: &str, options: &Options) -> BackendError {
    PostgresBackend::open(address, options).await.map(drop).expect_err("it does not open")
}

async fn commit(store: &PostgresBackend, key: &str) -> Result<(), BackendError> {
    let mut batch = Batch::new();
    batch.put(key, "value");
    store.commit(batch).await
}
