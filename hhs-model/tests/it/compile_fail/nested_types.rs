//! What is nested is an object.

use hhs_model::object::to_blocks;
use hhs_model::{Decode, Encode, Nested, Object};

#[derive(Encode, Decode)]
struct Plain {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/Holder")]
struct Holder {
    plain: Nested<Plain>,
}

fn main() {
    let _ = to_blocks(&Plain { text: String::new() });
}
