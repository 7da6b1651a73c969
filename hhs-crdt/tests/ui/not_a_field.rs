//! Plain values are not replicated types.

use hhs_crdt::Replica;

#[derive(Replica)]
#[replica(class = "test/v1/Room")]
struct Room {
    name: String,
}

fn main() {}
