//! Two fields or variants with one key.

use hhs_model::{Decode, Encode, Object};

#[derive(Encode, Decode)]
struct Message {
    text: String,
    #[hhs(rename = "text")]
    body: String,
}

#[derive(Encode, Decode)]
enum Mood {
    Glad,
    #[hhs(rename = "Glad")]
    Happy,
}

#[derive(Object)]
#[object(class = "test/v1/Note")]
struct Note {
    text: String,
    #[hhs(rename = "text")]
    body: String,
}

fn main() {}
