//! The public behaviour of `hhs-spaces`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod governed;
mod hostile_quic;
mod joining;
mod people;
mod reunion;
mod runtime;
mod typing;
