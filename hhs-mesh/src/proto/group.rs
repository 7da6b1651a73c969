//! The peer group of each replica: where its peers can be reached, when to dial them, and what to tell others of them.

mod message;
mod state;

pub use message::Message;
pub use state::State;

pub(crate) use state::{MAX_ADDRESS_BYTES, MAX_ADDRESSES};
