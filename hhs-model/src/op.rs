//! Ops and the genesis they hang from: immutable, signed headers with their payloads beside them.
//!
//! The header names the payload by hash and size, so that history can be checked and relayed without payloads. Headers
//! are closed: a field that is not known makes a header refused, because everybody has to judge it alike.

mod genesis;
mod header;
mod order;

pub use genesis::{Capability, CapabilityError, Genesis, GenesisError};
pub use header::{Act, Header, Op, OpError, PayloadRef};

#[cfg(test)]
mod tests;
