//! What is not known is kept in `Unknown`.

use std::collections::BTreeMap;

use hhs_model::{Decode, Encode};

#[derive(Encode, Decode)]
struct Message {
    text: String,
    #[hhs(unknown)]
    rest: BTreeMap<String, String>,
}

fn main() {}
