//! The driver: one loop that feeds the core and carries out what it says, over any transports and any runtime.
//!
//! A task reads each connection, another writes it; store tasks run beside the loop. The next message of a connection is
//! read only when what its last one caused is done and most of what was sent to it has left, so that a peer can make us
//! hold a bounded amount.

mod connection;
mod handle;
mod run;

pub use handle::{Mesh, MeshError};
