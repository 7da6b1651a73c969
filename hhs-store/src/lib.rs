//! The store of Hyper Hyper Space: objects, replicas and ops, checked and indexed, on top of any ordered key-value
//! backend; and live replicas, which keep their state up with their ops.
//!
//! Names no runtime and no engine: backends are crates of their own, except the one in memory.

pub mod backend;
mod intake;
mod live;
mod mailbox;
mod store;
#[cfg(feature = "test-kit")]
pub mod test_kit;
pub mod transfer;

pub use backend::{Backend, BackendError, MemoryBackend};
pub use hhs_model::replay::{Policy, UndoStack, Wrote};
pub use intake::{DropReason, Dropped, Intake, IntakeLimits, Taken};
pub use live::{ChangeStream, Lagged, Live, VoidReason};
pub use store::{
    Amount, AppendError, Bundle, Checked, CommitStream, Committed, Consequences, Cursor, DeleteError, Depth, Finding,
    Found, FoundOp, IngestError, Ingested, Located, LogTail, Lost, Ops, Query, ReadLimit, ReplicaStats, Room, Salvaged,
    Severity, SignedOp, Stats, Store, StoreError, StoredOp, TailEntry,
};
