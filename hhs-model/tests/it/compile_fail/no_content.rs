//! Types that have nothing to write.

use hhs_model::{Decode, Encode};

#[derive(Encode, Decode)]
enum Never {}

#[derive(Encode)]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
