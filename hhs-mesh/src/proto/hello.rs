//! Hello: the first message each way. It says which identity holds the key that the transport has proven, so that ops,
//! invitations and addresses, which name identities, can be compared with who is really there.

mod message;
mod state;

pub use message::Message;
pub use state::{HelloError, Known, check};

pub(crate) use state::VERSION;
