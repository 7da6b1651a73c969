//! Tests of the public behaviour of `hhs-crdt`.

mod compile_fail;
mod convergence;
mod counter;
mod crowd;
mod document;
mod everything;
mod harness;
mod history;
mod ledger;
mod list;
mod log;
mod map;
mod members;
mod nested;
mod reference;
mod register;
mod replica;
mod restrictions;
mod set;
mod shape;
mod situations;
mod text;
mod undo;
mod versions;
