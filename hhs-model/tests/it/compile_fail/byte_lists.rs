//! Byte strings that would be lists of integers.

use hhs_model::{Decode, Encode};

#[derive(Encode, Decode)]
struct Picture {
    pixels: Vec<u8>,
    hash: [u8; 32],
    preview: Option<Box<Vec<u8>>>,
}

#[derive(Encode)]
struct Borrowed<'a>(&'a [u8], u8);

#[derive(Encode, Decode)]
enum Shape {
    Raw(Vec<u8>),
}

fn main() {}
