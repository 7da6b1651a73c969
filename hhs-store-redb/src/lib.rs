//! The embedded default backend: a [`Backend`](hhs_store::Backend) in one file, on redb.
//!
//! One file is one store, open in one process at a time. Reads are snapshots and never wait for the writer. Commits go
//! through one thread that makes all that wait for it durable together. After a crash, or `kill -9`, the file opens
//! again with every commit that had returned, and none in half.
//!
//! [`compact`] writes a store anew, without room to spare, and [`check`] says whether its file is sound. Beside the file
//! `NAME` there may be `NAME.compacting`, while a compaction is under way or where one was interrupted, and
//! `NAME.unflushed`, where the disk has failed to flush. The next opening sees to both.
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
mod check;
mod compact;
mod engine;
mod error;
mod file;
mod format;
mod group;
mod open;
mod options;
mod writer;

#[cfg(test)]
mod crash;

pub use backend::RedbBackend;
pub use check::{Checked, check};
pub use compact::{Compacted, Progress, compact};
pub use options::Options;
