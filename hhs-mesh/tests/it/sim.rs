//! A simulator of whole networks of the very same code that runs in programs: [`Core`](hhs_mesh::proto::Core)s over memory
//! stores, under a virtual clock, with delays, broken connections, failing dials and crashes, all of it from one seed.
//!
//! It also holds the core to its own half of the law: it must not ask to be woken for ever at the same instant, must not
//! speak over connections that it has not got, and must keep to what its messages promise.

mod app;
mod network;
mod node;
mod office;
mod scenarios;
mod seeds;
mod stats;
mod swarm;
mod turmoil;
mod wire;
mod world;

pub(crate) use node::dump;
pub(crate) use office::{line_payload, shown};
pub(crate) use wire::WireId;
pub(crate) use world::{NodeId, World};
