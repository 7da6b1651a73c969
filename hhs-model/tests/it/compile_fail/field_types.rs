//! Fields whose types have no canonical bytes.

use std::collections::{HashMap, HashSet};

use hhs_model::{Decode, Encode, Object};

#[derive(Encode)]
struct Counts {
    total: usize,
    words: Vec<HashMap<String, u64>>,
    letters: Option<HashSet<char>>,
}

#[derive(Decode)]
struct Share(f32, isize);

#[derive(Object)]
#[object(class = "test/v1/Sum")]
enum Sum {
    Of(u128, i128),
    Letter { first: char },
}

fn main() {}
