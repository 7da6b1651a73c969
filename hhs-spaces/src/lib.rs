//! Nodes and spaces: an app opens a [`Node`], creates or joins a [`Space`], reads and writes it, and synchronises it with
//! one call. Knows no backend and no transport: those are handed in.

mod address;
mod admission;
mod node;
mod peers;
mod space;
mod typing;

pub use address::{SpaceAddress, SpaceAddressError};
pub use node::{JoinError, Node, NodeBuilder, NodeError};
pub use space::{Space, SpaceError};
