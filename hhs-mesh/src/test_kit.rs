//! What implementations outside this crate are tested with.

pub mod transport;
