//! The store of Hyper Hyper Space: objects, replicas and ops, checked and indexed, on top of any ordered key-value
//! backend; and live replicas, which keep their state up with their ops.
//!
//! Names no runtime and no engine: backends are crates of their own, except the one in memory.

pub mod backend;
mod live;
mod store;
#[cfg(feature = "test-kit")]
pub mod test_kit;

pub use backend::{Backend, BackendError, MemoryBackend};
pub use live::Live;
pub use store::{
    AppendError, Bundle, Committed, IngestError, Ingested, ReadLimit, SignedOp, Store, StoreError, StoredOp,
};
