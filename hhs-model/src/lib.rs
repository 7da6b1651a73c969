//! The data model of Hyper Hyper Space: immutable typed objects, their canonical bytes and ids, identities and
//! signatures, ops and their history, authority, and the traits that a class of replicas implements.
//!
//! Pure: no I/O, no clock, no randomness, no runtime. Everything here computes from the bytes it is given.

// The derive macros name this crate by its path.
extern crate self as hhs_model;

pub mod authority;
pub mod bounds;
pub mod class;
pub mod codec;
pub mod history;
pub mod id;
pub mod identity;
pub mod object;
pub mod op;
pub mod registry;
pub mod replay;
pub mod runtime;

pub use codec::{Bytes, Decode, Encode, Map, Value};
pub use hhs_model_derive::{Decode, Encode, Object, seam};
pub use history::Frontier;
pub use id::{Cid, Hash, IdentityId, ObjectId, OpId, PayloadId, ReplicaId};
pub use identity::{Author, Identity, PublicKey, SecretKey, Signature, Signer};
pub use num_bigint::BigInt;
pub use object::{Link, Nested, Nonce, Object};
pub use registry::Registry;
pub use runtime::Runtime;

/// What the macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use async_trait::async_trait;

    pub use crate::codec::derived::{
        expect_list, expect_value, fail_validation, field, invalid, object_variant, or_default, required, skip_rest,
        unknown_variant, variant_entry,
    };
    pub use crate::codec::unknown::UnknownEntries;
    pub use crate::object::expect_class;
}
