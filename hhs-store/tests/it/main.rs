//! The integration tests of `hhs-store`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod backend;
mod backend_faults;
