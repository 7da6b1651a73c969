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
/// Sets and maps that are not empty and held as `BTreeSet` or `BTreeMap`, in one block. Each takes room for eleven items
/// however few bytes it is read from, so that they cannot be left to the bound on bytes. [`codec::Map`](crate::codec::Map)
/// and lists are not counted.
pub const MAX_TREES: usize = 65_536;
/// Bytes of a big integer: 8,192 bits with the sign.
pub const MAX_INTEGER_BYTES: usize = 1024;
/// Objects that are nested in one, at any level.
pub const MAX_NESTED_BLOCKS: usize = 65_536;
/// Bytes of all objects together that are nested in one: 64 MiB.
pub const MAX_NESTED_BYTES: usize = 64 << 20;
/// Levels of objects nested in each other, the outermost one not counted.
pub const MAX_NESTED_LEVELS: usize = 64;
/// Bytes of the pattern of a path that an index goes by.
pub const MAX_PATTERN_BYTES: usize = 256;
/// Upgrades from one version of a class to another, one after the other.
pub const MAX_UPGRADES: usize = 64;
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
/// Bytes of the place of a child in its parent.
pub const MAX_FIELD_PATH_BYTES: usize = 256;
/// Replicas above a child, up to its root.
pub const MAX_CHILD_LEVELS: usize = 16;
/// Bytes of the name of a capability.
pub const MAX_CAPABILITY_BYTES: usize = 64;
/// Capabilities in one grant.
pub const MAX_CAPABILITIES: usize = 16;
/// Grants that one op revokes, or revocations that it undoes.
pub const MAX_ACT_TARGETS: usize = 16;
/// Heads of other replicas in one cut; what does not fit goes into further ops.
pub const MAX_CUT_HEADS: usize = 256;
/// Capabilities that a genesis has rules for.
pub const MAX_RULES: usize = MAX_ROLES;
/// Rules of a genesis, those within others counted.
pub const MAX_RULE_NODES: usize = 64;
/// Rules within each other, the outermost counted as 1.
pub const MAX_RULE_DEPTH: usize = 8;
/// Other replicas that the rules of a genesis ask about.
pub const MAX_SOURCES: usize = 8;
/// Replicas in all that give a replica authority: those its rules ask about, those that their rules ask about, and so on.
pub const MAX_ALL_SOURCES: usize = 64;
/// Bytes of an op header. Generous beside what the bounds on its lists allow.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Bytes of an encoded identity.
pub const MAX_IDENTITY_BYTES: usize = 64 << 10;
/// Ops in one pack.
pub const MAX_PACK_OPS: usize = 4096;
/// Bytes that a pack may inflate to; the ops that go into one have at most half of that.
pub const MAX_PACK_BYTES: usize = 4 * MAX_BLOCK_BYTES;
