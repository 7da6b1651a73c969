//! What is said.

use hhs_model::{Bytes, Decode, Encode};

/// Who I am.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Message {
    /// The version of the mesh protocols: 1.
    pub version: u64,
    /// My identity, encoded.
    pub identity: Bytes,
    /// Tells this run of my program from others of the same identity: 16 bytes.
    pub instance: Bytes,
    /// The endpoints I listen at, as URLs.
    pub listen: Vec<String>,
}
