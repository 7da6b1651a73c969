//! The public behaviour of `hhs-mesh`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod driver;
mod fuzz;
mod hostile;
mod sim;
mod transport;
