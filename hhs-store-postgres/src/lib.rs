//! The backend for always-on hosts that outgrow one machine: a [`Backend`](hhs_store::Backend) in a PostgreSQL database.
//!
//! Several hosts may have the same store open. Their commits follow one another, guards are judged under one lock, and
//! every read sees whole commits only. A lost connection is made again: reads are repeated, and a commit whose
//! acknowledgement was lost is looked up before anything else happens, so it is neither reported wrong nor applied twice.
//!
//! # Setting up
//!
//! A database and a role that may create a schema in it are all that is needed:
//!
//! ```text
//! createuser hhs --pwprompt
//! createdb hhs --owner=hhs
//! ```
//!
//! The first host that opens the store creates the schema and the tables. Where the role must not do so, create the
//! schema for it (`CREATE SCHEMA hhs AUTHORIZATION hhs`).
//!
//! ```no_run
//! use hhs_store::backend::{Backend, Batch};
//! use hhs_store_postgres::{Options, PostgresBackend};
//!
//! # async fn example() -> Result<(), hhs_store::BackendError> {
//! let store = PostgresBackend::open("postgresql://hhs@/hhs?host=/run/postgresql", &Options::default()).await?;
//! let mut batch = Batch::new();
//! batch.put("key", "value");
//! store.commit(batch).await?;
//! assert_eq!(store.get(b"key").await?.as_deref(), Some(b"value".as_slice()));
//! store.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Connections are plain, which suits a socket on the same machine; with the feature `tls`, `Options::tls` takes a
//! configuration of rustls and every connection must be encrypted. Give the server itself (or a pooler in session mode):
//! the backend keeps settings and prepared statements on its connections. With several servers in the connection
//! string, the one that takes writes is used, for reads too, because a standby lags behind.
//!
//! A commit is as durable as the server makes it. The backend turns `synchronous_commit` on where the server has it off;
//! `fsync` and standbys are for the server's administrator.
//!
//! What the tables hold is in `src/format.rs`. The crate is tested on PostgreSQL 15.

mod backend;
mod connect;
mod error;
mod format;
mod options;
mod read;
mod retry;
mod sql;
mod writer;

pub use backend::PostgresBackend;
pub use options::Options;
