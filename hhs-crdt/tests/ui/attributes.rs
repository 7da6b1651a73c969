//! Attributes that say nothing, or what cannot be.

use hhs_crdt::{Register, Replica};

#[derive(Replica)]
#[replica(class = "")]
struct Nameless {
    name: Register<String>,
}

#[derive(Replica)]
#[replica(class = "test/v1/Room", validate = check)]
struct Validated {
    name: Register<String>,
}

#[derive(Replica)]
#[replica(class = "test/v1/Room")]
struct Doubled {
    name: Register<String>,
    #[hhs(rename = "name")]
    title: Register<String>,
}

#[derive(Replica)]
#[replica(class = "test/v1/Room")]
struct Defaulted {
    #[hhs(default)]
    name: Register<String>,
}

fn main() {}
