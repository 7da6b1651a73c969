//! Hyper Hyper Space: offline-first shared data for peer-to-peer apps.
//!
//! An app works on its local store as if it held everything; this library makes what peers have flow from store to store.
//! Data is immutable, typed, content-addressed and signed; change is operations of replicated types; peers trust nobody
//! and check everything.
//!
//! This crate re-exports what an app needs; each part is a crate of its own that can be used alone.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `native` | running on tokio |
//! | `redb` | the embedded store |
//! | `postgres` | the store for several hosts, in a PostgreSQL database |
//! | `quic` | the QUIC transport |

#[cfg(feature = "native")]
mod native;

pub use hhs_crdt as crdt;
pub use hhs_keystore as keystore;
pub use hhs_mesh as mesh;
pub use hhs_model as model;
pub use hhs_spaces as spaces;
pub use hhs_store as store;
#[cfg(feature = "postgres")]
pub use hhs_store_postgres as postgres;
#[cfg(feature = "redb")]
pub use hhs_store_redb as redb;
#[cfg(feature = "quic")]
pub use hhs_transport_quic as quic;

#[cfg(feature = "native")]
pub use native::Tokio;

/// What most apps use.
pub mod prelude {
    pub use futures::StreamExt;
    pub use hhs_crdt::{
        Counter, Field, GrowSet, Ledger, List, Log, Map, Members, MultiRegister, Register, Replica, Set, Text,
        UniqueList,
    };
    pub use hhs_model::class::{Action, Change, ChangeFilter};
    pub use hhs_model::{
        Author, Bytes, Decode, Encode, Identity, IdentityId, Link, Nested, Nonce, Object, Registry, Runtime,
    };
    pub use hhs_spaces::{Node, Space, SpaceAddress};
    pub use hhs_store::{MemoryBackend, Store};
    #[cfg(feature = "postgres")]
    pub use hhs_store_postgres::PostgresBackend;
    #[cfg(feature = "redb")]
    pub use hhs_store_redb::RedbBackend;
    #[cfg(feature = "quic")]
    pub use hhs_transport_quic::QuicTransport;
    pub use url::Url;

    #[cfg(feature = "native")]
    pub use crate::Tokio;
}
