//! A function that a field names has to be one of the field's mutations.

use hhs_crdt::{Replica, Set};

fn of_values(_value: &String) -> Result<(), &'static str> {
    Ok(())
}

#[derive(Replica)]
#[replica(class = "test/v1/Values")]
struct Values {
    #[replica(accept = of_values)]
    tags: Set<String>,
}

fn main() {}
