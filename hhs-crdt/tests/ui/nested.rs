//! A nested field is a struct of named fields, each replicated itself.

use hhs_crdt::{Field, Register};

#[derive(Field)]
struct Tuple(Register<String>);

#[derive(Field)]
struct Empty {}

#[derive(Field)]
struct Borrowed<'a> {
    name: Register<&'a str>,
}

fn main() {}
