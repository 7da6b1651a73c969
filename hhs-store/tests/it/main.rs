//! The integration tests of `hhs-store`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod append;
mod backend;
mod backend_faults;
mod backends;
mod damage;
mod failing;
mod ingest;
mod live;
mod objects;
mod random;
mod read;
mod refused;
mod world;
