//! What benchmark programs share: a clock, and bars printed as `cargo xtask bench` reads them.
//!
//! A program measures a bar, alone or beside another figure of the same run, and prints it as a line of JSON.
//! `xtask/src/bench/groups.rs` has the targets.

mod bar;
mod clock;

pub use bar::{Bar, alone, beside};
pub use clock::{median, milliseconds, now, rate, timed};

/// Whatever goes wrong ends a benchmark.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
