//! The embedded default backend: a [`Backend`](hhs_store::Backend) in one file, on redb.
//!
//! One file is one store, open in one process at a time. Reads are snapshots and never wait for the writer. Commits go
//! through one thread that makes all that wait for it durable together. After a crash, or `kill -9`, the file opens
//! again with every commit that had returned, and none in half.
//!
//! ```
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("space.redb");
//! use hhs_store::backend::{Backend, Batch};
//! use hhs_store_redb::RedbBackend;
//!
//! # futures::executor::block_on(async {
//! let store = RedbBackend::open(&path)?;
//! let mut batch = Batch::new();
//! batch.put("key", "value");
//! store.commit(batch).await?;
//! assert_eq!(store.get(b"key").await?.as_deref(), Some(b"value".as_slice()));
//! # Ok::<(), hhs_store::BackendError>(())
//! # }).unwrap();
//! ```

mod backend;
mod error;
mod file;
mod format;
mod open;
mod options;
mod writer;

pub use backend::RedbBackend;
pub use options::Options;
