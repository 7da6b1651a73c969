//! The integration tests of `hhs-store-redb`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod conformance;
mod damage;
mod kill;
mod numbered;
mod opening;
