//! Types that have nothing to write.

use hhs_model::{Decode, Encode, Object};

#[derive(Encode, Decode)]
struct Unit;

#[derive(Object)]
#[object(class = "test/v1/Unit")]
struct UnitObject;

#[derive(Encode, Decode)]
enum Never {}

#[derive(Encode)]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
