//! The program, as people and other programs use it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod chat;
mod demo;
mod errors;
mod identity;
mod kill;
mod program;
mod replay;
mod space;
mod store;
