//! Replicated types: structs of fields that several writers change at once and that agree again, whatever order their
//! ops arrive in.
//!
//! Pure and in memory: no I/O, no clock, no randomness. A class of replicas is a struct of [fields](trait@Field) under one
//! history. A [`Document`] holds a replica in memory; a store keeps one for good:
//!
//! ```
//! use hhs_crdt::{Document, Log, Members, Register, Replica, Set};
//! use hhs_model::op::{Founding, Genesis};
//! use hhs_model::{Author, Object};
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
//! # let (ana, ben) = (Author::from_seed("Ana", &[1; 32])?, Author::from_seed("Ben", &[2; 32])?);
//! let founding = Founding::root(Genesis::with_founder(Room::CLASS, [0; 16], ana.id()))?;
//! let (mut at_anas, mut at_bens) = (Document::<Room>::new(founding.clone()), Document::<Room>::new(founding));
//! at_bens.introduce(ana.identity())?;
//!
//! // Writes are recorded in an edit, which becomes one op: atomic, under one signature.
//! at_anas.write(&ana, 1_700_000_000_000, |edit| {
//!     edit.name.set("garden".into());
//!     edit.tags.insert("plants".into());
//!     edit.messages.append(Message { text: "hello".into() });
//!     edit.members.grant(ben.id());
//! })?;
//!
//! // Whoever gets the op, in whatever order with others, comes to show the same.
//! at_bens.receive(at_anas.beyond(&at_bens.version()));
//! let room = at_bens.state();
//! assert_eq!(room.name.get().map(String::as_str), Some("garden"));
//! assert!(room.tags.contains("plants") && room.members.contains(&ben.id()));
//! let last = room.messages.iter().next_back().expect("there is a message");
//! assert_eq!((last.author, last.value.text.as_str()), (ana.id(), "hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The derive macro names this crate by its path.
extern crate self as hhs_crdt;

mod added;
mod counter;
mod document;
mod edit;
mod field;
mod grow_set;
mod ledger;
mod list;
mod log;
mod map;
mod members;
mod multi_register;
mod nested;
mod payload;
mod register;
mod restrictions;
mod sequence;
mod set;
mod text;

pub use counter::Counter;
pub use document::{Carried, Document, ReceiveError, Received, SealError, VersionError, WriteError};
pub use edit::Edit;
pub use field::{At, Field, Position, Recorded};
pub use grow_set::GrowSet;
pub use hhs_model::class::Replica;
pub use hhs_model::replay::{Policy, Typing, UndoStack, Wrote};
/// Derives [`Field`](trait@Field) for a struct of fields, so that it can stand in a replica, in a [`Map`] or wherever else fields stand.
///
/// For a struct `Task` the macro makes `TaskEdit<'_>`, with what records writes to each field, and `TaskMutation`, with a
/// variant for each; it implements `Default` too. A mutation stands in a payload as a map of one entry, `{field: mutation of it}`. Fields
/// take the attributes of [`Replica`](macro@Replica), under the name `#[field(…)]`.
pub use hhs_model_derive::Field;
/// Derives [`Replica`](trait@Replica) for a struct of [fields](Field), and makes the struct of its edits.
///
/// `#[replica(class = "app/v1/Name")]` names the class. For a struct `Room` the macro makes `RoomEdit<'_>` with one
/// public [`Edit`] for each field, under the field's name; [`Replica::edit`](trait@Replica) returns it.
///
/// The payload of an op is a map of the fields that it writes, each with the list of its mutations. A field stands
/// there, and in the paths of changes, under its Rust name, or under the one that `#[hhs(rename = "…")]` gives it. A
/// payload that names another field, that names one without mutations, that is empty, or that has more than
/// [`MAX_MUTATIONS`] mutations means nothing, and the op is void: of all that it carries only its act counts.
///
/// What may be written to a field is said by an attribute on it. What an op writes against it makes its payload void; an
/// app that writes against `accept` is told so before there is an op.
///
/// - `#[replica(accept = path)]`: a function `fn(&Mutation) -> Result<(), &'static str>` of the field's mutation, which is
///   asked for each; [`one_of`] helps with elements.
/// - `#[replica(accept_by = path)]`: the same by `fn(&Mutation, &OpContext<'_>) -> Result<(), &'static str>`, which knows who writes.
/// - `#[replica(writers = path)]`: a function `fn(&IdentityId) -> bool`; nobody else may write.
/// - `#[replica(needs = "capability")]`: who writes has to hold this, by roles or by the grants that the op names.
pub use hhs_model_derive::Replica;
pub use ledger::{Ledger, LedgerEntry, Machine, PositiveCounter, Rejection};
pub use list::{ElementId, List, ListEdit, ListMutation, UniqueList, UniqueListEdit, UniqueListMutation};
pub use log::{Log, LogEntry};
pub use map::{Map, MapEdit, MapMutation};
pub use members::{Members, NoMutation};
pub use multi_register::MultiRegister;
pub use payload::MAX_MUTATIONS;
pub use register::Register;
pub use restrictions::one_of;
pub use set::{Set, SetMutation};
pub use text::{
    Bias, Blame, CharId, Cursor, Expand, MAX_MARK_NAME_BYTES, Snapshot, Span, Text, TextEdit, TextMutation,
};

/// What the macro expands to.
#[doc(hidden)]
pub mod __private {
    pub use hhs_model::authority::Holders;
    pub use hhs_model::class::{Changes, Draft, EditError, LoadError, Loader, OpContext, Saver, Shape, Void};
    pub use hhs_model::codec::{Decode, DecodeError, Decoder, Encode, Encoder};

    pub use crate::nested::{
        Needs, Undone, accepts_one, apply_one, check_one, coalesce_one, decode_nested, shadow_one, undo_one, wrap,
    };
    pub use crate::payload::{
        Mutations, PayloadReader, accepts, apply, authorise, checked, diff, finish, join, observe, shadow, undo,
    };
    pub use crate::restrictions::Restrictions;
}
