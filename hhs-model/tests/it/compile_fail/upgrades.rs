//! Upgrades that lead nowhere.

use hhs_model::{Encode, Decode, Object};

#[derive(Object)]
#[object(class = "test/v1/Note")]
struct NoteV1 {
    text: String,
}

// Without `impl From<NoteV1> for Note`.
#[derive(Object)]
#[object(class = "test/v2/Note", upgrades = NoteV1)]
struct Note {
    text: String,
}

#[derive(Encode, Decode)]
struct Plain {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/FromPlain", upgrades = Plain)]
struct FromPlain {
    text: String,
}

impl From<Plain> for FromPlain {
    fn from(plain: Plain) -> Self {
        Self { text: plain.text }
    }
}

#[derive(Object)]
#[object(class = "test/v3/Note", upgrades = NoteV1, upgrades = Note)]
struct Twice {
    text: String,
}

fn main() {}
