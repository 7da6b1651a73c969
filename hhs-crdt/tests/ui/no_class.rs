//! A class of replicas has a name.

use hhs_crdt::{Register, Replica};

#[derive(Replica)]
struct Room {
    name: Register<String>,
}

fn main() {}
