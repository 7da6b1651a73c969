//! Decoded values own what they hold.

use hhs_model::{Decode, Encode, Object};

#[derive(Encode)]
struct Allowed<'a> {
    text: &'a str,
}

#[derive(Decode)]
struct Borrowed<'a> {
    text: &'a str,
}

#[derive(Object)]
#[object(class = "test/v1/Borrowed")]
struct BorrowedObject<'a> {
    text: &'a str,
}

fn main() {}
