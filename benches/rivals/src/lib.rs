//! The same work through several libraries of replicated types, in one process.
//!
//! [`rival`] is what a library is asked to do, with one file for each library; [`task`] is the work, which measures all of
//! them in turn; [`report`] shows the figures. The program `bench-rivals` times, and `bench-rivals-memory` counts what is
//! allocated: it is a program of its own because counting makes allocating slower.

pub mod bars;
pub mod memory;
pub mod report;
pub mod rival;
pub mod task;
pub mod traces;
