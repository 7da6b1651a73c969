//! Restrictions that cannot be, or that are of another type than the field.

use hhs_crdt::{Field, Register, Replica, Set};

#[derive(Replica)]
#[replica(class = "test/v1/Unknown")]
struct Unknown {
    #[replica(only = of_mutations)]
    tags: Set<String>,
}

#[derive(Replica)]
#[replica(class = "test/v1/Quoted")]
struct Quoted {
    #[replica(accept = "of_mutations")]
    tags: Set<String>,
}

#[derive(Replica)]
#[replica(class = "test/v1/Capital")]
struct Capital {
    #[replica(needs = "Paint")]
    tags: Set<String>,
}

#[derive(Field)]
#[field(class = "test/v1/Card")]
struct Card {
    text: Register<String>,
}

fn main() {}
