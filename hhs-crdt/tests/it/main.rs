//! Tests of the public behaviour of `hhs-crdt`.

mod compile_fail;
mod convergence;
mod history;
mod log;
mod members;
mod reference;
mod register;
mod replica;
mod set;
