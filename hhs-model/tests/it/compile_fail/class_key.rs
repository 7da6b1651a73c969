//! Keys that would stand before the class.

use hhs_model::Object;

#[derive(Object)]
#[object(class = "test/v1/Note")]
struct Note {
    #[hhs(rename = "$")]
    class: String,
    #[hhs(rename = "")]
    nameless: String,
    #[hhs(rename = "!")]
    urgent: bool,
    // After it, as it should be.
    #[hhs(rename = "%")]
    share: u8,
}

#[derive(Object)]
#[object(class = "test/v1/Choice")]
enum Choice {
    #[hhs(rename = "$")]
    Class,
}

fn main() {}
