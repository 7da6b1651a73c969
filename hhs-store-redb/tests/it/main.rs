//! The integration tests of `hhs-store-redb`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod compact;
mod conformance;
mod damage;
mod kill;
mod kill_store;
mod migration;
mod numbered;
mod opening;
#[cfg(unix)]
mod process;
