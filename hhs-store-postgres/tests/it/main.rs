//! The integration tests of `hhs-store-postgres`, on a server that they start themselves.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod conformance;
mod encrypted;
mod hosts;
mod lost;
mod opening;
mod proxy;
mod restart;
mod scan;
mod server;
mod stores;
