//! Attributes that do not exist, or not there.

use hhs_model::{Decode, Encode, Object};
use hhs_model::codec::Unknown;

#[derive(Encode, Decode)]
struct Misspelled {
    #[hhs(renamed = "b")]
    a: String,
}

#[derive(Encode, Decode)]
#[hhs(rename_all = "camelCase")]
struct OnType {
    a: String,
}

#[derive(Encode, Decode)]
enum OnVariant {
    #[hhs(default)]
    A,
}

#[derive(Encode, Decode)]
struct OnUnnamed(#[hhs(default)] u8, u8);

#[derive(Encode, Decode)]
struct Twice {
    #[hhs(rename = "b", rename = "c")]
    a: String,
}

#[derive(Encode, Decode)]
struct TwoUnknown {
    #[hhs(unknown)]
    a: Unknown,
    #[hhs(unknown)]
    b: Unknown,
}

#[derive(Encode, Decode)]
struct RenamedUnknown {
    #[hhs(unknown, rename = "b")]
    a: Unknown,
}

#[derive(Object)]
#[object(class = "test/v1/Note", name = "Note")]
struct Misnamed {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/Text", validate = "check")]
struct Quoted {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v2/Text", upgrades = "test/v1/Text")]
struct QuotedUpgrade {
    text: String,
}

fn main() {}
