//! The keystore, as a program uses it, and as somebody attacks it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[cfg(target_os = "linux")]
mod erased;
mod file;
mod golden;
mod hostile;
mod keystore;
#[cfg(unix)]
mod kill;
mod policy;
mod secrets;
mod world;
