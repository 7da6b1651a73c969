//! Every bound of the format, in one place: what a block, an object, an op or a genesis may not exceed.
//!
//! Each bound is checked where bytes are decoded, before anything is allocated for what they claim, and again where
//! values are encoded, so that nobody makes what others refuse.

/// Bytes of one block (an encoded object, an op header, an op payload): 8 MiB.
pub const MAX_BLOCK_BYTES: usize = 8 << 20;
/// Lists and maps inside each other, the outermost counted as 1.
pub const MAX_DEPTH: usize = 64;
/// Links in one object.
pub const MAX_LINKS: usize = 65_536;
/// Bytes of a class name.
pub const MAX_CLASS_BYTES: usize = 256;
/// Parents of one op; a writer with more heads first writes ops that merge them.
pub const MAX_PARENTS: usize = 64;
/// Ops of other replicas that one op depends on.
pub const MAX_DEPS: usize = 64;
/// Grants that one op stands on.
pub const MAX_GRANTS: usize = 16;
/// Capabilities that a genesis gives.
pub const MAX_ROLES: usize = 64;
/// Writers that a genesis lists.
pub const MAX_WRITERS: usize = 16_384;
/// Bytes of the name of a capability.
pub const MAX_CAPABILITY_BYTES: usize = 64;
/// Capabilities in one grant.
pub const MAX_CAPABILITIES: usize = 16;
/// Bytes of an op header. Generous beside what the bounds on its lists allow.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Bytes of an encoded identity.
pub const MAX_IDENTITY_BYTES: usize = 64 << 10;
