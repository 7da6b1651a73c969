//! The public behaviour of `hhs-model`.

#![allow(clippy::unwrap_used, reason = "`allow-unwrap-in-tests` does not reach the helpers of integration tests")]

mod compile_fail;
mod derives;
mod ids;
mod objects;
