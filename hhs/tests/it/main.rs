//! Tests of the facade, as an app developer meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[cfg(feature = "quic")]
mod governed;
mod readme;
