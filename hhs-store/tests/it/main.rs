//! The integration tests of `hhs-store`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod append;
mod backend;
mod backend_faults;
mod backends;
mod checking;
mod checkpoints;
mod children;
mod damage;
mod deleting;
mod failing;
mod foreign;
mod groups;
mod ingest;
mod intake;
mod judged;
mod layout;
mod lineage;
mod live;
mod mayhem;
mod migration;
mod objects;
mod queries;
mod random;
mod read;
mod refused;
mod salvage;
mod shared;
mod tail;
mod transfer;
mod typing;
mod verdicts;
mod versions;
mod world;
