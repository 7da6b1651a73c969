//! Admission: asking a member to be let in, with the secret of an invitation. Whether to let somebody in is for the app;
//! being let in is an op like any other, which comes by gossip.

mod message;
mod state;

pub use message::Message;
pub use state::State;

pub(crate) use state::{MAX_JOINING, MAX_SECRET_BYTES};
