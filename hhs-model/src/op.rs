//! Ops and the genesis they hang from: immutable, signed headers with their payloads beside them.
//!
//! The header names the payload by hash and size, so that history can be checked and relayed without payloads. Headers
//! are closed: a field that is not known makes a header refused, because everybody has to judge it alike.

mod act;
mod capability;
mod field_path;
mod founding;
mod genesis;
mod header;
mod order;
mod pack;
mod rule;

pub use act::{Act, Cut};
pub use capability::{Capability, CapabilityError, Roles};
pub use field_path::{FieldPath, FieldPathError};
pub use founding::{Founding, FoundingError};
pub use genesis::{Genesis, GenesisError, Origin};
pub use header::{Header, Op, OpError, PayloadRef, SignOpError};
pub use rule::{Rule, Rules};

pub use pack::{PackError, PackedOp, Packer, UnpackError, pack, unpack};

#[cfg(test)]
mod tests;
