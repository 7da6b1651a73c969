//! The mesh protocols: state machines that do no I/O, and the one that joins them.
//!
//! > **The law.** Feed [`Core`] every [`Input`] in the order in which it happened, with a clock that never runs back. Carry
//! > out every [`Output`] in the order given. Answer every [`Task`] exactly once, with its number. Feed
//! > [`Input::Tick`] no later than [`Core::next_wake`]. Do not deliver the next message of a connection before the tasks
//! > that its last one has caused are answered.
//!
//! The layers, each a folder with the same file names:
//!
//! | layer | what it does |
//! | --- | --- |
//! | `hello` | each side says which identity holds the key that the transport has proven |
//! | `group` | whom to connect to for which replica, when to try again, whom to tell others of |
//! | `gossip` | who shares what, and the heads that each has |
//! | `delta` | moves exactly the missing ops |
//! | `admission` | asks a member to be let in with the secret of an invitation |
//!
//! Who shares a replica shares what it needs with the same peers: the replicas that give it authority, and the one that it
//! is a part of. The app names the one; the core finds out about the others, and asks for them first.

pub mod admission;
mod config;
mod core;
pub mod delta;
pub mod gossip;
pub mod group;
pub mod hello;
mod io;
mod message;

pub use config::Config;
pub use core::Core;
pub use io::{Answer, ConnectionId, Event, Input, Output, PeerAddress, PeerAddressError, Task, TaskId};
pub use message::{Message, MessageError};
