//! A replica is a struct with named fields.

use hhs_crdt::{Register, Replica};

#[derive(Replica)]
#[replica(class = "test/v1/Tuple")]
struct Tuple(Register<String>);

#[derive(Replica)]
#[replica(class = "test/v1/Choice")]
enum Choice {
    Name(Register<String>),
}

#[derive(Replica)]
#[replica(class = "test/v1/Unit")]
struct Unit;

#[derive(Replica)]
#[replica(class = "test/v1/Empty")]
struct Empty {}

#[derive(Replica)]
#[replica(class = "test/v1/Borrowed")]
struct Borrowed<'a> {
    name: Register<&'a str>,
}

fn main() {}
