//! Replicated types: structs of fields that several writers change at once and that agree again, whatever order their
//! ops arrive in.
//!
//! Pure and in memory: no I/O, no clock, no randomness. A class of replicas is a struct of [fields](Field) under one
//! history:
//!
//! ```
//! use hhs_crdt::{Log, Members, Register, Replica, Set};
//! use hhs_model::class::{Changes, OpContext};
//! use hhs_model::op::{Founding, Genesis};
//! use hhs_model::{IdentityId, Object, OpId};
//!
//! #[derive(Object, Clone, Debug, PartialEq)]
//! #[object(class = "chat/v1/Message")]
//! struct Message {
//!     text: String,
//! }
//!
//! #[derive(Replica)]
//! #[replica(class = "chat/v1/Room")]
//! struct Room {
//!     name: Register<String>,
//!     tags: Set<String>,
//!     members: Members,
//!     messages: Log<Message>,
//! }
//!
//! # let (ana, ben) = (IdentityId::of(b"Ana"), IdentityId::of(b"Ben"));
//! let genesis = Genesis::with_founder(Room::CLASS, [0; 16], ana);
//! let mut room = Room::new(&Founding::root(genesis)?);
//!
//! // An app records its writes in an edit, which becomes one op: atomic, under one signature.
//! let mut edit = room.edit();
//! edit.name.set("garden".into());
//! edit.tags.insert("plants".into());
//! edit.messages.append(Message { text: "hello".into() });
//! edit.members.grant(ben);
//! let draft = Room::finish(edit)?;
//!
//! // Every replica, the writer's too, applies the ops that it comes to hold.
//! let id = OpId::of(b"an op");
//! let op = OpContext { id, height: 0, author: ana, time: 1_700_000_000_000, act: draft.act.as_ref() };
//! let mut changes = Changes::of(id, ana);
//! room.apply(&op, draft.payload.as_deref(), &mut changes)?;
//!
//! assert_eq!(room.name.get().map(String::as_str), Some("garden"));
//! assert!(room.tags.contains("plants"));
//! assert!(room.members.contains(&ben));
//! let last = room.messages.iter().next_back().expect("there is a message");
//! assert_eq!((last.author, last.value.text.as_str()), (ana, "hello"));
//! let fields: Vec<_> = changes.into_vec().iter().filter_map(|change| change.field()).collect();
//! assert_eq!(fields, ["members", "name", "tags", "messages"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The derive macro names this crate by its path.
extern crate self as hhs_crdt;

mod edit;
mod field;
mod log;
mod members;
mod payload;
mod register;
mod set;

pub use edit::Edit;
pub use field::{At, Field, Position};
pub use hhs_model::class::Replica;
/// Derives [`Replica`](trait@Replica) for a struct of [fields](Field), and makes the struct of its edits.
///
/// `#[replica(class = "app/v1/Name")]` names the class. For a struct `Room` the macro makes `RoomEdit<'_>` with one
/// public [`Edit`] for each field, under the field's name; [`Replica::edit`](trait@Replica) returns it.
///
/// The payload of an op is a map of the fields that it writes, each with the list of its mutations. A field stands
/// there, and in the paths of changes, under its Rust name, or under the one that `#[hhs(rename = "…")]` gives it. A
/// payload that names another field, that names one without mutations, that is empty, or that has more than
/// [`MAX_MUTATIONS`] mutations means nothing, and the op is void: of all that it carries only its act counts.
pub use hhs_model_derive::Replica;
pub use log::{Log, LogEntry};
pub use members::{Members, NoMutation};
pub use payload::MAX_MUTATIONS;
pub use register::Register;
pub use set::{Set, SetMutation};

/// What the macro expands to.
#[doc(hidden)]
pub mod __private {
    pub use hhs_model::class::{Changes, Draft, EditError, OpContext, Void};
    pub use hhs_model::codec::DecodeError;
    pub use hhs_model::op::Founding;

    pub use crate::payload::{Mutations, PayloadReader, act, apply, finish};
}
