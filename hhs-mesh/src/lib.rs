//! The mesh of Hyper Hyper Space: protocols as state machines without I/O, the driver that runs them over any transport,
//! and the transport trait.
//!
//! [`proto`] decides everything and touches nothing; [`tasks`] carries out what it asks of the store; [`driver`] moves
//! messages, time and answers between it and the world. Names no runtime and no network.

pub mod driver;
pub mod proto;
pub mod tasks;
#[cfg(feature = "test-kit")]
pub mod test_kit;
pub mod transport;

pub use driver::{Mesh, MeshError};
pub use proto::{Config, ConnectionId, Event, PeerAddress, PeerAddressError};
pub use transport::{Transport, TransportError};
