//! Validation that is no function of the object, or says nothing.

use hhs_model::Object;

#[derive(Object)]
#[object(class = "test/v1/Missing", validate = does_not_exist)]
struct Missing {
    text: String,
}

#[derive(Object)]
#[object(class = "test/v1/Yes", validate = is_fine)]
struct Yes {
    text: String,
}

fn is_fine(note: &Yes) -> bool {
    !note.text.is_empty()
}

fn main() {}
