//! The public behaviour of `hhs-model`.

#![allow(clippy::unwrap_used, reason = "`allow-unwrap-in-tests` does not reach the helpers of integration tests")]

mod compile_fail;
mod derives;
mod format;
mod fuzz;
mod ids;
mod links;
mod memory;
mod nested;
mod objects;
mod registry;
mod values;
mod vectors;
